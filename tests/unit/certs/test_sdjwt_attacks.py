"""Presentations that a verifier must refuse, each rightly signed, so that only the structure can give it away."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from certs import sdjwt
from ledger import canonical, jws
from ledger.errors import CanonicalError, VerificationError
from ledger.jws import b64url
from ledger.keys.p256 import P256Signer, generate_secret

ISSUER = P256Signer(generate_secret())


def disclosure(*parts: Any) -> str:
    return b64url(canonical.dumps(list(parts)))


def digest(encoded: str) -> str:
    return b64url(sha256(encoded.encode()).digest())


def combined(payload: Any, *disclosures: str, end: str = "") -> str:
    return "~".join((jws.sign_compact(canonical.dumps(payload), typ=sdjwt.TYP, signer=ISSUER), *disclosures, end))


def read(text: str) -> dict[str, Any]:
    return sdjwt.disclosed(sdjwt.parse(text))


def refusal(text: str) -> str:
    with pytest.raises((VerificationError, CanonicalError)) as refused:
        read(text)
    return refused.value.code


NAME = disclosure("salt", "name", "王小明")
CODE = disclosure("salt", "code", "C")
ELEMENT = disclosure("salt", "US")
BOTH = {"_sd": sorted([digest(NAME), digest(CODE)]), "_sd_alg": "sha-256", "iss": "urn:x"}


def test_the_honest_form_of_the_attacks_is_read() -> None:
    assert read(combined(BOTH, NAME, CODE)) == {"iss": "urn:x", "name": "王小明", "code": "C"}
    assert read(combined({"list": [{"...": digest(ELEMENT)}, {"...": "decoy"}, "DE"]}, ELEMENT)) == {
        "list": ["US", "DE"]
    }
    assert read(combined({**BOTH, "_sd": [*BOTH["_sd"], "decoy"]})) == {"iss": "urn:x"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (combined(BOTH, NAME, NAME), "SDJWT_DUPLICATE"),
        (combined(BOTH, NAME, disclosure("salt", "role", "admin")), "SDJWT_UNREFERENCED"),
        (combined(BOTH, ELEMENT), "SDJWT_UNREFERENCED"),
        (combined({"_sd": [digest(NAME), digest(NAME)]}, NAME), "SDJWT_DUPLICATE"),
        (combined({"_sd": [digest(NAME)], "inner": {"_sd": [digest(NAME)]}}, NAME), "SDJWT_DUPLICATE"),
        (combined({"list": [{"...": digest(ELEMENT)}, {"...": digest(ELEMENT)}]}, ELEMENT), "SDJWT_DUPLICATE"),
        (combined({"_sd": ["decoy", "decoy"]}), "SDJWT_DUPLICATE"),
        (combined({**BOTH, "name": "other"}, NAME), "SDJWT_DISCLOSURE"),
        (combined({"_sd": [digest(NAME), digest(d := disclosure("other", "name", "x"))]}, NAME, d), "SDJWT_DISCLOSURE"),
        (combined({"_sd": [digest(d := disclosure("salt", "_sd", []))]}, d), "SDJWT_DISCLOSURE"),
        (combined({"_sd": [digest(d := disclosure("salt", "...", []))]}, d), "SDJWT_DISCLOSURE"),
        (combined({"_sd": [digest(ELEMENT)]}, ELEMENT), "SDJWT_DISCLOSURE"),
        (combined({"list": [{"...": digest(NAME)}]}, NAME), "SDJWT_DISCLOSURE"),
        (combined({"_sd": digest(NAME)}, NAME), "SDJWT_FORM"),
        (combined({"_sd": None}), "SDJWT_FORM"),
        (combined({"_sd": [1]}), "SDJWT_FORM"),
        (combined({"list": [{"...": 1}]}), "SDJWT_FORM"),
        (combined({"list": [{"...": "decoy", "more": 1}]}), "SDJWT_FORM"),
        (combined({"...": "decoy"}), "SDJWT_FORM"),
        (combined({"inner": {"...": "decoy"}}), "SDJWT_FORM"),
        (combined([BOTH]), "SDJWT_FORM"),
        (combined({**BOTH, "_sd_alg": "sha-512"}), "SDJWT_ALGORITHM"),
        (combined({**BOTH, "_sd_alg": "SHA-256"}), "SDJWT_ALGORITHM"),
        (combined({**BOTH, "_sd_alg": None}), "SDJWT_ALGORITHM"),
        (combined({**BOTH, "_sd_alg": ["sha-256"]}), "SDJWT_ALGORITHM"),
    ],
)
def test_a_structure_that_is_not_referenced_exactly_once_is_refused(text: str, code: str) -> None:
    assert refusal(text) == code


@pytest.mark.parametrize(
    "encoded",
    [
        NAME + "=",
        NAME[:-1] + chr(ord(NAME[-1]) + 1),
        NAME + "\n",
        NAME.replace("-", "+").replace("_", "/") + "+",
        "",
        b64url(b"{}"),
        b64url(b'["salt"]'),
        b64url(b'["salt","name",1,2]'),
        b64url(b'[1,"name",1]'),
        b64url(b'["salt",1,1]'),
        b64url(b'["salt","name",1.5]'),
        b64url(b'["salt","name",{"a":1,"a":2}]'),
        b64url(b'["salt","name",1]x'),
        b64url(b"\xff\xff"),
        "é",
    ],
)
def test_a_disclosure_in_another_form_is_refused_though_its_digest_is_signed(encoded: str) -> None:
    assert refusal(combined({"_sd": [b64url(sha256(encoded.encode()).digest())]}, encoded))


def test_a_payload_is_read_strictly() -> None:
    for text in (b'{"a":1,"a":2}', b'{"a":1.0}', b'{"a":NaN}', b'{"a":1}x', b"\xef\xbb\xbf{}"):
        jwt = jws.sign_compact(text, typ=sdjwt.TYP, signer=ISSUER)
        assert refusal(jwt + "~").startswith("JSON_")


def test_a_jwt_of_another_type_is_no_certificate() -> None:
    for typ in ("vc+sd-jwt", "JWT", "kb+jwt", "example+sd-jwt"):
        assert refusal(jws.sign_compact(b"{}", typ=typ, signer=ISSUER) + "~") == "JWS_TYP"


@pytest.mark.parametrize("kind", ["object", "array"])
@pytest.mark.parametrize("width", [1, 28])
def test_disclosures_that_nest_without_end_are_refused(kind: str, width: int) -> None:
    """Each is shallow by itself, `width` levels; put back into one another they are 255 times as deep."""
    value: Any = 0
    disclosures = []
    for _ in range(sdjwt.MAX_DISCLOSURES - 1):
        encoded = disclosure("salt", "n", value) if kind == "object" else disclosure("salt", value)
        disclosures.append(encoded)
        value = {"_sd": [digest(encoded)]} if kind == "object" else [{"...": digest(encoded)}]
        for _ in range(width - 1):
            value = {"n": value} if kind == "object" else [value]
    assert refusal(combined({"top": value}, *disclosures)) == "SDJWT_TOO_DEEP"


@pytest.mark.parametrize("kind", ["object", "array"])
@pytest.mark.parametrize("depth", [18, 31, 32, 33, 45])
def test_what_is_put_together_may_be_as_deep_as_one_document(kind: str, depth: int) -> None:
    """Two documents, each within the limit, one inside the other: deeper than 32, nobody could write it again."""
    inner: Any = 0
    for _ in range(15):
        inner = {"n": inner} if kind == "object" else [inner]
    encoded = disclosure("salt", "n", inner) if kind == "object" else disclosure("salt", inner)
    outer: Any = {"_sd": [digest(encoded)]} if kind == "object" else [{"...": digest(encoded)}]
    for _ in range(depth - 17):
        outer = {"n": outer} if kind == "object" else [outer]
    text = combined({"top": outer}, encoded)
    if depth > canonical.MAX_DEPTH:
        assert refusal(text) == "SDJWT_TOO_DEEP"
    else:
        assert canonical.dumps(read(text)).count(b"{" if kind == "object" else b"[") == depth - (kind == "array")


GOOD = combined(BOTH, NAME, CODE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~",
        GOOD.split("~")[0],
        "~" + GOOD,
        GOOD + "~",
        GOOD + "~~",
        GOOD.replace("~", "~~", 1),
        GOOD.replace("~", ".", 1),
        GOOD + "é",
        combined(BOTH, *[NAME] * (sdjwt.MAX_DISCLOSURES + 1)),
        GOOD + "a" * sdjwt.MAX_BYTES,
    ],
)
def test_another_combined_form_is_refused(text: str) -> None:
    assert refusal(text)


@pytest.mark.parametrize("end", ["x", "a.b.c.d", "\n", CODE, "é"])
def test_what_stands_where_the_key_binding_belongs_is_a_jwt_or_nothing(end: str) -> None:
    """RFC 9901 §4: after the last ~ nothing, or a KB-JWT. A cut-off ~ must not turn a disclosure into one."""
    assert refusal(combined(BOTH, NAME, end=end))
