"""Wiring: one city's parts put together from its home folder. Each part is made when it is first asked for.

Home folder: certledger.toml, keystore.json, ledger.sqlite, guard.sqlite, contents.sqlite, deployment.json and, in
development, chain/.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from api import passwords
from api import settings as settings_file
from api.errors import ApiError
from api.migrations import runner
from api.settings import Settings
from audit.granting import Granting
from audit.keyring import Keyring
from audit.recording import Recorder
from certs.bundling import Bundler
from certs.erasing import Erasing
from ledger import canonical, trust
from ledger.cosigning import Cosigner
from ledger.errors import ChainUnavailable, LedgerError
from ledger.evm import devnet
from ledger.evm.account import Account
from ledger.evm.client import EvmChain, EvmWire
from ledger.evm.journal import journaled_height
from ledger.evm.rpc import Rpc, RpcError
from ledger.keys import office
from ledger.keys.content_keys import ContentKeys
from ledger.keys.day_keys import DayKeys
from ledger.keys.keystore import ED25519, HMAC, P256, SECP256K1, WRAPPING, Keystore
from ledger.keys.p256 import P256Signer
from ledger.logid import ACCESS, AUTHORIZATION, CERTIFICATE
from ledger.publisher import Publisher
from ledger.sequencer import Sequencer
from ledger.store import logs
from ledger.store.database import Database
from ledger.store.guard import Guard
from ledger.transactor import Transactor
from ledger.trust import Deployment
from ledger.types import LogName

KEYSTORE = "keystore.json"
DATABASE = "ledger.sqlite"
GUARD = "guard.sqlite"
CONTENTS = "contents.sqlite"
DEPLOYMENT = "deployment.json"
CHAIN = "chain"
OFFICE = "audit-office.jwk"
PASSWORD = "password.txt"  # noqa: S105  # the name of a file

DEPLOYER, GOVERNOR, PUBLISHER = "deployer", "governor", "publisher"
WITNESS, RECEIPT_KEY, HEAD_KEY, CITY_KEY = "witness", "receipt", "head", "city"
INDEX_KEY, SUBJECT_KEY, ENC_KEY, CONTENTS_KEY = "index", "subject", "enc", "contents"
CITY_KEYS = (
    (DEPLOYER, SECP256K1),
    (GOVERNOR, SECP256K1),
    (PUBLISHER, SECP256K1),
    (WITNESS, P256),
    (RECEIPT_KEY, P256),
    (HEAD_KEY, ED25519),
    (CITY_KEY, WRAPPING),
    (INDEX_KEY, HMAC),
    (SUBJECT_KEY, HMAC),
    (ENC_KEY, P256),
    (CONTENTS_KEY, WRAPPING),
)

SETTLE_SECONDS = 60.0
"""For the governor's transactions to become final."""

PROJECT = Path(__file__).resolve().parent.parent
"""Where node_modules is, when it runs from a checkout."""


def agency_key(agency: str, number: int = 1) -> str:
    """Name of an agency's certificate key in the keystore: its first, or the one after so many rotations."""
    return f"cert/{agency}" if number == 1 else f"cert/{agency}/{number}"


def agency_signers(keystore: Keystore, agency: str) -> list[P256Signer]:
    """Every certificate key of an agency that is here, the newest first."""
    found: list[P256Signer] = []
    while keystore.has(name := agency_key(agency, len(found) + 1)):
        found.insert(0, keystore.signer(name))
    return found


class City:
    """One city, opened. Use as a context manager; nothing is locked while it is open."""

    def __init__(self, home: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.home = home
        self.clock = clock
        self.settings: Settings = settings_file.read(home)

    def __enter__(self) -> City:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for name in ("database", "guard", "content_keys", "rpc"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    @property
    def log(self) -> LogName:
        """The log that takes this city's certificates: its current epoch."""
        return self.log_of(CERTIFICATE)

    def log_of(self, stream: str) -> LogName:
        """The log that takes a stream's entries: its current epoch."""
        with self.database.reading() as connection:
            return logs.current(connection, self.settings.city, stream)

    @cached_property
    def keystore(self) -> Keystore:
        if self.settings.production and self.settings.password_file:
            raise ApiError("DEVELOPMENT_ONLY", "production asks for the password", what="password_file")
        return Keystore.open(self.home / KEYSTORE, passwords.read(self.settings.password_file))

    def unlock(self) -> None:
        """Open the keystore now: a password must be asked for before a progress bar takes the terminal."""
        _ = self.keystore

    @cached_property
    def database(self) -> Database:
        database = self.unchecked_database()
        runner.check(database)
        return database

    def unchecked_database(self) -> Database:
        """For `init` alone, which makes the tables."""
        return Database(self.settings.database_url or f"sqlite:///{self.home / DATABASE}")

    @cached_property
    def guard(self) -> Guard:
        return Guard(self.home / GUARD)

    @cached_property
    def content_keys(self) -> ContentKeys:
        return ContentKeys(self.home / CONTENTS, self.keystore.wrapper(CONTENTS_KEY), self.clock)

    @cached_property
    def erasing(self) -> Erasing:
        return Erasing(self.database, self.content_keys)

    @cached_property
    def sequencer(self) -> Sequencer:
        return Sequencer(self.database, self.guard, self.keystore.wrapper(CITY_KEY), self.clock, self.day_keys)

    @cached_property
    def day_keys(self) -> DayKeys:
        """Shared with the audit office as soon as one was named."""
        path = self.home / OFFICE
        shared = office.for_office(*office.read_jwk(path.read_bytes())) if path.exists() else None
        return DayKeys(self.keystore.wrapper(CITY_KEY), shared)

    @cached_property
    def keyring(self) -> Keyring:
        keys = self.keystore
        return Keyring(self.day_keys, keys.mac_key(SUBJECT_KEY), keys.mac_key(INDEX_KEY))

    @property
    def steward(self) -> str:
        """USCC of the agency that records for the city. Raises `ApiError` STEWARD_MISSING."""
        if not self.settings.steward:
            raise ApiError("STEWARD_MISSING", "no agency records for this city", path=self.home / settings_file.FILE)
        return self.settings.steward

    @property
    def recorder(self) -> Recorder:
        return Recorder(self.sequencer, self.log_of(ACCESS), self.keyring, self.settings.city)

    @property
    def granting(self) -> Granting:
        return Granting(self.sequencer, self.log_of(AUTHORIZATION), self.keyring, self.steward)

    @property
    def chain_folder(self) -> Path:
        return self.home / CHAIN

    @property
    def chain_url(self) -> str:
        """Raises `ChainUnavailable` CHAIN_STOPPED if it is the development chain and it is not running."""
        if self.settings.rpc_url:
            return self.settings.rpc_url
        record = devnet.status(self.chain_folder).record
        if record is None or not record.alive():
            raise ChainUnavailable("CHAIN_STOPPED", "the development chain is not running", folder=self.chain_folder)
        return record.url

    @cached_property
    def rpc(self) -> Rpc:
        return Rpc(self.chain_url)

    def final(self, newest: int) -> int:
        """The finality rule of this city's engine."""
        if self.settings.rpc_url:
            return newest - self.settings.confirmations
        return min(newest, journaled_height(self.chain_folder))

    @cached_property
    def wire(self) -> EvmWire:
        s = self.settings
        return EvmWire(self.rpc, chain_id=s.chain_id, final=self.final, gas_price=s.gas_price)

    @cached_property
    def deployment(self) -> Deployment:
        path = self.home / DEPLOYMENT
        try:
            return trust.deployment_from(canonical.loads(path.read_bytes(), max_bytes=trust.MAX_BYTES))
        except OSError:
            raise ApiError("DEPLOYMENT_MISSING", "the contracts are not deployed yet", path=path) from None

    @cached_property
    def chain(self) -> EvmChain:
        """Confirmed to be this city's ledger before it is handed out."""
        chain = EvmChain(self.rpc, self.deployment, final=self.final, gas_price=self.settings.gas_price)
        chain.confirm()
        return chain

    def address(self, account: str) -> str:
        """On chain, of one of the city's accounts."""
        return Account(self.keystore.account_secret(account)).address

    def transactor(self, account: str) -> Transactor:
        """The transactions of one of the city's accounts; those that the chain has lost are under way again."""
        sender = Account(self.keystore.account_secret(account))
        transactor = Transactor(self.database, self.wire, sender)
        transactor.reopen()
        return transactor

    @cached_property
    def publisher(self) -> Publisher:
        """Ready: where the chain was rolled back, what the governor had registered is there again."""
        chain = self.chain  # first of all: nothing is sent again to another chain
        self.transactor(GOVERNOR).settle_all(SETTLE_SECONDS)
        return Publisher(self.database, chain, self.transactor(PUBLISHER))

    @property
    def cosigner(self) -> Cosigner:
        return Cosigner(self.chain, self.settings.city, self.keystore.signer(WITNESS))

    @cached_property
    def bundler(self) -> Bundler:
        key, witness = self.keystore.wrapper(CITY_KEY), self.keystore.signer(WITNESS)
        return Bundler(self.database, self.chain, key, self.content_keys, witness)

    def forget_chain(self) -> None:
        """Look for the chain anew at the next use: the development chain may come back on another port."""
        for name in ("rpc", "wire", "chain", "publisher", "bundler"):
            part = self.__dict__.pop(name, None)
            if name == "rpc" and part is not None:
                part.close()

    def try_publishing(self, deadline: float) -> LedgerError | None:
        """Anchor what waits; if the chain is away, say why and leave it waiting: no counter is held up."""
        try:
            self.publisher.catch_up(deadline)
        except (ChainUnavailable, RpcError) as error:
            return error
        return None
