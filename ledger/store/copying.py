"""Copying a part of the ledger's tables into another database, for whoever checks the books elsewhere.

Every function reads in the caller's transaction and writes in his other one, a page at a time: memory stays flat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Select, Table, insert, select

from ledger.store import schema
from ledger.store.database import Connection
from ledger.store.logs import LogRow

PAGE = 1000
__all__ = ["TABLES", "Progress", "Table", "copy", "copy_day_keys", "copy_log", "rows"]

TABLES = (schema.log, schema.entry, schema.tile, schema.anchor, schema.day_key)
Progress = Callable[[int], None]
"""Told how many rows were copied since the last call."""


def copy(source: Connection, target: Connection, query: Select[Any], table: Table, progress: Progress) -> None:
    """Rows of `query` into `table`, by name of column."""
    for page in source.execute(query, execution_options={"yield_per": PAGE}).partitions():
        target.execute(insert(table), [dict(row._mapping) for row in page])
        progress(len(page))


def copy_log(source: Connection, target: Connection, row: LogRow, start: int, end: int, progress: Progress) -> None:
    """One log: its head, all its hashes and anchors, and the entries [start, end)."""
    for table, number in ((schema.log, "no"), (schema.tile, "log_no"), (schema.anchor, "log_no")):
        copy(source, target, select(table).where(table.c[number] == row.no), table, lambda _: None)
    entry = schema.entry
    some = select(entry).where(entry.c.log_no == row.no, entry.c.idx >= start, entry.c.idx < end)
    copy(source, target, some.order_by(entry.c.idx), entry, progress)


def copy_day_keys(source: Connection, target: Connection) -> None:
    """As they are kept: each under the city's own key, and for the audit office."""
    copy(source, target, select(schema.day_key), schema.day_key, lambda _: None)


def rows(connection: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    """A whole table in the order of its key, streamed."""
    query = select(table).order_by(*table.primary_key.columns)
    for row in connection.execute(query, execution_options={"yield_per": PAGE}):
        yield tuple(row)
