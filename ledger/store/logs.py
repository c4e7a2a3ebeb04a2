"""Rows of logs: heads, entries, tiles. Every function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger.merkle import EMPTY_ROOT
from ledger.store import schema
from ledger.store.database import Connection, insert_rows
from ledger.tile import Coordinate, ReadTile
from ledger.types import Head, LogName

TILES_KEPT = 64
"""Far more than one proof looks at; 8 KiB each."""
BEGINNING = "1970-01-01T00:00:00.000Z"

# Built once: every commit comes through these, and building a statement costs more than running it.
_LOCK = select(schema.log).where(schema.log.c.log_id == bindparam("log_id")).with_for_update()
_MOVE_HEAD = (
    update(schema.log)
    .where(schema.log.c.no == bindparam("log_no"))
    .values(size=bindparam("size"), root=bindparam("root"), last_at=bindparam("last_at"))
)
_ENTRIES = (
    select(schema.entry.c.idx, schema.entry.c.sealed)
    .where(
        schema.entry.c.log_no == bindparam("log_no"),
        schema.entry.c.idx >= bindparam("start"),
        schema.entry.c.idx < bindparam("end"),
    )
    .order_by(schema.entry.c.idx)
)
_TILE = select(schema.tile.c.hashes).where(
    schema.tile.c.log_no == bindparam("log_no"),
    schema.tile.c.level == bindparam("level"),
    schema.tile.c.idx == bindparam("idx"),
)
_NEWEST_EPOCH = select(func.max(schema.log.c.epoch)).where(
    schema.log.c.city == bindparam("city"), schema.log.c.stream == bindparam("stream"), schema.log.c.size > 0
)
_WRITE_TILE = {
    name: wanted.on_conflict_do_update(
        index_elements=[schema.tile.c.log_no, schema.tile.c.level, schema.tile.c.idx],
        set_={"hashes": wanted.excluded.hashes},
    )
    for name, wanted in (("sqlite", sqlite.insert(schema.tile)), ("postgresql", postgresql.insert(schema.tile)))
}


@dataclass(frozen=True, slots=True)
class LogRow:
    """A log as the database holds it."""

    no: int
    name: LogName
    id: bytes
    head: Head
    last_at: str
    """When the newest entry was made: time in a log never runs backwards."""


def lock(connection: Connection, name: LogName) -> LogRow:
    """The log's row, locked until the transaction ends; made on its first use."""
    wanted = {"log_id": name.id}
    row = connection.execute(_LOCK, wanted).one_or_none()
    if row is None:
        connection.execute(
            insert(schema.log).values(
                log_id=name.id,
                city=name.city,
                stream=name.stream,
                epoch=name.epoch,
                size=0,
                root=EMPTY_ROOT,
                last_at=BEGINNING,
            )
        )
        row = connection.execute(_LOCK, wanted).one()
    return _log_row(row)


def empty(name: LogName) -> LogRow:
    """A log that is not in the database."""
    return LogRow(-1, name, name.id, Head(0, EMPTY_ROOT), BEGINNING)


def find(connection: Connection, log_id: bytes) -> LogRow | None:
    row = connection.execute(select(schema.log).where(schema.log.c.log_id == log_id)).one_or_none()
    return _log_row(row) if row else None


def current(connection: Connection, city: int, stream: str) -> LogName:
    """The stream's log that takes entries: the newest epoch that was begun."""
    newest = connection.execute(_NEWEST_EPOCH, {"city": city, "stream": stream}).scalar_one()
    return LogName(city, stream, newest or 0)


def every(connection: Connection) -> list[LogRow]:
    return [_log_row(row) for row in connection.execute(select(schema.log).order_by(schema.log.c.no))]


def move_head(connection: Connection, no: int, head: Head, last_at: str) -> None:
    connection.execute(_MOVE_HEAD, {"log_no": no, "size": head.size, "root": head.root, "last_at": last_at})


def insert_entries(connection: Connection, no: int, start: int, sealed: Sequence[bytes]) -> None:
    insert_rows(connection, schema.entry, [(no, start + i, content) for i, content in enumerate(sealed)])


def entries(connection: Connection, no: int, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """(index, sealed) of entries [start, end) in order, streamed."""
    bounds = {"log_no": no, "start": start, "end": end}
    yield from connection.execute(_ENTRIES, bounds, execution_options={"yield_per": 1000})


def entry(connection: Connection, no: int, index: int) -> bytes | None:
    columns = (schema.entry.c.log_no == no, schema.entry.c.idx == index)
    return connection.execute(select(schema.entry.c.sealed).where(*columns)).scalar_one_or_none()


def write_tiles(connection: Connection, no: int, tiles: Mapping[Coordinate, bytes]) -> None:
    rows = [{"log_no": no, "level": at[0], "idx": at[1], "hashes": hashes} for at, hashes in tiles.items()]
    connection.execute(_WRITE_TILE[connection.dialect.name], rows)


def tile_reader(connection: Connection, no: int) -> ReadTile:
    """Remembers the tiles it read last, so that memory stays flat; belongs to the transaction it was made in."""
    seen: dict[Coordinate, bytes] = {}

    def read(level: int, index: int) -> bytes:
        if (level, index) not in seen:
            place = {"log_no": no, "level": level, "idx": index}
            found = connection.execute(_TILE, place).scalar_one_or_none()
            if len(seen) == TILES_KEPT:
                seen.pop(next(iter(seen)))
            seen[level, index] = found or b""
        return seen[level, index]

    return read


def _log_row(row: Row[Any]) -> LogRow:
    name = LogName(row.city, row.stream, row.epoch)
    return LogRow(row.no, name, row.log_id, Head(row.size, row.root), row.last_at)
