"""Records before deeds: what opens attributes exists after commit and guard, of what was allowed, and is made there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from audit_records import access, digest
from audit_world import GRANTEE, LICENCE, NAME, OTHER, PERSON, PROVIDER, PURPOSE, RULES
from recorded_city import ACCESSES, ITEM, RecordedCity

from audit.access import AccessStep
from audit.decision import DecisionCode
from audit.errors import AccessError
from audit.own import Ground, OwnReading
from audit.recording import RecordedAccess
from ledger.store import logs

HOLDER = OwnReading(digest("own"), Ground.OWN_HOLDER, PERSON, PROVIDER, PERSON, LICENCE, (NAME,))
STAFF = OwnReading(digest("staff"), Ground.OWN_STAFF, None, PROVIDER, None, LICENCE, (NAME,))


@pytest.fixture
def city(tmp_path: Path) -> Iterator[RecordedCity]:
    found = RecordedCity(tmp_path)
    yield found
    found.place.close()


def test_what_was_allowed_opens_and_stands_in_the_log(city: RecordedCity) -> None:
    found = city.ask(city.grant())
    assert found.opens is not None and found.opens.access is found.access
    with city.place.database.reading() as connection:
        row = logs.find(connection, ACCESSES.id)
    assert row is not None and row.head.size == 1 and row.head.root == found.opens.leaf  # a tree of one leaf
    assert city.place.guard.read(ACCESSES.id) == row.head
    assert found.access.item == ITEM


def test_what_was_refused_is_recorded_and_opens_nothing(city: RecordedCity) -> None:
    found = city.ask(city.grant(), fields=("registered_capital",))
    (statement,) = city.place.read(ACCESSES)
    assert found.opens is None and statement.body["code"] == int(DecisionCode.FIELD_NOT_NEEDED)
    assert city.counts()["access"] == 1


@pytest.mark.parametrize("made", [object(), None, True])
@pytest.mark.parametrize("code", [DecisionCode.ALLOW, DecisionCode.REVOKED])
def test_nobody_else_makes_what_opens(city: RecordedCity, made: object, code: DecisionCode) -> None:
    said = access(AccessStep.DECIDED, code=code)
    with pytest.raises(AccessError, match="recorded and allowed") as refused:
        RecordedAccess(said, ACCESSES, 0, bytes(32), "2026-11-24T00:00:00.000Z", made)
    assert refused.value.code == "ACCESS_NOT_RECORDED"


def test_what_opens_cannot_be_made_to_open_a_refusal(city: RecordedCity) -> None:
    opens = city.ask(city.grant()).opens
    assert opens is not None
    with pytest.raises(AccessError):
        replace(opens, access=access(AccessStep.DECIDED, code=DecisionCode.REVOKED))


def test_a_decision_is_noted_by_nobody(city: RecordedCity) -> None:
    before = city.counts()
    with pytest.raises(AccessError) as refused:
        city.recorder.note(access(AccessStep.DECIDED), PROVIDER)
    assert refused.value.code == "ACCESS_MEMBERS"
    assert city.counts() == before


def test_an_act_that_fails_while_it_decides_leaves_nothing(city: RecordedCity) -> None:
    """Staff that does not say why: the day's key, the openings and the index go with the record."""
    before = city.counts()
    with pytest.raises(AccessError):
        city.recorder.own(STAFF, RULES, operator="op-1", purpose=None)
    assert city.counts() == before and city.place.read(ACCESSES) == []


def test_readings_of_ones_own(city: RecordedCity) -> None:
    assert city.recorder.own(HOLDER, RULES).opens is not None
    again = city.recorder.own(HOLDER, RULES)
    assert again.opens is None and again.decision.code is DecisionCode.REQUEST_REPEATED
    other = city.recorder.own(replace(HOLDER, id=digest("other"), subject=OTHER), RULES)
    assert other.opens is None and other.decision.code is DecisionCode.NOT_OWN


def test_staff_of_another_agency_reads_nothing_as_its_own(city: RecordedCity) -> None:
    why = {"operator": "op-1", "purpose": PURPOSE.use_cause}
    assert city.recorder.own(STAFF, RULES, **why).opens is not None  # type: ignore[arg-type]
    stranger = replace(STAFF, id=digest("stranger"), agency=GRANTEE)
    assert city.recorder.own(stranger, RULES, **why).opens is None  # type: ignore[arg-type]


def test_persons_and_operators_stand_nowhere_in_the_clear(city: RecordedCity) -> None:
    city.ask(city.grant())
    files = b"".join(file.read_bytes() for file in city.place.database_file.parent.iterdir())
    for word in (PERSON.code, PURPOSE.operator, PURPOSE.business_code or ""):
        assert word.encode() not in files
