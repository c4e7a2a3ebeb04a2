"""Counts of a period: of decisions, by China's days, each request once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from audit_records import access, reading, recorded
from audit_world import GRANTEE, MATTER_CODE, NOW

from audit.access import AccessStep
from audit.decision import DecisionCode
from audit.own import Ground
from audit.summary import Summary


def test_a_request_counts_once_whatever_was_recorded_of_it() -> None:
    summary = Summary()
    records = [record for number in range(3) for record in reading(f"r{number}").values()]
    assert list(summary.over(records)) == records
    assert (summary.records, summary.decided, summary.refused) == (12, 3, 0)
    assert summary.by_asker == {GRANTEE: 3} and summary.by_matter == {MATTER_CODE: 3}
    assert summary.by_ground == {Ground.AUTHORIZATION: 3}


def test_refusals_are_no_readings() -> None:
    summary = Summary()
    summary.add(recorded(access(AccessStep.DECIDED, code=DecisionCode.EXPIRED)))
    assert (summary.decided, summary.refused, summary.refused_by_asker[GRANTEE]) == (1, 1, 1)
    assert summary.days() == []


def test_days_are_chinas_and_none_is_left_out() -> None:
    """2026-11-24 06:00 UTC and, ten hours later, already the next day in China; then two days on."""
    summary = Summary()
    for at in (NOW, NOW + 10 * 3600, NOW + 58 * 3600):
        summary.add(recorded(access(AccessStep.DECIDED), at=at))
    assert summary.days() == [(date(2026, 11, 24 + n), k) for n, k in enumerate((1, 1, 0, 1))]


def test_what_is_hidden_is_counted() -> None:
    record = recorded(access(AccessStep.DECIDED))
    summary = Summary()
    summary.add(replace(record, access=replace(record.access, case=None, hidden=frozenset({"case"}))))
    assert summary.hidden == 1
