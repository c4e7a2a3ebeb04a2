"""Access records as two cities would write them: one reading by authorization, from asking to receiving."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from audit_world import GRANTEE, HERE, LICENCE, MATTER_CODE, NAME, NOW, PERSON, PROVIDER, PURPOSE, THERE, key

from audit.access import ASKER_SIDE, Access, AccessStep, Recorded, draft, private_members
from audit.decision import DecisionCode, StatusBlock
from audit.own import Ground
from audit.subject import subject_ref
from ledger.commitment import statement_leaf
from ledger.logid import ACCESS, log_id
from ledger.statement import Statement, timestamp
from ledger.status import Status

CITY_KEYS = {HERE: sha256(b"K here").digest(), THERE: sha256(b"K there").digest()}
ANSWER = sha256(b"answer").digest()


def digest(name: str) -> bytes:
    return sha256(name.encode()).digest()


def access(step: AccessStep, request: str = "r", **changes: Any) -> Access:
    """One record of the reading `request`; what a type does not say is None."""
    asker = step in ASKER_SIDE
    decided = step is AccessStep.DECIDED
    base = Access(
        step=step,
        request=digest(request),
        asker=GRANTEE,
        asker_city=THERE,
        provider=HERE,
        resource=LICENCE,
        fields=(NAME,),
        ground=Ground.AUTHORIZATION,
        matter=MATTER_CODE,
        authorization=digest("authorization"),
        mandate=None,
        code=DecisionCode.ALLOW if decided or step is AccessStep.RECEIVED else None,
        policy=digest("policy") if decided else None,
        status=StatusBlock(Status.ACTIVE, Status.ACTIVE, NOW - 30) if decided else None,
        signature=digest(f"signature of {request}"),
        kid=key("http").kid,
        permit=digest("permit") if step is AccessStep.CLOSED else None,
        operator=PURPOSE.operator,
        subject_ref=subject_ref(PERSON, CITY_KEYS[THERE if asker else HERE]),
        item=digest("item"),
        case=PURPOSE.business_code,
        purpose=PURPOSE.use_cause,
        response=None if step is AccessStep.ASKED else ANSWER,
    )
    return replace(base, **changes)


def salts(one: Access) -> bytes:
    names = len(private_members(one))
    return b"".join(digest(f"salt {one.step} {number}") for number in range(names))


def statement(one: Access, at: int = NOW) -> tuple[Statement, Any]:
    """The statement, and the openings."""
    agency = one.asker if one.step in ASKER_SIDE else PROVIDER
    city = one.asker_city if one.step in ASKER_SIDE else one.provider
    made, openings = draft(one, agency, salts(one))
    moment = timestamp(datetime.fromtimestamp(at, UTC))
    return Statement(log_id(city, ACCESS), ACCESS, made.type, moment, made.agency, made.body), openings


def recorded(one: Access, *, at: int = NOW, index: int = 0, anchored: int | None = NOW + 60) -> Recorded:
    """The record in its place."""
    asker = one.step in ASKER_SIDE
    city = one.asker_city if asker else one.provider
    text, _ = statement(one, at)
    leaf = statement_leaf(text.encode(), digest(f"{city} {index}"))
    return Recorded(one, city, text.agency, at, text.log, index, leaf, anchored)


def reading(request: str = "r", at: int = NOW, **changes: Any) -> dict[AccessStep, Recorded]:
    """All four records of one reading that went well."""
    steps = (AccessStep.ASKED, AccessStep.DECIDED, AccessStep.RELEASED, AccessStep.RECEIVED)
    return {
        step: recorded(access(step, request, **changes), at=at + offset, index=offset, anchored=at + 60)
        for offset, step in enumerate(steps)
    }
