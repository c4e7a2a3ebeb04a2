"""Counting indicators: records become rows, rows run through every query at once, in one pass and in flat memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from audit.access import AccessStep, Recorded
from audit.indicators import INDICATORS, UNCLOSED, Cell, Measure, Query
from audit.permit import LONGEST, REPORT_WITHIN
from audit.reconcile import MAX_LAG


class Hidden:
    """In place of a private member that is not open here."""


HIDDEN: Final = Hidden()


@dataclass(frozen=True, slots=True)
class Value:
    """A figure, and how many records could not be looked at for it."""

    name: str
    value: int | None
    """None: no record that it could be computed from."""
    hidden: int


def rows(records: Iterable[Recorded], start: int, end: int, now: int) -> Iterator[dict[str, Cell | Hidden]]:
    """A row for each record of [start, end), and one for each permit of it that was to be closed by `now`.

    Records of one city, in the order of their log; those of a later time are looked at, because they close permits.
    """
    decided: dict[bytes, int] = {}
    permits: dict[bytes, int] = {}
    for record in records:
        access = record.access
        if access.step is AccessStep.DECIDED and access.allowed and record.at >= start:
            decided[access.request] = record.at
            if access.permit is not None and record.at < end:
                permits[access.permit] = record.at
        if access.step is AccessStep.CLOSED and access.permit is not None:
            permits.pop(access.permit, None)
        if start <= record.at < end:
            yield _row(record, decided.get(access.request))
    for at in permits.values():
        if now - at > LONGEST + REPORT_WITHIN:
            yield {"step": UNCLOSED}


def _row(record: Recorded, decided: int | None) -> dict[str, Cell | Hidden]:
    access = record.access
    ends = access.step in (AccessStep.RELEASED, AccessStep.CLOSED)
    late = record.anchored is not None and record.anchored - record.at > MAX_LAG
    return {
        "step": access.step.value,
        "ground": access.ground.value,
        "code": None if access.code is None else int(access.code),
        "asker": access.asker,
        "resource": access.resource,
        "matter": access.matter,
        "case": HIDDEN if "case" in access.hidden else access.case,
        "fields": len(access.fields),
        "across": "yes" if access.asker_city != access.provider else "no",
        "late": "yes" if late else "no",
        "delay": record.at - decided if ends and decided is not None else None,
    }


@dataclass(slots=True)
class _Tally:
    """What a query has seen so far; its size is that of what differs, not of what was seen."""

    query: Query
    seen: Counter[Cell] = field(default_factory=Counter)
    hidden: int = 0

    def add(self, row: Mapping[str, Cell | Hidden]) -> None:
        if any(row.get(column) not in values for column, values in self.query.where):
            return
        cell = row.get(self.query.of) if self.query.of else 1
        if isinstance(cell, Hidden):
            self.hidden += 1
        elif cell is not None:
            self.seen[cell] += 1

    def value(self) -> int | None:
        numbers = {cell: times for cell, times in self.seen.items() if isinstance(cell, int)}
        match self.query.measure:
            case Measure.COUNT:
                return self.seen.total()
            case Measure.DISTINCT:
                return len(self.seen)
            case Measure.SUM:
                return sum(number * times for number, times in numbers.items())
            case Measure.MEDIAN:
                return _ranked(numbers, 50)
            case Measure.P95:
                return _ranked(numbers, 95)


def _ranked(numbers: Mapping[int, int], percent: int) -> int | None:
    """The nearest rank: the smallest that so many of a hundred do not exceed."""
    wanted, seen = sum(numbers.values()) * percent, 0
    for number in sorted(numbers):
        seen += numbers[number]
        if seen * 100 >= wanted:
            return number
    return None


def measure(records: Iterable[Recorded], start: int, end: int, now: int) -> tuple[Value, ...]:
    """Every indicator over records of [start, end) of one city's log, in one pass."""
    tallies = {indicator.name: _Tally(indicator.query) for indicator in INDICATORS}
    for row in rows(records, start, end, now):
        for tally in tallies.values():
            tally.add(row)
    return tuple(Value(name, tally.value(), tally.hidden) for name, tally in tallies.items())
