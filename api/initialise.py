"""Making a city: home folder, keys, database, contracts. Every step may be interrupted and repeated."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from api import funding, members, passwords, wiring
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


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A node that somebody else runs, and how it is used; the settings of the same names. None: as the settings say."""

    rpc_url: str | None = None
    chain_id: int | None = None
    gas_price: int | None = None
    confirmations: int | None = None

    @property
    def given(self) -> dict[str, str | int]:
        """What was said, by name of the setting."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def initialise(
    home: Path,
    *,
    city: int,
    division: int,
    name: str,
    start_chain: Callable[[City], object],
    node: Elsewhere = Elsewhere(),
) -> City:
    """A one-city development ledger in `home`, or the rest of one whose making was interrupted.

    `start_chain` makes the development chain answer; it is not called where a node is named. Raises `ApiError`
    HOME_EXISTS if another city lives there, or the same one on another chain.
    """
    _make_home(home, city=city, division=division, name=name, node=node)
    opened = City(home)
    deployed = (home / wiring.DEPLOYMENT).exists()
    if opened.settings.rpc_url and not deployed:
        funding.reach(opened)  # before there are keys: until then another node may still be named
    if not (home / wiring.KEYSTORE).exists():
        Keystore.create(home / wiring.KEYSTORE, passwords.read(opened.settings.password_file))
    opened.keystore.generate(*wiring.CITY_KEYS)
    database = opened.unchecked_database()
    runner.upgrade(database)
    database.close()
    if not opened.settings.rpc_url:
        start_chain(opened)
    elif not deployed:
        funding.fund(opened)
    if not deployed:
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
    return opened


def _make_home(home: Path, *, city: int, division: int, name: str, node: Elsewhere) -> None:
    """Settings last: a folder without them is no city yet and can be begun again."""
    if (home / settings_file.FILE).exists():
        _same_city(home, settings_file.read(home), city, division, node)
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
            consortium=secrets.token_hex(32),
            password_file=str(password.resolve()),
            **node.given,  # type: ignore[arg-type]  # each by its own setting's name
        )
        _obeyed(settings, node)
        settings_file.write(home, settings)
    except OSError as error:
        raise ApiError("HOME_UNWRITABLE", f"{home}: {error.strerror}", path=home, reason=error.strerror) from None


def _same_city(home: Path, settings: Settings, city: int, division: int, node: Elsewhere) -> None:
    """Price and finality are no part of who it is: said again, they are written again. So is the whole node as long as
    there are no keys, for nothing can have been signed for the one before."""
    said = {"city": city, "division": division, **node.given}
    changed = {name for name, value in said.items() if value != getattr(settings, name)}
    bound = {"city", "division"} | ({"rpc_url", "chain_id"} if (home / wiring.KEYSTORE).exists() else set())
    if changed & bound:
        raise ApiError("HOME_EXISTS", "another city lives in this folder", path=home)
    if changed:
        settings_file.write(home, settings.model_copy(update={name: said[name] for name in changed}))


def _obeyed(settings: Settings, node: Elsewhere) -> None:
    """The environment wins over what is written; over what was just typed it must not win in silence."""
    for name, value in node.given.items():
        if getattr(settings, name) != value:
            problem = f"CERTLEDGER_{name.upper()} says something else than --{name.replace('_', '-')}"
            raise ApiError("USAGE", problem, problem=problem)


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
