"""Access records: who asked, what was decided, what went out, what arrived. Statements of the stream `access`.

One body for all five types, every member present, null where a type has nothing to say. What two cities must compare
without opening anything stands in the clear; what tells of a person (subject, item, operator, case, response) stands as
a salted digest (docs/adr/0021). A record is durable before the thing it records happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from audit.decision import DecisionCode, StatusBlock
from audit.errors import AccessError
from audit.own import Ground
from audit.private import DIGESTS, Opened, Openings, conceal, reveal, values
from audit.purpose import CASE, MATTER_CODE, OPERATOR, USE_CAUSE, UseCause
from audit.signed import optional_bytes, optional_hex
from audit.terms import FIELDS, RESOURCE
from ledger import schema as s
from ledger.canonical import Json
from ledger.statement import Draft, Statement
from ledger.status import Status


class AccessStep(StrEnum):
    """The types of statement, in the order in which they happen."""

    ASKED = "access/asked"
    """By the asker, before it sends."""
    DECIDED = "access/decided"
    """By the provider, allow or deny, before anything leaves."""
    RELEASED = "access/released"
    """By the provider, of data it holds."""
    CLOSED = "access/closed"
    """By the provider, when a gateway has reported what became of a permit."""
    RECEIVED = "access/received"
    """By the asker, before it shows a field."""


ASKER_SIDE = frozenset({AccessStep.ASKED, AccessStep.RECEIVED})
WITH_CODE = frozenset({AccessStep.DECIDED, AccessStep.RECEIVED})


@dataclass(frozen=True, slots=True)
class Access:
    """One record. From `operator` on the members are private; None: nothing to say, or `hidden`."""

    step: AccessStep
    request: bytes
    asker: str
    """USCC of the agency that reads."""
    asker_city: int
    provider: int
    """City id."""
    resource: str
    fields: tuple[str, ...]
    """Asked for; in `released`, `closed` and `received`: what went out or came in. Rising."""
    ground: Ground
    matter: str | None
    authorization: bytes | None
    mandate: bytes | None
    code: DecisionCode | None
    """Decided; in `received`: as it was told."""
    policy: bytes | None
    status: StatusBlock | None
    signature: bytes | None
    """SHA-256 of the request's signature; None: nothing came over the network."""
    kid: str | None
    permit: bytes | None
    operator: str | None
    """Pseudonym of the person who reads."""
    subject_ref: str | None
    item: bytes | None
    """Digest of the certificate."""
    case: str | None
    """办件编号."""
    purpose: UseCause | None
    response: bytes | None
    """SHA-256 of the response."""
    hidden: frozenset[str] = frozenset()
    """Names of private members that were recorded and are not open here."""

    def __post_init__(self) -> None:
        if [*self.fields] != sorted(set(self.fields)):
            raise AccessError("ACCESS_MEMBERS", "fields stand in rising order, each once")
        if self.code is DecisionCode.NOT_AVAILABLE and self.step is AccessStep.DECIDED:
            raise AccessError("ACCESS_MEMBERS", "a provider records what it decided, not what it told")
        if (self.code is not None) != (self.step in WITH_CODE):
            raise AccessError("ACCESS_MEMBERS", "a decision stands in decided and received, and nowhere else")
        if (self.policy is not None) != (self.step is AccessStep.DECIDED):
            raise AccessError("ACCESS_MEMBERS", "the policy's version stands in decided, and nowhere else")
        if self.step is AccessStep.CLOSED and self.permit is None:
            raise AccessError("ACCESS_MEMBERS", "what is closed is a permit")
        if (self.ground is Ground.AUTHORIZATION) != (self.matter is not None):
            raise AccessError("ACCESS_MEMBERS", "a reading by authorization has a matter, one's own has none")

    @property
    def allowed(self) -> bool:
        return self.code is DecisionCode.ALLOW


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record in its place, as an auditor or a holder looks at it."""

    access: Access
    city: int
    """Whose log it stands in."""
    agency: str
    """USCC of the agency that acted."""
    at: int
    """When it was recorded by that city's clock, seconds."""
    log: bytes
    index: int
    leaf: bytes
    """Leaf hash: what a finding cites as evidence."""
    anchored: int | None = None
    """Block time of the first head that covers it; None: not anchored yet."""


_STATUS = s.record(
    authorization={"enum": [int(status) for status in Status]},
    mandate={"enum": [int(status) for status in Status]},
    read_at=s.NATURAL,
)
FORM = s.Form(
    "ACCESS_FORM",
    s.record(
        request=s.HEX32,
        asker=s.AGENCY,
        asker_city=s.CITY,
        provider=s.CITY,
        resource=RESOURCE,
        fields={**FIELDS, "minItems": 0},
        ground={"enum": [ground.value for ground in Ground]},
        matter=s.optional(MATTER_CODE),
        authorization=s.optional(s.HEX32),
        mandate=s.optional(s.HEX32),
        code=s.optional({"enum": [int(code) for code in DecisionCode]}),
        policy=s.optional(s.HEX32),
        status=s.optional(_STATUS),
        signature=s.optional(s.HEX32),
        kid=s.optional(s.KID),
        permit=s.optional(s.HEX32),
        private=DIGESTS,
    ),
)
_STEPS = {step.value: step for step in AccessStep}
_NO_PRIVATE: dict[str, Json] = dict.fromkeys(("operator", "subject_ref", "item", "case", "purpose", "response"))
_PRIVATE_FORM = s.Form(
    "ACCESS_FORM",
    s.record(
        operator=s.optional(OPERATOR),
        subject_ref=s.optional({"type": "string", "pattern": "^[0-9a-f]{96}$"}),
        item=s.optional(s.HEX32),
        case=s.optional(CASE),
        purpose=s.optional(USE_CAUSE),
        response=s.optional(s.HEX32),
    ),
)


def private_count(access: Access) -> int:
    """How many members need a salt."""
    return sum(getattr(access, name) is not None for name in _NO_PRIVATE)


def private_members(access: Access) -> dict[str, Json]:
    """What is salted, by name; each needs a salt."""
    members: dict[str, Json] = {
        "operator": access.operator,
        "subject_ref": access.subject_ref,
        "item": optional_hex(access.item),
        "case": access.case,
        "purpose": access.purpose.to_json() if access.purpose else None,
        "response": optional_hex(access.response),
    }
    return {name: value for name, value in members.items() if value is not None}


def draft(access: Access, agency: str, salts: bytes) -> tuple[Draft, dict[str, Opened]]:
    """What to record, and the openings to keep beside it. `agency`: USCC of the agency that acts."""
    if access.hidden:
        raise AccessError("ACCESS_MEMBERS", "a record with hidden members cannot be recorded again")
    digests, openings = conceal(private_members(access), salts)
    body: dict[str, Json] = {
        "request": access.request.hex(),
        "asker": access.asker,
        "asker_city": access.asker_city,
        "provider": access.provider,
        "resource": access.resource,
        "fields": list(access.fields),
        "ground": access.ground.value,
        "matter": access.matter,
        "authorization": optional_hex(access.authorization),
        "mandate": optional_hex(access.mandate),
        "code": None if access.code is None else int(access.code),
        "policy": optional_hex(access.policy),
        "status": _status_json(access.status),
        "signature": optional_hex(access.signature),
        "kid": access.kid,
        "permit": optional_hex(access.permit),
        "private": digests,
    }
    FORM.check(body)
    return Draft(access.step.value, agency, body), openings


def decode(statement: Statement, openings: Openings, *, fitting: bool = False) -> Access:
    """The record, with what is opened. `fitting`: the openings were compared with their digests already.

    Raises `VerificationError` or `AccessError`.
    """
    step = _STEPS.get(statement.type)
    if step is None:
        raise AccessError("ACCESS_TYPE", "not a statement of an access", type=statement.type)
    v = FORM.check(statement.body)
    if not v["private"].keys() <= _NO_PRIVATE.keys():
        raise AccessError("ACCESS_MEMBERS", "a private member that no access has")
    revealed = values(openings) if fitting else reveal(v["private"], openings)
    private = _PRIVATE_FORM.check(_NO_PRIVATE | revealed)
    return Access(
        step=step,
        request=bytes.fromhex(v["request"]),
        asker=v["asker"],
        asker_city=v["asker_city"],
        provider=v["provider"],
        resource=v["resource"],
        fields=tuple(v["fields"]),
        ground=Ground(v["ground"]),
        matter=v["matter"],
        authorization=optional_bytes(v["authorization"]),
        mandate=optional_bytes(v["mandate"]),
        code=None if v["code"] is None else DecisionCode(v["code"]),
        policy=optional_bytes(v["policy"]),
        status=_status_from(v["status"]),
        signature=optional_bytes(v["signature"]),
        kid=v["kid"],
        permit=optional_bytes(v["permit"]),
        operator=private["operator"],
        subject_ref=private["subject_ref"],
        item=optional_bytes(private["item"]),
        case=private["case"],
        purpose=UseCause(**private["purpose"]) if private["purpose"] else None,
        response=optional_bytes(private["response"]),
        hidden=frozenset(v["private"].keys() - openings.keys()),
    )


def _status_json(status: StatusBlock | None) -> Json:
    if status is None:
        return None
    return {"authorization": int(status.authorization), "mandate": int(status.mandate), "read_at": status.read_at}


def _status_from(value: Any) -> StatusBlock | None:
    return value and StatusBlock(Status(value["authorization"]), Status(value["mandate"]), value["read_at"])
