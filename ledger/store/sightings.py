"""Every head a monitor saw, in a database of its own that belongs to nobody who is watched."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text, select
from sqlalchemy.dialects.sqlite import insert

from ledger.monitor import Seen
from ledger.store.database import Connection
from ledger.types import Head, LogName

_metadata = MetaData()
_sighting = Table(
    "sighting",
    _metadata,
    Column("log_id", LargeBinary(32), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("block", BigInteger),
)


def prepare(connection: Connection) -> None:
    _metadata.create_all(connection)


def keep(connection: Connection, seen: Seen) -> None:
    """What was seen there before stays as it was seen first."""
    values = {"size": seen.head.size, "root": seen.head.root, "source": seen.source, "at": seen.at}
    row = insert(_sighting).values(log_id=seen.log.id, note=seen.note, block=seen.block, **values)
    connection.execute(row.on_conflict_do_nothing())


def of_log(connection: Connection, log: LogName) -> Iterator[Seen]:
    """Everything that was seen of a log, by size."""
    query = select(_sighting).where(_sighting.c.log_id == log.id).order_by(_sighting.c.size, _sighting.c.at)
    for row in connection.execute(query):
        yield Seen(log, Head(row.size, row.root), row.source, row.at, row.note, row.block)
