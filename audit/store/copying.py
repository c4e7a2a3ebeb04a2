"""Copying what stands beside the logs for whoever checks the books elsewhere. Persons' references stay in the city.

They can be derived from the openings by whoever may open those; in the clear they would make a file of who was read.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import LargeBinary, Select, Table, literal, null, select

from audit.store import tables
from ledger.store.copying import Progress, copy
from ledger.store.database import Connection
from ledger.store.logs import LogRow

WITHHELD = {
    "authorization": {"subject_ref"},
    "mandate": {"principal_ref", "agent_ref"},
    "holder_key": {"subject_ref"},
    "access": {"subject_ref", "item", "operator_key", "case_key"},
}
"""Columns that leave the city empty, by table."""
BESIDE = (tables.opening, tables.access)
"""Rows beside single entries."""
RIGHTS = (tables.authorization, tables.mandate, tables.holder_key, tables.rules)
"""Rows made by an entry, whenever it was recorded: a reading goes by an authorization of before the period."""


def copy_beside(source: Connection, target: Connection, row: LogRow, start: int, end: int, progress: Progress) -> None:
    """Openings and index of the entries [start, end) of a log."""
    for table in BESIDE:
        where = (table.c.log_no == row.no, table.c.log_index >= start, table.c.log_index < end)
        copy(source, target, _query(table).where(*where), table, progress)


def copy_rights(source: Connection, target: Connection, row: LogRow) -> None:
    """Authorizations, mandates, keys and rules that this log made."""
    for table in RIGHTS:
        copy(source, target, _query(table).where(table.c.log_no == row.no), table, lambda _: None)


def _query(table: Table) -> Select[Any]:
    withheld = WITHHELD.get(table.name, set())
    empty = {name: null() if table.c[name].nullable else literal(b"", LargeBinary()) for name in withheld}
    return select(*(empty[c.name].label(c.name) if c.name in withheld else c for c in table.c))
