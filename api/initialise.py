"""Making a city: home folder, keys, database, contracts. Every step may be interrupted and repeated."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from api import members, passwords, wiring
from api import settings as settings_file
from api.errors import ApiError
from api.migrations import runner
from api.settings import Settings
from api.wiring import City
from certs.certificate_type import load_catalogue
from ledger import accreditation as rules
from ledger import canonical
from ledger.evm.account import Account
from ledger.evm.contracts.member_registry import Founder
from ledger.evm.deploy import deploy
from ledger.facts import Question
from ledger.keys.keystore import Keystore
from ledger.trust import deployment_json

MIN_INTERVAL_SECONDS = 1


def initialise(home: Path, *, city: int, division: int, name: str, start_chain: Callable[[City], object]) -> City:
    """A one-city development ledger in `home`, or the rest of one whose making was interrupted.

    `start_chain` makes the development chain answer. Raises `ApiError` HOME_EXISTS if another city lives there.
    """
    _make_home(home, city=city, division=division, name=name)
    opened = City(home)
    if not (home / wiring.KEYSTORE).exists():
        Keystore.create(home / wiring.KEYSTORE, passwords.read(opened.settings.password_file))
    # Crash init/keystore: an empty keystore.
    opened.keystore.generate(*wiring.CITY_KEYS)
    # Crash init/keys: all keys at once or none; those that are there stay.
    database = opened.unchecked_database()
    runner.upgrade(database)
    database.close()
    # Crash init/tables: an empty database.
    start_chain(opened)
    # Crash init/chain: a chain that nobody asks anything; it is found running.
    if not (home / wiring.DEPLOYMENT).exists():
        _deploy(opened)
    keys = opened.keystore
    head = keys.note_signer(wiring.HEAD_KEY).public_key().public_bytes_raw()
    steps = [
        members.city_key_step(city, rules.WITNESS, keys.signer(wiring.WITNESS)),
        members.city_key_step(city, rules.RECEIPT, keys.signer(wiring.RECEIPT_KEY)),
        members.head_step(city, head),
    ]
    known = {key.kid for key in opened.chain.facts(Question(kids=tuple(step.subject for step in steps))).keys}
    members.carry_out(opened, "city-keys", [step for step in steps if step.subject not in known])
    # Crash init/city-keys: everything is done; the same command finds it so.
    return opened


def _make_home(home: Path, *, city: int, division: int, name: str) -> None:
    """Settings last: a folder without them is no city yet and can be begun again."""
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
        # Crash init/password: no settings, so no city yet; the password is used again.
        settings = Settings(
            city=city,
            division=division,
            name=name,
            consortium=secrets.token_hex(32),
            password_file=str(password.resolve()),
        )
        settings_file.write(home, settings)
        # Crash init/settings: a city with an id and no key.
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
    # Crash init/deployed: written beside, so that half a file is never read; it is derived again.
    beside.replace(path)
    # Crash init/named: the contracts are known; what follows asks the chain what it has already.
