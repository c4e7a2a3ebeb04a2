"""Two cities' records beside each other: exactly what was left out or altered is found, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from audit_records import ANSWER, access, digest, reading, recorded
from audit_world import CARD, CODE, CONSENT, HERE, NAME, NOW, RULES, SCOPE_OF, STRANGER, THERE
from hypothesis import given
from hypothesis import strategies as st

from audit.access import AccessStep, Recorded
from audit.decision import DecisionCode
from audit.finding import SEVERITY, Evidence, FindingCode, Severity, self_reported
from audit.own import Ground
from audit.policy import MAX_STATUS_AGE
from audit.reconcile import MAX_LAG, SKEW, Known, Revoked, reconcile
from audit.terms import DAY, Scope

F = FindingCode
A, D, REL, REC = AccessStep.ASKED, AccessStep.DECIDED, AccessStep.RELEASED, AccessStep.RECEIVED
LATER = NOW + 10 * DAY
AUTHORIZATION = digest("authorization")
KNOWN = Known({AUTHORIZATION: CONSENT}, {}, RULES.matters)
Records = dict[AccessStep, Recorded]


def found(records: list[Recorded], known: Known = KNOWN, now: int = LATER) -> list[tuple[FindingCode, bytes]]:
    return [(finding.code, finding.request or b"") for finding in reconcile(records, known, now)]


def changed(records: Records, step: AccessStep, **changes: Any) -> None:
    records[step] = replace(records[step], access=replace(records[step].access, **changes))


def placed(records: Records, step: AccessStep, **changes: Any) -> None:
    records[step] = replace(records[step], **changes)


def without(*steps: AccessStep) -> Callable[[Records], None]:
    return lambda records: [records.pop(step) for step in steps] and None


def refused(records: Records) -> None:
    """The provider refused, released nothing, and the asker was told."""
    records.pop(REL)
    changed(records, D, code=DecisionCode.REVOKED)
    changed(records, REC, code=DecisionCode.REVOKED, response=None)


def refused_and_unknown(records: Records) -> None:
    refused(records)
    changed(records, D, code=DecisionCode.OTHER_SUBJECT)
    changed(records, REC, code=DecisionCode.NOT_AVAILABLE)


def over_asked_and_refused(records: Records) -> None:
    refused(records)
    for step in (A, D, REC):
        changed(records, step, fields=(NAME, "registered_capital"))


def over_released(records: Records) -> None:
    for step in records:
        changed(records, step, fields=(NAME, "registered_capital"))


def no_authorization(records: Records) -> None:
    for step in records:
        changed(records, step, authorization=digest("nowhere"))


def after_the_window(records: Records) -> None:
    for step in records:
        at = CONSENT.not_after + 5
        placed(records, step, at=at, anchored=at)


def released_refused(records: Records) -> None:
    changed(records, D, code=DecisionCode.REVOKED)
    changed(records, REC, code=DecisionCode.REVOKED)


SEEDED: list[tuple[str, Callable[[Records], None], list[FindingCode]]] = [
    ("a refusal that was told", refused, []),
    ("a refusal of which less is told", refused_and_unknown, []),
    ("recorded and not released, as after a crash", without(REL, REC), []),
    ("asking left out", without(A), [F.ASKED_MISSING]),
    ("decision left out", without(D), [F.DECIDED_MISSING]),
    ("release left out", without(REL), [F.RELEASE_MISSING]),
    ("receiving left out", without(REC), [F.RECEIVED_MISSING]),
    ("asker has nothing", without(A, REC), [F.ASKED_MISSING, F.RECEIVED_MISSING]),
    ("provider has nothing", without(D, REL), [F.DECIDED_MISSING, F.RELEASE_MISSING]),
    ("other resource", lambda r: changed(r, A, resource="other"), [F.REQUEST_DIFFERS, F.OVER_ASKED]),
    ("other asker", lambda r: changed(r, D, asker=STRANGER), [F.REQUEST_DIFFERS, F.UNAUTHORIZED]),
    ("other signature", lambda r: changed(r, D, signature=digest("x")), [F.REQUEST_DIFFERS]),
    ("other city", lambda r: changed(r, D, asker_city=HERE), [F.REQUEST_DIFFERS]),
    ("other key", lambda r: changed(r, D, kid="x" * 43), [F.REQUEST_DIFFERS]),
    ("other authorization", lambda r: changed(r, A, authorization=digest("x")), [F.REQUEST_DIFFERS]),
    ("other mandate", lambda r: changed(r, D, mandate=digest("x")), [F.REQUEST_DIFFERS]),
    ("other fields asked", lambda r: changed(r, A, fields=(SCOPE_OF, NAME)), [F.FIELDS_DIFFER]),
    ("other fields received", lambda r: changed(r, REC, fields=(SCOPE_OF,)), [F.FIELDS_DIFFER]),
    ("other answer", lambda r: changed(r, REC, response=digest("x")), [F.RESPONSE_DIFFERS]),
    ("answer not recorded", lambda r: changed(r, REC, response=None), [F.RESPONSE_DIFFERS]),
    ("answer not open any more", lambda r: changed(r, REC, response=None, hidden=frozenset({"response"})), []),
    ("told otherwise", lambda r: changed(r, REC, code=DecisionCode.EXPIRED), [F.DECISION_DIFFERS]),
    ("released although refused", released_refused, [F.RELEASED_REFUSED]),
    ("over-asking that was refused", over_asked_and_refused, [F.OVER_ASKED]),
    ("over-asking that was served", over_released, [F.OVER_ASKED, F.OVER_RELEASED]),
    ("no authorization", no_authorization, [F.UNAUTHORIZED]),
    ("after the window", after_the_window, [F.UNAUTHORIZED]),
    ("anchored late", lambda r: placed(r, REL, anchored=NOW + MAX_LAG + 5), [F.RECORD_LATE]),
    ("never anchored", lambda r: placed(r, A, anchored=None), [F.RECORD_LATE]),
    ("dated back", lambda r: placed(r, REC, at=NOW - MAX_LAG), [F.RECORD_LATE]),
    ("dated back before it was authorized", lambda r: placed(r, D, at=NOW - MAX_LAG), [F.RECORD_LATE, F.UNAUTHORIZED]),
    ("dated ahead of its block", lambda r: placed(r, REC, at=NOW + 61 + SKEW), [F.RECORD_DATED_AHEAD]),
]
each_seed = pytest.mark.parametrize(("alter", "wanted"), [s[1:] for s in SEEDED], ids=[s[0] for s in SEEDED])


def test_two_honest_cities_agree() -> None:
    records = [record for i in range(50) for record in reading(f"r{i}", NOW + i).values()]
    random.Random(7).shuffle(records)
    assert found(records) == []


@each_seed
def test_what_was_altered_is_found_by_its_name(alter: Callable[[Records], None], wanted: list[FindingCode]) -> None:
    records = reading()
    alter(records)
    assert found(list(records.values())) == [(code, digest("r")) for code in wanted]


@given(st.integers(0, 2**32), st.integers(1, 15))
def test_exactly_what_was_seeded_is_found(seed: int, readings: int) -> None:
    draw = random.Random(seed)
    records: list[Recorded] = []
    wanted: list[tuple[FindingCode, bytes]] = []
    for number in range(readings):
        request = f"{seed}/{number}"
        pair = reading(request)
        if draw.random() < 0.5:
            _, alter, codes = draw.choice(SEEDED)
            alter(pair)
            wanted += [(code, digest(request)) for code in codes]
        records += pair.values()
    draw.shuffle(records)
    assert sorted(found(records)) == sorted(wanted)


def test_a_reading_under_way_says_nothing_yet() -> None:
    asked = reading()[A]
    assert found([asked], now=NOW + MAX_LAG) == []
    assert [code for code, _ in found([asked], now=NOW + 2 * MAX_LAG)] == [F.DECIDED_MISSING]


def test_a_finding_names_who_is_asked_to_explain_and_what_shows_it() -> None:
    records = reading()
    shown = records.pop(A)
    (missing,) = reconcile(records.values(), KNOWN, LATER)
    assert (missing.city, missing.agency) == (THERE, shown.agency)
    assert missing.evidence == (Evidence(HERE, records[D].log, records[D].index, records[D].leaf),)
    over = reading()
    changed(over, A, fields=(NAME, CODE))
    (finding,) = reconcile(over.values(), KNOWN, LATER)[:1]
    assert (finding.code, finding.fields, finding.city) == (F.FIELDS_DIFFER, (CODE,), HERE)
    assert finding.params.keys() == {"request", "agency", "city", "fields", "count"}
    assert finding.params["fields"] == CODE and len(finding.evidence) == 2


def test_one_request_recorded_twice_is_found() -> None:
    records = reading()
    again = replace(records[D], index=77, leaf=digest("again"))
    (finding,) = reconcile([*records.values(), again], KNOWN, LATER)
    assert (finding.code, len(finding.evidence)) == (F.RECORD_DOUBLED, 2)


def test_a_request_that_came_again_is_no_second_decision() -> None:
    records = reading()
    again = recorded(access(D, code=DecisionCode.REQUEST_REPEATED), index=9)
    assert found([again, *records.values()]) == []
    records.pop(D)
    assert [code for code, _ in found([again, *records.values()])] == [F.DECIDED_MISSING]


def test_nobody_writes_the_other_sides_half_for_it() -> None:
    records = reading()
    placed(records, A, city=HERE)
    assert [code for code, _ in found(list(records.values()))] == [F.ASKED_MISSING]
    placed(records, D, city=THERE)
    assert F.DECIDED_MISSING in [code for code, _ in found(list(records.values()))]


@pytest.mark.parametrize(
    ("revoked", "hit"),
    [
        (Revoked(NOW + 1, HERE), True),
        (Revoked(NOW + 2, HERE), False),
        (Revoked(NOW, None), False),
        (Revoked(NOW - MAX_STATUS_AGE + 1, THERE), False),
        (Revoked(NOW - MAX_STATUS_AGE, None), True),
        (Revoked(NOW - MAX_STATUS_AGE, THERE), True),
    ],
)
@pytest.mark.parametrize("what", ["authorization", "mandate"])
def test_after_a_revocation_that_the_city_knew_or_had_to_know(revoked: Revoked, hit: bool, what: str) -> None:
    """The decision is at NOW + 1; from the chain a city may know fifteen minutes late."""
    records = reading(**{what: AUTHORIZATION if what == "authorization" else digest("mandate")})
    known = replace(KNOWN, revoked={digest(what): (revoked,)})
    assert found(list(records.values()), known) == ([(F.AFTER_REVOCATION, digest("r"))] if hit else [])


def test_ones_own_readings_have_no_other_side() -> None:
    own = access(D, ground=Ground.OWN_HOLDER, matter=None, authorization=None, signature=None, kid=None)
    assert found([recorded(own)]) == []


def test_a_permit_closed_is_a_release() -> None:
    records = reading()
    records[REL] = recorded(access(AccessStep.CLOSED, response=ANSWER), at=NOW + 2)
    assert found(list(records.values())) == []
    other = recorded(access(AccessStep.CLOSED, response=digest("x")), at=NOW + 2)
    assert [code for code, _ in found([records[A], records[D], other, records[REC]])] == [F.RESPONSE_DIFFERS]


def test_a_permit_under_which_nothing_was_sent_is_no_release() -> None:
    records = reading()
    records.pop(REC)
    records[REL] = recorded(access(AccessStep.CLOSED, response=None), at=NOW + 2)
    assert found(list(records.values())) == []


def test_the_resource_of_a_scope_decides_what_is_over() -> None:
    known = replace(KNOWN, authorizations={AUTHORIZATION: CONSENT})
    records = reading()
    for step in records:
        changed(records, step, fields=(CODE,))
    assert [code for code, _ in found(list(records.values()), known)] == [F.OVER_ASKED, F.OVER_RELEASED]
    nothing_of_it = replace(CONSENT, scopes=(Scope(CARD, ("name",)),))
    known = replace(KNOWN, authorizations={AUTHORIZATION: nothing_of_it})
    assert [code for code, _ in found(list(reading().values()), known)] == [F.OVER_ASKED, F.OVER_RELEASED]


def test_every_finding_has_its_gravity_and_reporting_oneself_is_its_own() -> None:
    assert SEVERITY.keys() == set(FindingCode)
    (finding,) = reconcile([reading()[A]], KNOWN, LATER)
    told = self_reported(finding)
    assert (finding.severity, told.severity) == (Severity.GRAVE, Severity.SELF_REPORTED)
    assert replace(told, severity=finding.severity) == finding
