"""An authorization: who lets whom read which fields of whom, for which matter, until when, how often. A signed object.

JWS ES256 over canonical JSON (docs/formats.md §17). The id is the digest of what is signed, never of the signature,
which ES256 lets anybody write anew. Fields belong to a resource: a list of resources beside a list of fields would
authorize every pair. There is no open window and no "any purpose", in no kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from audit import authorization_rules as rules
from audit import purpose as purposes
from audit import terms
from audit.purpose import Purpose
from audit.signed import MAX_BYTES, NONCE, SUITE, compact_of, optional_bytes, optional_hex
from audit.terms import Grantor, Kind, Method, Scope, Witness
from ledger import canonical, jws
from ledger import schema as s
from ledger.canonical import Json
from ledger.jws import Compact, Signer

TYP = "certledger-authorization+jws"
VERSION = 1
_DOMAIN = b"certledger/authorization/v1\x00"


@dataclass(frozen=True, slots=True)
class Authorization:
    """Validated on construction. Times are seconds since 1970, [not_before, not_after)."""

    consortium: bytes
    """Which ledger: it cannot be replayed into another one."""
    nonce: bytes
    """16 random bytes: two otherwise equal authorizations have different ids, and so different counters."""
    kind: Kind
    grantor: Grantor
    grantee: str
    """USCC of the agency that may read."""
    providers: tuple[int, ...]
    """City ids, rising."""
    subject: bytes | None
    """Salted digest of whom it is about; None in an agreement, and in an emergency about many."""
    scopes: tuple[Scope, ...]
    """Rising by resource, each once."""
    purpose: Purpose
    not_before: int
    not_after: int
    max_uses: int
    """Per provider."""
    daily_limit: int | None
    """Per provider and day in China; of an agreement."""
    review_by: int | None
    """Until when an emergency is to be reviewed."""
    method: Method | None
    witness: Witness | None
    """Of every kind but a consent, which the person signs alone."""
    basis: str
    """The law, agreement or decree it rests on."""

    def __post_init__(self) -> None:
        FORM.check(self.to_json())
        rules.check(self)

    def scope_of(self, resource: str) -> Scope | None:
        return next((scope for scope in self.scopes if scope.resource == resource), None)

    def to_json(self) -> dict[str, Json]:
        return {
            "v": VERSION,
            "suite": SUITE,
            "consortium": self.consortium.hex(),
            "nonce": self.nonce.hex(),
            "kind": self.kind.value,
            "grantor": terms.grantor_json(self.grantor),
            "grantee": self.grantee,
            "providers": list(self.providers),
            "subject": optional_hex(self.subject),
            "scopes": [
                {"resource": c.resource, "fields": list(c.fields), "item": optional_hex(c.item)} for c in self.scopes
            ],
            "purpose": self.purpose.to_json(),
            "not_before": self.not_before,
            "not_after": self.not_after,
            "max_uses": self.max_uses,
            "daily_limit": self.daily_limit,
            "review_by": self.review_by,
            "method": self.method and self.method.value,
            "witness": terms.witness_json(self.witness),
            "basis": self.basis,
        }


_COUNT: s.Schema = {"type": "integer", "minimum": 1, "maximum": 10**9}
FORM = s.Form(
    "AUTHORIZATION_FORM",
    s.record(
        v={"type": "integer", "const": VERSION},
        suite={"const": SUITE},
        consortium=s.HEX32,
        nonce=NONCE,
        kind={"enum": [kind.value for kind in Kind]},
        grantor=terms.GRANTOR,
        grantee=s.AGENCY,
        providers={**s.rows(s.CITY, 32), "minItems": 1, "uniqueItems": True},
        subject=s.optional(s.HEX32),
        scopes={**s.rows(terms.SCOPE, 16), "minItems": 1},
        purpose=purposes.SCHEMA,
        not_before=s.NATURAL,
        not_after=s.NATURAL,
        max_uses=_COUNT,
        daily_limit=s.optional(_COUNT),
        review_by=s.optional(s.NATURAL),
        method=s.optional(terms.METHOD),
        witness=s.optional(terms.WITNESS),
        basis={"type": "string", "minLength": 1, "maxLength": 200},
    ),
)


@dataclass(frozen=True, slots=True)
class Presented:
    """An authorization as it arrived: of the right form, by nobody yet. `audit.binding` says whose it is."""

    authorization: Authorization
    untrusted: Compact

    @property
    def id(self) -> bytes:
        return authorization_id(self.untrusted.signing_input)


def authorization_id(signing_input: bytes) -> bytes:
    """SHA-256("certledger/authorization/v1" ‖ 0x00 ‖ protected ‖ "." ‖ payload): 32 bytes."""
    return sha256(_DOMAIN + signing_input).digest()


def sign(authorization: Authorization, signer: Signer) -> str:
    """The compact JWS."""
    return jws.sign_compact(canonical.dumps(authorization.to_json()), typ=TYP, signer=signer)


def parse(untrusted: str) -> Presented:
    """Raises `VerificationError`, `CanonicalError` or `AuthorizationError`. No signature is verified here."""
    compact = compact_of(untrusted, TYP)
    return Presented(from_json(canonical.loads_canonical(compact.payload, max_bytes=MAX_BYTES)), compact)


def from_json(value: Any) -> Authorization:
    v = FORM.check(value)
    g = v["grantor"]
    return Authorization(
        consortium=bytes.fromhex(v["consortium"]),
        nonce=bytes.fromhex(v["nonce"]),
        kind=Kind(v["kind"]),
        grantor=Grantor(optional_bytes(g["holder"]), g["agency"], optional_bytes(g["mandate"])),
        grantee=v["grantee"],
        providers=tuple(v["providers"]),
        subject=optional_bytes(v["subject"]),
        scopes=tuple(Scope(c["resource"], tuple(c["fields"]), optional_bytes(c["item"])) for c in v["scopes"]),
        purpose=purposes.from_json(v["purpose"]),
        not_before=v["not_before"],
        not_after=v["not_after"],
        max_uses=v["max_uses"],
        daily_limit=v["daily_limit"],
        review_by=v["review_by"],
        method=Method(v["method"]) if v["method"] else None,
        witness=terms.witness_from(v["witness"]),
        basis=v["basis"],
    )
