"""The statement of an erasure: whose content is gone, by which right, and which two persons answer for it.

It names no holder. The operators' pseudonyms stand in it in the clear, unlike those in access records: that an erasure
was ordered must be answerable for longer than the openings of accesses are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.purpose import OPERATOR
from certs.errors import ErasureError
from ledger import schema as s
from ledger.canonical import Json
from ledger.sealing.envelope import KID_BYTES
from ledger.statement import Draft, Statement

ERASE = "certificate/erase"
MAX_BASIS = 200
_FORM = s.Form(
    "ERASURE_FORM",
    s.record(
        digest=s.HEX32,
        identifier={"type": "string", "minLength": 1, "maxLength": 200},
        log=s.HEX32,
        index=s.NATURAL,
        key={"type": "string", "pattern": f"^[0-9a-f]{{{2 * KID_BYTES}}}$"},
        basis={"type": "string", "minLength": 1, "maxLength": MAX_BASIS},
        operators={"type": "array", "items": OPERATOR, "minItems": 2, "maxItems": 2, "uniqueItems": True},
    ),
)
_OPERATOR = s.Form("ERASURE_FORM", s.record(operator=OPERATOR))


@dataclass(frozen=True, slots=True)
class Order:
    """Why something is erased, and who answers for it."""

    basis: str
    """The law or request; it names nobody."""
    operators: tuple[str, str]
    """Pseudonyms of two persons."""

    def __post_init__(self) -> None:
        first, second = self.operators
        if first == second:
            raise ErasureError("ERASURE_OPERATORS", "an erasure needs two persons")
        if not 0 < len(self.basis.strip()) <= MAX_BASIS or not self.basis.isprintable():
            raise ErasureError("ERASURE_BASIS", "an erasure needs a basis of one line", limit=MAX_BASIS)
        for operator in self.operators:
            _OPERATOR.check({"operator": operator})


@dataclass(frozen=True, slots=True)
class Erased:
    """What a statement says is erased."""

    digest: bytes
    """Of the certificate."""
    identifier: str
    log: bytes
    """Where it was recorded: id of the log,"""
    index: int
    """and its place there."""
    kid: bytes
    """Id of the key that is destroyed, 16 bytes."""
    order: Order

    def draft(self, agency: str) -> Draft:
        """`agency`: USCC of the issuer, whose content it was."""
        body: dict[str, Json] = {
            "digest": self.digest.hex(),
            "identifier": self.identifier,
            "log": self.log.hex(),
            "index": self.index,
            "key": self.kid.hex(),
            "basis": self.order.basis,
            "operators": [*self.order.operators],
        }
        _FORM.check(body)
        return Draft(ERASE, agency, body)


def read(statement: Statement) -> Erased:
    """Raises `VerificationError` ERASURE_FORM, `ErasureError`."""
    v = _FORM.check(statement.body if statement.type == ERASE else {})
    first, second = v["operators"]
    return Erased(
        digest=bytes.fromhex(v["digest"]),
        identifier=v["identifier"],
        log=bytes.fromhex(v["log"]),
        index=v["index"],
        kid=bytes.fromhex(v["key"]),
        order=Order(v["basis"], (first, second)),
    )
