"""Continuing a closed log in its next epoch: one act, so that a crash leaves all of it or nothing.

The old log stays as it is, with the guard's word about it: both are evidence. What stood in it above the last head
that counts has no anchor any more and is recorded again, in the same order, under new salts and times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ledger import entries, epochs, tile
from ledger.epochs import Continued, Why
from ledger.errors import AppendRefused
from ledger.facts import EpochClosing, PublishedHead
from ledger.sealing.envelope import Wrapper
from ledger.sequencer import Decided, Turn
from ledger.statement import Draft
from ledger.store import logs, outbox
from ledger.store.database import Connection
from ledger.store.logs import LogRow
from ledger.types import Anchor, LogName


@dataclass(frozen=True, slots=True)
class Move:
    """Entries from `first` on of one log are found in another from now on, from index 1 on."""

    old_no: int
    first: int
    new_no: int
    at: str
    """The time that their statements carry now."""


@dataclass(frozen=True, slots=True)
class ContinueLog:
    """The first act of an epoch after the first. Done twice, it does nothing the second time.

    The old log's closing and heads are read from the chain before, and are final.
    """

    old: LogName
    closing: EpochClosing
    heads: Sequence[PublishedHead]
    """Every head of the old log that was ever published."""
    why: Why
    key: Wrapper
    moved: Callable[[Connection, Move], None]
    """Lets the rows that point at entries follow them."""

    def decide(self, turn: Turn) -> Decided[None]:
        if turn.first_index:
            return Decided([], None)
        # Locked, so that nobody appends to the old log while it is read; afterwards the sequencer refuses it.
        old, new = logs.lock(turn.connection, self.old), logs.lock(turn.connection, turn.log)
        continued = self._continued(turn.connection, old)
        drafts = [continued.draft(), *self._again(turn.connection, old, continued.again)]
        self.moved(turn.connection, Move(old.no, continued.again[0], new.no, turn.at))
        # What the old log still had to tell the chain is told in this one.
        outbox.close_heads(turn.connection, old.id)
        return Decided(drafts, None)

    def _continued(self, connection: Connection, old: LogRow) -> Continued:
        """Where to go on, after the database is found to hold everything that stands."""
        good, standing = self.closing.last_good_size, epochs.counting(self.heads, self.closing)
        read = logs.tile_reader(connection, old.no)
        if good > old.head.size or not epochs.all_reproduced(read, old.head.size, standing):
            raise AppendRefused(
                "CLOSING_NOT_REPRODUCED",
                "the closed epoch has entries that stand and that this database does not hold",
                log=old.id.hex(),
                size=old.head.size,
                good=good,
            )
        # A copy made between an anchoring and its receipt: those heads cover leaves, and must be known here.
        for head in standing:
            anchor = Anchor(head.size, head.root, head.prev_size, head.block, head.time)
            outbox.put_anchor(connection, old.no, anchor)
        first = max((head.size for head in standing), default=0)
        return Continued(old.id, good, tile.root(read, good), self.why, (first, old.head.size))

    def _again(self, connection: Connection, old: LogRow, span: tuple[int, int]) -> Iterator[Draft]:
        for index, sealed in logs.entries(connection, old.no, *span):
            statement, _ = entries.open_entry(sealed, log_id=old.id, index=index, key=self.key)
            yield Draft(statement.type, statement.agency, statement.body)


def continued(connection: Connection, row: LogRow, key: Wrapper) -> Continued | None:
    """What the log's first entry says it continues; None for the first epoch. Raises `VerificationError`."""
    if row.name.epoch == 0 or row.head.size == 0:
        return None
    sealed = logs.entry(connection, row.no, 0) or b""
    statement, _ = entries.open_entry(sealed, log_id=row.id, index=0, key=key)
    return epochs.read(statement)
