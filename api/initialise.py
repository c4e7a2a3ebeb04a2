"""Making a city: home folder, keys, database, contracts. Every step may be interrupted and repeated.

A ledger of one city is made by `initialise` alone. For one of several cities each `prepare`s a home and hands its
card to the one that deploys; the others `join` what was deployed, as does a city that is admitted later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from api import funding, members, passwords, wiring
from api import home as homes
from api import settings as settings_file
from api.card import Card, card_of
from api.errors import ApiError
from api.home import Elsewhere
from api.migrations import runner
from api.wiring import City
from certs.certificate_type import load_catalogue
from ledger import canonical
from ledger.evm.contracts import member_registry
from ledger.evm.contracts.member_registry import Founder
from ledger.evm.deploy import deploy
from ledger.keys.keystore import Keystore
from ledger.ports import Call
from ledger.trust import Deployment, deployment_json

MIN_INTERVAL_SECONDS = 1


def prepare(
    home: Path, *, city: int, division: int, name: str, consortium: str = "", node: Elsewhere = Elsewhere()
) -> City:
    """A home with settings, keys and tables, and no ledger yet. `consortium` empty: a new one is drawn.

    Raises `ApiError` HOME_EXISTS if another city lives there, or the same one of another consortium or chain.
    """
    homes.make(home, city=city, division=division, name=name, consortium=consortium, node=node)
    opened = City(home)
    if opened.settings.rpc_url and not (home / wiring.DEPLOYMENT).exists():
        funding.reach(opened)  # before there are keys: until then another node may still be named
    if not (home / wiring.KEYSTORE).exists():
        Keystore.create(home / wiring.KEYSTORE, passwords.read(opened.settings.password_file))
    # Crash init/keystore: an empty keystore.
    opened.keystore.generate(*wiring.CITY_KEYS)
    # Crash init/keys: all keys at once or none; those that are there stay.
    database = opened.unchecked_database()
    runner.upgrade(database)
    database.close()
    # Crash init/tables: an empty database.
    return opened


def initialise(
    home: Path,
    *,
    city: int,
    division: int,
    name: str,
    start_chain: Callable[[City], object],
    founders: Sequence[Card] = (),
    node: Elsewhere = Elsewhere(),
) -> City:
    """A development ledger whose contracts this city deploys, or the rest of one whose making was interrupted.

    `start_chain` makes the development chain in `home` answer; it is not called where a node is named. `founders` are
    the other cities that are there from the first block. Raises `ApiError` HOME_EXISTS, FOUNDER_FOREIGN, FOUNDER_TWICE.
    """
    opened = prepare(home, city=city, division=division, name=name, node=node)
    cards = [card_of(opened), *founders]
    _refuse_unlike(cards)
    deployed = (home / wiring.DEPLOYMENT).exists()
    if not opened.settings.rpc_url:
        start_chain(opened)
    elif not deployed:
        funding.fund(opened)
    # Crash init/chain: a chain that nobody asks anything; it is found running.
    if not deployed:
        _deploy(opened, cards)
    members.register_own_keys(opened)
    # Crash init/city-keys: everything is done; the same command finds it so.
    return opened


def join(home: Path, deployment: Deployment, *, city: int, division: int, name: str, rpc_url: str) -> City:
    """A city of a ledger that is deployed, by a node of its chain. What `prepare` made is kept.

    Raises `ApiError` HOME_EXISTS; NOT_ADMITTED (governor) while the cities have not admitted it: run it again then.
    """
    opened = prepare(home, city=city, division=division, name=name, consortium=deployment.consortium.hex())
    at = {"rpc_url": rpc_url, "chain_id": deployment.chain_id}
    settings_file.write(home, opened.settings.model_copy(update=at))
    _keep(home, deployment)
    opened.close()
    opened = City(home)
    funding.fund(opened)
    card = card_of(opened)
    if not _admitted(opened, card):
        opened.close()
        raise ApiError("NOT_ADMITTED", "no city of this number has this governor", city=city, governor=card.governor)
    members.register_own_keys(opened)
    return opened


def _admitted(opened: City, card: Card) -> bool:
    """Is this the governor of this city, and the city active?"""
    registry = opened.deployment.member_registry.address
    (row,) = opened.chain.ask([(registry, member_registry.city_call(card.city))])
    governs = Call(registry, member_registry.governs_call(card.governor))
    return member_registry.governor(row) == card.governor and opened.chain.rehearse(card.governor, governs) is None


def _refuse_unlike(cards: Sequence[Card]) -> None:
    """The contract refuses two founders of one number too, but in words of its own and after two transactions."""
    for card in cards:
        if card.consortium != cards[0].consortium:
            raise ApiError("FOUNDER_FOREIGN", "this card is of another consortium", city=card.city)
    numbers = [card.city for card in cards]
    twice = next((number for number in numbers if numbers.count(number) > 1), None)
    if twice is not None:
        raise ApiError("FOUNDER_TWICE", "two founders have one number", city=twice)


def _deploy(city: City, cards: Sequence[Card]) -> None:
    """Deploy the contracts with these founders. The outbox remembers: nothing is deployed twice."""
    types = tuple(each.code for each in load_catalogue().values())
    founders = [Founder(c.city, c.division, c.governor, c.hot, types) for c in cards]
    deployment = deploy(
        city.transactor(wiring.DEPLOYER),
        city.wire,
        consortium=bytes.fromhex(city.settings.consortium),
        founders=founders,
        production=city.settings.production,
        min_interval=MIN_INTERVAL_SECONDS,
    )
    _keep(city.home, deployment)


def _keep(home: Path, deployment: Deployment) -> None:
    """Whole or not at all."""
    path = home / wiring.DEPLOYMENT
    beside = path.with_suffix(".new")
    beside.write_bytes(canonical.dumps(deployment_json(deployment)))
    # Crash init/deployed: written beside, so that half a file is never read; it is derived again.
    beside.replace(path)
    # Crash init/named: the contracts are known; what follows asks the chain what it has already.
