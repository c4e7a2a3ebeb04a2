"""Act one: the cities and their agencies, and what a verifier somewhere else is given."""

from __future__ import annotations

from api import devchain, members
from api.cli.bundle import write
from api.demo import world
from api.demo.scene import MARKET, POLICE, Scene
from api.initialise import initialise
from api.members import Member
from api.trusting import trust_of
from api.wiring import City
from ledger import trust as trusts

TRUST_DAYS = 365


def found(scene: Scene) -> None:
    _city(scene)
    _agencies(scene)
    path = scene.folder / "trust.json"
    write(path, trusts.encode(trust_of(scene.city, days=TRUST_DAYS)))
    scene.trust = trusts.decode(path.read_bytes())


def _city(scene: Scene) -> None:
    row = world.city("A")

    def start(city: City) -> None:
        scene.chain = devchain.start_inside(city)
        scene.to_stop(scene.chain)

    home = scene.folder / "hangzhou"
    scene.city = initialise(home, city=1, division=row.division, name=row.name, start_chain=start)
    deployment = scene.city.deployment
    ids = {
        "consortium": deployment.consortium.hex(),
        "MemberRegistry": deployment.member_registry.address,
        "LogAnchor": deployment.log_anchor.address,
        "StatusRegistry": deployment.status_registry.address,
    }
    scene.stage.line("demo.city", ids=ids, city=scene.names(row))


def _agencies(scene: Scene) -> None:
    rows = {key: world.agency(key) for key in (MARKET, POLICE)}
    members.add(scene.city, *(Member(a.code, a.name, tuple(world.types_of(key))) for key, a in rows.items()))
    scene.stage.line("demo.agency", ids={"agency": rows[MARKET].code}, agency=scene.names(*rows.values()))
