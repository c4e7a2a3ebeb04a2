"""Step 2, SIGNATURE: the named key signed exactly these claims, and every disclosure belongs to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import forge
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from forge import GENUINE, refused
from hypothesis import given
from hypothesis import strategies as st

from certs import sdjwt
from certs.verify.reasons import Reason
from ledger.jws import b64url, unb64url
from ledger.verdict import Result, State, Step

ORDER = ec.SECP256R1().group_order
PARTS = GENUINE.bundle.presentation.split("~")
JWT, DISCLOSURES = PARTS[0], PARTS[1:-1]
HEADER, PAYLOAD, SIGNATURE = JWT.split(".")
R, S = (int.from_bytes(unb64url(SIGNATURE)[at : at + 32], "big") for at in (0, 32))


def jwt_with(signature: bytes) -> str:
    return f"{HEADER}.{PAYLOAD}.{b64url(signature)}"


def shown(*disclosures: str, jwt: str = JWT) -> str:
    return "~".join((jwt, *disclosures, ""))


def presenting(text: str) -> forge.Case:
    return GENUINE.but(presentation=text)


def with_header(**members: object) -> str:
    """Signed by the right key, under a header with other members; None drops one."""
    header = {**json.loads(unb64url(HEADER)), **members}
    protected = b64url(json.dumps({k: v for k, v in header.items() if v is not None}).encode())
    return shown(*DISCLOSURES, jwt=f"{protected}.{PAYLOAD}.{b64url(forge.KEY.sign(f'{protected}.{PAYLOAD}'.encode()))}")


@given(st.sets(st.sampled_from(sorted(forge.HIDDEN))))
def test_any_subset_of_the_disclosures_verifies(names: set[str]) -> None:
    verified = GENUINE.presenting(lambda text: sdjwt.select(text, names)).verify()
    assert verified.verdict.result is Result.VALID
    assert {name for name in verified.claims if name in forge.HIDDEN} == names
    assert {name: verified.claims[name] for name in names} == {name: forge.HIDDEN[name] for name in names}


@given(st.permutations(DISCLOSURES))
def test_their_order_does_not_matter(disclosures: list[str]) -> None:
    verified = presenting(shown(*disclosures)).verify()
    assert verified.verdict.result is Result.VALID and verified.claims == GENUINE.verify().claims


def test_a_dropped_disclosure_leaves_a_valid_certificate_with_fewer_claims() -> None:
    verified = presenting(shown(*DISCLOSURES[1:])).verify()
    assert verified.verdict.result is Result.VALID
    assert len(verified.claims) == len(GENUINE.verify().claims) - 1
    assert presenting(shown()).verify().claims.keys().isdisjoint(forge.HIDDEN)


def test_an_altered_disclosure() -> None:
    salt, name, value = json.loads(unb64url(DISCLOSURES[0]))
    altered = b64url(json.dumps([salt, name, f"{value}1"]).encode())
    refused(GENUINE, presenting(shown(altered, *DISCLOSURES[1:])), Reason.SIGNATURE_DISCLOSURES)


def test_a_disclosure_spelled_otherwise_with_the_same_value() -> None:
    spelled = b64url(json.dumps(json.loads(unb64url(DISCLOSURES[0])), indent=1).encode())
    refused(GENUINE, presenting(shown(spelled, *DISCLOSURES[1:])), Reason.SIGNATURE_DISCLOSURES)


def test_a_disclosure_twice() -> None:
    refused(GENUINE, presenting(shown(*DISCLOSURES, DISCLOSURES[0])), Reason.SIGNATURE_DISCLOSURES)


def test_a_disclosure_nobody_signed() -> None:
    made_up = b64url(json.dumps(["AAAAAAAAAAAAAAAAAAAAAA", "legal_representative", "王建国"]).encode())
    refused(GENUINE, presenting(shown(*DISCLOSURES, made_up)), Reason.SIGNATURE_DISCLOSURES)


def test_a_disclosure_of_another_certificate_of_the_same_agency() -> None:
    other = forge.make(hidden={**forge.HIDDEN, "registered_capital": 999_999_999_999})
    foreign = next(d for d in sdjwt.parse(other.bundle.presentation).disclosures if d.name == "registered_capital")
    own = [d.encoded for d in sdjwt.parse(GENUINE.bundle.presentation).disclosures if d.name != foreign.name]
    refused(GENUINE, presenting(shown(*own, foreign.encoded)), Reason.SIGNATURE_DISCLOSURES)


def test_the_same_digest_twice_in_the_signed_payload() -> None:
    payload = json.loads(unb64url(PAYLOAD))
    payload["_sd"].append(payload["_sd"][0])
    resigned = resign(json.dumps(payload).encode())
    refused(GENUINE, presenting(shown(*DISCLOSURES, jwt=resigned)), Reason.SIGNATURE_DISCLOSURES)


def resign(payload: bytes, signer: forge.P256Signer = forge.KEY) -> str:
    return sdjwt.jws.sign_compact(payload, typ=sdjwt.TYP, signer=signer)


def test_a_der_signature() -> None:
    refused(
        GENUINE, presenting(shown(*DISCLOSURES, jwt=jwt_with(encode_dss_signature(R, S)))), Reason.FORMAT_PRESENTATION
    )


def test_the_other_signature_that_ecdsa_allows_is_the_same_certificate() -> None:
    """(r, n−s) verifies too: so identity is the digest of what was signed, never of the signature."""
    flipped = jwt_with(R.to_bytes(32, "big") + (ORDER - S).to_bytes(32, "big"))
    assert flipped != JWT
    case = presenting(shown(*DISCLOSURES, jwt=flipped))
    assert case.verify().verdict.result is Result.VALID
    assert sdjwt.parse(case.bundle.presentation).digest == GENUINE.digest
    # A revocation therefore meets both forms.
    revoked = GENUINE.status(forge.record(forge.Status.REVOKED))
    refused(case, revoked.but(presentation=case.bundle.presentation), Reason.STATUS_REVOKED)


@pytest.mark.parametrize("values", [(0, S), (R, 0), (0, 0), (ORDER, S), (R, ORDER), (S, R), (2**256 - 1, 2**256 - 1)])
def test_other_numbers_in_the_signature(values: tuple[int, int]) -> None:
    forged = jwt_with(b"".join(value.to_bytes(32, "big") for value in values))
    refused(GENUINE, presenting(shown(*DISCLOSURES, jwt=forged)), Reason.SIGNATURE_WRONG)


def test_the_high_bits_that_base64_does_not_use() -> None:
    """The last of 86 characters carries two bits: three other spellings decode to the same signature."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    value = alphabet.index(SIGNATURE[-1])
    assert value % 16 == 0
    for stray in (1, 7, 15):
        spelled = f"{HEADER}.{PAYLOAD}.{SIGNATURE[:-1]}{alphabet[value + stray]}"
        refused(GENUINE, presenting(shown(*DISCLOSURES, jwt=spelled)), Reason.FORMAT_PRESENTATION)


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text.replace(".", "=.", 1),
        lambda text: text.replace("~", "=~", 1),
        lambda text: text.replace("_", "/").replace("-", "+"),
        lambda text: text.replace(".", "..", 1),
        lambda text: text.replace("~", "~~", 1),
        lambda text: "~" + text,
        lambda text: " " + text,
        lambda text: text.replace("~", "\n~", 1),
    ],
)
def test_other_spellings_of_the_presentation(spell: Callable[[str], str]) -> None:
    refused(GENUINE, GENUINE.presenting(spell), Reason.FORMAT_PRESENTATION)


def test_a_signature_by_another_key_under_the_agencys_name() -> None:
    signature = b64url(forge.OTHER_KEY.sign(f"{HEADER}.{PAYLOAD}".encode()))
    refused(GENUINE, presenting(shown(*DISCLOSURES, jwt=f"{HEADER}.{PAYLOAD}.{signature}")), Reason.SIGNATURE_WRONG)


def test_the_signature_of_another_certificate() -> None:
    other = forge.make(visible={"iat": forge.IAT + 1}).bundle.presentation.split("~")[0].rpartition(".")[2]
    refused(GENUINE, presenting(shown(*DISCLOSURES, jwt=f"{HEADER}.{PAYLOAD}.{other}")), Reason.SIGNATURE_WRONG)


def test_a_visible_claim_altered() -> None:
    payload = json.loads(unb64url(PAYLOAD)) | {"exp": 4_000_000_000}
    altered = f"{HEADER}.{b64url(json.dumps(payload).encode())}.{SIGNATURE}"
    refused(GENUINE, presenting(shown(*DISCLOSURES, jwt=altered)), Reason.SIGNATURE_WRONG)


def test_kid_does_not_match_the_key_in_the_bundle() -> None:
    refused(GENUINE, GENUINE.but(x=forge.OTHER_KEY.x, y=forge.OTHER_KEY.y), Reason.SIGNATURE_KEY_NOT_NAMED)


def test_a_point_off_the_curve_whose_thumbprint_is_named() -> None:
    y = (int.from_bytes(forge.KEY.y, "big") ^ 1).to_bytes(32, "big")
    kid = b64url(sdjwt.jws.thumbprint(forge.KEY.x, y))
    case = GENUINE.but(x=forge.KEY.x, y=y, presentation=with_header(kid=kid))
    refused(GENUINE, case, Reason.SIGNATURE_WRONG)


@pytest.mark.parametrize(
    "members",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": None},
        {"typ": "JWT"},
        {"typ": "vc+sd-jwt"},
        {"typ": None},
        {"kid": None},
        {"kid": 5},
        {"crit": ["exp"]},
        {"jwk": {"kty": "EC"}},
        {"x5c": []},
        {"b64": False},
    ],
)
def test_other_headers(members: dict[str, object]) -> None:
    refused(GENUINE, presenting(with_header(**members)), Reason.FORMAT_PRESENTATION)


def test_no_signature_at_all() -> None:
    header = b64url(json.dumps({"alg": "none", "typ": sdjwt.TYP, "kid": forge.KEY.kid}).encode())
    refused(GENUINE, presenting(shown(*DISCLOSURES, jwt=f"{header}.{PAYLOAD}.")), Reason.FORMAT_PRESENTATION)


def test_another_suite() -> None:
    suite = "sm2-sm3"
    refused(GENUINE, forge.make(visible={"suite": suite}, body={"suite": suite}), Reason.SIGNATURE_SUITE)


def test_disclosures_with_another_digest_algorithm() -> None:
    payload = json.loads(unb64url(PAYLOAD)) | {"_sd_alg": "sha-512"}
    refused(GENUINE, presenting(shown(jwt=resign(json.dumps(payload).encode()))), Reason.FORMAT_PRESENTATION)


def test_claims_come_out_only_with_a_valid_verdict() -> None:
    assert GENUINE.verify().claims
    stale = replace(GENUINE, now=GENUINE.now + 2 * GENUINE.policy.max_status_age)
    assert stale.verify().verdict.result is Result.INDETERMINATE and stale.verify().claims == {}


def test_no_finding_repeats_a_claim() -> None:
    """Findings are logged and shown to whoever asks; the holder showed the claims to the verifier alone."""
    cases = [
        GENUINE,
        presenting(shown(*DISCLOSURES, DISCLOSURES[0])),
        GENUINE.status(forge.record(forge.Status.REVOKED)),
    ]
    private = [str(v) for n, v in forge.HIDDEN.items() if n not in {"area_code", "holder_type"}]
    for case in cases:
        text = " ".join(str(finding) for finding in case.verify().verdict.findings)
        assert not [value for value in private if value in text]


def test_an_unsigned_step_is_never_not_asked() -> None:
    verdict = presenting(shown(*DISCLOSURES, DISCLOSURES[0])).verify().verdict
    assert all(verdict.at(step).state is not State.NOT_ASKED for step in list(Step)[:8])
