"""Making a city: home folder, keys, database, contracts. Every step may be interrupted and repeated."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api import members, passwords, wiring
from api import settings as settings_file
from api.errors import ApiError
from api.migrations import runner
from api.settings import Settings
from api.wiring import City
from certs.certificate_type import load_catalogue
from ledger import canonical
from ledger.evm.account import Account
from ledger.evm.contracts.member_registry import Founder
from ledger.evm.deploy import deploy
from ledger.keys.keystore import Keystore
from ledger.trust import MAX_BYTES, deployment_from, deployment_json

MIN_INTERVAL_SECONDS = 1


def initialise(home: Path, *, city: int, division: int, name: str, start_chain: Callable[[City], object]) -> City:
    """A one-city development ledger in `home`, or the rest of one whose making was interrupted.

    `start_chain` makes the development chain answer. Raises `ApiError` HOME_EXISTS if another city lives there.
    """
    _make_home(home, city=city, division=division, name=name)
    opened = _furnished(home)
    start_chain(opened)
    if not (home / wiring.DEPLOYMENT).exists():
        _deploy(opened)
    members.register_own_keys(opened)
    return opened


def join(home: Path, *, city: int, division: int, name: str, ledger: Path, rpc_url: str) -> City:
    """The home of a city on a ledger that exists, `ledger` its deployment.json; admitting the city is the others' act.

    Raises `ApiError` HOME_EXISTS, FILE_UNREADABLE; `ChainMismatch` if the node serves another ledger.
    """
    try:
        text = ledger.read_bytes()
    except OSError as error:
        raise ApiError("FILE_UNREADABLE", str(error), path=ledger, reason=error.strerror) from None
    found = deployment_from(canonical.loads(text, max_bytes=MAX_BYTES))
    place = {"rpc_url": rpc_url, "chain_id": found.chain_id, "consortium": found.consortium.hex()}
    _make_home(home, city=city, division=division, name=name, **place)
    (home / wiring.DEPLOYMENT).write_bytes(canonical.dumps(deployment_json(found)))
    opened = _furnished(home)
    _ = opened.chain  # confirmed to be this ledger
    return opened


def _furnished(home: Path) -> City:
    """With keys and tables."""
    opened = City(home)
    if not (home / wiring.KEYSTORE).exists():
        Keystore.create(home / wiring.KEYSTORE, passwords.read(opened.settings.password_file))
    opened.keystore.generate(*wiring.CITY_KEYS)
    database = opened.unchecked_database()
    runner.upgrade(database)
    database.close()
    return opened


def _make_home(home: Path, *, city: int, division: int, name: str, **place: Any) -> None:
    """Settings last: a folder without them is no city yet and can be begun again. `place`: settings of its chain."""
    if (home / settings_file.FILE).exists():
        settings = settings_file.read(home)
        if (settings.city, settings.division) != (city, division):
            raise ApiError("HOME_EXISTS", "another city lives in this folder", path=home)
        return
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        password = home / wiring.PASSWORD
        if not password.exists():
            passwords.write_new(password)
        settings = Settings(
            city=city,
            division=division,
            name=name,
            password_file=str(password.resolve()),
            **({"consortium": secrets.token_hex(32)} | place),
        )
        settings_file.write(home, settings)
    except OSError as error:
        raise ApiError("HOME_UNWRITABLE", f"{home}: {error.strerror}", path=home, reason=error.strerror) from None


def _deploy(city: City) -> None:
    """Deploy the contracts with this city as the one founder. The outbox remembers: nothing is deployed twice."""
    governor = Account(city.keystore.account_secret(wiring.GOVERNOR))
    publisher = Account(city.keystore.account_secret(wiring.PUBLISHER))
    founder = Founder(
        city=city.settings.city,
        division=city.settings.division,
        governor=governor.address,
        hot=(publisher.address,),
        types=tuple(each.code for each in load_catalogue().values()),
    )
    deployment = deploy(
        city.transactor(wiring.DEPLOYER),
        city.wire,
        consortium=bytes.fromhex(city.settings.consortium),
        founders=[founder],
        production=city.settings.production,
        min_interval=MIN_INTERVAL_SECONDS,
    )
    path = city.home / wiring.DEPLOYMENT
    beside = path.with_suffix(".new")
    beside.write_bytes(canonical.dumps(deployment_json(deployment)))
    beside.replace(path)
