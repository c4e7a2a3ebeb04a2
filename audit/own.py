"""Readings that need no authorization: one's own. They are recorded like every other, or a log by person has holes.

The holder reads what is about him; staff of the agency that provides an entry reads what it keeps, and says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from audit.decision import Decision, DecisionCode
from audit.request import Rules
from audit.subject import Holder

HISTORY = "access_history"
"""The record of who read what about a person: a resource that every city has, whatever its catalogue says."""
HISTORY_FIELDS = ("agency", "authorization", "fields", "outcome", "purpose", "time")


class Ground(StrEnum):
    """By which right something was read."""

    AUTHORIZATION = "authorization"
    OWN_HOLDER = "own_holder"
    OWN_STAFF = "own_staff"


@dataclass(frozen=True, slots=True)
class OwnReading:
    """Who reads was identified before; `ground` is what he claims."""

    id: bytes
    ground: Ground
    reader: Holder | None
    """The person, if he reads as holder."""
    agency: str
    """USCC of the agency whose staff reads, or at whose counter or page the holder does."""
    subject: Holder | None
    """None: whoever the item is about, as staff learns by reading it."""
    resource: str
    fields: tuple[str, ...]


def decide_own(reading: OwnReading, rules: Rules, now: int, *, repeated: bool = False) -> Decision:
    """ALLOW, or the refusal; `repeated`: a reading of this id was decided before."""
    code = _code(reading, rules, repeated)
    return Decision(
        code=code,
        request=reading.id,
        policy=rules.version,
        decided_at=now,
        authorization=None,
        mandate=None,
        status=None,
        fields=reading.fields,
        params={
            "agency": reading.agency,
            "matter": reading.ground.value,
            "resource": reading.resource,
            "fields": ", ".join(reading.fields),
        },
    )


def _code(reading: OwnReading, rules: Rules, repeated: bool) -> DecisionCode:
    resource = rules.catalogue.get(reading.resource)
    if repeated:
        return DecisionCode.REQUEST_REPEATED
    itself = reading.reader is not None and reading.reader == reading.subject
    holder = reading.ground is Ground.OWN_HOLDER and itself
    if reading.resource == HISTORY:
        # Staff that looks who read a person's data audits, and names itself in another record.
        return DecisionCode.ALLOW if holder and reading.fields == HISTORY_FIELDS else DecisionCode.NOT_OWN
    if resource is None:
        return DecisionCode.RESOURCE_UNKNOWN
    if not reading.fields or not resource.fields.issuperset(reading.fields):
        return DecisionCode.FIELD_UNKNOWN
    staff = reading.ground is Ground.OWN_STAFF and reading.agency == resource.provider
    return DecisionCode.ALLOW if holder or staff else DecisionCode.NOT_OWN
