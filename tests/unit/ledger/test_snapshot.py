"""A snapshot is believed when k different known cities signed exactly these facts of this ledger."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest
from facts_strategies import CITY_KEYS, CONSORTIUM, facts, trust, witness
from hypothesis import given, settings

from ledger import canonical, jws, snapshot
from ledger.errors import LedgerError, VerificationError
from ledger.facts import Facts, to_json
from ledger.keys.p256 import P256Signer, generate_secret
from ledger.snapshot import TYP, Snapshot, cosign, from_json, sign, verify
from ledger.trust import Witness

READ = Facts(CONSORTIUM, 31337, 5, bytes(32), 100)
ONE, TWO, THREE = CITY_KEYS
STRANGER = P256Signer(generate_secret())


def signed(*keys: P256Signer, read: Facts = READ) -> Snapshot:
    return of_payload(canonical.dumps(to_json(read)), *keys)


def of_payload(payload: bytes, *keys: P256Signer) -> Snapshot:
    made = Snapshot(urlsafe_b64encode(payload).rstrip(b"=").decode(), ())
    for key in keys:
        made = cosign(made, key)
    return made


def refusal(made: Snapshot, k: int = 1) -> str:
    with pytest.raises(LedgerError) as refused:
        verify(made, trust(k))
    return refused.value.code


@settings(max_examples=30)
@given(facts)
def test_the_facts_that_were_signed_are_the_facts_that_are_read(read: Facts) -> None:
    made = cosign(sign(read, ONE), TWO)
    again = from_json(json.loads(json.dumps(made.to_json())))
    assert again == made and verify(again, trust(2)) == read


@pytest.mark.parametrize("k", [1, 2, 3])
def test_k_of_n_cities_are_enough_and_fewer_are_not(k: int) -> None:
    for count in (1, 2, 3):
        made = signed(*CITY_KEYS[:count])
        if count >= k:
            assert verify(made, trust(k)) == READ
        else:
            assert refusal(made, k) == "SNAPSHOT_COSIGNERS"


def test_the_same_city_twice_counts_once() -> None:
    assert refusal(signed(ONE, ONE), 2) == "SNAPSHOT_COSIGNERS"
    second_key = Witness(1, TWO.x, TWO.y)
    with pytest.raises(VerificationError) as refused:
        verify(signed(ONE, TWO), trust(2, witness(1), second_key, witness(3)))
    assert refused.value.code == "SNAPSHOT_COSIGNERS"


def test_one_key_under_two_cities_counts_once() -> None:
    with pytest.raises(VerificationError) as refused:
        verify(signed(ONE, ONE), trust(2, witness(1), Witness(2, ONE.x, ONE.y)))
    assert refused.value.code in ("SNAPSHOT_COSIGNERS", "TRUST_FORM")


def test_unknown_keys_do_not_count_and_do_no_harm() -> None:
    assert refusal(signed(STRANGER)) == "SNAPSHOT_COSIGNERS"
    assert refusal(signed(STRANGER, ONE), 2) == "SNAPSHOT_COSIGNERS"
    assert verify(signed(STRANGER, ONE, TWO), trust(2)) == READ


def test_a_false_signature_of_a_known_key_is_an_error_even_beside_enough_good_ones() -> None:
    good, other = signed(ONE, TWO), signed(THREE, read=replace(READ, block=6))
    made = replace(good, signatures=(*good.signatures, *other.signatures))
    assert refusal(made) == "SIGNATURE"


def test_signatures_of_other_facts_do_not_carry_over() -> None:
    assert refusal(replace(signed(ONE), payload=signed(ONE, read=replace(READ, time=101)).payload)) == "SIGNATURE"


def test_a_signature_under_another_type_is_refused() -> None:
    payload = signed(ONE).payload
    protected = jws.header(typ="certledger-receipt+jws", kid=ONE.kid)
    signature = jws.b64url(ONE.sign(f"{protected}.{payload}".encode()))
    assert refusal(Snapshot(payload, ((protected, signature),))) == "JWS_TYP"


@pytest.mark.parametrize("change", [{"consortium": bytes(32)}, {"chain_id": 1}])
def test_facts_of_another_ledger_are_refused(change: dict[str, Any]) -> None:
    assert refusal(signed(ONE, TWO, read=replace(READ, **change)), 2) == "SNAPSHOT_CONSORTIUM"


FORM: dict[str, Any] = to_json(READ)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (json.dumps(FORM).encode(), "JSON_NOT_CANONICAL"),
        (canonical.dumps(FORM) + b"\n", "JSON_NOT_CANONICAL"),
        (canonical.dumps({**FORM, "more": 1}), "FACTS_FORM"),
        (canonical.dumps({k: v for k, v in FORM.items() if k != "heads"}), "FACTS_FORM"),
        (canonical.dumps([FORM]), "FACTS_FORM"),
        (b"{}", "FACTS_FORM"),
        (b" " * (snapshot.MAX_PAYLOAD_BYTES + 1), "JSON_TOO_LARGE"),
    ],
)
def test_a_payload_of_another_form_is_refused_though_all_signed_it(payload: bytes, code: str) -> None:
    assert refusal(of_payload(payload, *CITY_KEYS), 3) == code


def test_a_payload_in_other_base64_is_refused() -> None:
    made = signed()
    for payload in (made.payload + "=", made.payload + "\n", made.payload[:-1] + "B"):
        assert refusal(cosign(Snapshot(payload, ()), ONE)) == "BASE64URL"


GOOD = signed(ONE).to_json()
SIGNATURE: Any = GOOD["signatures"][0]  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    "form",
    [
        {},
        [],
        None,
        {**GOOD, "more": 1},
        {"payload": GOOD["payload"]},
        {**GOOD, "signatures": []},
        {**GOOD, "signatures": [SIGNATURE] * 257},
        {**GOOD, "signatures": [{**SIGNATURE, "header": {"kid": "other"}}]},
        {**GOOD, "signatures": [{**SIGNATURE, "signature": SIGNATURE["signature"] + "A"}]},
        {**GOOD, "signatures": [{**SIGNATURE, "protected": "a" * 1025}]},
        {**GOOD, "payload": ""},
        {**GOOD, "payload": "a b"},
        {**GOOD, "payload": "a.b"},
        {**GOOD, "payload": "A" * (snapshot.MAX_PAYLOAD_BYTES * 4 // 3 + 4)},
    ],
)
def test_an_envelope_of_another_form_is_refused(form: Any) -> None:
    with pytest.raises(VerificationError) as refused:
        from_json(form)
    assert refused.value.code == "SNAPSHOT_FORM"


def test_the_largest_payload_fits_its_envelope() -> None:
    text = jws.b64url(bytes(snapshot.MAX_PAYLOAD_BYTES))
    assert from_json({"payload": text, "signatures": [SIGNATURE]}).payload == text


def test_the_signed_type_is_frozen() -> None:
    assert (
        jws.parse_compact(f"{SIGNATURE['protected']}.{GOOD['payload']}.{SIGNATURE['signature']}", typ=TYP).kid
        == ONE.kid
    )
    assert TYP == "certledger-snapshot+jws"
