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
    """The head in the database against its own tiles, the guard and the chain, in all sizes they know."""
    read = logs.tile_reader(connection, row.no)
    claims = [("HEAD_NOT_OF_TILES", "log", "root", row.head)]
    known = guard.read(row.id)
    if known is not None:
        claims.append(("DATABASE_BEHIND_GUARD", "log", "size", known))
    if published is not None:
        claims.append(("DATABASE_BEHIND_CHAIN", "log", "size", Head(published.size, published.root)))
    for code, table, column, head in claims:
        if head.size > row.head.size:
            yield Difference(code, row, None, table, column)
        elif _root(read, head.size) != head.root:
            yield Difference("ROOT_DIFFERS", row, head.size - 1, "tile", "hashes")


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
        if not _is_leaf(read, row, index, sealed, key):
            yield Difference("ENTRY_ALTERED", row, index, "entry", "sealed")
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


def _is_leaf(read: tile.ReadTile, row: LogRow, index: int, sealed: bytes, key: Wrapper) -> bool:
    try:
        return [entries.rehash(sealed, log_id=row.id, index=index, key=key)] == tile.leaves(read, index, index + 1)
    except (VerificationError, CanonicalError):
        return False


def _root(read: tile.ReadTile, size: int) -> bytes | None:
    try:
        return tile.root(read, size)
    except VerificationError:
        return None
