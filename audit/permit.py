"""A permit: the provider's signed word, for a minute, that one gateway may release exactly these fields once.

For data we do not hold: the decision is recorded here, the release happens elsewhere. A gateway releases only against
a permit and then reports the digest of what it sent; a permit never closed is a finding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn

from audit.access import AccessStep, Recorded
from audit.decision import Decision
from audit.errors import PermitError
from audit.finding import Finding, FindingCode, found
from audit.request import Request
from audit.signed import MAX_BYTES, SUITE, compact_of, optional_bytes, optional_hex
from audit.terms import FIELDS, RESOURCE
from ledger import canonical, jws
from ledger import schema as s
from ledger.canonical import Json
from ledger.jws import Signer

TYP = "certledger-permit+jws"
VERSION = 1
LONGEST = 60
"""Seconds a permit may live."""
REPORT_WITHIN = 600
"""Seconds after its end in which a gateway reports what became of it."""
_DOMAIN = b"certledger/permit/v1\x00"


@dataclass(frozen=True, slots=True)
class Permit:
    """Validated on construction. Times are seconds since 1970, [issued_at, expires_at)."""

    consortium: bytes
    request: bytes
    """Id of the request; a permit for another one is none."""
    grantee: str
    provider: int
    resource: str
    fields: tuple[str, ...]
    item: bytes | None
    leaf: bytes
    """Leaf hash of the `access/decided` that allowed it: no permit without a record."""
    issued_at: int
    expires_at: int

    def __post_init__(self) -> None:
        FORM.check(self.to_json())
        if sorted(self.fields) != [*self.fields]:
            raise PermitError("PERMIT_FIELDS", "fields stand in rising order")
        if not self.issued_at < self.expires_at <= self.issued_at + LONGEST:
            raise PermitError("PERMIT_WINDOW", "a permit lives at most a minute", longest=LONGEST)

    @property
    def id(self) -> bytes:
        """SHA-256("certledger/permit/v1" ‖ 0x00 ‖ JCS(permit without `leaf`)): what `access/decided` and `closed` name.

        The record names the permit and the permit names the record's leaf, so one of the two leaves the other out.
        """
        return sha256(_DOMAIN + canonical.dumps({n: v for n, v in self.to_json().items() if n != "leaf"})).digest()

    def to_json(self) -> dict[str, Json]:
        return {
            "v": VERSION,
            "suite": SUITE,
            "consortium": self.consortium.hex(),
            "request": self.request.hex(),
            "grantee": self.grantee,
            "provider": self.provider,
            "resource": self.resource,
            "fields": list(self.fields),
            "item": optional_hex(self.item),
            "leaf": self.leaf.hex(),
            "issued_at": self.issued_at,
            "expires_at": self.expires_at,
        }


FORM = s.Form(
    "PERMIT_FORM",
    s.record(
        v={"type": "integer", "const": VERSION},
        suite={"const": SUITE},
        consortium=s.HEX32,
        request=s.HEX32,
        grantee=s.AGENCY,
        provider=s.CITY,
        resource=RESOURCE,
        fields=FIELDS,
        item=s.optional(s.HEX32),
        leaf=s.HEX32,
        issued_at=s.NATURAL,
        expires_at=s.NATURAL,
    ),
)


def issue(request: Request, decision: Decision, *, consortium: bytes, leaf: bytes, now: int) -> Permit:
    """The permit that follows from a recorded decision. Raises `PermitError` if that refused, or is another's."""
    if not decision.allowed or decision.request != request.id:
        _refuse("PERMIT_NOT_DECIDED", "no decision of this request allows it")
    return Permit(
        consortium=consortium,
        request=request.id,
        grantee=request.agency,
        provider=request.provider,
        resource=request.resource,
        fields=decision.fields,
        item=request.item,
        leaf=leaf,
        issued_at=now,
        expires_at=now + LONGEST,
    )


def sign(permit: Permit, signer: Signer) -> str:
    """The compact JWS, by a key of use *receipt*."""
    return jws.sign_compact(canonical.dumps(permit.to_json()), typ=TYP, signer=signer)


def verify(untrusted: str, *, x: bytes, y: bytes, consortium: bytes) -> Permit:
    """Raises unless the key (x, y) signed it for this ledger. Whether it fits a release, `check` says."""
    compact = compact_of(untrusted, TYP)
    if jws.b64url(jws.thumbprint(x, y)) != compact.kid:
        _refuse("PERMIT_KEY", "signed with another key than the provider's")
    jws.verify(compact, x=x, y=y)
    permit = from_json(canonical.loads_canonical(compact.payload, max_bytes=MAX_BYTES))
    if permit.consortium != consortium:
        _refuse("PERMIT_LEDGER", "made for another ledger")
    return permit


def check(permit: Permit, *, request: bytes, grantee: str, resource: str, fields: tuple[str, ...], now: int) -> None:
    """What a gateway asks before it releases `fields` to `grantee`. Raises `PermitError`."""
    if permit.request != request:
        _refuse("PERMIT_OTHER_REQUEST", "a permit for another request")
    if permit.grantee != grantee:
        _refuse("PERMIT_OTHER_GRANTEE", "a permit for another agency")
    if permit.resource != resource or not set(fields) <= set(permit.fields):
        _refuse("PERMIT_OTHER_FIELDS", "the release would be more than the permit")
    if not permit.issued_at <= now < permit.expires_at:
        _refuse("PERMIT_EXPIRED", "the permit's minute is over, or has not begun")


def from_json(value: Any) -> Permit:
    v = FORM.check(value)
    return Permit(
        consortium=bytes.fromhex(v["consortium"]),
        request=bytes.fromhex(v["request"]),
        grantee=v["grantee"],
        provider=v["provider"],
        resource=v["resource"],
        fields=tuple(v["fields"]),
        item=optional_bytes(v["item"]),
        leaf=bytes.fromhex(v["leaf"]),
        issued_at=v["issued_at"],
        expires_at=v["expires_at"],
    )


def _refuse(code: str, message: str) -> NoReturn:
    raise PermitError(code, message)


def unclosed(records: Iterable[Recorded], now: int) -> tuple[Finding, ...]:
    """PERMIT_UNCLOSED: permits whose end no gateway reported, although they are over for long enough."""
    listed = [record for record in records if record.access.permit is not None]
    closed = {record.access.permit for record in listed if record.access.step is AccessStep.CLOSED}
    return tuple(
        found(
            FindingCode.PERMIT_UNCLOSED,
            (record,),
            city=record.city,
            agency=record.agency,
            request=record.access.request,
        )
        for record in listed
        if record.access.step is AccessStep.DECIDED
        and record.access.allowed
        and record.access.permit not in closed
        and now - record.at > LONGEST + REPORT_WITHIN
    )
