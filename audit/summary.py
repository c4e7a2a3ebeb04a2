"""What a period's access records come to: counts by day, agency, matter and decision. Pure, and in one pass.

A count is of decisions: one request is decided once, so asking, releasing and receiving do not count it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from audit.access import AccessStep, Recorded
from audit.clock import CHINA
from audit.decision import DecisionCode
from audit.own import Ground


@dataclass(slots=True)
class Summary:
    """Filled while records pass; each counter by its own key."""

    records: int = 0
    hidden: int = 0
    """Records with members that are not open any more."""
    by_step: Counter[AccessStep] = field(default_factory=Counter)
    by_day: Counter[date] = field(default_factory=Counter)
    """Readings that were allowed."""
    by_asker: Counter[str] = field(default_factory=Counter)
    refused_by_asker: Counter[str] = field(default_factory=Counter)
    by_matter: Counter[str] = field(default_factory=Counter)
    by_ground: Counter[Ground] = field(default_factory=Counter)
    by_code: Counter[DecisionCode] = field(default_factory=Counter)

    def over(self, records: Iterable[Recorded]) -> Iterator[Recorded]:
        """The same records, counted as they pass."""
        for record in records:
            self.add(record)
            yield record

    def add(self, record: Recorded) -> None:
        access = record.access
        self.records += 1
        self.hidden += bool(access.hidden)
        self.by_step[access.step] += 1
        if access.step is not AccessStep.DECIDED or access.code is None:
            return
        self.by_code[access.code] += 1
        self.by_asker[access.asker] += 1
        self.by_ground[access.ground] += 1
        if access.matter is not None:
            self.by_matter[access.matter] += 1
        if access.allowed:
            self.by_day[_day(record.at)] += 1
        else:
            self.refused_by_asker[access.asker] += 1

    @property
    def decided(self) -> int:
        return self.by_code.total()

    @property
    def refused(self) -> int:
        return self.decided - self.by_code[DecisionCode.ALLOW]

    def days(self) -> list[tuple[date, int]]:
        """Every day from the first reading to the last, those without one too."""
        if not self.by_day:
            return []
        first, last = min(self.by_day), max(self.by_day)
        every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        return [(day, self.by_day[day]) for day in every]


def _day(at: int) -> date:
    return datetime.fromtimestamp(at, CHINA).date()
