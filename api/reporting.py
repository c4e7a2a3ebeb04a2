"""An audit report: what the logs are, what they say in numbers, and each finding as a 取证单 with room to reply."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.books import Books
from api.reconciling import accesses, known
from audit import behaviour
from audit.access import Recorded
from audit.finding import Finding, Severity, self_reported
from audit.reconcile import reconcile
from audit.summary import Summary
from ledger.facts import PublishedHead
from ledger.store.logs import LogRow

ORDER = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts as reading in bulk, and about how many persons one case can be."""

    window: int = 3600
    """Seconds."""
    persons: int = 100
    case_persons: int = 20


@dataclass(frozen=True, slots=True)
class Period:
    start: datetime | None
    """From; None: from the beginning."""
    end: datetime | None
    """Before."""

    def holds(self, record: Recorded) -> bool:
        after = self.start is None or record.at >= self.start.timestamp()
        return after and (self.end is None or record.at < self.end.timestamp())


@dataclass(frozen=True, slots=True)
class Log:
    city: int
    row: LogRow
    anchored: PublishedHead | None
    """The newest head on chain."""


@dataclass(frozen=True, slots=True)
class Report:
    made_at: datetime
    cities: tuple[tuple[int, str], ...]
    """(id, name)."""
    period: Period
    logs: tuple[Log, ...]
    summary: Summary
    findings: tuple[Finding, ...]
    """The gravest first; what was reported by whoever did it comes last."""


def make(books: Sequence[Books], period: Period, limits: Limits, reported: Collection[bytes], now: datetime) -> Report:
    """`reported`: ids of requests that a city reported itself before anybody found them. Cities beside each other are
    compared too."""
    summary = Summary()
    records = [r for each in books for r in summary.over(r for r in accesses(each) if period.holds(r))]
    found = list(_behaviour(records, limits))
    if len(books) > 1:
        found += reconcile(records, known(books), int(now.timestamp()))
    judged = [self_reported(each) if each.request in reported else each for each in found]
    return Report(
        made_at=now,
        cities=tuple((each.city, each.name) for each in books),
        period=period,
        logs=tuple(_logs(books)),
        summary=summary,
        findings=tuple(sorted(judged, key=_gravity)),
    )


def _behaviour(records: Sequence[Recorded], limits: Limits) -> Iterator[Finding]:
    """A case is taken to exist if somebody named it: this ledger keeps no register of cases yet."""
    ordered = sorted(records, key=lambda record: record.at)
    cases = {record.access.case for record in ordered if record.access.case}
    yield from behaviour.bulk_reads(ordered, window=limits.window, most=limits.persons)
    yield from behaviour.reads_without_case(ordered, cases=cases, most_persons=limits.case_persons)


def _gravity(finding: Finding) -> tuple[int, str, bytes]:
    return ORDER.index(finding.severity), finding.code, finding.request or b""


def _logs(books: Sequence[Books]) -> Iterator[Log]:
    for each in books:
        for row in each.rows:
            chain = each.chain.get(row.id, ())
            yield Log(each.city, row, chain[-1] if chain else None)
