"""A mandate 委托: a principal lets an agent act for it, in named matters, for a time. A signed object of its own.

法定代表人 → 经办人, 老人 → 代办人, 监护人. A consent by an agent cites the mandate's id, and the check walks consent →
mandate → principal. There is no second link: an agent who could appoint agents would be one whom nobody chose.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, NoReturn

from audit.errors import AuthorizationError
from audit.purpose import MATTER_CODE
from audit.signed import MAX_BYTES, NONCE, SUITE, compact_of
from audit.terms import DAY, METHOD, WITNESS, Method, Witness, witness_from, witness_json
from ledger import canonical, jws
from ledger import schema as s
from ledger.canonical import Json
from ledger.jws import Compact, Signer

TYP = "certledger-mandate+jws"
VERSION = 1
LONGEST = 366 * DAY
"""Seconds: whoever needs help for longer is asked again."""
_DOMAIN = b"certledger/mandate/v1\x00"


class Relation(StrEnum):
    """Why one acts for the other."""

    LEGAL_REPRESENTATIVE = "legal_representative"
    """An enterprise, by its legal representative, sends somebody 法定代表人 → 经办人."""
    HELPER = "helper"
    """老人 → 代办人."""
    GUARDIAN = "guardian"
    """监护人: the principal cannot sign, so an agency witnesses that the agent is its guardian."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """Validated on construction. Times are seconds since 1970, [not_before, not_after)."""

    consortium: bytes
    nonce: bytes
    """16 random bytes."""
    relation: Relation
    principal: bytes
    """Salted digest of whom the agent acts for."""
    agent: bytes
    """Salted digest of the agent, a person."""
    matters: tuple[str, ...]
    """Codes of the matters, rising; never "all"."""
    not_before: int
    not_after: int
    method: Method
    witness: Witness | None
    """None: signed with a key of the principal's own."""
    basis: str

    def __post_init__(self) -> None:
        FORM.check(self.to_json())
        operators = [*self.witness.operators] if self.witness else []
        if sorted(set(self.matters)) != [*self.matters] or sorted(set(operators)) != operators:
            _refuse("MANDATE_ORDER", "a list is not in rising order, or says something twice")
        if not self.not_before < self.not_after <= self.not_before + LONGEST:
            _refuse("MANDATE_WINDOW", "ends before it begins, or too late", days=LONGEST // DAY)
        if self.principal == self.agent:
            _refuse("MANDATE_ONESELF", "nobody needs a mandate to act for himself")
        own_key = self.method is Method.HOLDER_KEY
        witnessed = self.witness is not None and self.witness.form is not None
        if own_key != (self.witness is None) or (not own_key and not witnessed):
            _refuse("MANDATE_METHOD", "signed by the principal's own key, or witnessed with a stored form")
        if self.relation is Relation.GUARDIAN and own_key:
            _refuse("MANDATE_GUARDIAN", "whoever has a guardian does not sign: an agency witnesses")

    def covers(self, time: int) -> bool:
        return self.not_before <= time < self.not_after

    def to_json(self) -> dict[str, Json]:
        return {
            "v": VERSION,
            "suite": SUITE,
            "consortium": self.consortium.hex(),
            "nonce": self.nonce.hex(),
            "relation": self.relation.value,
            "principal": self.principal.hex(),
            "agent": self.agent.hex(),
            "matters": list(self.matters),
            "not_before": self.not_before,
            "not_after": self.not_after,
            "method": self.method.value,
            "witness": witness_json(self.witness),
            "basis": self.basis,
        }


FORM = s.Form(
    "MANDATE_FORM",
    s.record(
        v={"type": "integer", "const": VERSION},
        suite={"const": SUITE},
        consortium=s.HEX32,
        nonce=NONCE,
        relation={"enum": [relation.value for relation in Relation]},
        principal=s.HEX32,
        agent=s.HEX32,
        matters={**s.rows(MATTER_CODE, 32), "minItems": 1},
        not_before=s.NATURAL,
        not_after=s.NATURAL,
        method=METHOD,
        witness=s.optional(WITNESS),
        basis={"type": "string", "minLength": 1, "maxLength": 200},
    ),
)


@dataclass(frozen=True, slots=True)
class PresentedMandate:
    """A mandate as it arrived: of the right form, by nobody yet."""

    mandate: Mandate
    untrusted: Compact

    @property
    def id(self) -> bytes:
        """SHA-256("certledger/mandate/v1" ‖ 0x00 ‖ protected ‖ "." ‖ payload): 32 bytes."""
        return sha256(_DOMAIN + self.untrusted.signing_input).digest()


def sign(mandate: Mandate, signer: Signer) -> str:
    """The compact JWS."""
    return jws.sign_compact(canonical.dumps(mandate.to_json()), typ=TYP, signer=signer)


def parse(untrusted: str) -> PresentedMandate:
    """Raises `VerificationError`, `CanonicalError` or `AuthorizationError`. No signature is verified here."""
    compact = compact_of(untrusted, TYP)
    return PresentedMandate(from_json(canonical.loads_canonical(compact.payload, max_bytes=MAX_BYTES)), compact)


def from_json(value: Any) -> Mandate:
    v = FORM.check(value)
    return Mandate(
        consortium=bytes.fromhex(v["consortium"]),
        nonce=bytes.fromhex(v["nonce"]),
        relation=Relation(v["relation"]),
        principal=bytes.fromhex(v["principal"]),
        agent=bytes.fromhex(v["agent"]),
        matters=tuple(v["matters"]),
        not_before=v["not_before"],
        not_after=v["not_after"],
        method=Method(v["method"]),
        witness=witness_from(v["witness"]),
        basis=v["basis"],
    )


def _refuse(code: str, message: str, **params: object) -> NoReturn:
    raise AuthorizationError(code, message, **params)
