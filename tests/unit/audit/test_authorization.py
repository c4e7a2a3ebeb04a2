"""An authorization is exactly what its form and its kind allow, and one changed member makes another one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from hashlib import sha256
from typing import Any

import pytest
from audit_world import (
    AGREEMENT,
    CLERK,
    CODE,
    CONSENT,
    COUNTER,
    EMERGENCY,
    GRANTEE,
    LICENCE,
    MATTER_CODE,
    NAME,
    NOW,
    OTHER,
    PERSON,
    PERSON_KEY,
    PROVIDER,
    PURPOSE,
    SECOND_CLERK,
    STRANGER,
    WITNESSED,
    key,
    opening,
    shown,
)
from hypothesis import given
from hypothesis import strategies as st

from audit import authorization as authorizations
from audit import purpose as purposes
from audit.authorization import TYP, Authorization
from audit.authorization_rules import LONGEST, MOST_USES, REVIEW_WITHIN
from audit.errors import AuditError, AuthorizationError
from audit.signed import MAX_BYTES
from audit.subject import Holder, Opening, find, subject_ref
from audit.terms import DAY, Grantor, Kind, Method, Scope, Witness
from ledger import canonical, jws
from ledger.errors import CanonicalError, LedgerError, VerificationError

KINDS = {kind.kind: kind for kind in (CONSENT, WITNESSED, AGREEMENT, EMERGENCY)}
each_kind = pytest.mark.parametrize("authorization", KINDS.values(), ids=[kind.value for kind in KINDS])
D1, D2 = sha256(b"1").digest(), sha256(b"2").digest()


def refusal(base: Authorization, **changes: Any) -> str:
    with pytest.raises((AuditError, LedgerError)) as refused:
        replace(base, **changes)
    return str(refused.value.code)


def signed(payload: Any, typ: str = TYP) -> str:
    return jws.sign_compact(canonical.dumps(payload), typ=typ, signer=PERSON_KEY)


def parse_refusal(text: str) -> str:
    with pytest.raises((AuditError, LedgerError)) as refused:
        authorizations.parse(text)
    return str(refused.value.code)


# Form


@each_kind
def test_what_is_signed_is_read_back(authorization: Authorization) -> None:
    presented = shown(authorization)
    assert presented.authorization == authorization
    jws.verify(presented.untrusted, x=PERSON_KEY.x, y=PERSON_KEY.y)


def test_the_id_is_over_what_is_signed_and_not_over_the_signature() -> None:
    text = authorizations.sign(CONSENT, PERSON_KEY)
    head, _, signature = text.rpartition(".")
    r, s = signature_halves(signature)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    malleated = f"{head}.{jws.b64url(r + (order - int.from_bytes(s, 'big')).to_bytes(32, 'big'))}"
    assert malleated != text
    other = authorizations.parse(malleated)
    jws.verify(other.untrusted, x=PERSON_KEY.x, y=PERSON_KEY.y)  # ES256 lets anybody do that
    assert other.id == authorizations.parse(text).id
    assert other.id == sha256(b"certledger/authorization/v1\x00" + head.encode()).digest()


def signature_halves(signature: str) -> tuple[bytes, bytes]:
    raw = jws.unb64url(signature)
    return raw[:32], raw[32:]


def members(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of every member and element, at any depth."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in pairs:
        yield (*path, name)
        yield from members(member, (*path, name))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    place = copy
    for step in path[:-1]:
        place = place[step]
    if new is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = new
    return copy


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**53 - 1),
    st.text(max_size=20),
    st.sampled_from([[], {}, ["x"], "0" * 64, GRANTEE, COUNTER, NAME, MATTER_CODE, "*", "consent"]),
)


@given(data=st.data(), authorization=st.sampled_from(list(KINDS.values())), new=VALUES)
def test_every_change_of_one_member_gives_another_id_and_breaks_the_signature(
    data: st.DataObject, authorization: Authorization, new: Any
) -> None:
    good = shown(authorization)
    payload = authorization.to_json()
    path = data.draw(st.sampled_from(list(members(payload))))
    mutated = changed(payload, path, new)
    text = canonical_or_none(mutated)
    if text is None or text == good.untrusted.payload:
        return
    header = good.untrusted.signing_input.decode().partition(".")[0]
    forged = f"{header}.{jws.b64url(text)}.{jws.b64url(good.untrusted.signature)}"
    try:
        presented = authorizations.parse(forged)
    except (AuditError, LedgerError):
        return  # refused by its form: never seen by the check of the signature
    assert presented.id != good.id
    with pytest.raises(VerificationError):
        jws.verify(presented.untrusted, x=PERSON_KEY.x, y=PERSON_KEY.y)


def canonical_or_none(value: Any) -> bytes | None:
    try:
        return canonical.dumps(value)
    except CanonicalError:
        return None


@each_kind
def test_no_member_can_be_left_out_and_none_added(authorization: Authorization) -> None:
    payload = authorization.to_json()
    objects = [path for path in members(payload) if not isinstance(path[-1], int)]
    for path in objects:
        assert parse_refusal(signed(changed(payload, path, ...))) == "AUTHORIZATION_FORM", path
        assert parse_refusal(signed(changed(payload, (*path[:-1], "extra"), 1))) == "AUTHORIZATION_FORM", path
    assert parse_refusal(signed({**payload, "not_after": None})) == "AUTHORIZATION_FORM"


def test_only_the_one_spelling_of_a_signed_object_is_read() -> None:
    payload = CONSENT.to_json()
    spaced = json.dumps(payload, ensure_ascii=False).encode()
    assert parse_refusal(jws.sign_compact(spaced, typ=TYP, signer=PERSON_KEY)) == "JSON_NOT_CANONICAL"
    assert parse_refusal(signed(payload, typ="certledger-mandate+jws")) == "JWS_TYP"
    assert parse_refusal(signed({**payload, "basis": "x" * 3 * MAX_BYTES})) == "SIGNED_TOO_LARGE"
    assert parse_refusal(signed({**payload, "basis": "x" * 201})) == "AUTHORIZATION_FORM"
    assert parse_refusal("é" + signed(payload)) == "SIGNED_TOO_LARGE"
    header = jws.b64url(json.dumps({"typ": TYP, "kid": PERSON_KEY.kid, "alg": "ES256"}).encode())
    _, body, signature = signed(payload).split(".")
    assert parse_refusal(f"{header}.{body}.{signature}") == "SIGNED_HEADER"
    nameless = jws.b64url(canonical.dumps({"alg": "ES256", "typ": TYP}))
    assert parse_refusal(f"{nameless}.{body}.{signature}") == "JWS_KID"


def test_a_purpose_that_is_a_text_or_a_placeholder_is_refused() -> None:
    payload = CONSENT.to_json()
    assert parse_refusal(signed({**payload, "purpose": "核验"})) == "AUTHORIZATION_FORM"
    for constant in ("000000", "11111111", "default", "------", "1-2-1-2-1"):
        with pytest.raises((AuditError, LedgerError)) as refused:
            replace(PURPOSE, business_code=constant)
        assert refused.value.code in ("PURPOSE_CONSTANT", "PURPOSE_FORM"), constant
    with pytest.raises(AuthorizationError, match="placeholder"):
        replace(PURPOSE, business_code="121212")
    with pytest.raises(VerificationError):
        replace(PURPOSE, matter_code="用证")
    with pytest.raises(VerificationError):
        replace(PURPOSE, operator="王建国")
    assert purposes.from_json(PURPOSE.to_json()) == PURPOSE


# Rules of every kind

REFUSALS: list[tuple[str, Authorization, dict[str, Any]]] = [
    ("AUTHORIZATION_WINDOW", CONSENT, {"not_after": CONSENT.not_before}),
    ("AUTHORIZATION_WINDOW", CONSENT, {"not_after": CONSENT.not_before - 1}),
    ("AUTHORIZATION_WINDOW", CONSENT, {"not_after": CONSENT.not_before + LONGEST[Kind.CONSENT] + 1}),
    ("AUTHORIZATION_WINDOW", WITNESSED, {"not_after": NOW + 400 * DAY}),
    ("AUTHORIZATION_WINDOW", AGREEMENT, {"not_after": NOW + 1200 * DAY}),
    ("AUTHORIZATION_WINDOW", EMERGENCY, {"not_after": EMERGENCY.not_before + DAY + 1}),
    ("AUTHORIZATION_USES", CONSENT, {"max_uses": MOST_USES[Kind.CONSENT] + 1}),
    ("AUTHORIZATION_FORM", CONSENT, {"max_uses": 0}),
    ("AUTHORIZATION_ORDER", CONSENT, {"providers": (2, 1)}),
    ("AUTHORIZATION_ORDER", CONSENT, {"scopes": (Scope(LICENCE, (NAME, CODE, "a")),)}),
    ("AUTHORIZATION_ORDER", CONSENT, {"scopes": (Scope(LICENCE, (NAME,)), Scope(LICENCE, (CODE,)))}),
    ("AUTHORIZATION_ORDER", EMERGENCY, {"witness": Witness(PROVIDER, (SECOND_CLERK, CLERK), None)}),
    ("AUTHORIZATION_FORM", CONSENT, {"providers": ()}),
    ("AUTHORIZATION_FORM", CONSENT, {"providers": (1, 1)}),
    ("AUTHORIZATION_FORM", CONSENT, {"scopes": ()}),
    ("AUTHORIZATION_FORM", CONSENT, {"scopes": (Scope(LICENCE, ()),)}),
    ("AUTHORIZATION_FORM", CONSENT, {"scopes": (Scope(LICENCE, ("*",)),)}),
    ("AUTHORIZATION_FORM", CONSENT, {"grantee": "GRANTEE"}),
    ("AUTHORIZATION_FORM", CONSENT, {"nonce": b"short"}),
    ("AUTHORIZATION_FORM", CONSENT, {"basis": ""}),
    ("AUTHORIZATION_PURPOSE_ORG", CONSENT, {"grantee": STRANGER}),
    ("AUTHORIZATION_CASE", CONSENT, {"purpose": replace(PURPOSE, business_code=None)}),
    ("AUTHORIZATION_CASE", AGREEMENT, {"purpose": PURPOSE}),
    ("AUTHORIZATION_GRANTOR", CONSENT, {"grantor": Grantor()}),
    ("AUTHORIZATION_GRANTOR", CONSENT, {"grantor": Grantor(holder=D1, agency=PROVIDER)}),
    ("AUTHORIZATION_GRANTOR", CONSENT, {"subject": None}),
    ("AUTHORIZATION_GRANTOR", AGREEMENT, {"grantor": Grantor(agency=GRANTEE)}),
    ("AUTHORIZATION_GRANTOR", AGREEMENT, {"grantor": Grantor(holder=D1)}),
    ("AUTHORIZATION_GRANTOR", EMERGENCY, {"grantor": Grantor(agency=PROVIDER, mandate=D1)}),
    ("AUTHORIZATION_MANDATE", CONSENT, {"grantor": Grantor(holder=D1)}),
    ("AUTHORIZATION_MANDATE", CONSENT, {"grantor": Grantor(holder=CONSENT.subject, mandate=D1)}),
    ("AUTHORIZATION_METHOD", CONSENT, {"method": Method.CLERK_WITNESS}),
    ("AUTHORIZATION_METHOD", CONSENT, {"method": None}),
    ("AUTHORIZATION_METHOD", CONSENT, {"witness": WITNESSED.witness}),
    ("AUTHORIZATION_METHOD", WITNESSED, {"method": Method.HOLDER_KEY}),
    ("AUTHORIZATION_METHOD", WITNESSED, {"witness": None}),
    ("AUTHORIZATION_METHOD", WITNESSED, {"witness": Witness(COUNTER, (CLERK,), None)}),
    ("AUTHORIZATION_METHOD", AGREEMENT, {"witness": None}),
    ("AUTHORIZATION_METHOD", AGREEMENT, {"witness": Witness(COUNTER, (CLERK,), None)}),
    ("AUTHORIZATION_METHOD", AGREEMENT, {"method": Method.CLERK_WITNESS}),
    ("AUTHORIZATION_SUBJECT", AGREEMENT, {"subject": D1}),
    ("AUTHORIZATION_LIMITS", AGREEMENT, {"daily_limit": None}),
    ("AUTHORIZATION_LIMITS", CONSENT, {"daily_limit": 1}),
    ("AUTHORIZATION_LIMITS", CONSENT, {"review_by": NOW}),
    ("AUTHORIZATION_LIMITS", EMERGENCY, {"review_by": None}),
    ("AUTHORIZATION_TWO_OPERATORS", EMERGENCY, {"witness": Witness(PROVIDER, (CLERK,), None)}),
    ("AUTHORIZATION_REVIEW", EMERGENCY, {"review_by": EMERGENCY.not_after - 1}),
    ("AUTHORIZATION_REVIEW", EMERGENCY, {"review_by": EMERGENCY.not_after + REVIEW_WITHIN + 1}),
]


@pytest.mark.parametrize(
    ("code", "base", "changes"), REFUSALS, ids=[f"{c}-{i}" for i, (c, _, _) in enumerate(REFUSALS)]
)
def test_what_may_not_exist_does_not(code: str, base: Authorization, changes: dict[str, Any]) -> None:
    assert refusal(base, **changes) == code
    payload = {**base.to_json(), **{name: as_json(base, name, value) for name, value in changes.items()}}
    assert parse_refusal(signed(payload)) == code, "a signature does not make it exist"


def as_json(base: Authorization, name: str, value: Any) -> Any:
    """How the member would be written: taken from an object that skips the checks."""
    unchecked = object.__new__(Authorization)
    for each in fields(Authorization):
        object.__setattr__(unchecked, each.name, value if each.name == name else getattr(base, each.name))
    return unchecked.to_json()[name]


# Subjects


def test_a_subject_is_found_by_its_opening_and_by_no_other() -> None:
    assert find(opening(PERSON).digest, (opening(OTHER), opening(PERSON))) == PERSON
    assert find(opening(PERSON).digest, (opening(OTHER), opening(PERSON, "another salt"))) is None
    assert find(None, (opening(PERSON),)) is None


def test_the_digest_is_that_of_the_protocol() -> None:
    text = b"certledger/field/v1\x00" + bytes(32) + b'["holder",["111","330106198506159972"]]'
    assert Opening(bytes(32), OTHER).digest == sha256(text).digest()


def test_a_reference_names_its_key_and_only_its_city_can_compute_it() -> None:
    one, two = subject_ref(PERSON, D1), subject_ref(PERSON, D2)
    assert len(one) == 96 and one[:32] != two[:32] and one[32:] != two[32:]
    assert one[:32] == sha256(b"certledger/kid/v1\x00" + D1).hexdigest()[:32]
    assert subject_ref(Holder("111", "1"), D1) != subject_ref(Holder("114", "1"), D1)
    with pytest.raises(AuthorizationError, match="32 bytes"):
        subject_ref(PERSON, b"short")


@pytest.mark.parametrize(("type_", "code"), [("11", "1"), ("١١١", "1"), ("111", ""), ("111", " 1"), ("111", "1" * 65)])
def test_a_holder_is_of_the_fixed_form(type_: str, code: str) -> None:
    with pytest.raises(AuthorizationError):
        Holder(type_, code)


def test_a_holders_code_is_in_no_representation() -> None:
    assert PERSON.code not in repr(PERSON) and PERSON.code not in repr(opening(PERSON))
    assert key("x").kid != key("y").kid
