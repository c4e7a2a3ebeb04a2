"""Authorizations, mandates and persons' keys as a city keeps them, with their counters and statuses.

Every function works inside the caller's transaction. A counter is read and written under the lock of its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from audit.store import tables
from audit.store.tables import authorization as _A
from audit.store.tables import chain_status as _C
from audit.store.tables import holder_key as _K
from audit.store.tables import mandate as _M
from audit.store.tables import status_view as _V
from ledger.status import Status
from ledger.store.database import Connection, at_once

# Every decision comes through these.
_COLUMNS = tuple(_A.c.keys())
_LOCK = f'SELECT {", ".join(_A.c.keys())} FROM "authorization" WHERE id = ?'  # noqa: S608  # names of ours
_USED = 'UPDATE "authorization" SET uses = uses + 1, day = ?, uses_today = ? WHERE id = ?'
_VIEW = "SELECT (SELECT read_at FROM status_view), (SELECT status FROM chain_status WHERE id = ?)"
_LOCAL_MANDATE = select(_M.c.status).where(_M.c.id == bindparam("id"))
_CHAIN = select(_C.c.status).where(_C.c.id == bindparam("id"))
_OVERDUE = (
    select(_A.c.id)
    .where(_A.c.grantor == bindparam("grantor"), _A.c.review_by < bindparam("now"), _A.c.reviewed == 0)
    .limit(1)
)
_READ_AT = select(_V.c.read_at)


@dataclass(frozen=True, slots=True)
class AuthorizationRow:
    id: bytes
    kind: str
    grantee: str
    grantor: str | None
    subject_ref: bytes | None
    mandate: bytes | None
    not_before: int
    not_after: int
    review_by: int | None
    reviewed: bool
    status: Status
    uses: int
    day: int
    uses_today: int
    log_no: int
    log_index: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class MandateRow:
    id: bytes
    principal_ref: bytes
    agent_ref: bytes
    not_before: int
    not_after: int
    status: Status
    log_no: int
    log_index: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class HolderKeyRow:
    kid: str
    subject_ref: bytes
    x: bytes
    y: bytes
    not_after: int
    log_no: int
    log_index: int


def context(id: bytes) -> bytes:
    """What the envelope of a signed object is bound to."""
    return b"certledger/authorization-object/v1\x00" + id


def put(connection: Connection, row: AuthorizationRow) -> None:
    connection.execute(insert(_A).values(**_values(row)))


def put_mandate(connection: Connection, row: MandateRow) -> None:
    connection.execute(insert(_M).values(**_values(row)))


def put_holder_key(connection: Connection, row: HolderKeyRow) -> None:
    connection.execute(insert(_K).values(**_values(row)))


def find(connection: Connection, id: bytes) -> AuthorizationRow | None:
    return _authorization(connection.execute(select(_A).where(_A.c.id == id)).one_or_none())


def lock(connection: Connection, id: bytes) -> AuthorizationRow | None:
    """The row, locked until the transaction ends: whoever counts a use holds it."""
    locking = "" if connection.dialect.name == "sqlite" else " FOR UPDATE"  # SQLite has one writer at a time
    row = at_once(connection, _LOCK + locking, (id,)).fetchone()
    if row is None:
        return None
    values = dict(zip(_COLUMNS, row, strict=True))
    return AuthorizationRow(**values | {"status": Status(values["status"]), "reviewed": bool(values["reviewed"])})


def mandate(connection: Connection, id: bytes) -> MandateRow | None:
    row = connection.execute(select(_M).where(_M.c.id == id)).one_or_none()
    return MandateRow(**{**row._mapping, "status": Status(row.status)}) if row else None


def holder_key(connection: Connection, kid: str) -> HolderKeyRow | None:
    row = connection.execute(select(_K).where(_K.c.kid == kid)).one_or_none()
    return HolderKeyRow(**row._mapping) if row else None


def of_subject(connection: Connection, refs: tuple[bytes, ...]) -> list[AuthorizationRow]:
    """What was granted about a person, by age."""
    query = select(_A).where(_A.c.subject_ref.in_(refs)).order_by(_A.c.log_no, _A.c.log_index)
    return [row for row in map(_authorization, connection.execute(query)) if row]


def newest(connection: Connection, limit: int) -> list[AuthorizationRow]:
    query = select(_A).order_by(_A.c.log_no.desc(), _A.c.log_index.desc()).limit(limit)
    return [row for row in map(_authorization, connection.execute(query)) if row]


def every_id(connection: Connection) -> list[bytes]:
    """Ids of authorizations and mandates: what the chain is asked about."""
    return [*connection.execute(select(_A.c.id)).scalars(), *connection.execute(select(_M.c.id)).scalars()]


def count_use(connection: Connection, row: AuthorizationRow, today: int) -> None:
    """One more reading; `row` is locked. `today`: days since 1970 in China."""
    number = row.uses_today + 1 if row.day == today else 1
    at_once(connection, _USED, (today, number, row.id))


def set_status(connection: Connection, id: bytes, status: Status) -> None:
    """Of an authorization or mandate, as this city recorded it."""
    for table in (_A, _M):
        connection.execute(update(table).where(table.c.id == id).values(status=int(status)))


def recount(connection: Connection, id: bytes, used: Mapping[int, int]) -> None:
    """Its counters as the accesses say them: readings by day (days since 1970 in China)."""
    day = max(used, default=0)
    counters = {"uses": sum(used.values()), "day": day, "uses_today": used.get(day, 0)}
    connection.execute(update(_A).where(_A.c.id == id).values(**counters))


def move(connection: Connection, old_no: int, first: int, new_no: int) -> None:
    """Entries from `first` on of one log stand again in another, from index 1 on: the rows follow them."""
    for table in (_A, _M, _K):
        where = (table.c.log_no == old_no, table.c.log_index >= first)
        place = {"log_no": new_no, "log_index": table.c.log_index - first + 1}
        connection.execute(update(table).where(*where).values(**place))


def set_reviewed(connection: Connection, id: bytes) -> None:
    connection.execute(update(_A).where(_A.c.id == id).values(reviewed=1))


def review_overdue(connection: Connection, grantor: str, now: int) -> bool:
    """The agency has an emergency behind it that should have been reviewed by now."""
    return connection.execute(_OVERDUE, {"grantor": grantor, "now": now}).first() is not None


def local_mandate_status(connection: Connection, id: bytes) -> Status:
    return _status(connection.execute(_LOCAL_MANDATE, {"id": id}).scalar_one_or_none())


def chain_status(connection: Connection, id: bytes) -> Status:
    return _status(connection.execute(_CHAIN, {"id": id}).scalar_one_or_none())


def seen(connection: Connection, id: bytes) -> tuple[int, Status]:
    """(when the chain's statuses were last read, what the chain said of this one)."""
    read, status = at_once(connection, _VIEW, (id,)).fetchone()
    return read or 0, _status(status)


def read_at(connection: Connection) -> int:
    """When the chain's statuses were last read, seconds; 0: never."""
    return connection.execute(_READ_AT).scalar_one_or_none() or 0


def view_block(connection: Connection) -> int:
    """Up to which block; -1: nothing was read."""
    found = connection.execute(select(_V.c.block)).scalar_one_or_none()
    return -1 if found is None else found


def put_view(connection: Connection, statuses: Mapping[bytes, Status], *, block: int, read_at: int) -> None:
    """What the chain says now; what it said before and does not say anew stays."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    for id, status in statuses.items():
        row = dialect.insert(_C).values(id=id, status=int(status))
        connection.execute(row.on_conflict_do_update(index_elements=[_C.c.id], set_={"status": int(status)}))
    seen = {"block": block, "read_at": read_at}
    view = dialect.insert(tables.status_view).values(no=0, **seen)
    connection.execute(view.on_conflict_do_update(index_elements=[_V.c.no], set_=seen))


def _values(row: AuthorizationRow | MandateRow | HolderKeyRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def _authorization(row: Row[Any] | None) -> AuthorizationRow | None:
    if row is None:
        return None
    return AuthorizationRow(**{**row._mapping, "status": Status(row.status), "reviewed": bool(row.reviewed)})


def _status(value: int | None) -> Status:
    return Status.ACTIVE if value is None else Status(value)
