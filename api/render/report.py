"""A report laid out in words, once, for every format: tables, charts and one form a finding."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from api.messages import Words
from api.reporting import Log, Report
from audit.decision import DecisionCode
from audit.finding import Finding, Severity
from certs.certificate import CHINA

TOP = 10
"""Rows of a list that says who reads most."""
MOST_DAYS = 62
"""Bars of a chart of days; of a longer period the last ones."""
MOST_EVIDENCE = 20
"""Lines of evidence printed on a form; the rest is counted."""
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    bars: tuple[tuple[str, int], ...]

    @property
    def top(self) -> int:
        return max((value for _, value in self.bars), default=0) or 1


@dataclass(frozen=True, slots=True)
class Form:
    """审计取证单: one finding, what shows it, and room for whoever is asked to explain."""

    title: str
    lines: tuple[tuple[str, str], ...]
    evidence: Table
    room: Row
    """What is to be filled in by hand."""
    severity: Severity


@dataclass(frozen=True, slots=True)
class LaidOut:
    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...]
    forms_title: str
    forms: tuple[Form, ...]
    note: str


def lay_out(report: Report, words: Words) -> LaidOut:
    s = report.summary
    severities = Counter(finding.severity for finding in report.findings)
    counted = ", ".join(f"{words.say(f'severity.{each}')} {severities[each]}" for each in Severity)
    return LaidOut(
        title=words.say("report.title"),
        facts=(
            (words.say("report.cities"), ", ".join(f"{name} ({city})" for city, name in report.cities)),
            (words.say("report.period"), _period(report, words)),
            (words.say("report.made"), _moment(report.made_at)),
            (words.say("report.records"), words.say("report.counted", records=s.records, hidden=s.hidden)),
            (words.say("report.decided"), words.say("report.of_these", decided=s.decided, refused=s.refused)),
            (words.say("report.findings"), counted),
        ),
        tables=(
            _logs(report, words),
            _counts(words, "steps", [(step.value, n) for step, n in sorted(s.by_step.items())]),
            _counts(words, "grounds", [(ground.value, n) for ground, n in sorted(s.by_ground.items())]),
            _askers(report, words),
            _counts(words, "matters", s.by_matter.most_common(TOP)),
        ),
        charts=(
            Chart(words.say("report.per_day"), tuple((f"{day:%m-%d}", n) for day, n in s.days()[-MOST_DAYS:])),
            Chart(words.say("report.refusals"), tuple(_refusals(s.by_code))),
            Chart(words.say("report.top"), tuple(s.by_asker.most_common(TOP))),
        ),
        forms_title=words.say("report.forms"),
        forms=tuple(_form(number, each, words) for number, each in enumerate(report.findings, 1)),
        note=words.say("report.note"),
    )


def _refusals(codes: Counter[DecisionCode]) -> list[tuple[str, int]]:
    refused = Counter({code.name: number for code, number in codes.items() if code is not DecisionCode.ALLOW})
    return refused.most_common()


def _period(report: Report, words: Words) -> str:
    open_end = words.say("report.open")
    start, end = (open_end if each is None else _moment(each) for each in (report.period.start, report.period.end))
    return f"{start} – {end}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"


def _logs(report: Report, words: Words) -> Table:
    names = ("city", "log", "size", "root", "anchored", "block", "time")
    rows = tuple(_log(each) for each in report.logs)
    return Table(words.say("report.logs"), tuple(words.say(f"report.{name}") for name in names), rows)


def _log(log: Log) -> Row:
    head, name = log.row.head, log.row.name
    said = log.anchored
    when = _moment(datetime.fromtimestamp(said.time, CHINA)) if said else "–"
    anchored = (str(said.size), str(said.block), when) if said else ("0", "–", "–")
    return str(log.city), f"{name.stream}/{name.epoch}", str(head.size), head.root.hex()[:16] + "…", *anchored


def _counts(words: Words, name: str, counts: list[tuple[str, int]]) -> Table:
    columns = (words.say(f"report.{name}_of"), words.say("report.number"))
    return Table(words.say(f"report.{name}"), columns, tuple((key, str(number)) for key, number in counts))


def _askers(report: Report, words: Words) -> Table:
    s = report.summary
    rows = tuple((a, str(n), str(s.refused_by_asker[a])) for a, n in s.by_asker.most_common(TOP))
    columns = tuple(words.say(f"report.{name}") for name in ("agency", "number", "refused"))
    return Table(words.say("report.agencies"), columns, rows)


def _form(number: int, finding: Finding, words: Words) -> Form:
    said = words.finding(finding.code, finding.params)
    cited = finding.evidence[:MOST_EVIDENCE]
    rows = tuple((str(e.city), e.log.hex()[:16] + "…", str(e.index), e.leaf.hex()) for e in cited)
    more = len(finding.evidence) - len(cited)
    return Form(
        title=words.say("form.title", number=number),
        lines=(
            (words.say("form.matter"), finding.code),
            (words.say("form.severity"), words.say(f"severity.{finding.severity}")),
            (words.say("form.agency"), f"{finding.agency} ({words.say('finding.city')} {finding.city})"),
            (words.say("form.request"), finding.request.hex() if finding.request else "–"),
            (words.say("form.facts"), said.text),
            (words.say("form.asked"), said.remedy),
        ),
        evidence=Table(
            words.say("form.evidence") + (f" (+{more})" if more else ""),
            tuple(words.say(f"form.{name}") for name in ("city", "log", "index", "leaf")),
            rows,
        ),
        room=tuple(words.say(f"form.{name}") for name in ("reply", "auditors", "audited", "date")),
        severity=finding.severity,
    )
