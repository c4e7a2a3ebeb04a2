"""Reads of whole tables, for the check: rows that no log accounts for, lengths of tiles, what waits for the chain."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select

from ledger.store import schema
from ledger.store.database import Connection

_IN_LIMIT = 500
_STREAMED = {"yield_per": 1000}


@dataclass(frozen=True, slots=True)
class OutboxRow:
    id: int
    kind: str
    key: bytes
    body: bytes
    state: str
    transaction_id: int | None


def entries_from(connection: Connection, no: int, size: int) -> Iterator[int]:
    """Indices of entries that the head does not count."""
    where = (schema.entry.c.log_no == no, (schema.entry.c.idx >= size) | (schema.entry.c.idx < 0))
    query = select(schema.entry.c.idx).where(*where).order_by(schema.entry.c.idx)
    yield from connection.execute(query, execution_options=_STREAMED).scalars()


def tile_lengths(connection: Connection, no: int) -> Iterator[tuple[int, int, int]]:
    """(level, index, bytes) of every tile."""
    columns = (schema.tile.c.level, schema.tile.c.idx, func.length(schema.tile.c.hashes))
    query = select(*columns).where(schema.tile.c.log_no == no)
    for row in connection.execute(query, execution_options=_STREAMED):
        yield (*row,)


def orphans(connection: Connection) -> list[tuple[str, int]]:
    """(table, number) of rows whose log is not there: plain clients do not enforce what points where."""
    known = select(schema.log.c.no)
    found: list[tuple[str, int]] = []
    for table in (schema.entry, schema.tile, schema.anchor):
        query = select(table.c.log_no).where(table.c.log_no.not_in(known)).distinct().order_by(table.c.log_no)
        found += [(table.name, no) for no in connection.execute(query).scalars()]
    return found


def outbox_rows(connection: Connection) -> Iterator[OutboxRow]:
    query = select(schema.outbox).order_by(schema.outbox.c.id)
    for row in connection.execute(query, execution_options=_STREAMED):
        yield OutboxRow(row.id, row.kind, row.key, row.body, row.state, row.transaction_id)


def outbox_of(connection: Connection, keys: Collection[bytes]) -> dict[bytes, list[OutboxRow]]:
    """What was announced about these, by key."""
    found: dict[bytes, list[OutboxRow]] = {}
    every = list(keys)
    for start in range(0, len(every), _IN_LIMIT):
        query = select(schema.outbox).where(schema.outbox.c.key.in_(every[start : start + _IN_LIMIT]))
        for row in connection.execute(query.order_by(schema.outbox.c.id)):
            one = OutboxRow(row.id, row.kind, row.key, row.body, row.state, row.transaction_id)
            found.setdefault(row.key, []).append(one)
    return found
