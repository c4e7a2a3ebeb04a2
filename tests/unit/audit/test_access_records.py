"""Access records: what is written is read back, private members open one by one, nothing personal is in the clear."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from audit_records import access, digest, recorded, salts, statement
from audit_world import (
    AGREEMENT,
    ASKING,
    CONSENT,
    COUNTER,
    GRANTEE,
    LICENCE,
    MATTER_CODE,
    NAME,
    NOW,
    PERSON,
    PROVIDER,
    PURPOSE,
    SCOPE_OF,
    bound,
    bound_mandate,
    key,
    shown,
)
from hypothesis import given
from hypothesis import strategies as st

from audit import grants
from audit.access import AccessStep, decode, draft
from audit.decision import DecisionCode
from audit.errors import AccessError, AuditError
from audit.grants import Review, Revoker
from audit.own import Ground
from audit.private import Opened, conceal, openings_from, openings_json, reveal
from audit.terms import Method
from ledger.canonical import dumps, loads
from ledger.commitment import field_digest
from ledger.errors import LedgerError
from ledger.logid import AUTHORIZATION, log_id
from ledger.statement import Draft, Statement, seconds

each_step = pytest.mark.parametrize("step", AccessStep)


@each_step
def test_what_is_written_is_read_back_after_a_walk_through_json(step: AccessStep) -> None:
    one = access(step)
    text, openings = statement(one)
    stored = openings_from(loads(dumps(openings_json(openings)), max_bytes=10_000))
    assert decode(text, stored) == one
    assert (seconds(text.at), text.stream) == (NOW, "access")


@each_step
def test_nothing_of_a_person_stands_in_the_clear(step: AccessStep) -> None:
    one = access(step)
    text, _ = statement(one)
    written = text.encode().decode()
    private = {
        PERSON.code,
        ASKING,
        one.subject_ref,
        str(PURPOSE.business_code),
        PURPOSE.cause,
        one.item and one.item.hex(),
    }
    assert [value for value in private if value and value in written] == []
    assert one.response is None or one.response.hex() not in written
    assert MATTER_CODE in written and LICENCE in written and NAME in written


PRIVATE = ["operator", "subject_ref", "item", "case", "purpose", "response"]


@given(st.sets(st.sampled_from(PRIVATE)))
def test_each_member_is_dropped_alone(dropped: set[str]) -> None:
    one = access(AccessStep.DECIDED)
    text, openings = statement(one)
    left = {name: opened for name, opened in openings.items() if name not in dropped}
    assert decode(text, left) == replace(one, **dict.fromkeys(dropped), hidden=frozenset(dropped))


@given(st.sampled_from(PRIVATE), st.data())
def test_an_opening_that_was_changed_is_refused(name: str, data: st.DataObject) -> None:
    text, openings = statement(access(AccessStep.DECIDED))
    opened = openings[name]
    other = data.draw(st.sampled_from([name for name in openings if name != "purpose"]))
    changed = [
        Opened(bytes(32), opened.value),
        Opened(opened.salt, "op-somebody-else"),
        Opened(opened.salt, [opened.value]),
        openings[other] if other != name else Opened(opened.salt, None),
    ]
    with pytest.raises(AccessError) as refused:
        decode(text, {**openings, name: data.draw(st.sampled_from(changed))})
    assert (refused.value.code, refused.value.params) == ("OPENING_MISMATCH", {"member": name})


def test_an_opening_under_another_name_is_refused() -> None:
    text, openings = statement(access(AccessStep.DECIDED))
    with pytest.raises(AccessError, match="does not fit"):
        decode(text, {"response": openings["item"]})
    with pytest.raises(AccessError, match="does not fit"):
        decode(text, {"surplus": openings["item"]})


def refusal(body: dict[str, Any], type_: str = AccessStep.DECIDED) -> str:
    text, openings = statement(access(AccessStep.DECIDED))
    with pytest.raises((AuditError, LedgerError)) as refused:
        decode(replace(text, type=type_, body=body, stream=type_.partition("/")[0]), openings)
    return str(refused.value.code)


def test_a_body_of_another_form_is_refused() -> None:
    body = statement(access(AccessStep.DECIDED))[0].body
    assert refusal({**body, "extra": 1}) == "ACCESS_FORM"
    for name in body:
        assert refusal({k: v for k, v in body.items() if k != name}) == "ACCESS_FORM", name
    assert refusal(body, "access/read") == "ACCESS_TYPE"
    assert refusal(body, "certificate/issue") == "ACCESS_TYPE"
    assert refusal({**body, "code": 999}) == "ACCESS_FORM"
    assert refusal({**body, "code": True}) == "ACCESS_FORM"
    assert refusal({**body, "fields": ["*"]}) == "ACCESS_FORM"
    assert refusal({**body, "fields": [NAME, SCOPE_OF]}) == "ACCESS_MEMBERS", "not in rising order"
    private: Any = body["private"]
    assert refusal({**body, "private": {**private, "name": "0" * 64}}) == "ACCESS_MEMBERS"


def test_a_value_of_another_kind_is_refused_although_it_was_committed_to() -> None:
    text, openings = statement(access(AccessStep.DECIDED))
    for name, value in (("operator", 7), ("item", "x"), ("purpose", "查询"), ("subject_ref", PERSON.code)):
        opened = Opened(openings[name].salt, value)
        changed = field_digest(dumps([name, value]), opened.salt).hex()
        private: Any = text.body["private"]
        body = {**text.body, "private": {**private, name: changed}}
        with pytest.raises(LedgerError) as refused:
            decode(replace(text, body=body), {**openings, name: opened})
        assert refused.value.code == "ACCESS_FORM"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("step", "changes"),
    [
        (AccessStep.ASKED, {"code": DecisionCode.ALLOW}),
        (AccessStep.DECIDED, {"code": None}),
        (AccessStep.DECIDED, {"code": DecisionCode.NOT_AVAILABLE}),
        (AccessStep.DECIDED, {"policy": None}),
        (AccessStep.RELEASED, {"policy": digest("policy")}),
        (AccessStep.CLOSED, {"permit": None}),
        (AccessStep.DECIDED, {"matter": None}),
        (AccessStep.DECIDED, {"ground": Ground.OWN_STAFF}),
        (AccessStep.DECIDED, {"fields": (NAME, SCOPE_OF)}),
    ],
)
def test_a_record_says_what_its_type_says_and_no_more(step: AccessStep, changes: dict[str, Any]) -> None:
    with pytest.raises(AccessError) as refused:
        access(step, **changes)
    assert refused.value.code == "ACCESS_MEMBERS"


def test_ones_own_reading_is_recorded_without_request_and_authorization() -> None:
    nothing = dict.fromkeys(("matter", "authorization", "signature", "kid", "status", "purpose", "case"))
    one = access(AccessStep.DECIDED, **nothing, ground=Ground.OWN_HOLDER)
    text, openings = statement(one)
    assert decode(text, openings) == one and not {"purpose", "case"} & openings.keys()
    assert decode(text, {}).hidden == openings.keys()


def test_what_is_hidden_is_not_recorded_again_as_if_it_were_nothing() -> None:
    text, openings = statement(access(AccessStep.DECIDED))
    partly = decode(text, {"operator": openings["operator"]})
    with pytest.raises(AccessError, match="hidden"):
        draft(partly, PROVIDER, salts(partly))


def test_a_text_of_a_strangers_choosing_never_reaches_a_statement() -> None:
    for changes in ({"fields": ("身份证号码",)}, {"resource": "王建国"}, {"asker": "王建国"}, {"kid": "x"}):
        one = access(AccessStep.DECIDED, **changes)
        with pytest.raises(LedgerError):
            draft(one, PROVIDER, salts(one))


# Salted members


def test_every_member_needs_a_salt_of_its_own() -> None:
    with pytest.raises(AccessError) as refused:
        conceal({"a": 1, "b": 2}, bytes(32))
    assert refused.value.code == "SALTS_COUNT"
    digests, openings = conceal({"b": 2, "a": 1}, bytes(range(64)))
    assert openings["a"].salt == bytes(range(32)) and openings["b"].salt == bytes(range(32, 64))
    assert digests["a"] == field_digest(b'["a",1]', bytes(range(32))).hex()
    assert reveal({k: str(v) for k, v in digests.items()}, openings) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "value", [{"a": {}}, {"a": {"salt": "00", "value": 1}}, {"A": {"salt": "0" * 64, "value": 1}}, []]
)
def test_openings_of_another_form_are_refused(value: Any) -> None:
    with pytest.raises(LedgerError) as refused:
        openings_from(value)
    assert refused.value.code == "OPENINGS_FORM"  # type: ignore[attr-defined]


# The stream of authorizations


def as_statement(made: Draft) -> Statement:
    return Statement(
        log_id(1, AUTHORIZATION), AUTHORIZATION, made.type, "2026-11-24T00:00:00.000Z", made.agency, made.body
    )


def test_a_grant_names_the_object_and_hides_whom_and_what_it_is_about() -> None:
    granted = bound()
    made = grants.grant(granted, PROVIDER, subject_ref="ab" * 48, salts=bytes(range(64)))
    text = as_statement(made.draft)
    said = grants.decode(text, made.openings)
    assert said["authorization"] == granted.id.hex() and said["subject_ref"] == "ab" * 48
    assert said["scopes"] == CONSENT.to_json()["scopes"]
    written = text.encode().decode()
    assert "ab" * 48 not in written and SCOPE_OF not in written and str(PURPOSE.business_code) not in written
    assert grants.agrees(text, CONSENT, granted.id)
    assert not grants.agrees(text, CONSENT, shown(replace(CONSENT, nonce=bytes(16))).id)
    assert not grants.agrees(text, replace(CONSENT, not_after=NOW + 5), granted.id)


def test_an_agreement_is_about_nobody() -> None:
    made = grants.grant(bound(AGREEMENT), PROVIDER, subject_ref=None, salts=bytes(32))
    assert set(grants.decode(as_statement(made.draft), made.openings)) >= {"daily_limit", "scopes"}
    assert "subject_ref" not in made.openings


def test_every_other_statement_is_read_back() -> None:
    mandate = bound_mandate()
    one = bytes(32)
    drafted = [
        grants.mandate(mandate, PROVIDER, principal_ref="aa" * 48, agent_ref="bb" * 48, salts=bytes(64)),
        grants.revoke(mandate.id, PROVIDER, Revoker.SUBJECT, reason="不再需要王建国代办", salts=one),
        grants.holder_key(
            key("x").kid,
            COUNTER,
            Method.FACE_CHECK_REFERENCE,
            evidence=one,
            not_after=NOW,
            subject_ref="aa" * 48,
            salts=one,
        ),
        grants.review(mandate.id, PROVIDER, Review.JUSTIFIED, form=one, reviewers=("op-review-1",), salts=one),
    ]
    assert [made.draft.type for made in drafted] == [
        grants.MANDATE,
        grants.REVOKE,
        grants.HOLDER_KEY,
        grants.REVIEW,
    ]
    for made in drafted:
        text = as_statement(made.draft)
        opened = grants.decode(text, made.openings)
        hidden = json.dumps([each.value for each in made.openings.values()], ensure_ascii=False)
        assert opened.keys() >= made.openings.keys() and opened.keys() >= made.draft.body.keys() - {"private"}
        assert "王建国" in hidden or made.draft.type != grants.REVOKE
        assert "王建国" not in text.encode().decode()
        assert set(grants.decode(text, {})) == made.draft.body.keys() - {"private"}


def test_a_key_does_not_identify_its_own_holder() -> None:
    more: dict[str, Any] = {"evidence": None, "not_after": NOW, "subject_ref": "a" * 96, "salts": bytes(32)}
    with pytest.raises(AccessError) as refused:
        grants.holder_key(key("x").kid, COUNTER, Method.HOLDER_KEY, **more)
    assert refused.value.code == "HOLDER_KEY_METHOD"


def test_statements_of_another_type_or_form_are_refused() -> None:
    made = grants.revoke(bytes(32), PROVIDER, Revoker.AGENCY, reason="x", salts=bytes(32))
    text = as_statement(made.draft)
    with pytest.raises(AccessError) as refused:
        grants.decode(replace(text, type="authorization/forget"), {})
    assert refused.value.code == "ACCESS_TYPE"
    with pytest.raises(LedgerError):
        grants.decode(replace(text, body={**text.body, "by": "nobody"}), {})
    with pytest.raises(AccessError):
        grants.decode(text, {"reason": Opened(bytes(32), "y")})


def test_an_opening_cannot_stand_in_for_what_is_in_the_clear() -> None:
    made = grants.revoke(bytes(32), PROVIDER, Revoker.AGENCY, reason="x", salts=bytes(32))
    text = as_statement(made.draft)
    opened = Opened(bytes(32), Revoker.SUBJECT.value)
    private: Any = text.body["private"]
    shadowing = {**private, "by": field_digest(dumps(["by", opened.value]), opened.salt).hex()}
    with pytest.raises(AccessError) as refused:
        grants.decode(replace(text, body={**text.body, "private": shadowing}), {"by": opened})
    assert refused.value.code == "ACCESS_MEMBERS"


def test_a_record_in_its_place_has_its_own_leaf() -> None:
    one, two = recorded(access(AccessStep.ASKED)), recorded(access(AccessStep.ASKED), index=1)
    assert one.leaf != two.leaf and one.agency == GRANTEE
