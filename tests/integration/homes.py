"""A city's home with its own chain, copied for each test from one that was founded once."""

from __future__ import annotations

import contextlib
import csv
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api import checking, devchain, members, passwords, wiring
from api import settings as settings_file
from api.checking import Checked
from api.initialise import initialise
from api.issue import IssueReport, issue_file
from api.members import Member
from api.messages import Words
from api.migrations import runner
from api.reading import bundle_of
from api.trusting import trust_of
from api.verify import policy
from api.wiring import PUBLISHER, City
from certs import store
from certs.bundle import encode
from certs.certificate_type import load_catalogue
from certs.changing import ChangeStatus
from certs.lifecycle import KINDS, Change
from certs.store import Certificate
from certs.verify.verifier import Verified, Verifier
from ledger import merkle, tile
from ledger.evm.engine import DevChain
from ledger.keys.keystore import Keystore
from ledger.publisher import Publisher
from ledger.status import Reason
from ledger.store import logs, outbox
from ledger.verdict import Result

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
MARKET, MARKET_NAME = "11330100XXXX33013C", "杭州市市场监督管理局（演示）"
POLICE, POLICE_NAME = "11330100XXXX330217", "杭州市公安局（演示）"
LICENCE, CARD = "business_licence", "resident_id_card"
WORDS = Words("en")
HANG_SECONDS = 60.0
"""How long a test waits for what should take a second; nothing is measured by it."""


def found(folder: Path) -> Path:
    """A one-city ledger: one agency accredited for every type there is, one for identity cards alone."""
    chains: list[DevChain] = []
    try:
        city = initialise(
            folder,
            city=1,
            division=330100,
            name="杭州市",
            start_chain=lambda opened: chains.append(devchain.start_inside(opened)),
        )
        with city:
            every = Member(MARKET, MARKET_NAME, tuple(load_catalogue()))
            members.add(city, every, Member(POLICE, POLICE_NAME, (CARD,)))
    finally:
        for chain in chains:
            chain.stop()
    return folder


class Home:
    """One city under test: its folder, its chain in this process, and the parts that `City` puts together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.city = City(folder)
        self.chain = devchain.start_inside(self.city)

    def close(self) -> None:
        self.city.close()
        self.chain.stop()

    def reopen(self) -> City:
        """As after a restart: nothing is remembered but what is on disk."""
        self.city.close()
        self.city = City(self.folder)
        return self.city

    def issue(self, path: Path, type_id: str = LICENCE, agency: str = MARKET, *, renew: bool = False) -> IssueReport:
        return issue_file(
            self.city, path, type_id=type_id, agency=agency, words=WORDS, progress=lambda *_: None, renew=renew
        )

    def issued(self, rows: int = 3, *, start: int = 1) -> list[Certificate]:
        """The first so many licences of the sample, issued; the newest first."""
        self.issue(licences(self.folder / f"rows-{start}-{rows}.csv", rows, start=start))
        return self.certificates()[:rows]

    def publish(self) -> None:
        self.city.publisher.catch_up(HANG_SECONDS)

    def change(self, identifier: str, change: Change, reason: Reason | None = None, **more: Any) -> None:
        chosen = reason or KINDS[change].reasons[0]
        self.city.sequencer.append(self.city.log, ChangeStatus(identifier, MARKET, change, chosen, **more))

    def certificates(self) -> list[Certificate]:
        with self.city.database.reading() as connection:
            return store.newest(connection, 1_000_000)

    def verify(self, identifier: str, *, online: bool = False) -> Verified:
        """A fresh bundle, through its bytes, by a verifier that has nothing but the trust file."""
        trust, file = trust_of(self.city, days=1), encode(bundle_of(self.city, identifier))
        verifier = Verifier(trust)
        question = verifier.question(file)
        assert question is not None
        live = self.city.chain.facts(question) if online else None
        return verifier.verify(file, policy(), datetime.now(UTC), live)

    def check(self) -> list[Checked]:
        return list(checking.run(self.city, leaves=0, progress=lambda _: None))

    def wrong(self) -> list[Checked]:
        return [line for line in self.check() if line.outcome is not checking.Outcome.OK]

    def outbox(self) -> dict[tuple[str, str], int]:
        with self.city.database.reading() as connection:
            return outbox.counts(connection)

    def transactions(self, label: str) -> list[outbox.StoredTransaction]:
        with self.city.database.reading() as connection:
            return outbox.transactions(connection, label=label)

    def size(self) -> int:
        with self.city.database.reading() as connection:
            row = logs.find(connection, self.city.log.id)
        return row.head.size if row else 0

    def contiguous(self) -> int:
        """The size of the log, after its indices, tiles, root and the chain's head have been found to agree."""
        with self.city.database.reading() as connection:
            row = logs.find(connection, self.city.log.id)
            assert row is not None
            indices = [index for index, _ in logs.entries(connection, row.no, 0, 2**62)]
            assert indices == list(range(row.head.size))
            leaves = tile.leaves(logs.tile_reader(connection, row.no), 0, row.head.size)
        assert row.head.root == merkle.tree_root(leaves)
        (published,) = self.city.chain.heads([self.city.log.id])
        assert published is None or merkle.tree_root(leaves[: published.size]) == published.root
        return row.head.size

    def edit(self, statement: str, *values: Any) -> int:
        """Behind the ledger's back, as someone with the database file could."""
        with contextlib.closing(sqlite3.connect(self.folder / "ledger.sqlite", timeout=30)) as raw, raw:
            return raw.execute(statement, values).rowcount

    def ask(self, query: str, *values: Any) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.folder / "ledger.sqlite", timeout=30)) as raw:
            return raw.execute(query, values).fetchall()


@contextlib.contextmanager
def copied(founded: Path, folder: Path) -> Iterator[Home]:
    """An independent city with the same history: its chain is replayed from the copied journal."""
    home = Home(Path(shutil.copytree(founded, folder / "home")))
    try:
        yield home
    finally:
        home.close()


def sample(type_id: str = LICENCE) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a comma-separated UTF-8 sample."""
    with (SAMPLES / f"{type_id}.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def licences(path: Path, count: int, *, start: int = 1) -> Path:
    """So many good rows of the licence sample, from row `start` on."""
    header, rows = sample()
    return write(path, header, rows[start - 1 : start - 1 + count])


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def publisher(city: City) -> Publisher:
    """A new one, as another process would have it."""
    return Publisher(city.database, city.chain, city.transactor(PUBLISHER))


def anchored_once(home: Home, size: int) -> None:
    """The chain's newest head is ours, is kept as an anchor, and nothing is under way or waiting."""
    assert home.contiguous() == size
    (head,) = home.city.chain.heads([home.city.log.id])
    assert head is not None and head.size == size
    newest = home.ask("SELECT size, root, prev_size, block, time FROM anchor ORDER BY size DESC LIMIT 1")
    assert newest == [(head.size, head.root, head.prev_size, head.block, head.time)]
    assert {state for _, state in home.outbox()} == {outbox.DONE}
    assert not home.wrong()
    assert all(home.verify(each.identifier).verdict.result is Result.VALID for each in home.certificates()[:5])


def joined(home: Home, folder: Path, city: int) -> City:
    """Another city's home beside the first, on its chain: own keys and database, the same contracts."""
    folder.mkdir(mode=0o700)
    passwords.write_new(folder / wiring.PASSWORD)
    settings = home.city.settings.model_copy(
        update={
            "city": city,
            "division": 330000 + 100 * city,
            "name": f"city {city}",
            "rpc_url": home.city.chain_url,
            "password_file": str(folder / wiring.PASSWORD),
        }
    )
    settings_file.write(folder, settings)
    shutil.copy(home.folder / wiring.DEPLOYMENT, folder)
    opened = City(folder)
    Keystore.create(folder / wiring.KEYSTORE, passwords.read(settings.password_file))
    opened.keystore.generate(*wiring.CITY_KEYS)
    database = opened.unchecked_database()
    runner.upgrade(database)
    database.close()
    return opened
