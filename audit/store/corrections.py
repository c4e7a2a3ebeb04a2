"""Corrections that were opened, and whether they were closed. Inside the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update

from audit.store.tables import correction
from ledger.store.database import Connection


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    id: bytes
    resource: str
    field: str
    agency: str
    """USCC of the provider, who has to settle it."""
    opened: str
    due: str
    """Days in China, ISO 8601."""
    closed: str | None
    log_no: int
    log_index: int
    """Where it was opened."""


def put(connection: Connection, row: CorrectionRow) -> None:
    connection.execute(insert(correction).values({name: getattr(row, name) for name in correction.c.keys()}))  # noqa: SIM118  # a collection of columns is no dict


def find(connection: Connection, id: bytes) -> CorrectionRow | None:
    row = connection.execute(select(correction).where(correction.c.id == id)).one_or_none()
    return _read(row) if row else None


def every(connection: Connection) -> list[CorrectionRow]:
    """Open ones first, by the day they are due."""
    order = (correction.c.closed.is_not(None), correction.c.due, correction.c.log_no, correction.c.log_index)
    return [_read(row) for row in connection.execute(select(correction).order_by(*order))]


def close(connection: Connection, id: bytes, day: str) -> None:
    connection.execute(update(correction).where(correction.c.id == id).values(closed=day))


def move(connection: Connection, old_no: int, first: int, new_no: int) -> None:
    """Entries from `first` on of one log stand again in another, from index 1 on: the rows follow them."""
    where = (correction.c.log_no == old_no, correction.c.log_index >= first)
    place = {"log_no": new_no, "log_index": correction.c.log_index - first + 1}
    connection.execute(update(correction).where(*where).values(**place))


def _read(row: Row[Any]) -> CorrectionRow:
    return CorrectionRow(**{name: getattr(row, name) for name in correction.c.keys()})  # noqa: SIM118
