"""Records of both sides follow from request and decision; what was promised about them is kept, or found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from audit_records import access, digest, recorded, salts
from audit_world import (
    AGENT,
    AGENT_KEY,
    CONSENT,
    FRESH,
    GRANTEE,
    HERE,
    LICENCE,
    NAME,
    NOW,
    OTHER,
    PROVIDER,
    PURPOSE,
    REQUEST,
    RULES,
    THERE,
    bound,
    bound_mandate,
    by_agent,
    key,
    shown,
)

from audit.access import Access, AccessStep, draft
from audit.authorization import Authorization
from audit.decision import DecisionCode
from audit.drafting import asked, closed, decided, own, received, released
from audit.errors import AccessError
from audit.finding import FindingCode
from audit.own import Ground, OwnReading, decide_own
from audit.policy import decide
from audit.receipt import broken, receipt
from audit.reconcile import Known, reconcile
from audit.request import Request, Unbound, Uses
from audit.terms import DAY

HTTP: dict[str, Any] = {"asker_city": THERE, "signature": digest("signature"), "kid": key("http").kid}
MINE: dict[str, Any] = {**HTTP, "subject_ref": "aa" * 48}
THEIRS: dict[str, Any] = {**HTTP, "subject_ref": "bb" * 48}


def sides(
    request: Request = REQUEST, authorization: Authorization = CONSENT, bound_: bool = True, **more: Any
) -> tuple[Access, Access]:
    """What the asker and the provider record."""
    mandate = bound_mandate()
    agent = authorization.grantor.mandate is not None
    presented = shown(authorization, AGENT_KEY) if agent else shown(authorization)
    valid = replace(bound(authorization, mandate if agent else None), id=presented.id)
    given = valid if bound_ else Unbound(presented.id, authorization.grantor.mandate)
    decision = decide(request, given, RULES, FRESH, Uses(), NOW)
    return asked(request, presented, **MINE), decided(request, decision, **THEIRS, **more)


def compared(*records: Access) -> list[FindingCode]:
    known = Known({each.authorization: CONSENT for each in records if each.authorization}, {}, RULES.matters)
    return [finding.code for finding in reconcile(map(recorded, records), known, NOW + DAY)]


def test_a_reading_that_goes_well_reconciles_to_nothing() -> None:
    asking, allowed = sides()
    out = released(allowed, digest("answer"))
    came = received(asking, DecisionCode.ALLOW, out.fields, digest("answer"))
    assert compared(asking, allowed, out, came) == []
    assert [each.step for each in (asking, allowed, out, came)] == [
        AccessStep.ASKED,
        AccessStep.DECIDED,
        AccessStep.RELEASED,
        AccessStep.RECEIVED,
    ]
    for each in (asking, allowed, out, came):
        assert draft(each, PROVIDER, salts(each))[0].body["request"] == REQUEST.id.hex()


@pytest.mark.parametrize("bound_", [True, False], ids=["bound", "unbound"])
def test_an_agents_reading_names_the_mandate_on_both_sides(bound_: bool) -> None:
    authorization = by_agent(bound_mandate())
    asking, decision = sides(authorization=authorization, bound_=bound_)
    assert asking.mandate == decision.mandate == authorization.grantor.mandate is not None
    assert decision.allowed is bound_ and AGENT != OTHER


def test_a_refusal_is_recorded_with_everything_that_was_asked() -> None:
    request = replace(REQUEST, fields=(NAME, "registered_capital"))
    asking, refused = sides(request)
    assert (refused.code, refused.fields) == (DecisionCode.FIELD_NOT_NEEDED, request.fields)
    told_ = received(asking, DecisionCode.FIELD_NOT_NEEDED, request.fields, None)
    assert told_.fields == () and told_.response is None
    assert compared(asking, refused, told_) == [FindingCode.OVER_ASKED]


def test_the_asker_records_what_it_was_told() -> None:
    asking, refused = sides(replace(REQUEST, subject=OTHER))
    assert refused.code is DecisionCode.OTHER_SUBJECT
    assert received(asking, DecisionCode.OTHER_SUBJECT, (), None).code is DecisionCode.NOT_AVAILABLE
    assert compared(asking, refused, received(asking, DecisionCode.NOT_AVAILABLE, (), None)) == []


def test_nothing_goes_out_that_was_not_allowed_here() -> None:
    _, allowed = sides()
    _, permitted = sides(permit=digest("permit"))
    _, refused = sides(replace(REQUEST, subject=OTHER))
    wrong: list[Any] = [
        lambda: released(refused, digest("x")),
        lambda: released(permitted, digest("x")),
        lambda: released(released(allowed, digest("x")), digest("x")),
        lambda: closed(allowed, digest("x")),
        lambda: closed(replace(refused, permit=digest("permit")), digest("x")),
        lambda: decided(replace(REQUEST, id=digest("another")), decision(), **THEIRS),
    ]
    for act in wrong:
        with pytest.raises(AccessError) as error:
            act()
        assert error.value.code == "ACCESS_NOT_ALLOWED"
    assert closed(permitted, None).step is AccessStep.CLOSED


def decision() -> Any:
    return decide(REQUEST, bound(), RULES, FRESH, Uses(), NOW)


def test_ones_own_reading_is_a_record_too() -> None:
    reading = OwnReading(digest("own"), Ground.OWN_HOLDER, OTHER, PROVIDER, OTHER, LICENCE, (NAME,))
    answer = decide_own(reading, RULES, NOW)
    record = own(reading, answer, city=HERE, subject_ref="aa" * 48)
    assert (record.ground, record.code, record.provider) == (Ground.OWN_HOLDER, DecisionCode.ALLOW, HERE)
    staff = replace(reading, ground=Ground.OWN_STAFF, reader=None)
    allowed = decide_own(staff, RULES, NOW)
    for more in ({}, {"operator": PURPOSE.operator}, {"purpose": PURPOSE.use_cause}):
        with pytest.raises(AccessError) as error:
            own(staff, allowed, city=HERE, subject_ref="aa" * 48, **more)  # type: ignore[arg-type]
        assert error.value.code == "ACCESS_MEMBERS"
    said = {"operator": PURPOSE.operator, "purpose": PURPOSE.use_cause, "case": PURPOSE.business_code}
    record = own(staff, allowed, city=HERE, subject_ref="aa" * 48, **said)  # type: ignore[arg-type]
    assert record.allowed and record.matter is None


# Receipts

PROMISE = receipt(recorded(access(AccessStep.DECIDED), index=5), anchor_within=600)
DUE = NOW + 600


def test_a_receipt_that_is_kept_is_no_finding() -> None:
    assert PROMISE.anchor_by == DUE
    assert broken([PROMISE], [recorded(access(AccessStep.DECIDED), index=5)], DUE + 1) == ()


@pytest.mark.parametrize(
    ("changes", "now", "hit"),
    [
        ({"leaf": digest("another")}, NOW, True),
        ({"index": 6}, DUE + 1, True),
        ({"index": 6}, DUE, False),
        ({"anchored": DUE + 1}, NOW + DAY, True),
        ({"anchored": None}, DUE, False),
        ({"anchored": None}, DUE + 1, True),
    ],
)
def test_a_broken_receipt_is_evidence(changes: dict[str, Any], now: int, hit: bool) -> None:
    log = [replace(recorded(access(AccessStep.DECIDED), index=5), **changes)]
    found = broken([PROMISE], log, now)
    assert [finding.code for finding in found] == ([FindingCode.RECEIPT_BROKEN] if hit else [])
    assert all(f.evidence[0].leaf == PROMISE.leaf and f.request == PROMISE.request and f.city == HERE for f in found)
    assert GRANTEE != PROVIDER
