"""The provider's answer: what was decided as the asker is told it, what is released, and the receipt of the record.

Compact JWS ES256, `typ` certledger-answer+jws, by the provider's key of use *receipt*. What is released is encrypted to
the asking city's key of use *enc*; its digest stands in both sides' records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from audit.decision import DecisionCode
from audit.errors import RequestError
from audit.signed import SUITE
from audit.terms import FIELDS
from ledger import canonical, jws
from ledger import schema as s
from ledger.canonical import Json
from ledger.jws import Compact, Signer

TYP = "certledger-answer+jws"
CONTENT_TYP = "certledger-content+jwe"
VERSION = 1
MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    consortium: bytes
    request: bytes
    """Id."""
    provider: int
    code: DecisionCode
    """As it is told."""
    fields: tuple[str, ...]
    """Released; empty if it was refused."""
    content: str | None
    """JWE of what is released; None if it was refused."""
    receipt: str
    """Of the record of the decision: a JWS."""

    def __post_init__(self) -> None:
        FORM.check(self.to_json())
        if (self.code is DecisionCode.ALLOW) != (self.content is not None):
            raise RequestError("ANSWER_CONTENT", "something comes with an allowed request, and with no other")

    def to_json(self) -> dict[str, Json]:
        return {
            "v": VERSION,
            "suite": SUITE,
            "consortium": self.consortium.hex(),
            "request": self.request.hex(),
            "provider": self.provider,
            "code": int(self.code),
            "fields": list(self.fields),
            "content": self.content,
            "receipt": self.receipt,
        }


_TOKEN: s.Schema = {"type": "string", "maxLength": MAX_BYTES, "pattern": r"^[A-Za-z0-9_.-]+$"}
FORM = s.Form(
    "ANSWER_FORM",
    s.record(
        v={"type": "integer", "const": VERSION},
        suite={"const": SUITE},
        consortium=s.HEX32,
        request=s.HEX32,
        provider=s.CITY,
        code={"enum": [int(code) for code in DecisionCode]},
        fields={**FIELDS, "minItems": 0},
        content=s.optional(_TOKEN),
        receipt=_TOKEN,
    ),
)


def sign(answer: Answer, signer: Signer) -> str:
    """The compact JWS."""
    return jws.sign_compact(canonical.dumps(answer.to_json()), typ=TYP, signer=signer)


@dataclass(frozen=True, slots=True)
class PresentedAnswer:
    """An answer as it arrived: of the right form, by nobody yet."""

    answer: Answer
    untrusted: Compact


def parse(untrusted: str) -> PresentedAnswer:
    """Raises `VerificationError`, `CanonicalError` or `AuditError`. No signature is verified here."""
    compact = _compact(untrusted)
    v = FORM.check(canonical.loads_canonical(compact.payload, max_bytes=MAX_BYTES))
    answer = Answer(
        consortium=bytes.fromhex(v["consortium"]),
        request=bytes.fromhex(v["request"]),
        provider=v["provider"],
        code=DecisionCode(v["code"]),
        fields=tuple(v["fields"]),
        content=v["content"],
        receipt=v["receipt"],
    )
    return PresentedAnswer(answer, compact)


def verify(presented: PresentedAnswer, *, x: bytes, y: bytes, consortium: bytes, provider: int) -> Answer:
    """Raises unless the key (x, y) signed it for this ledger, for the city that was asked."""
    if jws.b64url(jws.thumbprint(x, y)) != presented.untrusted.kid:
        _refuse("ANSWER_KEY", "signed with another key than the provider's")
    jws.verify(presented.untrusted, x=x, y=y)
    if (presented.answer.consortium, presented.answer.provider) != (consortium, provider):
        _refuse("ANSWER_OTHER", "an answer of another ledger or city")
    return presented.answer


def _compact(untrusted: str) -> Compact:
    if len(untrusted) > 2 * MAX_BYTES or not untrusted.isascii():
        _refuse("ANSWER_TOO_LARGE", "longer than an answer can be")
    return jws.parse_compact(untrusted, typ=TYP)


def _refuse(code: str, message: str) -> NoReturn:
    raise RequestError(code, message)
