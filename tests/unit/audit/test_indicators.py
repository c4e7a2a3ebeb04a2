"""Indicators: each figure is what its query says, over the period alone, and comes out the same when counted again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from audit_records import access, digest, recorded
from audit_world import COUNTER, HERE, NOW, PROVIDER, THERE

from audit import indicator_snapshot, indicators, measuring
from audit.access import AccessStep, Recorded
from audit.decision import DecisionCode
from audit.errors import AccessError
from audit.indicator_snapshot import Covered, IndicatorSnapshot
from audit.indicators import INDICATORS, Group, Measure, Query
from audit.measuring import Value
from audit.own import Ground
from audit.permit import LONGEST, REPORT_WITHIN
from ledger.errors import VerificationError
from ledger.logid import log_id
from ledger.statement import Statement
from ledger.types import Head

START, END, LATER = NOW - 100, NOW + 10_000, NOW + 20_000
OWN = {"matter": None, "authorization": None}


def figures(*records: Recorded, start: int = START, end: int = END, now: int = LATER) -> dict[str, Value]:
    return {value.name: value for value in measuring.measure(records, start, end, now)}


def decided(request: str = "r", at: int = NOW, **changes: Any) -> Recorded:
    return recorded(access(AccessStep.DECIDED, request, **changes), at=at, anchored=at + 60)


def ended(request: str = "r", at: int = NOW + 3, step: AccessStep = AccessStep.RELEASED, **changes: Any) -> Recorded:
    return recorded(access(step, request, **changes), at=at, anchored=at + 60)


def value(name: str, *records: Recorded, **more: int) -> int | None:
    return figures(*records, **more)[name].value


def test_every_group_has_indicators_with_names_of_their_own() -> None:
    assert {indicator.group for indicator in INDICATORS} == set(Group)
    assert len({indicator.name for indicator in INDICATORS}) == len(INDICATORS)
    assert {value.name for value in figures().values()} == {indicator.name for indicator in INDICATORS}


def test_a_query_is_told_as_it_is_run() -> None:
    query = Query(Measure.DISTINCT, "asker", (("step", ("access/released", "access/closed")),))
    assert query.text == "count distinct asker where step in (access/released, access/closed)"
    columns = set(next(measuring.rows([decided()], START, END, LATER)))
    for indicator in INDICATORS:
        used = {column for column, _ in indicator.query.where} | {indicator.query.of} - {None}
        assert used <= columns, indicator.name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("over_asked", DecisionCode.FIELD_NOT_NEEDED),
        ("over_asked", DecisionCode.FIELD_FORBIDDEN),
        ("after_end", DecisionCode.REVOKED),
        ("without_right", DecisionCode.NOT_BOUND),
        ("stale_status", DecisionCode.STATUS_STALE),
    ],
)
def test_refusals_are_counted_by_what_they_were_about(name: str, code: DecisionCode) -> None:
    records = (decided("a"), decided("b", code=code))
    assert value(name, *records) == 1
    assert (value("decisions", *records), value("allowed", *records)) == (2, 1)


def test_own_readings_are_no_service_to_others() -> None:
    holder = decided("a", ground=Ground.OWN_HOLDER, **OWN)
    staff = decided("b", ground=Ground.OWN_STAFF, **OWN)
    assert [value(name, holder, staff) for name in ("decisions", "own_views", "staff_reads")] == [0, 1, 1]


def test_times_are_ranked_and_not_averaged() -> None:
    delays = [1] * 10 + [2] * 9 + [900]
    pairs = [(decided(str(n)), ended(str(n), NOW + delay)) for n, delay in enumerate(delays)]
    records = [record for pair in pairs for record in pair]
    assert value("seconds_to_release", *records) == 1
    assert value("seconds_to_release_p95", *records) == 2
    assert value("seconds_to_release", decided()) is None


def test_the_period_is_half_open() -> None:
    records = (decided("a", START - 1), decided("b", START), decided("c", END - 1), decided("d", END))
    assert value("decisions", *records) == 2


def test_a_permit_counts_as_unclosed_when_its_time_is_over() -> None:
    given = decided(permit=digest("permit"))
    closed = ended(step=AccessStep.CLOSED)
    over = NOW + LONGEST + REPORT_WITHIN + 1
    assert value("permits_unclosed", given, end=NOW + 1, now=over) == 1
    assert value("permits_unclosed", given, end=NOW + 1, now=over - 1) == 0
    assert value("permits_unclosed", given, closed, end=NOW + 1, now=over) == 0
    assert value("permits_unclosed", given, end=NOW, now=over) == 0


def test_what_data_was_worth() -> None:
    records = [
        decided("a"),
        ended("a", fields=("business_scope", "enterprise_name")),
        ended("b", asker=COUNTER, asker_city=HERE),
        ended("c", resource="other", step=AccessStep.CLOSED),
    ]
    found = figures(*records)
    assert [found[name].value for name in ("resources_used", "agencies_served", "fields_reused", "cases_served")] == [
        2,
        2,
        4,
        1,
    ]
    assert found["released_across_cities"].value == 2
    assert THERE != HERE


def test_what_is_not_open_is_not_guessed_but_counted() -> None:
    record = ended()
    closed = replace(record, access=replace(record.access, case=None, hidden=frozenset({"case"})))
    found = figures(closed)["cases_served"]
    assert (found.value, found.hidden) == (0, 1)


def test_late_anchoring_is_counted() -> None:
    late = replace(decided(), anchored=NOW + 3601)
    assert value("anchored_late", late, decided("b")) == 1


SNAPSHOT = IndicatorSnapshot(
    START,
    END,
    LATER,
    indicators.definitions(),
    (Covered(log_id(HERE, "access"), Head(7, digest("root"))),),
    tuple(figures(decided()).values()),
)


def test_a_snapshot_is_read_back_and_counted_again() -> None:
    made = indicator_snapshot.draft(SNAPSHOT, PROVIDER)
    place = log_id(HERE, indicator_snapshot.STREAM)
    text = Statement(place, indicator_snapshot.STREAM, made.type, "2026-11-24T06:00:00.000Z", made.agency, made.body)
    assert indicator_snapshot.decode(text) == SNAPSHOT
    assert indicator_snapshot.differing(SNAPSHOT, figures(decided()).values()) == ()
    more = figures(decided(), decided("b"))
    pairs = {then.name: (then.value, now.value) for then, now in indicator_snapshot.differing(SNAPSHOT, more.values())}
    assert pairs == {"decisions": (1, 2), "allowed": (1, 2)}


def test_a_period_that_is_not_over_yet_is_refused() -> None:
    for changes in ({"end": START}, {"taken_at": END - 1}):
        with pytest.raises(AccessError):
            replace(SNAPSHOT, **changes)
    with pytest.raises(VerificationError):
        indicator_snapshot.draft(replace(SNAPSHOT, values=(Value("a figure", 1, 0),)), PROVIDER)
