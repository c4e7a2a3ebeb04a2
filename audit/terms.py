"""The words an authorization is made of: its kinds, how a person agreed, whose it is, and what it covers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from audit.purpose import OPERATOR
from audit.signed import optional_bytes, optional_hex
from ledger import schema as s
from ledger.canonical import Json

DAY = 24 * 3600


class Kind(StrEnum):
    CONSENT = "consent"
    """Signed with a key of the person's own."""
    WITNESSED_CONSENT = "witnessed_consent"
    """The person agreed before an agency's clerk, whose agency signs for the stored form."""
    AGREEMENT = "agreement"
    """Between agencies, from the responsibility list, with a daily limit."""
    EMERGENCY = "emergency"
    """Two operators, at most 24 hours, reviewed afterwards."""


class Method(StrEnum):
    """How a person said yes. A reference or digest where there is something to keep; biometric material never."""

    HOLDER_KEY = "holder_key"
    ON_SCREEN_SIGNATURE = "on_screen_signature"
    CLERK_WITNESS = "clerk_witness"
    FACE_CHECK_REFERENCE = "face_check_reference"
    VOICE_RECORD_DIGEST = "voice_record_digest"


@dataclass(frozen=True, slots=True)
class Scope:
    """Fields of one resource."""

    resource: str
    """Code in the catalogue; of a certificate, its type code."""
    fields: tuple[str, ...]
    """Sorted."""
    item: bytes | None = None
    """Digest of the one certificate it is limited to; None: whichever the subject has."""


@dataclass(frozen=True, slots=True)
class Grantor:
    """A person by a salted digest, or an agency by its USCC; never both."""

    holder: bytes | None = None
    agency: str | None = None
    mandate: bytes | None = None
    """Id of the mandate 委托 by which `holder` acts for the subject."""


@dataclass(frozen=True, slots=True)
class Witness:
    """The agency that signs, its operators by pseudonym, and what it keeps of the act."""

    agency: str
    operators: tuple[str, ...]
    """Sorted."""
    form: bytes | None
    """Digest of the stored form the person agreed to."""


FIELD: s.Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"}
RESOURCE: s.Schema = {"type": "string", "pattern": "^[0-9A-Za-z][0-9A-Za-z._/-]{0,63}$"}
FIELDS = {**s.rows(FIELD, 64), "minItems": 1, "uniqueItems": True}
METHOD: s.Schema = {"enum": [method.value for method in Method]}
WITNESS = s.record(
    agency=s.AGENCY,
    operators={**s.rows(OPERATOR, 2), "minItems": 1, "uniqueItems": True},
    form=s.optional(s.HEX32),
)
GRANTOR = s.record(
    holder=s.optional(s.HEX32),
    agency=s.optional(s.AGENCY),
    mandate=s.optional(s.HEX32),
)
SCOPE = s.record(resource=RESOURCE, fields=FIELDS, item=s.optional(s.HEX32))


def witness_json(witness: Witness | None) -> Json:
    if witness is None:
        return None
    return {"agency": witness.agency, "operators": list(witness.operators), "form": optional_hex(witness.form)}


def witness_from(value: Any) -> Witness | None:
    return value and Witness(value["agency"], tuple(value["operators"]), optional_bytes(value["form"]))


def grantor_json(grantor: Grantor) -> dict[str, Json]:
    return {"holder": optional_hex(grantor.holder), "agency": grantor.agency, "mandate": optional_hex(grantor.mandate)}
