"""Reads of whole tables, for the check: rows by their place, rows that no log accounts for, counters counted anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, or_, select

from audit.access import AccessStep
from audit.clock import CHINA_SECONDS
from audit.decision import DecisionCode
from audit.store import tables
from audit.store.accesses import STEPS
from audit.store.rights import AuthorizationRow, HolderKeyRow, MandateRow
from audit.store.rulebook import RulesRow
from ledger.status import Status
from ledger.store.database import Connection

COLUMNS = tuple(tables.access.c.keys())
"""Of the index of accesses, in their order."""
_DAY = 24 * 3600
_STREAMED = {"yield_per": 1000}
_A = tables.access
_DAY_OF = (_A.c.at + CHINA_SECONDS - (_A.c.at + CHINA_SECONDS) % _DAY) / _DAY
_ALLOWED = (
    select(_DAY_OF.label("day"), func.count().label("number"))
    .where(
        _A.c.authorization == bindparam("id"),
        _A.c.step == STEPS.index(AccessStep.DECIDED),
        _A.c.code == int(DecisionCode.ALLOW),
    )
    .group_by("day")
)
_KEYS = {
    "authorization": tables.authorization.c.id,
    "mandate": tables.mandate.c.id,
    "holder_key": tables.holder_key.c.kid,
}


def allowed_by_day(connection: Connection, authorization: bytes) -> dict[int, int]:
    """Allowed readings by day (days since 1970-01-01 in China), as the index has them."""
    return {int(row.day): row.number for row in connection.execute(_ALLOWED, {"id": authorization})}


def used_from(connection: Connection, log_no: int, start: int) -> list[bytes]:
    """Authorizations that entries from `start` on name, each once."""
    where = (_A.c.log_no == log_no, _A.c.log_index >= start, _A.c.authorization.is_not(None))
    return list(connection.execute(select(_A.c.authorization).where(*where).distinct()).scalars())


def authorization_at(connection: Connection, log_no: int, index: int) -> AuthorizationRow | None:
    """The row that says it stands there, whatever its id."""
    row = _at(connection, tables.authorization, log_no, index)
    if row is None:
        return None
    return AuthorizationRow(**{**row, "status": Status(row["status"]), "reviewed": bool(row["reviewed"])})


def mandate_at(connection: Connection, log_no: int, index: int) -> MandateRow | None:
    row = _at(connection, tables.mandate, log_no, index)
    return MandateRow(**{**row, "status": Status(row["status"])}) if row else None


def holder_key_at(connection: Connection, log_no: int, index: int) -> HolderKeyRow | None:
    row = _at(connection, tables.holder_key, log_no, index)
    return HolderKeyRow(**row) if row else None


def every_place(connection: Connection, table: str) -> Iterator[tuple[bytes | str, int, int]]:
    """(id, log number, index) of every row."""
    rows = tables.metadata.tables[table].c
    for row in connection.execute(select(_KEYS[table], rows.log_no, rows.log_index), execution_options=_STREAMED):
        yield row[0], row[1], row[2]


def every_rules(connection: Connection) -> Iterator[RulesRow]:
    """One at a time: a version may be 16 MiB."""
    for row in connection.execute(select(tables.rules), execution_options={"yield_per": 1}):
        yield RulesRow(**row._mapping)


def accesses_outside(connection: Connection, sizes: Mapping[int, int]) -> Iterator[tuple[Any, ...]]:
    """Rows of the index beside entries that no log has. `sizes`: entries by the log's number."""
    for row in connection.execute(select(_A).where(_outside(_A, sizes)), execution_options=_STREAMED):
        yield tuple(row)


def openings_outside(connection: Connection, sizes: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """(log number, index) of the same among the openings."""
    rows = tables.opening
    query = select(rows.c.log_no, rows.c.log_index).where(_outside(rows, sizes))
    for row in connection.execute(query, execution_options=_STREAMED):
        yield row.log_no, row.log_index


def _outside(rows: Table, sizes: Mapping[int, int]) -> ColumnElement[bool]:
    index = rows.c.log_index
    ways = [and_(rows.c.log_no == no, or_(index >= size, index < 0)) for no, size in sizes.items()]
    return or_(rows.c.log_no.not_in(list(sizes)), *ways)


def _at(connection: Connection, rows: Table, log_no: int, index: int) -> dict[str, Any] | None:
    where = (rows.c.log_no == log_no, rows.c.log_index == index)
    row = connection.execute(select(rows).where(*where).limit(1)).one_or_none()
    return dict(row._mapping) if row else None
