"""Two rules about how somebody reads, over many records: in bulk, and without a case. Findings, never refusals.

A single access by the rules can be part of a pattern that is not: both rules look at one operator of one agency, so the
agency can be asked what its operator did. They accuse nobody; they say where to look.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable

from audit.access import AccessStep, Recorded
from audit.errors import PolicyError
from audit.finding import Finding, FindingCode, found
from audit.own import Ground

EVIDENCE = 100
"""Records that a finding cites at most; its count says how many there are."""


def bulk_reads(records: Iterable[Recorded], *, window: int, most: int) -> tuple[Finding, ...]:
    """BULK_READS: one operator read about more than `most` persons within `window` seconds.

    `records` in the order of time. One finding an operator, with the window in which the most persons were read.
    """
    if window <= 0 or most <= 0:
        raise PolicyError("BEHAVIOUR_LIMIT", "window and number of persons are positive")
    return tuple(
        _pattern(FindingCode.BULK_READS, worst, persons)
        for reads in _by_reader(records)
        for persons, worst in (_busiest(reads, window),)
        if persons > most
    )


def reads_without_case(
    records: Iterable[Recorded], *, cases: Collection[str], most_persons: int
) -> tuple[Finding, ...]:
    """READS_WITHOUT_CASE: a reading whose case nobody has opened, or that has none, or one "case" for everybody.

    `cases`: business codes of cases that exist; `most_persons`: about how many persons one case can be. A case number
    under which a whole town was read is no case. What is not open any more is not judged.
    """
    patterns: list[Finding] = []
    for reads in _by_reader(records):
        persons: dict[str | None, set[str]] = defaultdict(set)
        for read in reads:
            persons[read.access.case].add(read.access.subject_ref or "")
        bad = {case for case, known in persons.items() if case not in cases or len(known) > most_persons}
        wrong = [read for read in reads if read.access.case in bad]
        if wrong:
            patterns.append(_pattern(FindingCode.READS_WITHOUT_CASE, wrong, len(wrong)))
    return tuple(patterns)


def _by_reader(records: Iterable[Recorded]) -> list[list[Recorded]]:
    """Allowed readings of others' data that are open enough to judge, by agency and operator, in their order."""
    reads: dict[tuple[str, str], list[Recorded]] = defaultdict(list)
    for record in records:
        access = record.access
        own = access.ground is Ground.OWN_HOLDER
        known = not access.hidden & {"operator", "subject_ref", "case"}
        if access.step is AccessStep.DECIDED and access.allowed and not own and known:
            reads[access.asker, access.operator or ""].append(record)
    return [reads[reader] for reader in sorted(reads)]


def _busiest(reads: Iterable[Recorded], window: int) -> tuple[int, list[Recorded]]:
    """The most different persons in any window, and the records of that window."""
    inside: deque[Recorded] = deque()
    persons: Counter[str] = Counter()
    most, worst = 0, [*inside]
    for read in sorted(reads, key=lambda record: record.at):
        inside.append(read)
        persons[read.access.subject_ref or ""] += 1
        while read.at - inside[0].at >= window:
            left = inside.popleft().access.subject_ref or ""
            persons[left] -= 1
            if not persons[left]:
                del persons[left]
        if len(persons) > most:
            most, worst = len(persons), [*inside]
    return most, worst


def _pattern(code: FindingCode, records: list[Recorded], count: int) -> Finding:
    first = records[0]
    cited = records[:EVIDENCE]
    return found(code, cited, city=first.city, agency=first.access.asker, request=None, count=count)
