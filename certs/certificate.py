"""What a certificate says: which claims everybody sees, which the holder shows one by one.

Always visible: identifier, type, issuer, dates and the place of its status. Everything else, the holder's code and
the certificate number included, is selectively disclosable. Dates are days in China (UTC+8): a certificate holds
from the first second of `validity_start` to the last second of `validity_end`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from certs.certificate_type import CertificateType
from certs.field import OPEN_ENDED
from certs.source_file import MAX_FILES, SourceFile
from ledger import schema as s
from ledger.canonical import Json
from ledger.errors import VerificationError
from ledger.status import Status

SUITE = "p256-sha256"
"""Names signature and digest algorithms, so that an SM2/SM3 suite can stand beside it."""
CHINA = timezone(timedelta(hours=8))
ISSUE = "certificate/issue"
SUPERSEDE = "certificate/supersede"
IMPORTED = "imported"
"""Origin of a twin: the certificate existed, and the agency vouches for what it registered of it."""

_ISSUER = "urn:certledger:agency:"
_VCT = "urn:certledger:type:"
_SHOWN_DATES = ("issuing_date", "validity_start", "validity_end")
_SHOWN = {"certificate_identifier", "issuing_authority_name", "issuing_authority_code", *_SHOWN_DATES}


@dataclass(frozen=True, slots=True)
class StatusSlot:
    """Where the certificate stands in a status list (IETF Token Status List)."""

    uri: str
    index: int


@dataclass(frozen=True, slots=True)
class Visible:
    """The signed claims everybody sees, checked for form."""

    identifier: str
    type_code: str
    standard_version: str
    issuer: str
    """USCC of the issuing agency."""
    issuer_code: str
    """The issuing authority as the certificate prints it."""
    suite: str
    issued_at: int
    not_before: int
    not_after: int | None
    """Seconds; None: open-ended."""
    imported: bool
    """A twin of a certificate that existed, under the identifier it had."""
    source_files: tuple[SourceFile, ...]
    """The files it came in; empty if it is no twin, or came without any."""


def visible_claims(
    certificate_type: CertificateType,
    attributes: Mapping[str, Any],
    *,
    issued_at: int,
    slot: StatusSlot,
    source_files: Sequence[SourceFile] | None = None,
) -> dict[str, Json]:
    """The always visible part of the payload. `attributes` carry identifier and issuer already.

    `source_files`: of an imported certificate, possibly none; None: it is issued here.
    """
    claims: dict[str, Json] = {
        "iss": _ISSUER + attributes["issuing_authority_code"],
        "vct": f"{_VCT}{certificate_type.code}:{certificate_type.standard_version}",
        "suite": SUITE,
        "iat": issued_at,
        "nbf": max(_start(attributes["validity_start"]), 0),  # some certificates are older than 1970
        "status": {"status_list": {"idx": slot.index, "uri": slot.uri}},
    }
    if attributes["validity_end"] != OPEN_ENDED:
        claims["exp"] = max(_start(attributes["validity_end"]) + 24 * 3600, 1)
    if source_files is not None:
        claims["origin"] = IMPORTED
        claims["source_files"] = [each.to_json() for each in source_files]
    return claims | {name: value for name, value in attributes.items() if name in _SHOWN}


def hidden_claims(attributes: Mapping[str, Any]) -> dict[str, Json]:
    """The selectively disclosable part."""
    return {name: value for name, value in attributes.items() if name not in _SHOWN}


def issue_body(*, digest: bytes, identifier: str, type_code: str, replaces: bytes | None = None) -> dict[str, Json]:
    """Body of `certificate/issue` (docs/formats.md): nothing about the person."""
    body: dict[str, Json] = {
        "digest": digest.hex(),
        "identifier": identifier,
        "certificate_type": type_code,
        "suite": SUITE,
    }
    return body | ({"replaces": replaces.hex()} if replaces else {})


def import_body(*, digest: bytes, identifier: str, type_code: str, status: Status) -> dict[str, Json]:
    """Body of the `certificate/issue` of a twin.

    `status` stands there if the certificate did not hold when it was imported: so that it never passes for one that
    does, in the moments between its head and its status on chain.
    """
    body = issue_body(digest=digest, identifier=identifier, type_code=type_code) | {"origin": IMPORTED}
    return body if status == Status.ACTIVE else body | {"status": int(status)}


_TEXT: s.Schema = {"type": "string", "maxLength": 200}
_PAYLOAD = s.Form(
    "CERTIFICATE_FORM",
    {
        "type": "object",
        "properties": {
            "iss": {"type": "string", "pattern": f"^{_ISSUER}[0-9A-Z]{{18}}$"},
            "vct": {"type": "string", "pattern": f"^{_VCT}[0-9A-Z]{{21}}:[^:]{{1,64}}$"},
            "suite": _TEXT,
            "iat": s.NATURAL,
            "nbf": s.NATURAL,
            "exp": s.NATURAL,
            "certificate_identifier": _TEXT,
            "issuing_authority_code": s.AGENCY,
            "cnf": {"type": "object"},
            "origin": {"const": IMPORTED},
            "source_files": s.rows(s.record(media_type=_TEXT, sha256=s.HEX32, sm3=s.HEX32), MAX_FILES),
        },
        "dependentRequired": {"origin": ["source_files"], "source_files": ["origin"]},
        "required": ["iss", "vct", "suite", "iat", "nbf", "certificate_identifier", "issuing_authority_code"],
    },
)


def read_visible(payload: Mapping[str, Json]) -> Visible:
    """Raises `VerificationError` if the payload is not that of a certificate."""
    v = _PAYLOAD.check(dict(payload))
    code, _, version = v["vct"].removeprefix(_VCT).partition(":")
    if v.get("exp", v["nbf"] + 1) <= v["nbf"]:
        raise VerificationError("CERTIFICATE_FORM", "the certificate ends before it begins", place="exp")
    return Visible(
        identifier=v["certificate_identifier"],
        type_code=code,
        standard_version=version,
        issuer=v["iss"].removeprefix(_ISSUER),
        issuer_code=v["issuing_authority_code"],
        suite=v["suite"],
        issued_at=v["iat"],
        not_before=v["nbf"],
        not_after=v.get("exp"),
        imported="origin" in v,
        source_files=tuple(_source_file(each) for each in v.get("source_files", [])),
    )


def _source_file(value: Mapping[str, str]) -> SourceFile:
    return SourceFile(value["media_type"], bytes.fromhex(value["sha256"]), bytes.fromhex(value["sm3"]))


def _start(day: str) -> int:
    """First second of an ISO day in China."""
    return int(datetime.combine(date.fromisoformat(day), time(), CHINA).timestamp())
