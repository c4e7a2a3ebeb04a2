"""The trust file: what a verifier holds beforehand, in one bounded form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from facts_strategies import CITY_KEYS, DEPLOYMENT, trust, witness

from ledger import trust as trust_file
from ledger.errors import LedgerError, VerificationError
from ledger.trust import Trust, decode, deployment_from, deployment_json, encode

GOOD = trust(2)


def changed(**members: Any) -> bytes:
    return json.dumps({**json.loads(encode(GOOD)), **members}).encode()


def refusal(text: bytes) -> str:
    with pytest.raises(LedgerError) as refused:
        decode(text)
    return refused.value.code


def test_it_survives_its_file() -> None:
    assert decode(encode(GOOD)) == GOOD
    assert decode(json.dumps(json.loads(encode(GOOD)), indent=2).encode()) == GOOD
    assert deployment_from(deployment_json(DEPLOYMENT)) == DEPLOYMENT


def test_a_witness_is_named_by_its_thumbprint() -> None:
    assert [w.kid for w in GOOD.witnesses] == [key.kid for key in CITY_KEYS]


@pytest.mark.parametrize("k", [0, -1, 4, 257, True, "2"])
def test_k_is_met_by_the_cities_listed(k: Any) -> None:
    assert refusal(changed(k=k)) == "TRUST_FORM"


def test_two_keys_of_one_city_are_one_city() -> None:
    twice = (witness(1), trust_file.Witness(1, CITY_KEYS[1].x, CITY_KEYS[1].y))
    assert trust(1, *twice).k == 1
    with pytest.raises(VerificationError) as refused:
        trust(2, *twice)
    assert refused.value.code == "TRUST_FORM"


@pytest.mark.parametrize("member", ["v", "deployment", "witnesses", "k", "valid_until", "nodes"])
def test_every_member_must_be_there(member: str) -> None:
    form = json.loads(encode(GOOD))
    del form[member]
    assert refusal(json.dumps(form).encode()) == "TRUST_FORM"


JWK = json.loads(encode(GOOD))["witnesses"][0]["jwk"]


@pytest.mark.parametrize(
    "members",
    [
        {"v": 2},
        {"v": True},
        {"more": 1},
        {"valid_until": "2027-01-01"},
        {"valid_until": "2027-02-30T00:00:00.000Z"},
        {"valid_until": "2027-01-01T00:00:00.000Z\n"},
        {"nodes": ["file:///etc/passwd"]},
        {"nodes": ["ftp://example.com"]},
        {"nodes": ["https://" + "a" * 200]},
        {"nodes": ["http://127.0.0.1"] * 17},
        {"witnesses": []},
        {"witnesses": [{"city": 0, "jwk": JWK}]},
        {"witnesses": [{"city": 2**32, "jwk": JWK}]},
        {"witnesses": [{"city": 1, "jwk": {**JWK, "d": JWK["x"]}}]},
        {"witnesses": [{"city": 1, "jwk": {**JWK, "crv": "P-384"}}]},
        {"witnesses": [{"city": 1, "jwk": {**JWK, "x": JWK["x"][:-1]}}]},
        {"witnesses": [{"city": 1, "jwk": {**JWK, "x": JWK["x"] + "="}}]},
        {"witnesses": [{"city": 1, "jwk": {**JWK, "x": "A" * 42 + "B"}}]},
    ],
)
def test_another_form_is_refused(members: dict[str, Any]) -> None:
    assert refusal(changed(k=1, **{"v": 1, **members})) in ("TRUST_FORM", "TIMESTAMP_FORM", "BASE64URL")


@pytest.mark.parametrize(
    ("name", "value"),
    [("address", "0x" + "g" * 40), ("address", "1" * 40), ("code_hash", "AB" * 32), ("code_hash", "")],
)
def test_a_deployment_has_addresses_and_code_hashes(name: str, value: str) -> None:
    form: Any = deployment_json(DEPLOYMENT)
    form["contracts"]["log_anchor"][name] = value
    with pytest.raises(VerificationError) as refused:
        deployment_from(form)
    assert refused.value.code == "DEPLOYMENT_FORM"


def test_a_key_off_the_curve_is_refused_when_the_file_is_read() -> None:
    """Not only when it should verify something: a trust file with a dead witness asks for more than its k."""
    assert refusal(changed(k=1, witnesses=[{"city": 1, "jwk": {**JWK, "y": JWK["x"]}}])) in ("KEY_FORM", "TRUST_FORM")


def test_it_is_bounded_and_strictly_read() -> None:
    assert refusal(encode(GOOD) + b" " * trust_file.MAX_BYTES) == "JSON_TOO_LARGE"
    assert refusal(encode(GOOD) + b"{}") == "JSON_SYNTAX"
    assert refusal(encode(GOOD)[:-1] + b',"k":1}') == "JSON_DUPLICATE_KEY"


def test_it_is_validated_on_construction() -> None:
    with pytest.raises(VerificationError):
        Trust(DEPLOYMENT, (witness(1),), 1, "soon")
