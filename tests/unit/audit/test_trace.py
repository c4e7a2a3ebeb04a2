"""Traces by every filter, with hidden lines counted; and two rules about how somebody reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from audit_records import access, digest, recorded
from audit_world import CARD, COUNTER, GRANTEE, NOW, OTHER_MATTER, PURPOSE
from hypothesis import given
from hypothesis import strategies as st

from audit import trace as t
from audit.access import AccessStep, Recorded
from audit.behaviour import EVIDENCE, bulk_reads, reads_without_case
from audit.decision import DecisionCode
from audit.errors import PolicyError
from audit.finding import FindingCode
from audit.own import Ground
from audit.trace import trace

REFS = ["aa" * 48, "bb" * 48, "cc" * 48]
CASES = ["320100202611240001", "320100202611240002"]


def line(number: int, **changes: Any) -> Recorded:
    at = changes.pop("at", NOW + number)
    changes.setdefault("case", CASES[0])
    changes.setdefault("subject_ref", REFS[0])
    return recorded(access(AccessStep.DECIDED, f"r{number}", **changes), at=at, index=number)


LINES = [
    line(0),
    line(1, subject_ref=REFS[1]),
    line(2, item=digest("another")),
    line(3, asker=COUNTER),
    line(4, operator="op-another-1"),
    line(5, case=CASES[1]),
    line(6, matter=OTHER_MATTER),
    line(7, purpose=replace(PURPOSE.use_cause, cause="另一事由")),
    line(8, resource=CARD),
    line(9, authorization=digest("another")),
    line(10, code=DecisionCode.REVOKED),
]
PRIVATE = ("operator", "subject_ref", "item", "case", "purpose", "response")


def hide(record: Recorded, *names: str) -> Recorded:
    """As it is seen by somebody who has no openings of these members."""
    nothing: dict[str, Any] = dict.fromkeys(names or PRIVATE)
    return replace(record, access=replace(record.access, **nothing, hidden=frozenset(nothing)))


FILTERS: list[tuple[t.Filter, int]] = [
    (t.of_subject({REFS[1]}), 1),
    (t.of_item(digest("another")), 2),
    (t.of_agency(COUNTER), 3),
    (t.of_operator("op-another-1"), 4),
    (t.of_case(CASES[1]), 5),
    (t.of_matter(OTHER_MATTER), 6),
    (t.of_cause("另一事由"), 7),
    (t.of_resource(CARD), 8),
    (t.of_authorization(digest("another")), 9),
    (t.with_code({DecisionCode.REVOKED}), 10),
    (t.in_period(NOW + 3, NOW + 4), 3),
]


@pytest.mark.parametrize(("filter_", "index"), FILTERS, ids=range(len(FILTERS)))
def test_a_filter_takes_its_lines_and_no_other(filter_: t.Filter, index: int) -> None:
    assert trace(LINES, filter_).lines == (LINES[index],)
    assert trace(LINES, filter_).hidden == 0


def test_without_filters_everything_is_a_line_in_its_order() -> None:
    assert trace(LINES).lines == tuple(LINES)


@given(st.sets(st.integers(0, len(FILTERS) - 1), max_size=3), st.sets(st.integers(0, len(LINES) - 1)))
def test_lines_are_taken_excluded_or_counted_as_hidden_and_never_lost(chosen: set[int], hiding: set[int]) -> None:
    shown = [hide(r) if i in hiding else r for i, r in enumerate(LINES)]
    filters = [FILTERS[index][0] for index in chosen]
    open_, partly = trace(LINES, *filters), trace(shown, *filters)
    assert {r.index for r in partly.lines} <= {r.index for r in open_.lines}
    lost = {r.index for r in open_.lines} - {r.index for r in partly.lines}
    assert lost <= hiding and partly.hidden >= len(lost)


def test_a_hidden_line_that_a_clear_member_excludes_is_not_counted() -> None:
    hidden = hide(LINES[0], "subject_ref")
    assert trace([hidden], t.of_subject(REFS)).hidden == 1
    assert trace([hidden], t.of_subject(REFS), t.of_agency(COUNTER)).hidden == 0


def test_what_was_never_recorded_is_not_hidden() -> None:
    nobody = line(0, subject_ref=None, case=None, purpose=None)
    for filter_ in (t.of_subject(REFS), t.of_case(CASES[0]), t.of_cause("x")):
        assert trace([nobody], filter_) == t.Traced((), 0)


# Behaviour


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 2), st.integers(0, 1)), max_size=40), st.integers(1, 3))
def test_bulk_reads_are_found_as_a_slow_count_finds_them(reads: list[tuple[int, int, int]], most: int) -> None:
    window = 60
    operators = ["op-reader-a", "op-reader-b"]
    lines = [
        line(i, at=NOW + at, subject_ref=REFS[person], operator=operators[who])
        for i, (at, person, who) in enumerate(sorted(reads))
    ]
    worst: Counter[str] = Counter()
    for start in {at for at, _, _ in reads}:
        for who in (0, 1):
            persons = {p for at, p, w in reads if start <= at < start + window and w == who}
            worst[operators[who]] = max(worst[operators[who]], len(persons))
    found = bulk_reads(lines, window=window, most=most)
    assert [f.count for f in found] == [worst[name] for name in operators if worst[name] > most]
    assert all(f.code is FindingCode.BULK_READS and f.agency == GRANTEE and f.request is None for f in found)


def test_what_is_refused_own_or_hidden_is_no_bulk_read() -> None:
    lines = [
        line(0, subject_ref=REFS[0], code=DecisionCode.REVOKED),
        line(1, subject_ref=REFS[1], ground=Ground.OWN_HOLDER, matter=None),
        hide(line(2, subject_ref=REFS[1]), "subject_ref"),
        line(3, subject_ref=REFS[2]),
        recorded(access(AccessStep.RELEASED, subject_ref=REFS[1])),
    ]
    assert bulk_reads(lines, window=60, most=1) == ()
    lines.append(line(4, subject_ref=REFS[1], ground=Ground.OWN_STAFF, matter=None))
    assert len(bulk_reads(lines, window=60, most=1)) == 1, "staff reads are counted"


@pytest.mark.parametrize("limits", [{"window": 0, "most": 1}, {"window": 1, "most": 0}])
def test_limits_that_mean_nothing_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(PolicyError) as refused:
        bulk_reads([], **limits)
    assert refused.value.code == "BEHAVIOUR_LIMIT"


def test_a_finding_cites_a_hundred_records_and_counts_all() -> None:
    lines = [line(i, at=NOW, subject_ref=f"{i:096x}") for i in range(EVIDENCE + 20)]
    (finding,) = bulk_reads(lines, window=60, most=10)
    assert (finding.count, len(finding.evidence)) == (EVIDENCE + 20, EVIDENCE)


def test_readings_without_a_case_are_found() -> None:
    lines = [
        line(0, case=CASES[0]),
        line(1, case=CASES[1], operator="op-no-case-1"),
        line(2, case=CASES[0], operator="op-no-case-1"),
    ]
    assert reads_without_case(lines, cases=CASES, most_persons=2) == ()
    (finding,) = reads_without_case(lines, cases=CASES[:1], most_persons=2)
    assert (finding.code, finding.count) == (FindingCode.READS_WITHOUT_CASE, 1)
    assert finding.evidence[0].leaf == lines[1].leaf


def test_one_case_for_a_whole_town_is_none() -> None:
    lines = [line(i, subject_ref=ref) for i, ref in enumerate(REFS)]
    assert reads_without_case(lines, cases=CASES, most_persons=3) == ()
    (finding,) = reads_without_case(lines, cases=CASES, most_persons=2)
    assert finding.count == 3


def test_staff_that_names_no_case_is_found() -> None:
    lines = [line(0, case=None, ground=Ground.OWN_STAFF, matter=None)]
    assert len(reads_without_case(lines, cases=CASES, most_persons=3)) == 1
    assert reads_without_case([hide(each, "case") for each in lines], cases=CASES, most_persons=3) == ()
