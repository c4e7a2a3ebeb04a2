"""Columns of certificates' rows that follow from the log alone, read to be compared with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import select

from certs.store import IN_LIMIT, certificate, parts
from ledger.store.database import Connection

_DERIVED = tuple(
    certificate.c[name]
    for name in (
        *("digest", "identifier", "issuer", "type_code", "version"),
        *("replaces", "log_no", "log_index", "status", "status_place"),
    )
)


@dataclass(frozen=True, slots=True)
class Derived:
    """The columns of a row that follow from the log alone."""

    digest: bytes
    identifier: str
    issuer: str
    type_code: str
    version: int
    replaces: bytes | None
    log_no: int
    log_index: int
    status: int
    status_place: int


def at(connection: Connection, log_no: int, start: int, end: int) -> list[Derived]:
    """Rows that say they stand at entries [start, end) of a log."""
    where = (certificate.c.log_no == log_no, certificate.c.log_index >= start, certificate.c.log_index < end)
    return [Derived(*row) for row in connection.execute(select(*_DERIVED).where(*where))]


def of(connection: Connection, digests: Collection[bytes]) -> dict[bytes, Derived]:
    """Rows of these certificates, for those that exist."""
    found: dict[bytes, Derived] = {}
    for part in parts(digests):
        rows = connection.execute(select(*_DERIVED).where(certificate.c.digest.in_(part)))
        found |= {row.digest: Derived(*row) for row in rows}
    return found


def every(connection: Connection) -> Iterator[Derived]:
    for row in connection.execute(select(*_DERIVED), execution_options={"yield_per": IN_LIMIT}):
        yield Derived(*row)
