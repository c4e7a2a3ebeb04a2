"""A request for somebody's fields, as one city sends it to another: a signed object, the person in it encrypted.

Compact JWS ES256, `typ` certledger-request+jws, by the asking agency's key of use *http*. The id of the request is the
digest of what is signed. The person's code travels only in here, encrypted to the provider's key of use *enc*.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn

from audit import purpose as purposes
from audit.errors import RequestError
from audit.purpose import OPERATOR, Purpose
from audit.request import Request
from audit.signed import MAX_BYTES, NONCE, SUITE, compact_of, optional_bytes, optional_hex
from audit.subject import Holder
from audit.terms import FIELDS, RESOURCE
from ledger import canonical, jws
from ledger import schema as s
from ledger.canonical import Json
from ledger.jws import Compact, Signer

TYP = "certledger-request+jws"
SUBJECT_TYP = "certledger-subject+jwe"
VERSION = 1
FRESH = 5 * 60
"""Seconds a request may be old, or ahead of the provider's clock."""
_JWE: s.Schema = {"type": "string", "maxLength": 4096, "pattern": r"^[A-Za-z0-9_.-]+$"}
_SUBJECT = s.Form("REQUEST_SUBJECT", s.record(type={"type": "string"}, code={"type": "string", "maxLength": 64}))


@dataclass(frozen=True, slots=True)
class Asking:
    """Validated on construction."""

    consortium: bytes
    nonce: bytes
    """16 random bytes: two requests for the same are two requests."""
    at: int
    """Seconds."""
    asker_city: int
    agency: str
    operator: str
    provider: int
    resource: str
    fields: tuple[str, ...]
    item: bytes | None
    purpose: Purpose
    authorization: bytes | None
    """Id of the one it cites."""
    subject: str
    """Whom it is about: a JWE for the provider."""

    def __post_init__(self) -> None:
        FORM.check(self.to_json())

    def to_json(self) -> dict[str, Json]:
        return {
            "v": VERSION,
            "suite": SUITE,
            "consortium": self.consortium.hex(),
            "nonce": self.nonce.hex(),
            "at": self.at,
            "asker_city": self.asker_city,
            "agency": self.agency,
            "operator": self.operator,
            "provider": self.provider,
            "resource": self.resource,
            "fields": list(self.fields),
            "item": optional_hex(self.item),
            "purpose": self.purpose.to_json(),
            "authorization": optional_hex(self.authorization),
            "subject": self.subject,
        }


FORM = s.Form(
    "REQUEST_FORM",
    s.record(
        v={"type": "integer", "const": VERSION},
        suite={"const": SUITE},
        consortium=s.HEX32,
        nonce=NONCE,
        at=s.NATURAL,
        asker_city=s.CITY,
        agency=s.AGENCY,
        operator=OPERATOR,
        provider=s.CITY,
        resource=RESOURCE,
        fields=FIELDS,
        item=s.optional(s.HEX32),
        purpose=purposes.SCHEMA,
        authorization=s.optional(s.HEX32),
        subject=_JWE,
    ),
)


@dataclass(frozen=True, slots=True)
class PresentedRequest:
    """A request as it arrived: of the right form, by nobody yet."""

    asking: Asking
    untrusted: Compact

    @property
    def id(self) -> bytes:
        """SHA-256 of what is signed: 32 bytes."""
        return sha256(self.untrusted.signing_input).digest()

    @property
    def signature(self) -> bytes:
        """SHA-256 of the signature: what both sides record."""
        return sha256(self.untrusted.signature).digest()

    def request(self, subject: Holder) -> Request:
        """What is decided. `subject`: as the provider has opened it."""
        a = self.asking
        return Request(self.id, a.agency, a.operator, a.provider, subject, a.resource, a.fields, a.purpose, a.item)


def sign(asking: Asking, signer: Signer) -> str:
    """The compact JWS."""
    return jws.sign_compact(canonical.dumps(asking.to_json()), typ=TYP, signer=signer)


def parse(untrusted: str) -> PresentedRequest:
    """Raises `VerificationError`, `CanonicalError` or `AuditError`. No signature is verified here."""
    compact = compact_of(untrusted, TYP)
    v = FORM.check(canonical.loads_canonical(compact.payload, max_bytes=MAX_BYTES))
    return PresentedRequest(_asking(v), compact)


def check(presented: PresentedRequest, *, consortium: bytes, provider: int, now: int) -> None:
    """For this ledger, for this city, and of these minutes? Raises `RequestError`."""
    asking = presented.asking
    if asking.consortium != consortium:
        _refuse("REQUEST_LEDGER", "made for another ledger")
    if asking.provider != provider:
        _refuse("REQUEST_PROVIDER", "asked of another city")
    if abs(now - asking.at) > FRESH:
        _refuse("REQUEST_STALE", "too old, or ahead of this clock")


def subject_text(holder: Holder) -> bytes:
    """What is encrypted to the provider."""
    return canonical.dumps({"type": holder.type, "code": holder.code})


def subject_of(text: bytes) -> Holder:
    """Raises `VerificationError`, `CanonicalError` or `AuthorizationError`."""
    v = _SUBJECT.check(canonical.loads_canonical(text, max_bytes=1024))
    return Holder(v["type"], v["code"])


def _asking(v: Any) -> Asking:
    return Asking(
        consortium=bytes.fromhex(v["consortium"]),
        nonce=bytes.fromhex(v["nonce"]),
        at=v["at"],
        asker_city=v["asker_city"],
        agency=v["agency"],
        operator=v["operator"],
        provider=v["provider"],
        resource=v["resource"],
        fields=tuple(v["fields"]),
        item=optional_bytes(v["item"]),
        purpose=purposes.from_json(v["purpose"]),
        authorization=optional_bytes(v["authorization"]),
        subject=v["subject"],
    )


def _refuse(code: str, message: str) -> NoReturn:
    raise RequestError(code, message)
