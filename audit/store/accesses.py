"""The index of access records and the openings beside statements. Every function works inside the caller's transaction.

The index is derived from the statements and their openings: what is searched for is found by it, and then read and
proven from the log. Operators and cases stand in it as keyed hashes, persons as `subject_ref`.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update

from audit.access import Access, AccessStep
from audit.store import tables
from audit.store.tables import access as _A
from audit.store.tables import opening as _O
from ledger.store.database import Connection, at_once, insert_rows

STEPS = tuple(AccessStep)
"""A step's number in the index is its place here."""
_KEY_BYTES = 16
_DECIDED = STEPS.index(AccessStep.DECIDED)
_DECIDED_BEFORE = "SELECT 1 FROM access WHERE request = ? AND step = ? LIMIT 1"
_OPENINGS = (
    select(_O.c.log_index, _O.c.sealed)
    .where(_O.c.log_no == bindparam("log_no"), _O.c.log_index >= bindparam("start"), _O.c.log_index < bindparam("end"))
    .order_by(_O.c.log_index)
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands."""

    log_no: int
    log_index: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for; None: whatever it is. All that is named must hold."""

    subject_refs: tuple[bytes, ...] | None = None
    """References of one person, under every key there was."""
    item: bytes | None = None
    asker: str | None = None
    operator: str | None = None
    case: str | None = None
    matter: str | None = None
    authorization: bytes | None = None
    request: bytes | None = None
    start: int | None = None
    """Seconds, from."""
    end: int | None = None
    """Seconds, before."""


def operator_key(key: bytes, operator: str) -> bytes:
    """16 bytes of HMAC-SHA-256(key, "operator" ‖ 0x00 ‖ pseudonym)."""
    return hmac.digest(key, b"operator\x00" + operator.encode(), "sha256")[:_KEY_BYTES]


def case_key(key: bytes, case: str) -> bytes:
    """16 bytes of HMAC-SHA-256(key, "case" ‖ 0x00 ‖ business code)."""
    return hmac.digest(key, b"case\x00" + case.encode(), "sha256")[:_KEY_BYTES]


def line(access: Access, place: Place, at: int, key: bytes) -> tuple[Any, ...]:
    """A row of the index, in the order of its columns. `key`: of the keyed hashes."""
    return (
        place.log_no,
        place.log_index,
        access.request,
        STEPS.index(access.step),
        at,
        access.asker,
        bytes.fromhex(access.subject_ref) if access.subject_ref else None,
        access.item,
        access.authorization,
        access.matter,
        None if access.code is None else int(access.code),
        operator_key(key, access.operator) if access.operator else None,
        case_key(key, access.case) if access.case else None,
    )


def put(connection: Connection, lines: Sequence[tuple[Any, ...]]) -> None:
    insert_rows(connection, _A, lines)


def put_openings(connection: Connection, rows: Sequence[tuple[int, int, bytes]]) -> None:
    """Rows of (log number, index, sealed)."""
    insert_rows(connection, _O, rows)


def opening(connection: Connection, place: Place) -> bytes | None:
    where = (_O.c.log_no == place.log_no, _O.c.log_index == place.log_index)
    return connection.execute(select(_O.c.sealed).where(*where)).scalar_one_or_none()


def openings(connection: Connection, log_no: int, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """(index, sealed) of what there is beside entries [start, end), in order, streamed."""
    bounds = {"log_no": log_no, "start": start, "end": end}
    yield from connection.execute(_OPENINGS, bounds, execution_options={"yield_per": 1000})


def openings_from(connection: Connection, log_no: int, start: int) -> list[tuple[int, bytes]]:
    """(index, sealed) of what there is beside entries from `start` on, in order, all at once."""
    where = (_O.c.log_no == log_no, _O.c.log_index >= start)
    query = select(_O.c.log_index, _O.c.sealed).where(*where).order_by(_O.c.log_index)
    return [(row.log_index, row.sealed) for row in connection.execute(query)]


def decided_before(connection: Connection, request: bytes) -> bool:
    """A request of this id was decided."""
    return at_once(connection, _DECIDED_BEFORE, (request, _DECIDED)).fetchone() is not None


def find(connection: Connection, wanted: Wanted, key: bytes, *, limit: int, offset: int = 0) -> list[Place]:
    """Places of records, the oldest first."""
    query = select(_A.c.log_no, _A.c.log_index).where(*_conditions(wanted, key))
    query = query.order_by(_A.c.at, _A.c.log_no, _A.c.log_index).limit(limit).offset(offset)
    return [Place(row.log_no, row.log_index) for row in connection.execute(query)]


def count(connection: Connection, wanted: Wanted, key: bytes) -> int:
    query = select(func.count()).select_from(_A).where(*_conditions(wanted, key))
    return connection.execute(query).scalar_one()


def rows(connection: Connection, log_no: int, start: int, end: int) -> Iterator[tuple[Any, ...]]:
    """Rows of the index for entries [start, end), in order, streamed: to be compared with what they derive from."""
    where = (_A.c.log_no == log_no, _A.c.log_index >= start, _A.c.log_index < end)
    query = select(_A).where(*where).order_by(_A.c.log_index)
    for row in connection.execute(query, execution_options={"yield_per": 1000}):
        yield tuple(row)


def move(connection: Connection, old_no: int, first: int, new_no: int, at: int) -> None:
    """Entries from `first` on of one log stand again in another, from index 1 on: their lines follow them.

    `at`: seconds, the time that all their statements carry now.
    """
    place = {"log_no": new_no, "log_index": _A.c.log_index - first + 1, "at": at}
    connection.execute(update(_A).where(_A.c.log_no == old_no, _A.c.log_index >= first).values(**place))


def forget(connection: Connection, log_no: int) -> None:
    """Takes the index of a log away, to be derived anew."""
    connection.execute(delete(_A).where(_A.c.log_no == log_no))


def replace_opening(connection: Connection, old: Place, new: Place, sealed: bytes) -> None:
    """Openings of an entry that stands again elsewhere, sealed for their new place."""
    where = (_O.c.log_no == old.log_no, _O.c.log_index == old.log_index)
    connection.execute(delete(_O).where(*where))
    connection.execute(insert(tables.opening).values(log_no=new.log_no, log_index=new.log_index, sealed=sealed))


def _conditions(wanted: Wanted, key: bytes) -> list[ColumnElement[bool]]:
    columns = {
        _A.c.item: wanted.item,
        _A.c.asker: wanted.asker,
        _A.c.operator_key: operator_key(key, wanted.operator) if wanted.operator else None,
        _A.c.case_key: case_key(key, wanted.case) if wanted.case else None,
        _A.c.matter: wanted.matter,
        _A.c.authorization: wanted.authorization,
        _A.c.request: wanted.request,
    }
    found = [column == value for column, value in columns.items() if value is not None]
    if wanted.subject_refs is not None:
        found.append(_A.c.subject_ref.in_(wanted.subject_refs))
    if wanted.start is not None:
        found.append(_A.c.at >= wanted.start)
    if wanted.end is not None:
        found.append(_A.c.at < wanted.end)
    return found
