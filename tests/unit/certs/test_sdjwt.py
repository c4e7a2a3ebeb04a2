"""SD-JWT in both directions with PyPI's sd-jwt, and the published cases that it issues here."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import vectors
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.utils.yaml_specification import load_yaml_specification
from sd_jwt.verifier import SDJWTVerifier

from certs import sdjwt
from certs.errors import CertsError
from ledger import canonical, jws
from ledger.errors import CanonicalError, LedgerError
from ledger.jws import b64url
from ledger.keys.p256 import P256Signer, generate_secret

CASES = {file.parent.name: file for file in vectors.files("sd-jwt/*/specification.yml")}
WITH_FLOATS = {"array_data_types", "object_data_types"}
SECRET = generate_secret()
ISSUER = P256Signer(SECRET)
PUBLIC = JWK(kty="EC", crv="P-256", x=b64url(ISSUER.x), y=b64url(ISSUER.y))
PRIVATE = JWK(**PUBLIC.export_public(as_dict=True), d=b64url(SECRET))
HOLDER = JWK.generate(kty="EC", crv="P-256")
REFUSALS = (CertsError, LedgerError, ValueError)
S = sdjwt.SALT_BYTES
NONCE, AUDIENCE = "1234567890", "https://example.com/verifier"


def presented_by_pypi(case: dict[str, Any]) -> str:
    """The case issued and presented by PyPI's sd-jwt, with the header that our certificates have."""
    bound = HOLDER if case.get("key_binding") else None
    header = {"typ": sdjwt.TYP, "kid": ISSUER.kid}
    issued = SDJWTIssuer(case["user_claims"], PRIVATE, holder_key=bound, extra_header_parameters=header)
    holder = SDJWTHolder(issued.sd_jwt_issuance)
    asked = (NONCE, AUDIENCE, bound) if bound else ()
    holder.create_presentation(case["holder_disclosed_claims"], *asked)
    return holder.sd_jwt_presentation


def read(text: str) -> dict[str, Any]:
    """What we read from a presentation whose signature holds."""
    presentation = sdjwt.parse(text)
    assert presentation.untrusted.kid == ISSUER.kid
    jws.verify(presentation.untrusted, x=ISSUER.x, y=ISSUER.y)
    return sdjwt.disclosed(presentation)


def without_floats(value: Any) -> Any:
    """The same case with each float replaced by its decimal text."""
    if isinstance(value, SDObj):
        return SDObj(without_floats(value.value))
    if isinstance(value, dict):
        return {
            without_floats(name) if isinstance(name, SDObj) else name: without_floats(v) for name, v in value.items()
        }
    if isinstance(value, list):
        return [without_floats(v) for v in value]
    return str(value) if isinstance(value, float) else value


@vectors.needed
def test_every_published_case_is_read() -> None:
    assert len(CASES) == 8 and CASES.keys() >= WITH_FLOATS


@pytest.mark.parametrize("path", CASES.values(), ids=CASES)
def test_what_others_issue_and_present_is_read_as_they_expect(path: Path) -> None:
    case = load_yaml_specification(path)
    if path.parent.name in WITH_FLOATS:
        with pytest.raises(CanonicalError) as refused:
            read(presented_by_pypi(case))
        assert refused.value.code == "JSON_FLOAT"
    case = without_floats(case)
    text = presented_by_pypi(case)
    claims = read(text)
    if case.get("key_binding"):
        assert claims.pop("cnf") == {"jwk": HOLDER.export_public(as_dict=True)}
    # Compared as text: in Python 1 equals True, in JSON it does not.
    assert canonical.dumps(claims) == canonical.dumps(case["expect_verified_user_claims"])


@vectors.needed
def test_the_key_binding_jwt_is_handed_out_unread() -> None:
    text = presented_by_pypi(load_yaml_specification(CASES["key_binding"]))
    key_binding = sdjwt.parse(text).key_binding
    assert text.endswith("~" + key_binding) and key_binding.count(".") == 2
    SDJWTVerifier(text, lambda issuer, header: PUBLIC, AUDIENCE, NONCE)


names = (
    st.text(max_size=12)
    .map(lambda t: unicodedata.normalize("NFC", t))
    .filter(lambda t: t not in ("_sd", "...", "_sd_alg", "cnf", "iss"))
)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | names
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(names, v, max_size=3), max_leaves=8)
claims = st.dictionaries(names, values, max_size=8)


def issue(visible: dict[str, Any], hidden: dict[str, Any]) -> str:
    return sdjwt.issue(visible, hidden, salts=os.urandom(sdjwt.SALT_BYTES * len(hidden)), signer=ISSUER)


def read_by_pypi(text: str) -> Any:
    payload = SDJWTVerifier(text, lambda issuer, header: PUBLIC).get_verified_payload()
    return {name: value for name, value in payload.items() if name != "_sd_alg"}


@given(claims, st.data())
def test_what_we_issue_is_verified_by_others_with_the_same_claims(
    all_claims: dict[str, Any], data: st.DataObject
) -> None:
    hidden_names = {name for name in all_claims if data.draw(st.booleans())}
    visible = {name: value for name, value in all_claims.items() if name not in hidden_names}
    hidden = {name: value for name, value in all_claims.items() if name in hidden_names}
    text = issue(visible, hidden)
    assert canonical.dumps(read_by_pypi(text)) == canonical.dumps(all_claims) == canonical.dumps(read(text))
    shown = {name for name in hidden if data.draw(st.booleans())}
    selected = sdjwt.select(text, shown)
    wanted = visible | {name: hidden[name] for name in shown}
    assert canonical.dumps(read_by_pypi(selected)) == canonical.dumps(wanted) == canonical.dumps(read(selected))


def test_a_presentation_hides_what_is_not_selected() -> None:
    text = issue({"iss": "urn:x"}, {"holder_name": "王小明", "holder_code": "330106195603129982"})
    selected = sdjwt.select(text, ["holder_name", "no_such_claim"])
    assert read(selected) == {"iss": "urn:x", "holder_name": "王小明"}
    hidden = [d.encoded for d in sdjwt.parse(text).disclosures if d.name == "holder_code"]
    assert len(hidden) == 1 and hidden[0] in text and hidden[0] not in selected
    assert read(sdjwt.select(text, [])) == {"iss": "urn:x"}


def test_neither_order_nor_equal_values_show_in_the_digests() -> None:
    hidden = {f"n{i}": "same" for i in range(20)}
    digests: Any = sdjwt.payload(sdjwt.parse(issue({}, hidden)))["_sd"]
    assert digests == sorted(digests) and len(set(digests)) == 20
    salts = {
        canonical.loads(jws.unb64url(d.encoded), max_bytes=100)[0] for d in sdjwt.parse(issue({}, hidden)).disclosures
    }  # type: ignore[index]
    assert len(salts) == 20 and all(len(jws.unb64url(salt)) >= 16 for salt in salts)  # RFC 9901 §9.3: 128 bits
    assert [d.digest for d in sdjwt.parse(issue({}, hidden)).disclosures] != digests


@pytest.mark.parametrize("length", [0, S, S + 1, 2 * S - 1, 2 * S + 1])
def test_a_claim_without_a_full_salt_of_its_own_is_not_issued(length: int) -> None:
    """A digest without salt can be guessed from the value: a name, a code of 18 digits."""
    with pytest.raises(REFUSALS):
        sdjwt.issue({}, {"a": 1, "b": 2}, salts=bytes(length), signer=ISSUER)


@pytest.mark.parametrize(
    ("visible", "hidden"),
    [
        ({"a": 1}, {"a": 2}),
        ({}, {"_sd": 1}),
        ({}, {"...": 1}),
        ({"_sd": []}, {}),
        ({"...": 1}, {}),
        ({"_sd_alg": "x"}, {}),
    ],
)
def test_what_no_verifier_would_accept_is_not_issued(visible: dict[str, Any], hidden: dict[str, Any]) -> None:
    with pytest.raises(REFUSALS):
        issue(visible, hidden)


def test_a_certificate_is_identified_by_what_was_signed_and_not_by_the_signature() -> None:
    text = issue({"iss": "urn:x"}, {"a": 1, "b": 2})
    digests = {sdjwt.parse(sdjwt.select(text, shown)).digest for shown in ([], ["a"], ["b"], ["a", "b"])}
    again = f"{text.split('~')[0].rpartition('.')[0]}.{b64url(ISSUER.sign(b'anything'))}~"
    assert digests == {sdjwt.parse(again).digest}
    assert sdjwt.parse(issue({"iss": "urn:x"}, {"a": 1, "b": 2})).digest not in digests
