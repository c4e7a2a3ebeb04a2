"""A permit lives a minute, for one request of one agency and those fields; one that nobody closes is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from audit_records import access, digest, recorded
from audit_world import CONSORTIUM, COUNTER, FRESH, GRANTEE, LICENCE, NAME, NOW, REQUEST, RULES, SCOPE_OF, bound, key
from hypothesis import given
from hypothesis import strategies as st

from audit import permit as permits
from audit.access import AccessStep
from audit.decision import DecisionCode
from audit.errors import AuditError
from audit.finding import FindingCode, Severity
from audit.permit import LONGEST, REPORT_WITHIN, TYP, Permit, check, issue, sign, unclosed, verify
from audit.policy import decide
from audit.request import Uses
from ledger import canonical, jws
from ledger.errors import LedgerError

SIGNER = key("receipt")
LEAF = digest("leaf")
ALLOWED = decide(REQUEST, bound(), RULES, FRESH, Uses(), NOW)
PERMIT = issue(REQUEST, ALLOWED, consortium=CONSORTIUM, leaf=LEAF, now=NOW)
RELEASE: dict[str, Any] = {
    "request": REQUEST.id,
    "grantee": GRANTEE,
    "resource": LICENCE,
    "fields": (NAME,),
    "now": NOW + 1,
}


def refusal(act: Any, *arguments: Any, **keywords: Any) -> str:
    with pytest.raises((AuditError, LedgerError)) as refused:
        act(*arguments, **keywords)
    return str(refused.value.code)


def test_a_permit_follows_from_a_decision_that_allows() -> None:
    text = sign(PERMIT, SIGNER)
    assert verify(text, x=SIGNER.x, y=SIGNER.y, consortium=CONSORTIUM) == PERMIT
    check(PERMIT, **RELEASE)
    assert PERMIT.fields == ALLOWED.fields and PERMIT.leaf == LEAF
    refused = decide(REQUEST, None, RULES, FRESH, Uses(), NOW)
    other = replace(ALLOWED, request=digest("another"))
    for decision in (refused, other):
        assert refusal(issue, REQUEST, decision, consortium=CONSORTIUM, leaf=LEAF, now=NOW) == "PERMIT_NOT_DECIDED"


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("PERMIT_OTHER_REQUEST", {"request": digest("another")}),
        ("PERMIT_OTHER_GRANTEE", {"grantee": COUNTER}),
        ("PERMIT_OTHER_FIELDS", {"resource": "other"}),
        ("PERMIT_OTHER_FIELDS", {"fields": (SCOPE_OF, NAME)}),
        ("PERMIT_EXPIRED", {"now": NOW + LONGEST}),
        ("PERMIT_EXPIRED", {"now": NOW - 1}),
    ],
)
def test_a_release_that_the_permit_does_not_name_is_refused(code: str, changes: dict[str, Any]) -> None:
    assert refusal(check, PERMIT, **{**RELEASE, **changes}) == code


def test_the_signature_is_the_providers_over_exactly_this() -> None:
    keys: dict[str, Any] = {"x": SIGNER.x, "y": SIGNER.y, "consortium": CONSORTIUM}
    text = sign(PERMIT, SIGNER)
    assert refusal(verify, text, **{**keys, "consortium": bytes(32)}) == "PERMIT_LEDGER"
    assert refusal(verify, text, x=key("other").x, y=key("other").y, consortium=CONSORTIUM) == "PERMIT_KEY"
    payload = jws.b64url(canonical.dumps(replace(PERMIT, fields=(SCOPE_OF, NAME)).to_json()))
    head, _, signature = text.split(".")
    assert refusal(verify, f"{head}.{payload}.{signature}", **keys) == "SIGNATURE"
    for changes in ({"extra": 1}, {"fields": []}, {"v": 2}):
        bad = jws.sign_compact(canonical.dumps({**PERMIT.to_json(), **changes}), typ=TYP, signer=SIGNER)
        assert refusal(verify, bad, **keys) == "PERMIT_FORM"


def test_the_record_names_the_permit_before_the_permit_can_name_the_record() -> None:
    assert PERMIT.id == replace(PERMIT, leaf=bytes(32)).id
    assert PERMIT.id != replace(PERMIT, fields=(SCOPE_OF, NAME)).id


@given(st.integers(-10, 200))
def test_no_permit_lives_longer_than_a_minute(life: int) -> None:
    if 0 < life <= LONGEST:
        assert replace(PERMIT, expires_at=NOW + life).expires_at == NOW + life
    else:
        assert refusal(replace, PERMIT, expires_at=NOW + life) == "PERMIT_WINDOW"


def test_fields_of_a_permit_stand_in_order() -> None:
    assert refusal(replace, PERMIT, fields=(NAME, SCOPE_OF)) == "PERMIT_FIELDS"
    assert isinstance(permits.from_json(PERMIT.to_json()), Permit)


def test_a_permit_that_is_never_closed_is_found() -> None:
    one, two = digest("permit 1"), digest("permit 2")
    late = NOW + LONGEST + REPORT_WITHIN + 1
    decided = [
        recorded(access(AccessStep.DECIDED, "1", permit=one)),
        recorded(access(AccessStep.DECIDED, "2", permit=two)),
        recorded(access(AccessStep.DECIDED, "3")),
        recorded(access(AccessStep.DECIDED, "4", permit=digest("4"), code=DecisionCode.NOT_AUTHORIZED)),
        recorded(access(AccessStep.DECIDED, "5", permit=digest("5")), at=NOW + 100),
    ]
    closed = recorded(access(AccessStep.CLOSED, "1", permit=one))
    (finding,) = unclosed([*decided, closed], late)
    assert (finding.code, finding.request) == (FindingCode.PERMIT_UNCLOSED, digest("2"))
    assert finding.severity is Severity.SERIOUS and finding.evidence[0].leaf == decided[1].leaf
    assert unclosed([*decided, closed], late - 1) == ()
