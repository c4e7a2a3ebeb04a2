"""Epochs: what the first entry of a log's next epoch says, and how much of the last one stands. Pure.

A log cannot go on where the chain or a person was told of entries that its database no longer has. Its epoch is closed
on chain with the number of entries that stand; the stream goes on as another log, whose first entry says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ledger import tile
from ledger.canonical import Json
from ledger.errors import VerificationError
from ledger.facts import EpochClosing, PublishedHead
from ledger.statement import Draft, Statement
from ledger.tile import ReadTile

CONTINUED = "log/continued"
NO_AGENCY = ""


class Why(StrEnum):
    """Why a log could not go on. Frozen: it stands in the log."""

    RESTORED = "restored"
    """Its database was restored from an older copy."""
    FOREIGN_HEAD = "foreign-head"
    """Somebody published what the city never recorded."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Continued:
    """The first entry of an epoch after the first."""

    log: bytes
    """Id of the log that it continues."""
    size: int
    """How many entries of that one stand."""
    root: bytes
    """Over them."""
    why: Why
    again: tuple[int, int]
    """Entries [from, to) of that log stand again in this one, in the same order, from index 1 on."""

    def draft(self) -> Draft:
        body: dict[str, Json] = {
            "log": self.log.hex(),
            "size": self.size,
            "root": self.root.hex(),
            "reason": self.why.value,
            "again_from": self.again[0],
            "again_to": self.again[1],
        }
        return Draft(CONTINUED, NO_AGENCY, body)


def read(statement: Statement) -> Continued:
    """The inverse of `Continued.draft`. Raises `VerificationError` STATEMENT_FORM."""
    b = statement.body
    try:
        if statement.type != CONTINUED:
            raise ValueError
        numbers = [int(str(b[name])) for name in ("size", "again_from", "again_to")]
        log, root = bytes.fromhex(str(b["log"])), bytes.fromhex(str(b["root"]))
        return Continued(log, numbers[0], root, Why(str(b["reason"])), (numbers[1], numbers[2]))
    except (KeyError, ValueError):
        raise VerificationError("STATEMENT_FORM", "not the first entry of an epoch", type=statement.type) from None


def newest_good(read: ReadTile, size: int, heads: Iterable[PublishedHead]) -> int:
    """Size of the largest published head that a database of `size` entries can prove; 0 if it can prove none."""
    return max((head.size for head in heads if _reproduced(read, size, head)), default=0)


def counting(heads: Iterable[PublishedHead], end: EpochClosing) -> list[PublishedHead]:
    """The heads of a closed log that are not void."""
    return [head for head in heads if head.size <= end.last_good_size]


def all_reproduced(read: ReadTile, size: int, heads: Iterable[PublishedHead]) -> bool:
    return all(_reproduced(read, size, head) for head in heads)


def _reproduced(read: ReadTile, size: int, head: PublishedHead) -> bool:
    try:
        return head.size <= size and tile.root(read, head.size) == head.root
    except VerificationError:
        return False
