"""Corrections of this city, by its rules and its calendar; and what its steward has to settle."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from api import input_file, rulebook
from api.calendars import china
from api.wiring import City
from audit import stewardship
from audit.clock import CHINA, Deadline
from audit.correcting import CloseCorrection, OpenCorrection
from audit.finding import Evidence, Finding
from audit.rulebook import STREAM
from audit.stewardship import Due, Settled
from audit.store import corrections as store
from audit.store.corrections import CorrectionRow
from ledger import tile
from ledger.store import logs
from ledger.store.database import Connection

_ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Opened:
    id: bytes
    due: Deadline


def start(city: City, resource: str, field: str, *, agency: str, report: Path | None) -> Opened:
    """Durable on return. Raises `PolicyError` CORRECTION_PLACE, `ApiError` FILE_UNREADABLE."""
    id, calendar = os.urandom(_ID_BYTES), china(today(city).year)
    act = OpenCorrection(id, resource, field, agency, _digest(report), rulebook.present(city), calendar)
    return Opened(id, city.sequencer.append(city.log_of(STREAM), act).value)


def settle(city: City, id: bytes, outcome: Settled, *, agency: str, report: Path | None) -> bool:
    """Whether it was late. Raises `PolicyError` CORRECTION_UNKNOWN, CORRECTION_CLOSED."""
    return city.sequencer.append(city.log_of(STREAM), CloseCorrection(id, agency, outcome, _digest(report))).value


def every(city: City) -> list[CorrectionRow]:
    """Open ones first, by the day they are due."""
    with city.database.reading() as connection:
        return store.every(connection)


def findings(city: City) -> list[Finding]:
    """Items with two sources, and corrections that are overdue."""
    here = city.settings.city
    with city.database.reading() as connection:
        dues = [_due(connection, row, here) for row in store.every(connection) if row.closed is None]
    contested = stewardship.contested_items(rulebook.present(city).catalogue, here)
    return [*contested, *stewardship.overdue(dues, today(city), here)]


def today(city: City) -> date:
    return city.clock().astimezone(CHINA).date()


def _due(connection: Connection, row: CorrectionRow, city: int) -> Due:
    log = next(each for each in logs.every(connection) if each.no == row.log_no)
    (leaf,) = tile.leaves(logs.tile_reader(connection, log.no), row.log_index, row.log_index + 1)
    evidence = Evidence(city, log.id, row.log_index, leaf)
    return Due(row.resource, row.field, row.agency, date.fromisoformat(row.due), evidence)


def _digest(report: Path | None) -> bytes | None:
    return None if report is None else input_file.digest(report)
