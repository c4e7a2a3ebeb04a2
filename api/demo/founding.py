"""Act one: the cities and their agencies, and what a verifier somewhere else is given."""

from __future__ import annotations

from api import devchain, members
from api.card import card_of
from api.demo import world
from api.demo.scene import CONSTRUCTION, MARKET, POLICE, Scene
from api.initialise import initialise, join, prepare
from api.members import Member
from api.private_file import write
from api.trusting import trust_of
from api.wiring import City
from ledger import trust as trusts

TRUST_DAYS = 365


def found(scene: Scene) -> None:
    _cities(scene)
    _agencies(scene)
    path = scene.folder / "trust.json"
    write(path, trusts.encode(trust_of(scene.city, days=TRUST_DAYS)))
    scene.trust = trusts.decode(path.read_bytes())


def _cities(scene: Scene) -> None:
    """Three founders, each with a folder, keys and a database of its own; they meet on one chain and nowhere else."""
    first, *rest = rows = [world.city(letter) for letter in "ABC"]
    with prepare(scene.folder / first.home, **first.who) as city:
        consortium = city.settings.consortium
    cards = []
    for row in rest:
        with prepare(scene.folder / row.home, **row.who, consortium=consortium) as city:
            cards.append(card_of(city))

    def start(city: City) -> None:
        scene.chain = devchain.start_inside(city)
        scene.to_stop(scene.chain)

    scene.city = initialise(scene.folder / first.home, **first.who, start_chain=start, founders=cards)
    node, deployment = scene.city.chain_url, scene.city.deployment
    scene.others = [join(scene.folder / row.home, deployment, **row.who, rpc_url=node) for row in rest]
    ids = {
        "consortium": deployment.consortium.hex(),
        "MemberRegistry": deployment.member_registry.address,
        "LogAnchor": deployment.log_anchor.address,
        "StatusRegistry": deployment.status_registry.address,
    }
    scene.stage.line("demo.city", ids=ids, city=scene.names(*rows))


def _agencies(scene: Scene) -> None:
    rows = {key: world.agency(key) for key in (MARKET, POLICE, CONSTRUCTION)}
    members.add(scene.city, *(Member(a.code, a.name, tuple(world.types_of(key))) for key, a in rows.items()))
    scene.stage.line("demo.agency", ids={"agency": rows[MARKET].code}, agency=scene.names(*rows.values()))
