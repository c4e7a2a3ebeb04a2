"""One algorithm, one spelling: every other JWS is refused before its signature is looked at."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
import vectors
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from ledger import jws
from ledger.errors import VerificationError
from ledger.keys.p256 import P256Signer, generate_secret

TYP = "test+jws"
KEY = P256Signer(sha256(b"a key of this test").digest())
PAYLOAD = b'{"a":1}'
GOOD = jws.sign_compact(PAYLOAD, typ=TYP, signer=KEY)
HEADER = {"alg": "ES256", "kid": KEY.kid, "typ": TYP}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def signed(header: bytes) -> str:
    """A JWS with any header, rightly signed over it."""
    signing_input = f"{b64(header)}.{b64(PAYLOAD)}"
    return f"{signing_input}.{b64(KEY.sign(signing_input.encode()))}"


def check(text: str, *, key: P256Signer = KEY) -> bytes:
    compact = jws.parse_compact(text, typ=TYP)
    jws.verify(compact, x=key.x, y=key.y)
    return compact.payload


def refusal(text: str) -> str:
    with pytest.raises(VerificationError) as refused:
        check(text)
    return refused.value.code


def test_what_is_signed_verifies_here_and_in_jwcrypto() -> None:
    assert check(GOOD) == PAYLOAD
    other = JWS()
    other.deserialize(GOOD, JWK(kty="EC", crv="P-256", x=b64(KEY.x), y=b64(KEY.y)))
    assert other.payload == PAYLOAD and other.jose_header == HEADER


def test_the_kid_is_the_rfc7638_thumbprint() -> None:
    """The example of RFC 7638 §3.1 is an RSA key, so the method: members in order, no white space, SHA-256."""
    members = json.dumps({"crv": "P-256", "kty": "EC", "x": b64(KEY.x), "y": b64(KEY.y)}, separators=(",", ":"))
    assert KEY.kid == b64(sha256(members.encode()).digest())
    assert KEY.kid == JWK(kty="EC", crv="P-256", x=b64(KEY.x), y=b64(KEY.y)).thumbprint()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"alg": "none"}, "JWS_ALGORITHM"),
        ({"alg": "HS256"}, "JWS_ALGORITHM"),
        ({"alg": "es256"}, "JWS_ALGORITHM"),
        ({"alg": "ES384"}, "JWS_ALGORITHM"),
        ({"alg": ["ES256"]}, "JWS_ALGORITHM"),
        ({"alg": None}, "JWS_ALGORITHM"),
        ({"typ": "JWT"}, "JWS_TYP"),
        ({"typ": "TEST+jws"}, "JWS_TYP"),
        ({"typ": None}, "JWS_TYP"),
        ({"crit": ["exp"]}, "JWS_HEADER"),
        ({"crit": []}, "JWS_HEADER"),
        ({"b64": False}, "JWS_HEADER"),
        ({"jwk": {"kty": "EC"}}, "JWS_HEADER"),
        ({"jku": "https://example.com"}, "JWS_HEADER"),
        ({"x5c": []}, "JWS_HEADER"),
        ({"zip": "DEF"}, "JWS_HEADER"),
    ],
)
def test_another_header_is_refused_though_rightly_signed(change: dict[str, Any], code: str) -> None:
    assert refusal(signed(json.dumps({**HEADER, **change}).encode())) == code


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none","alg":"ES256","kid":"k","typ":"test+jws"}',
        b'{"alg":"ES256","typ":"test+jws","n":1.0}',
        b"[]",
        b'"ES256"',
        b"",
        b"\xff",
        b'{"alg":"ES256","typ":"test+jws","kid":"' + b"k" * 2048 + b'"}',
    ],
)
def test_a_header_that_is_no_strict_short_object_is_refused(header: bytes) -> None:
    assert refusal(signed(header)) == "JWS_HEADER"


def test_the_public_key_is_no_hmac_secret() -> None:
    for alg in ("HS256", "ES256"):
        head = f"{b64(json.dumps({**HEADER, 'alg': alg}).encode())}.{b64(PAYLOAD)}"
        for secret in (KEY.x + KEY.y, b"\x04" + KEY.x + KEY.y, KEY.x):
            mac = hmac.digest(secret, head.encode(), "sha256")
            assert refusal(f"{head}.{b64(mac)}") in ("JWS_ALGORITHM", "JWS_SIGNATURE_LENGTH")
            assert refusal(f"{head}.{b64(mac + mac)}") in ("JWS_ALGORITHM", "SIGNATURE")


def test_a_header_without_a_kid_names_no_key() -> None:
    for kid in ({}, {"kid": 1}, {"kid": None}):
        compact = jws.parse_compact(signed(json.dumps({"alg": "ES256", "typ": TYP, **kid}).encode()), typ=TYP)
        with pytest.raises(VerificationError) as refused:
            _ = compact.kid
        assert refused.value.code == "JWS_KID"


def test_a_der_signature_is_refused() -> None:
    head, raw = GOOD.rpartition(".")[0], jws.unb64url(GOOD.rpartition(".")[2])
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    assert refusal(f"{head}.{b64(der)}") == "JWS_SIGNATURE_LENGTH"
    for cut in (raw[:-1], raw + b"\0", b"", raw[:32]):
        assert refusal(f"{head}.{b64(cut)}") == "JWS_SIGNATURE_LENGTH"


def test_the_other_signature_of_es256_verifies_too_hence_a_digest_never_covers_it() -> None:
    head, raw = GOOD.rpartition(".")[0], jws.unb64url(GOOD.rpartition(".")[2])
    twin = raw[:32] + (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    assert twin != raw and check(f"{head}.{b64(twin)}") == PAYLOAD


@given(st.data())
def test_no_character_of_a_signed_text_can_change(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(GOOD) - 1))
    other = data.draw(st.sampled_from("AZaz09-_.+/=\n é~"))
    if GOOD[at] != other:
        refusal(GOOD[:at] + other + GOOD[at + 1 :])


@pytest.mark.parametrize("text", ["", ".", "..", "a.b", GOOD + ".", "." + GOOD, GOOD + "\n", " " + GOOD, GOOD + "="])
def test_another_form_is_refused(text: str) -> None:
    assert refusal(text)


def test_another_key_is_refused() -> None:
    with pytest.raises(VerificationError) as refused:
        check(GOOD, key=P256Signer(generate_secret()))
    assert refused.value.code == "SIGNATURE"


@pytest.mark.parametrize(("x", "y"), [(bytes(32), bytes(32)), (KEY.x, KEY.x), (KEY.x, b""), (b"\xff" * 32, KEY.y)])
def test_a_point_off_the_curve_is_no_key(x: bytes, y: bytes) -> None:
    with pytest.raises(VerificationError) as refused:
        jws.public_key(x, y)
    assert refused.value.code == "KEY_FORM"


@given(st.binary(max_size=80))
def test_base64url_has_one_form(value: bytes) -> None:
    text = jws.b64url(value)
    assert text == b64(value) and jws.unb64url(text) == value


@pytest.mark.parametrize("text", ["QQ==", "QR", "QQQ ", "Q", "+/8", "QQ\n", "QQ=", "Q-Q=", "ü", "QQ QQ", "QUI\u0441"])
def test_every_other_base64_is_refused(text: str) -> None:
    with pytest.raises(VerificationError) as refused:
        jws.unb64url(text)
    assert refused.value.code == "BASE64URL"


@vectors.needed
def test_wycheproof_agrees() -> None:
    """Every test of the file; it has no result but valid and invalid, so nothing is left to taste."""
    counted = {"valid": 0, "invalid": 0}
    for group in vectors.load(vectors.VECTORS / "wycheproof" / "ecdsa_secp256r1_sha256_p1363_test.json")["testGroups"]:
        x, y = (int(group["publicKey"][name], 16).to_bytes(32, "big") for name in ("wx", "wy"))
        for test in group["tests"]:
            signature, message = bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])
            try:
                jws.verify_es256(signature, message, x=x, y=y)
            except VerificationError:
                verified = False
            else:
                verified = True
            assert test["result"] in counted and verified == (test["result"] == "valid"), test
            counted[test["result"]] += 1
    print(f"wycheproof: {counted}, acceptable: 0")
    assert counted == {"valid": 173, "invalid": 89}
