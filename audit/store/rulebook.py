"""Versions of the rules, and corrections. Every function works inside the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from audit.store.tables import rules
from ledger.store.database import Connection


@dataclass(frozen=True, slots=True)
class RulesRow:
    """One version, at the place where it was adopted last."""

    version: bytes
    origin: str
    adopted_at: int
    """Seconds."""
    content: bytes
    """Canonical JSON: audit.rulebook."""
    log_no: int
    log_index: int


def newest_version(connection: Connection) -> bytes | None:
    """The version that counts now; None: no rules were adopted yet."""
    query = select(rules.c.version).order_by(rules.c.log_no.desc(), rules.c.log_index.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


def find(connection: Connection, version: bytes) -> RulesRow | None:
    row = connection.execute(select(rules).where(rules.c.version == version)).one_or_none()
    return _read(row) if row else None


def put(connection: Connection, row: RulesRow) -> None:
    """A version that is adopted again stands at its newest place."""
    connection.execute(delete(rules).where(rules.c.version == row.version))
    connection.execute(insert(rules).values({name: getattr(row, name) for name in rules.c.keys()}))  # noqa: SIM118  # a collection of columns is no dict


def move(connection: Connection, old_no: int, first: int, new_no: int) -> None:
    """Entries from `first` on of one log stand again in another, from index 1 on: the rows follow them."""
    where = (rules.c.log_no == old_no, rules.c.log_index >= first)
    connection.execute(update(rules).where(*where).values(log_no=new_no, log_index=rules.c.log_index - first + 1))


def _read(row: Row[Any]) -> RulesRow:
    return RulesRow(**{name: getattr(row, name) for name in rules.c.keys()})  # noqa: SIM118
