"""Rows of the keys of the day. Every function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from ledger.store import schema
from ledger.store.database import Connection

_T = schema.day_key
# Built once: every commit looks for the key of its day.
_BY_DAY = select(_T).where(_T.c.day == bindparam("day"))
_BY_KID = select(_T).where(_T.c.kid == bindparam("kid"))


@dataclass(frozen=True, slots=True)
class DayKeyRow:
    kid: bytes
    day: str
    """YYYY-MM-DD, UTC."""
    wrapped: bytes
    """For the city's key."""
    office: str | None
    """For the audit office: a JWE."""


def of_day(connection: Connection, day: str) -> DayKeyRow | None:
    return _read(connection.execute(_BY_DAY, {"day": day}).one_or_none())


def of_kid(connection: Connection, kid: bytes) -> DayKeyRow | None:
    return _read(connection.execute(_BY_KID, {"kid": kid}).one_or_none())


def every(connection: Connection) -> Iterator[DayKeyRow]:
    """By day."""
    yield from filter(None, (_read(row) for row in connection.execute(select(_T).order_by(_T.c.day))))


def put(connection: Connection, row: DayKeyRow) -> None:
    connection.execute(insert(_T).values(kid=row.kid, day=row.day, wrapped=row.wrapped, office=row.office))


def set_office(connection: Connection, kid: bytes, office: str) -> None:
    connection.execute(update(_T).where(_T.c.kid == kid).values(office=office))


def _read(row: Row[Any] | None) -> DayKeyRow | None:
    return DayKeyRow(row.kid, row.day, row.wrapped, row.office) if row else None
