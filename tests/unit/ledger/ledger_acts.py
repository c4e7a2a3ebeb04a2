"""Acts that tests record, the files they are recorded in, and a reading of a whole log that trusts nothing."""

from __future__ import annotations

import multiprocessing.synchronize
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import text

from ledger import entries, merkle, tile
from ledger.keys.wrapping import WrappingKey
from ledger.sequencer import Appended, Decided, Sequencer, Turn
from ledger.statement import Draft, Statement
from ledger.store import logs, schema
from ledger.store.database import Database
from ledger.store.guard import Guard
from ledger.types import LogName

KEY = WrappingKey(sha256(b"entries of the tests").digest())
LOG = LogName(1, "access")
OTHER = LogName(1, "case")
AGENCY = "11330105002500287C"
HANG = 60
"""Seconds after which a test that waits for a thread gives up; nothing is measured by it."""


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def step(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Say:
    """Records one statement with this number, and a row of the caller's own table."""

    n: int
    before: Callable[[Turn], None] = field(default=lambda turn: None)
    after: Callable[[Turn], None] = field(default=lambda turn: None)
    entries: int = 1

    def decide(self, turn: Turn) -> Decided[int]:
        self.before(turn)
        turn.connection.execute(text("INSERT INTO own (n) VALUES (:n)"), {"n": self.n})
        self.after(turn)
        stream = turn.log.stream
        return Decided([Draft(f"{stream}/asked", AGENCY, {"n": self.n})] * self.entries, self.n)


class Place:
    """One city's files in a folder. Opening the same folder twice is a second process's view of it."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] | None = None) -> None:
        self.database_file, self.guard_file = folder / "city.db", folder / "guard.db"
        self.clock = Clock()
        self.database = Database(f"sqlite:///{self.database_file}")
        with self.database.writing() as connection:
            schema.metadata.create_all(connection)
            connection.execute(text("CREATE TABLE IF NOT EXISTS own (n INTEGER)"))
        self.guard = Guard(self.guard_file)
        self.sequencer = Sequencer(database=self.database, guard=self.guard, key=KEY, clock=clock or self.clock)

    def close(self) -> None:
        self.database.close()
        self.guard.close()

    def say(self, *numbers: int, log: LogName = LOG) -> list[Appended[int]]:
        return [self.sequencer.append(log, Say(n)) for n in numbers]

    def own(self) -> list[int]:
        with self.database.reading() as connection:
            return [row.n for row in connection.execute(text("SELECT n FROM own ORDER BY rowid"))]

    def edit(self, statement: str, *values: Any) -> int:
        """Behind the ledger's back, as someone with the database file could."""
        raw = sqlite3.connect(self.database_file)
        with raw:
            changed = raw.execute(statement, values).rowcount
        raw.close()
        return changed

    def read(self, log: LogName = LOG) -> list[Statement]:
        """The whole log, read anew: contiguous, opened, hashed, and the same root by every way."""
        with self.database.reading() as connection:
            row = logs.find(connection, log.id)
            if row is None:
                return []
            rows = list(logs.entries(connection, row.no, 0, 2**62))
            read = logs.tile_reader(connection, row.no)
            hashes = [entries.rehash(s, log_id=log.id, index=i, key=KEY) for i, s in rows]
            assert [i for i, _ in rows] == list(range(row.head.size))
            assert tile.leaves(read, 0, row.head.size) == hashes
            assert row.head.root == merkle.tree_root(hashes) == tile.root(read, row.head.size)
        assert row.head.size == 0 or self.guard.read(log.id) == row.head
        opened = [entries.open_entry(s, log_id=log.id, index=i, key=KEY)[0] for i, s in rows]
        assert [s.at for s in opened] == sorted(s.at for s in opened)
        return opened

    def numbers(self, log: LogName = LOG) -> list[Any]:
        return [statement.body["n"] for statement in self.read(log)]

    def together(self, acts: Sequence[Any], log: LogName = LOG) -> list[Appended[Any] | BaseException]:
        """All acts in one commit, each from its own thread, in this order: they queue while another log is busy."""
        results: list[Any] = [None] * len(acts)
        busy, go = threading.Event(), threading.Event()

        def hold(turn: Turn) -> None:
            busy.set()
            assert go.wait(HANG)

        def append(i: int, name: LogName, act: Any) -> None:
            try:
                results[i] = self.sequencer.append(name, act)
            except BaseException as error:
                results[i] = error

        results.append(None)
        threads = [threading.Thread(target=append, args=(len(acts), OTHER, Say(-1, before=hold)))]
        threads[0].start()
        assert busy.wait(HANG)
        for i, act in enumerate(acts):
            threads.append(threading.Thread(target=append, args=(i, log, act)))
            threads[-1].start()
            deadline = time.monotonic() + HANG
            while len(self.sequencer._queues.get(log, ())) <= i:
                assert time.monotonic() < deadline
                time.sleep(0.001)
        go.set()
        for thread in threads:
            thread.join(HANG)
        return results[:-1]


def append_from_a_process(folder: str, start: multiprocessing.synchronize.Barrier, numbers: Sequence[int]) -> None:
    """What each of several processes does: open the city's files, wait for the others, append."""
    place = Place(Path(folder), clock=lambda: datetime.now(UTC))
    start.wait(HANG)
    place.say(*numbers)
    place.close()
