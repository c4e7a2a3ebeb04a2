"""Registered types of evidence. Inside the caller's transaction."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from audit.store.tables import evidence_type
from ledger.store.database import Connection

_T = evidence_type


def put(connection: Connection, stream: str, type: str, content: bytes, log_no: int, log_index: int) -> None:
    values = {"stream": stream, "type": type, "content": content, "log_no": log_no, "log_index": log_index}
    connection.execute(insert(_T).values(**values))


def find(connection: Connection, stream: str, type: str) -> bytes | None:
    query = select(_T.c.content).where(_T.c.stream == stream, _T.c.type == type)
    return connection.execute(query).scalar_one_or_none()


def move(connection: Connection, old_no: int, first: int, new_no: int) -> None:
    """Entries from `first` on of one log stand again in another, from index 1 on: the rows follow them."""
    where = (_T.c.log_no == old_no, _T.c.log_index >= first)
    connection.execute(update(_T).where(*where).values(log_no=new_no, log_index=_T.c.log_index - first + 1))
