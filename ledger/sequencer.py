"""The sequencer: the only place that appends to a log, and the only one that commits.

Callers hand in acts; whoever gets the lock first commits for all who wait (group commit). The order of steps in
`_commit` is the safety argument, so it is one function, and each step says what a crash after it leaves behind.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from ledger import entries, tile
from ledger.commitment import SALT_BYTES, statement_leaf
from ledger.epochs import CONTINUED
from ledger.errors import AppendRefused, StoreConflict, StoreUnavailable, VerificationError
from ledger.keys.day_keys import DayKeys
from ledger.sealing.envelope import KEY_BYTES, NONCE_BYTES, Wrapper
from ledger.sealing.seal import seal
from ledger.statement import Draft, Statement, parse_timestamp, timestamp
from ledger.store import logs, outbox
from ledger.store.database import Connection, Database, savepoint
from ledger.store.guard import Guard
from ledger.store.logs import LogRow
from ledger.types import Head, LogName

T = TypeVar("T")

MAX_ACTS = 1024
"""Acts in one commit; more wait for the next."""
CLOCK_TOLERANCE = timedelta(seconds=2)
"""A step back within it is held (time stands still); beyond it the sequencer stops loudly."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What an act is given while it has the log to itself."""

    connection: Connection
    log: LogName
    at: str
    """The time its statements will carry."""
    first_index: int
    """The index its first entry will have."""
    log_no: int
    """The log's number in this database."""


@dataclass(frozen=True, slots=True)
class Decided(Generic[T]):
    drafts: Sequence[Draft]
    value: T
    """Handed to the caller only after commit and guard."""


class Act(Protocol[T]):
    """Something that wants to be recorded.

    `decide` runs under the head lock in a savepoint of its own: it may read, write its caller's own rows, and
    refuse by raising (its savepoint is rolled back, its neighbours go on). It must not commit, and must not
    let anything out: until `append` returns, nothing has happened.
    """

    def decide(self, turn: Turn) -> Decided[T]: ...


@dataclass(frozen=True, slots=True)
class Appended(Generic[T]):
    """The receipt of an act: durable, not yet anchored."""

    value: T
    log: LogName
    first_index: int
    leaves: tuple[bytes, ...]
    """Leaf hashes of its entries, from `first_index` on."""
    at: str


def _held() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class _Ticket:
    act: Act[Any]
    answer: Appended[Any] | None = None
    error: BaseException | None = None
    leads: bool = False
    """Its caller commits for all who wait."""
    woken: Lock = field(default_factory=_held)
    """Held until it is answered or leads."""


@dataclass(slots=True)
class _Batch:
    """What one commit adds to a log."""

    recipients: Sequence[Wrapper]
    """Who can open its entries."""
    leaves: list[bytes] = field(default_factory=list)
    sealed: list[bytes] = field(default_factory=list)


class Sequencer:
    """Appends to the logs of one city. One per process and database; safe to call from many threads."""

    def __init__(
        self,
        database: Database,
        guard: Guard,
        key: Wrapper,
        clock: Callable[[], datetime],
        day_keys: DayKeys | None = None,
    ) -> None:
        """Entries are sealed for `key`, the city's own, and for the key of their day, so that the audit office reads
        them too."""
        self._database = database
        self._guard = guard
        self._key = key
        self._clock = clock
        self._day_keys = day_keys
        self._queues: dict[LogName, deque[_Ticket]] = {}
        """Who waits, by log; the log whose turn is next comes first, and none is empty."""
        self._committing = False
        """Somebody commits, or has been woken to. If not, nobody waits."""
        self._mutex = Lock()
        """Over the two above."""

    def append(self, log: LogName, act: Act[T]) -> Appended[T]:
        """Durable on return. Raises what the act raised, `AppendRefused` or `StoreUnavailable`."""
        ticket = _Ticket(act)
        with self._mutex:
            self._queues.setdefault(log, deque()).append(ticket)
            ticket.leads, self._committing = not self._committing, True
        if not ticket.leads:
            self._wait(log, ticket)
        if ticket.leads:
            try:
                self._answer(log, self._take(log))
            finally:
                self._hand_over()
        if ticket.error is not None:
            raise ticket.error
        assert ticket.answer is not None  # noqa: S101
        return ticket.answer

    def _wait(self, log: LogName, ticket: _Ticket) -> None:
        """Until the ticket is answered, or until it is our turn to commit for all who wait.

        Each waits for itself alone: waking everybody after every commit cost more than the commits.
        """
        try:
            ticket.woken.acquire()
        except BaseException:  # an interrupt: whoever goes must not take the turn along
            with self._mutex:
                queue = self._queues.get(log, deque())
                if ticket in queue:
                    queue.remove(ticket)
                if not queue:
                    self._queues.pop(log, None)
            if ticket.leads:
                self._hand_over()
            raise

    def _take(self, log: LogName) -> list[_Ticket]:
        """The oldest waiters, the one who leads first among them. What is left waits behind the other logs."""
        with self._mutex:
            queue = self._queues.pop(log)
            batch = [queue.popleft() for _ in range(min(len(queue), MAX_ACTS))]
            if queue:
                self._queues[log] = queue
        return batch

    def _hand_over(self) -> None:
        """Wake the one who commits next, if anybody waits."""
        with self._mutex:
            first = next(iter(self._queues.values()), None)
            if first is None:
                self._committing = False
                return
            first[0].leads = True
            first[0].woken.release()

    def _answer(self, log: LogName, tickets: Sequence[_Ticket]) -> None:
        """Commit a batch; if the commit itself fails, nobody in it was recorded and everybody hears why."""
        try:
            self._commit(log, tickets)
        except BaseException as error:
            told = error if isinstance(error, Exception) else _interrupted()
            for ticket in tickets:
                ticket.answer, ticket.error = None, ticket.error or told
            if told is not error:
                raise
        finally:
            for ticket in tickets:
                ticket.woken.release()

    def _commit(self, log: LogName, tickets: Sequence[_Ticket]) -> None:
        with self._database.writing() as connection:
            # 1. Lock the head row.
            row = logs.lock(connection, log)
            self._refuse_over(connection, row)
            read = logs.tile_reader(connection, row.no)
            self._refuse_damage(row, read)
            at = self._now(row)
            # Crash append/locked: nothing happened.
            # 2. Let each act decide, in its own savepoint.
            batch = _Batch(self._recipients(connection, at))
            for ticket in tickets:
                self._decide(connection, row, at, ticket, batch)
            if not batch.leaves:
                return
            # Crash append/decided: the transaction is rolled back as a whole, the acts' own rows with it.
            # 3. Entries, tiles, head and outbox row, all in this transaction.
            logs.insert_entries(connection, row.no, row.head.size, batch.sealed)
            # Crash append/entries: as before.
            size = row.head.size + len(batch.leaves)
            # On the very tiles that were just found sound.
            logs.write_tiles(connection, row.no, tile.extend(read, row.head.size, batch.leaves))
            # Crash append/tiles: as before.
            head = self._reread(connection, row, size, batch)
            logs.move_head(connection, row.no, head, at)
            outbox.put_head(connection, row.id)
            # Crash append/written: as before, up to the commit.
        # Crash append/committed: the entries stand, nobody was told; the guard is behind, which is harmless.
        # 4. Make the guard durable, then answer.
        self._guard.raise_to(row.id, head)
        # Crash append/guarded: the entries stand and cannot be rolled back unseen; a caller asks again.

    def _decide(self, connection: Connection, row: LogRow, at: str, ticket: _Ticket, batch: _Batch) -> None:
        first = row.head.size + len(batch.leaves)
        try:
            with savepoint(connection):
                decided = ticket.act.decide(Turn(connection, row.name, at, first, row.no))
                _refuse_unfounded(row.name, first, decided.drafts)
                drafts = enumerate(decided.drafts, first)
                made = [_entry(row, at, draft, index, batch.recipients) for index, draft in drafts]
        except StoreUnavailable as error:
            # SQLite ends the whole transaction when the disk is full: nobody in this commit is recorded.
            if not isinstance(error, StoreConflict):
                raise
            ticket.error = error
            return
        except Exception as error:
            ticket.error = error
            return
        batch.leaves += (leaf for leaf, _ in made)
        batch.sealed += (sealed for _, sealed in made)
        leaves = tuple(leaf for leaf, _ in made)
        ticket.answer = Appended(decided.value, row.name, first, leaves, at)

    def _recipients(self, connection: Connection, at: str) -> Sequence[Wrapper]:
        return (self._key, self._day_keys.of(connection, at)) if self._day_keys else (self._key,)

    def _reread(self, connection: Connection, row: LogRow, size: int, batch: _Batch) -> Head:
        """The new head, computed from what the database gives back, not from what we meant to write."""
        stored = [sealed for _, sealed in logs.entries(connection, row.no, row.head.size, size)]
        read = logs.tile_reader(connection, row.no)  # a new one: nothing read before may answer for what is stored
        try:
            if stored == batch.sealed and tile.leaves(read, row.head.size, size) == batch.leaves:
                return Head(size, tile.root(read, size))
        except VerificationError:
            pass  # a tile is cut short: the same lie
        raise AppendRefused("STORE_LIES", "the database does not give back what was written", log=row.id.hex())

    def _refuse_over(self, connection: Connection, row: LogRow) -> None:
        """A run that began before the log was continued must not add to what is over."""
        current = logs.current(connection, row.name.city, row.name.stream)
        if current.epoch > row.name.epoch:
            raise AppendRefused("EPOCH_OVER", "the stream goes on in a newer epoch", log=row.id.hex())

    def _refuse_damage(self, row: LogRow, read: tile.ReadTile) -> None:
        """Nothing grows on a tree that is not the acknowledged one: the chain would refuse it and all after it."""
        try:
            sound = tile.root(read, row.head.size) == row.head.root
            self._guard.check(row.name, row.head, lambda size: tile.root(read, size))
        except VerificationError:
            sound = False
        if not sound:
            raise AppendRefused("STORE_LIES", "the stored tree does not have its root", log=row.id.hex())

    def _now(self, row: LogRow) -> str:
        """No head may be older than its newest entry, so time in a log never runs backwards."""
        now = timestamp(self._clock())
        if now >= row.last_at:
            return now
        if parse_timestamp(row.last_at) - parse_timestamp(now) <= CLOCK_TOLERANCE:
            return row.last_at
        raise AppendRefused(
            "CLOCK_BACKWARDS", "this machine's clock is behind the newest entry", now=now, newest=row.last_at
        )


def _entry(row: LogRow, at: str, draft: Draft, index: int, recipients: Sequence[Wrapper]) -> tuple[bytes, bytes]:
    """(leaf hash, sealed entry)."""
    statement = Statement(row.id, row.name.stream, draft.type, at, draft.agency, draft.body).encode()
    salt = os.urandom(SALT_BYTES)
    sealed = seal(
        entries.content(statement, salt),
        context=entries.context(row.id, index),
        data_key=os.urandom(KEY_BYTES),
        nonce=os.urandom(NONCE_BYTES),
        recipients=recipients,
    )
    return statement_leaf(statement, salt), sealed


def _refuse_unfounded(log: LogName, first: int, drafts: Sequence[Draft]) -> None:
    """An epoch after the first begins by saying what it continues."""
    if log.epoch and first == 0 and drafts and drafts[0].type != CONTINUED:
        raise AppendRefused("EPOCH_NOT_CONTINUED", "the epoch was not begun yet", log=log.id.hex())


def _interrupted() -> StoreUnavailable:
    """For those who waited on somebody that was interrupted: nothing of theirs was recorded."""
    return StoreUnavailable("APPEND_INTERRUPTED", "the commit was interrupted; nothing was recorded")
