"""The register of erasures: which certificates' contents a statement erased, and whether that is carried out.

Every function works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Row, Table, select, update

from certs.store import metadata, parts
from ledger.store.database import Connection, insert_rows

# The register of erasures: what the log's statements `certificate/erase` say, so that a start need not read the log.
_erasure = Table(
    "erasure",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("kid", LargeBinary(16), nullable=False),
    Column("log_no", Integer, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Column("done", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """A row of the register."""

    digest: bytes
    kid: bytes
    """Of the content key."""
    log_no: int
    log_index: int
    """Where the statement stands."""
    done: bool
    """The key is destroyed, the certificate's row is cleared, and the write-ahead logs were cut."""


def put(connection: Connection, rows: Sequence[Erasure]) -> None:
    if rows:
        insert_rows(connection, _erasure, [(e.digest, e.kid, e.log_no, e.log_index, int(e.done)) for e in rows])


def every(connection: Connection, *, due: bool = False) -> list[Erasure]:
    """The register, or with `due` what of it is not done yet."""
    query = select(_erasure).order_by(_erasure.c.log_no, _erasure.c.log_index)
    if due:
        query = query.where(_erasure.c.done == 0)
    return [_erasure_of(row) for row in connection.execute(query)]


def of(connection: Connection, digests: Collection[bytes]) -> dict[bytes, Erasure]:
    """Those registered, by digest of the certificate."""
    found: dict[bytes, Erasure] = {}
    for part in parts(digests):
        rows = connection.execute(select(_erasure).where(_erasure.c.digest.in_(part)))
        found |= {row.digest: _erasure_of(row) for row in rows}
    return found


def set_done(connection: Connection, digests: Collection[bytes]) -> None:
    """These erasures are carried out."""
    for part in parts(digests):
        connection.execute(update(_erasure).where(_erasure.c.digest.in_(part)).values(done=1))


def _erasure_of(row: Row[Any]) -> Erasure:
    return Erasure(row.digest, row.kid, row.log_no, row.log_index, bool(row.done))


def move(connection: Connection, old_no: int, first: int, new_no: int) -> None:
    """Entries from `first` on of one log stand again in another, from index 1 on: what names them follows."""
    where = (_erasure.c.log_no == old_no, _erasure.c.log_index >= first)
    connection.execute(update(_erasure).where(*where).values(log_no=new_no, log_index=_erasure.c.log_index - first + 1))
