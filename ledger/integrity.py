"""Is everything still as recorded? Guard, database and chain compared; leaves derived anew from what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ledger import entries, tile
from ledger.errors import CanonicalError, VerificationError
from ledger.facts import PublishedHead
from ledger.sealing.envelope import Wrapper
from ledger.store import logs
from ledger.store.database import Connection
from ledger.store.guard import Guard
from ledger.store.logs import LogRow
from ledger.types import Head

Progress = Callable[[int], None]
"""Told how many leaves were derived since the last call."""

_REPORT_EVERY = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was recorded: where, and what was expected there."""

    code: str
    log: LogRow
    index: int | None
    table: str
    column: str


def compare(connection: Connection, row: LogRow, guard: Guard, published: PublishedHead | None) -> Iterator[Difference]:
    """The head in the database against its own tiles, the guard and the chain, in all sizes they know.

    Guard and chain are witnesses: where the tiles still lead to what they hold, it is the head's row that was edited.
    """
    head = Head(published.size, published.root) if published else None
    return _compare(connection, row, guard.read(row.id), head)


def compare_ended(connection: Connection, row: LogRow, standing: Head) -> Iterator[Difference]:
    """The same of a log that was continued: of it counts what stands, whatever guard and chain hold beyond."""
    return _compare(connection, row, None, standing)


def _compare(connection: Connection, row: LogRow, known: Head | None, published: Head | None) -> Iterator[Difference]:
    read = logs.tile_reader(connection, row.no)
    witnesses = [head for head in (known, published) if head]
    intact = any(_root(read, head.size) == head.root for head in witnesses)
    if _root(read, row.head.size) != row.head.root:
        yield _misled(row, witnesses, intact)
        if intact:
            return
    if known is not None and known.size > row.head.size:
        yield Difference("DATABASE_BEHIND_GUARD", row, None, "log", "size")
    if published is not None and published.size > row.head.size:
        yield Difference("DATABASE_BEHIND_CHAIN", row, None, "log", "size")
    for head in witnesses:
        if head.size <= row.head.size and _root(read, head.size) != head.root:
            yield Difference("ROOT_DIFFERS", row, head.size - 1, "tile", "hashes")


def _misled(row: LogRow, witnesses: list[Head], intact: bool) -> Difference:
    """The head does not follow from the tiles: which of the two was edited?"""
    if not intact:
        return Difference("ROOT_DIFFERS", row, row.head.size - 1, "tile", "hashes")
    same_root = any(head.root == row.head.root for head in witnesses)
    return Difference("HEAD_NOT_OF_TILES", row, None, "log", "size" if same_root else "root")


def rehash(
    connection: Connection, row: LogRow, start: int, end: int, key: Wrapper, progress: Progress
) -> Iterator[Difference]:
    """Derive leaves [start, end) from the stored entries and compare each with its tile."""
    read = logs.tile_reader(connection, row.no)
    expected = start
    for index, sealed in logs.entries(connection, row.no, start, end):
        for missing in range(expected, index):
            yield Difference("ENTRY_MISSING", row, missing, "entry", "idx")
        expected = index + 1
        fault = _fault(read, row, index, sealed, key)
        if fault is not None:
            yield fault
        if index % _REPORT_EVERY == 0:
            progress(_REPORT_EVERY)
    for missing in range(expected, end):
        yield Difference("ENTRY_MISSING", row, missing, "entry", "idx")


def tiles(connection: Connection, row: LogRow, start: int) -> Iterator[Difference]:
    """Whether the levels above the leaves from `start` on follow from them: where a leaf was rewritten, they do not."""
    read = logs.tile_reader(connection, row.no)
    try:
        for level, index in tile.uneven(read, row.head.size, start):
            yield Difference("TILE_NOT_OF_ITS_LEAVES", row, index << tile.HEIGHT * (level + 1), "tile", "hashes")
    except VerificationError:
        yield Difference("TILE_CUT_SHORT", row, None, "tile", "hashes")


def _fault(read: tile.ReadTile, row: LogRow, index: int, sealed: bytes, key: Wrapper) -> Difference | None:
    """An entry that opens is as it was sealed, since nobody can seal another without the key: then the tile differs."""
    try:
        leaf = entries.rehash(sealed, log_id=row.id, index=index, key=key)
    except (VerificationError, CanonicalError):
        return Difference("ENTRY_ALTERED", row, index, "entry", "sealed")
    try:
        same = tile.leaves(read, index, index + 1) == [leaf]
    except VerificationError:
        same = False
    return None if same else Difference("LEAF_DIFFERS", row, index, "tile", "hashes")


def _root(read: tile.ReadTile, size: int) -> bytes | None:
    try:
        return tile.root(read, size)
    except VerificationError:
        return None
