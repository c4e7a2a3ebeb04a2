"""What a steward has to settle, as findings: named by resource, field and agency, never by a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from audit_world import CARD, GRANTEE, LICENCE, NOW, PROVIDER, resource

from audit.finding import Evidence, FindingCode
from audit.resource import ResourceCatalogue
from audit.stewardship import Due, Held, conflicting_values, contested_items, overdue, stale_entries
from audit.terms import DAY

HERE = 1
PLACE = Evidence(HERE, bytes(32), 0, bytes(32))
LEAD = replace(resource(CARD, "name", "address"), authoritative=frozenset({"name"}), cycle="每日")
OTHER = replace(resource(LICENCE, "name"), provider=GRANTEE, cycle="不定期")
CATALOGUE = ResourceCatalogue((LEAD, OTHER))


def held(subject: str, code: str, **values: str) -> Held:
    return Held(subject, code, values, PLACE)


def test_an_item_with_two_sources() -> None:
    assert list(contested_items(CATALOGUE, HERE)) == []
    both = ResourceCatalogue((LEAD, replace(OTHER, authoritative=frozenset({"name"}))))
    (found,) = contested_items(both, HERE)
    assert (found.code, found.count, found.fields) == (FindingCode.SOURCE_CONTESTED, 2, ("name",))


def test_an_entry_that_went_stale() -> None:
    assert list(stale_entries(CATALOGUE, {CARD: NOW - DAY, LICENCE: 0, "unknown": 0}, NOW, HERE)) == []
    (found,) = stale_entries(CATALOGUE, {CARD: NOW - 3 * DAY}, NOW, HERE)
    assert (found.code, found.agency, found.count) == (FindingCode.ENTRY_STALE, PROVIDER, 3)


def test_a_certificate_that_contradicts_the_source() -> None:
    same = [held("a", CARD, name="甲", address="路"), held("a", LICENCE, name="甲"), held("b", LICENCE, name="乙")]
    assert list(conflicting_values(CATALOGUE, same, HERE)) == []
    (found,) = conflicting_values(CATALOGUE, [*same, held("b", CARD, name="丙")], HERE)
    assert (found.code, found.agency, found.fields) == (FindingCode.VALUES_CONFLICT, GRANTEE, ("name",))
    assert len(found.evidence) == 2 and "乙" not in repr(found) and "乙" not in repr(same)


def test_a_correction_that_is_overdue() -> None:
    due = Due(CARD, "name", PROVIDER, date(2026, 3, 4), PLACE)
    assert list(overdue([due], date(2026, 3, 4), HERE)) == []
    (found,) = overdue([due], date(2026, 3, 5), HERE)
    assert (found.code, found.agency, found.fields) == (FindingCode.CORRECTION_OVERDUE, PROVIDER, ("name",))
