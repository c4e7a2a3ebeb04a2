"""Rows of the store of content keys: a key that wraps one content, or the trace of one that was destroyed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, LargeBinary, MetaData, Table, Text, func, select
from sqlalchemy.dialects.sqlite import insert

from ledger.store.database import Connection, insert_rows

_metadata = MetaData()
_key = Table(
    "content_key",
    _metadata,
    Column("kid", LargeBinary(16), primary_key=True),
    Column("wrapped", LargeBinary),
    Column("destroyed_at", Text),
    # The key itself orders the rows: one tree to write to instead of two, and none that keeps a copy.
    sqlite_with_rowid=False,
)
_IN_LIMIT = 500
_DESTROYED = insert(_key)
_DESTROY = _DESTROYED.on_conflict_do_update(
    index_elements=[_key.c.kid],
    set_={"wrapped": None, "destroyed_at": func.coalesce(_key.c.destroyed_at, _DESTROYED.excluded.destroyed_at)},
)


@dataclass(frozen=True, slots=True)
class ContentKeyRow:
    kid: bytes
    wrapped: bytes | None
    """None: destroyed."""


def make_table(connection: Connection) -> None:
    _metadata.create_all(connection)


def put(connection: Connection, rows: Sequence[ContentKeyRow]) -> None:
    insert_rows(connection, _key, [(row.kid, row.wrapped, None) for row in rows])


def of_kids(connection: Connection, kids: Collection[bytes]) -> Iterator[ContentKeyRow]:
    """Those that there are, destroyed or not."""
    every = list(kids)
    for start in range(0, len(every), _IN_LIMIT):
        query = select(_key.c.kid, _key.c.wrapped).where(_key.c.kid.in_(every[start : start + _IN_LIMIT]))
        yield from (ContentKeyRow(row.kid, row.wrapped) for row in connection.execute(query))


def destroyed(connection: Connection) -> set[bytes]:
    """Ids of every key that was destroyed."""
    return set(connection.execute(select(_key.c.kid).where(_key.c.destroyed_at.is_not(None))).scalars())


def destroy(connection: Connection, kids: Collection[bytes], at: str) -> None:
    """Leaves a trace of each, of one that was never here too; the first time it happened stays."""
    for kid in kids:
        connection.execute(_DESTROY, {"kid": kid, "wrapped": None, "destroyed_at": at})
