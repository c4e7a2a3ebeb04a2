"""Is everything still as recorded? Guard, database and chain compared; leaves derived anew from what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger import entries, statement, tile
from ledger.commitment import statement_leaf
from ledger.errors import CanonicalError, VerificationError
from ledger.facts import PublishedHead
from ledger.merkle import HASH_BYTES
from ledger.sealing.envelope import Wrapper
from ledger.statement import Statement
from ledger.store import logs
from ledger.store.database import Connection
from ledger.store.guard import Guard
from ledger.store.logs import LogRow
from ledger.types import Head

Progress = Callable[[int], None]
"""Told how many leaves were derived since the last call."""

PAGE = 2048
"""Entries held at once: memory stays flat however long the log is."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was recorded: where, and what was expected there."""

    code: str
    log: LogRow | None
    """None: of a row that belongs to no log."""
    index: int | None
    table: str
    column: str

    @property
    def stream(self) -> str:
        return self.log.name.stream if self.log else ""


@dataclass(frozen=True, slots=True)
class Page:
    """Entries [start, end) of a log as they were recorded: what tables that derive from them are compared with."""

    row: LogRow
    start: int
    end: int
    statements: Mapping[int, Statement]
    """By index, rising; of those entries that open and hold a statement. The others are differences already."""

    def unread(self, index: int) -> bool:
        """An entry that should be there and tells nothing: what derives from it cannot be judged."""
        return self.start <= index < self.end and index not in self.statements

    def all_unread(self) -> list[int]:
        if len(self.statements) == self.end - self.start:
            return []
        return [index for index in range(self.start, self.end) if index not in self.statements]


class TableCheck(Protocol):
    """Compares a package's own tables with the statements of one stream. Used for one run."""

    @property
    def stream(self) -> str: ...

    def page(self, connection: Connection, page: Page) -> Iterator[Difference]:
        """Told every page of the stream's logs in order, the oldest epoch first."""

    def finish(self, connection: Connection) -> Iterator[Difference]:
        """What can be said only after the last page."""


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
    connection: Connection,
    row: LogRow,
    start: int,
    end: int,
    key: Wrapper,
    progress: Progress,
    checks: Sequence[TableCheck] = (),
) -> Iterator[Difference]:
    """Derive leaves [start, end) from the stored entries, compare each with its tile, and tables with statements."""
    read = logs.tile_reader(connection, row.no)
    for first in range(start, end, PAGE):
        last = min(first + PAGE, end)
        texts: dict[int, bytes] = {}
        yield from _leaves(connection, read, row, range(first, last), key, texts)
        if checks:
            yield from _tables(connection, row, range(first, last), texts, checks)
        progress(last - first)


def _leaves(
    connection: Connection, read: tile.ReadTile, row: LogRow, indices: range, key: Wrapper, texts: dict[int, bytes]
) -> Iterator[Difference]:
    """Fills `texts` with the statements of what opens."""
    stored = dict(logs.entries(connection, row.no, indices.start, indices.stop))
    leaves = _stored_leaves(read, indices)
    for index in indices:
        if index not in stored:
            yield Difference("ENTRY_MISSING", row, index, "entry", "idx")
            continue
        # What opens is as it was sealed: nobody can seal another without the key. Then it is the tile that differs.
        try:
            text, salt = entries.open_text(stored[index], log_id=row.id, index=index, key=key)
        except VerificationError:
            yield Difference("ENTRY_ALTERED", row, index, "entry", "sealed")
            continue
        texts[index] = text
        if statement_leaf(text, salt) != leaves[index - indices.start]:
            yield Difference("LEAF_DIFFERS", row, index, "tile", "hashes")


def _stored_leaves(read: tile.ReadTile, indices: range) -> list[bytes]:
    """Leaf hashes as far as the tiles have them, empty where one is cut short."""
    found: list[bytes] = []
    for index in range(indices.start // tile.WIDTH, -(-indices.stop // tile.WIDTH)):
        first = max(indices.start, index * tile.WIDTH)
        last = min(indices.stop, (index + 1) * tile.WIDTH)
        try:
            found += tile.leaves(read, first, last)
        except VerificationError:
            hashes = read(0, index)
            places = range(first - index * tile.WIDTH, last - index * tile.WIDTH)
            found += [hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in places]
    return found


def _tables(
    connection: Connection, row: LogRow, indices: range, texts: Mapping[int, bytes], checks: Sequence[TableCheck]
) -> Iterator[Difference]:
    read: dict[int, Statement] = {}
    for index, text in texts.items():
        try:
            read[index] = statement.decode_written(text)
        except (VerificationError, CanonicalError):
            yield Difference("STATEMENT_UNREADABLE", row, index, "entry", "sealed")
    page = Page(row, indices.start, indices.stop, read)
    for check in checks:
        yield from check.page(connection, page)


def tiles(connection: Connection, row: LogRow, start: int) -> Iterator[Difference]:
    """Whether the levels above the leaves from `start` on follow from them: where a leaf was rewritten, they do not."""
    read = logs.tile_reader(connection, row.no)
    try:
        for level, index in tile.uneven(read, row.head.size, start):
            yield Difference("TILE_NOT_OF_ITS_LEAVES", row, index << tile.HEIGHT * (level + 1), "tile", "hashes")
    except VerificationError:
        yield Difference("TILE_CUT_SHORT", row, None, "tile", "hashes")


def _root(read: tile.ReadTile, size: int) -> bytes | None:
    try:
        return tile.root(read, size)
    except VerificationError:
        return None
