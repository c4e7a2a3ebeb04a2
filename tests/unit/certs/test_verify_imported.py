"""Twins of certificates that existed: to whom they are bound, which file is theirs, and that none holds by accident."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import forge
import pytest
from forge import AGENCY, GENUINE, OTHER_AGENCY, record, refused

from certs import identifier
from certs.certificate import IMPORTED, import_body, read_visible
from certs.source_file import OFD, PDF, SourceFile, digest
from certs.verify.reasons import Reason
from certs.verify.verifier import Verifier
from ledger.errors import VerificationError
from ledger.facts import City
from ledger.status import Status
from ledger.verdict import Result, Step

CONTENT = b"PK\x03\x04 an OFD, byte for byte"
FILE = digest(io.BytesIO(CONTENT), OFD)
OTHER_FILE = digest(io.BytesIO(b"%PDF-1.7"), PDF)


def twin(
    *, region: str = "", files: tuple[SourceFile, ...] = (FILE,), status: int | None = None, **more: Any
) -> forge.Case:
    """A genuine twin; under a region's identifier if one is given."""
    visible: dict[str, Any] = {"origin": IMPORTED, "source_files": [each.to_json() for each in files]}
    body: dict[str, Any] = {"origin": IMPORTED, "status": status}
    if region:
        named = region_identifier(region)
        visible |= {"certificate_identifier": named}
        body |= {"identifier": named}
    return forge.make(visible=visible | more.get("visible", {}), body=body | more.get("body", {}))


def region_identifier(region: str) -> str:
    parts = forge.TYPE.code, region, "2023000040300000000A", "001"
    return ".".join((identifier.ROOT, *parts, identifier.check_character("".join(parts))))


TWIN = twin()


def shown(case: forge.Case, content: bytes) -> Any:
    file = digest(io.BytesIO(content), OFD)
    return Verifier(case.trust).verify(case.file, case.policy, case.now, None, file)


def test_a_twin_is_valid_and_says_what_it_is() -> None:
    verified = TWIN.verify()
    assert verified.verdict.result is Result.VALID
    assert verified.verdict.at(Step.BINDING).compared["origin"] == IMPORTED
    assert verified.claims["source_files"] == [FILE.to_json()]
    assert "origin" not in GENUINE.verify().verdict.at(Step.BINDING).compared


@pytest.mark.parametrize(("certificate", "statement"), [(IMPORTED, None), (None, IMPORTED), (IMPORTED, "issued")])
def test_certificate_and_statement_must_agree_on_the_origin(certificate: str | None, statement: str | None) -> None:
    files = [FILE.to_json()] if certificate else None
    case = forge.make(visible={"origin": certificate, "source_files": files}, body={"origin": statement})
    refused(GENUINE, case, Reason.BINDING_ORIGIN)


@pytest.mark.parametrize(
    "claims",
    [
        {"origin": "exported"},
        {"origin": IMPORTED, "source_files": None},
        {"origin": None},
        {"source_files": [{"media_type": OFD, "sha256": "00"}]},
        {"source_files": [FILE.to_json()] * 9},
        {"source_files": [{**FILE.to_json(), "name": "宋磊.ofd"}]},
    ],
)
def test_an_origin_of_another_form(claims: dict[str, Any]) -> None:
    refused(GENUINE, twin(visible=claims), Reason.FORMAT_CERTIFICATE)


# ------------------------------------------------------------------- regions


@pytest.mark.parametrize("region", ["330100", "330106", "330000"])
def test_a_region_of_the_agencys_city_is_bound_to_the_agency(region: str) -> None:
    case = twin(region=region)
    finding = case.verify().verdict.at(Step.BINDING)
    assert case.verify().verdict.result is Result.VALID
    assert finding.compared["notes"] == identifier.ISSUER_IS_REGION_CODE


@pytest.mark.parametrize("region", ["330200", "320100", "000000"])
def test_a_region_of_another_city(region: str) -> None:
    refused(GENUINE, twin(region=region), Reason.BINDING_REGION)


def test_the_city_is_the_chains_and_not_the_bundles() -> None:
    """Nanjing's agency, in Nanjing's log, under an identifier with Hangzhou's region."""
    moved = twin(region="330100").on_chain(
        lambda facts: replace(facts, cities=tuple(City(c.city, 320100, c.terms) for c in facts.cities))
    )
    refused(GENUINE, moved, Reason.BINDING_REGION)


def test_only_a_twin_may_have_a_region_for_an_issuer() -> None:
    named = region_identifier("330100")
    case = forge.make(visible={"certificate_identifier": named}, body={"identifier": named})
    refused(GENUINE, case, Reason.BINDING_AGENCY)


@pytest.mark.parametrize(
    "changes",
    [
        {"visible": {"issuing_authority_code": OTHER_AGENCY}},
        {"visible": {"iss": f"urn:certledger:agency:{OTHER_AGENCY}"}},
    ],
)
def test_a_region_leaves_everything_else_bound_to_one_agency(changes: dict[str, Any]) -> None:
    case = twin(region="330100", **changes)
    assert case.verify().verdict.result is Result.INVALID
    assert case.verify().verdict.at(Step.BINDING).reason == Reason.BINDING_AGENCY.name


def test_a_region_needs_the_accreditation_as_every_certificate() -> None:
    case = twin(region="330100").on_chain(lambda facts: replace(facts, accreditations=()))
    refused(GENUINE, case, Reason.ISSUER_NOT_ACCREDITED)


# --------------------------------------------------------------------- files


def test_the_file_that_was_registered() -> None:
    verified = shown(TWIN, CONTENT)
    assert verified.verdict.result is Result.VALID
    assert verified.file_registered_by == AGENCY
    compared = verified.verdict.at(Step.BINDING).compared
    assert (compared["sha256"], compared["sm3"]) == (FILE.sha256.hex(), FILE.sm3.hex())
    assert shown(twin(files=(FILE, OTHER_FILE)), b"%PDF-1.7").file_registered_by == AGENCY


def test_every_byte_counts() -> None:
    for at in range(len(CONTENT)):
        changed = CONTENT[:at] + bytes([CONTENT[at] ^ 1]) + CONTENT[at + 1 :]
        verified = shown(TWIN, changed)
        finding = verified.verdict.at(Step.BINDING)
        assert (finding.reason, finding.code) == ("BINDING_FILE", 509)
        assert verified.verdict.result is Result.INVALID
        assert verified.file_registered_by == ""


def test_both_digests_must_agree() -> None:
    for mixed in (replace(FILE, sm3=OTHER_FILE.sm3), replace(FILE, sha256=OTHER_FILE.sha256)):
        assert shown(twin(files=(mixed,)), CONTENT).verdict.at(Step.BINDING).reason == "BINDING_FILE"


def test_no_file_was_registered() -> None:
    for case in (GENUINE, twin(files=())):
        verified = shown(case, CONTENT)
        assert (verified.verdict.at(Step.BINDING).code, verified.file_registered_by) == (510, "")
        assert verified.verdict.result is Result.INVALID


def test_an_agency_is_named_only_where_it_is_proven_to_have_registered_the_file() -> None:
    revoked = TWIN.status(record(Status.REVOKED))
    assert shown(revoked, CONTENT).verdict.result is Result.INVALID
    assert shown(revoked, CONTENT).file_registered_by == AGENCY  # it did, whatever became of the certificate
    stranger = TWIN.on_chain(lambda facts: replace(facts, keys=()))
    assert shown(stranger, CONTENT).file_registered_by == ""


# ------------------------------------------------------- what did not hold


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.REVOKED, Status.CANCELLED])
def test_it_does_not_hold_in_the_moments_before_its_status_is_on_chain(status: Status) -> None:
    refused(TWIN, twin(status=int(status)), Reason.STATUS_ENDED_AT_IMPORT)


def test_once_the_chain_says_something_the_chain_counts() -> None:
    refused(TWIN, twin(status=3).status(record(Status.REVOKED)), Reason.STATUS_REVOKED)
    back = twin(status=1).status(record(Status.SUSPENDED), record(Status.ACTIVE, since=forge.T + 60, recorded=160))
    assert back.verify().verdict.result is Result.VALID


@pytest.mark.parametrize("status", [0, 2, 5, 6, 7, -1, "4", True, [4]])
def test_a_status_no_import_records(status: Any) -> None:
    refused(TWIN, twin(body={"status": status}), Reason.FORMAT_STATEMENT)


def test_the_body_names_a_status_only_where_it_does_not_hold() -> None:
    active = import_body(digest=bytes(32), identifier="x", type_code="y", status=Status.ACTIVE)
    assert (active["origin"], "status" in active) == (IMPORTED, False)
    assert import_body(digest=bytes(32), identifier="x", type_code="y", status=Status.CANCELLED)["status"] == 4


def test_a_certificate_older_than_1970_can_be_read() -> None:
    from certs import certificate
    from certs.certificate import StatusSlot

    old = forge.ATTRIBUTES | {"validity_start": "1958-03-01", "validity_end": "1968-02-29"}
    claims = certificate.visible_claims(forge.TYPE, old, issued_at=1, slot=StatusSlot("x", 0), source_files=[])
    assert (read_visible(claims).not_before, read_visible(claims).not_after) == (0, 1)
    with pytest.raises(VerificationError):
        read_visible(claims | {"nbf": -1})
