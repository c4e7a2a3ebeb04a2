"""What is encrypted opens with its key alone, in its one form; another library reads and writes the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from jwcrypto import jwe as other
from jwcrypto import jwk

from ledger import jwe
from ledger.errors import VerificationError
from ledger.jws import b64url, unb64url
from ledger.keys.p256 import P256Signer

TYP, CONTENT = "certledger-day-key+jwe", bytes(range(32))
SECRET, ANOTHER = bytes(31) + b"\x07", bytes(31) + b"\x08"
KEY = P256Signer(SECRET)


def encrypted() -> str:
    return jwe.encrypt(CONTENT, KEY.x, KEY.y, typ=TYP)


def other_key(secret: bytes = SECRET) -> jwk.JWK:
    key = P256Signer(secret)
    return jwk.JWK(kty="EC", crv="P-256", x=b64url(key.x), y=b64url(key.y), d=b64url(secret))


def by_another_library(**changes: Any) -> str:
    header = {"alg": jwe.ALGORITHM, "enc": jwe.ENCRYPTION, "kid": KEY.kid, "typ": TYP} | changes
    made = other.JWE(CONTENT, json.dumps({k: v for k, v in header.items() if v is not None}), recipient=other_key())
    return str(made.serialize(compact=True))


def test_what_is_encrypted_opens_and_never_looks_the_same() -> None:
    assert jwe.decrypt(encrypted(), SECRET, typ=TYP) == CONTENT
    assert encrypted() != encrypted()
    assert jwe.decrypt(jwe.encrypt(b"", KEY.x, KEY.y, typ=TYP), SECRET, typ=TYP) == b""


def test_another_library_opens_ours_and_we_open_its() -> None:
    theirs = other.JWE()
    theirs.deserialize(encrypted(), other_key())
    assert theirs.payload == CONTENT
    assert jwe.decrypt(by_another_library(), SECRET, typ=TYP) == CONTENT


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (lambda: by_another_library(alg="ECDH-ES"), "JWE_HEADER"),
        (lambda: by_another_library(alg="ECDH-ES+A128KW"), "JWE_HEADER"),
        (lambda: by_another_library(enc="A128GCM"), "JWE_HEADER"),
        (lambda: by_another_library(zip="DEF"), "JWE_HEADER"),
        (lambda: by_another_library(apu="QWxpY2U"), "JWE_HEADER"),
        (lambda: by_another_library(cty="x"), "JWE_HEADER"),
        (lambda: by_another_library(kid=None), "JWE_HEADER"),
        (lambda: by_another_library(typ="other"), "JWE_TYP"),
        (lambda: jwe.encrypt(CONTENT, P256Signer(ANOTHER).x, P256Signer(ANOTHER).y, typ=TYP), "JWE_RECIPIENT"),
        (lambda: encrypted() + ".", "JWE_FORM"),
        (lambda: "a" * 200_000, "JWE_FORM"),
        (lambda: "é.a.a.a.a", "JWE_FORM"),
        (lambda: "e30.a.a.a.a", "BASE64URL"),
        (lambda: "e30....", "JWE_HEADER"),
        (lambda: "AA....", "JWE_FORM"),
    ],
)
def test_every_other_form_is_refused(text: Callable[[], str], code: str) -> None:
    with pytest.raises(VerificationError) as refused:
        jwe.decrypt(text(), SECRET, typ=TYP)
    assert refused.value.code == code


@pytest.mark.parametrize("part", range(1, 5))
def test_an_altered_part_does_not_open(part: int) -> None:
    parts = encrypted().split(".")
    changed = bytearray(unb64url(parts[part]))
    changed[0] ^= 1
    parts[part] = b64url(bytes(changed))
    with pytest.raises(VerificationError) as refused:
        jwe.decrypt(".".join(parts), SECRET, typ=TYP)
    assert refused.value.code == "JWE_ALTERED"


def test_an_ephemeral_key_off_the_curve_is_refused() -> None:
    parts = encrypted().split(".")
    header = json.loads(unb64url(parts[0]))
    header["epk"]["y"] = b64url(bytes(31) + b"\x01")
    parts[0] = b64url(json.dumps(header).encode())
    with pytest.raises(VerificationError) as refused:
        jwe.decrypt(".".join(parts), SECRET, typ=TYP)
    assert refused.value.code == "KEY_FORM"


def test_too_much_and_a_point_off_the_curve_are_not_encrypted() -> None:
    with pytest.raises(VerificationError, match="one piece"):
        jwe.encrypt(bytes(jwe.MAX_CONTENT_BYTES + 1), KEY.x, KEY.y, typ=TYP)
    with pytest.raises(VerificationError, match="P-256"):
        jwe.encrypt(CONTENT, KEY.x, bytes(32), typ=TYP)
