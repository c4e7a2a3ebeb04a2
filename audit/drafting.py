"""From a request and its decision to the records of both sides: what is recorded follows from what was decided.

So the place that stores records chooses nothing: a refusal is recorded with everything that was asked, and what comes
later repeats what the record before it said.
"""

from __future__ import annotations

from dataclasses import replace

from audit.access import Access, AccessStep
from audit.authorization import Presented
from audit.decision import Decision, DecisionCode, told
from audit.errors import AccessError
from audit.own import Ground, OwnReading
from audit.purpose import UseCause
from audit.request import Request


def asked(
    request: Request, shown: Presented | None, *, asker_city: int, signature: bytes, kid: str, subject_ref: str
) -> Access:
    """What the asker records before it sends. `subject_ref`: its own city's; `signature`: digest of the request's."""
    return Access(
        step=AccessStep.ASKED,
        request=request.id,
        asker=request.agency,
        asker_city=asker_city,
        provider=request.provider,
        resource=request.resource,
        fields=request.fields,
        ground=Ground.AUTHORIZATION,
        matter=request.purpose.matter_code,
        authorization=shown.id if shown else None,
        mandate=shown.authorization.grantor.mandate if shown else None,
        code=None,
        policy=None,
        status=None,
        signature=signature,
        kid=kid,
        permit=None,
        operator=request.operator,
        subject_ref=subject_ref,
        item=request.item,
        case=request.purpose.business_code,
        purpose=request.purpose.use_cause,
        response=None,
    )


def decided(
    request: Request,
    decision: Decision,
    *,
    asker_city: int,
    signature: bytes,
    kid: str,
    subject_ref: str,
    permit: bytes | None = None,
) -> Access:
    """What the provider records before anything leaves. `subject_ref`: its own city's; `permit`: of the one given."""
    _of(request.id, decision)
    asking = asked(request, None, asker_city=asker_city, signature=signature, kid=kid, subject_ref=subject_ref)
    return replace(
        asking,
        step=AccessStep.DECIDED,
        authorization=decision.authorization,
        mandate=decision.mandate,
        code=decision.code,
        policy=decision.policy,
        status=decision.status,
        permit=permit,
    )


def own(
    reading: OwnReading,
    decision: Decision,
    *,
    city: int,
    subject_ref: str | None,
    operator: str | None = None,
    case: str | None = None,
    purpose: UseCause | None = None,
    item: bytes | None = None,
) -> Access:
    """A reading of one's own. Staff names itself, and why; the holder is known by `subject_ref` already."""
    _of(reading.id, decision)
    if reading.ground is Ground.OWN_STAFF and (operator is None or purpose is None):
        raise AccessError("ACCESS_MEMBERS", "staff that reads says who it is and why")
    return Access(
        step=AccessStep.DECIDED,
        request=reading.id,
        asker=reading.agency,
        asker_city=city,
        provider=city,
        resource=reading.resource,
        fields=reading.fields,
        ground=reading.ground,
        matter=None,
        authorization=None,
        mandate=None,
        code=decision.code,
        policy=decision.policy,
        status=None,
        signature=None,
        kid=None,
        permit=None,
        operator=operator,
        subject_ref=subject_ref,
        item=item,
        case=case,
        purpose=purpose,
        response=None,
    )


def released(record: Access, response: bytes) -> Access:
    """After `record` allowed it, this answer goes out."""
    if not record.allowed or record.step is not AccessStep.DECIDED or record.permit is not None:
        raise AccessError("ACCESS_NOT_ALLOWED", "nothing is released that was not allowed here")
    return _later(record, AccessStep.RELEASED, response)


def closed(record: Access, response: bytes | None) -> Access:
    """A gateway reported the digest of what it sent under the permit of `record`; None: it sent nothing."""
    if not record.allowed or record.step is not AccessStep.DECIDED or record.permit is None:
        raise AccessError("ACCESS_NOT_ALLOWED", "nothing is released that was not allowed here")
    return _later(record, AccessStep.CLOSED, response)


def received(record: Access, code: DecisionCode, fields: tuple[str, ...], response: bytes | None) -> Access:
    """What came back to the asking `record`, before a field is shown: the code as it was told."""
    came = fields if code is DecisionCode.ALLOW else ()
    return replace(record, step=AccessStep.RECEIVED, code=told(code), fields=came, response=response)


def _later(record: Access, step: AccessStep, response: bytes | None) -> Access:
    return replace(record, step=step, code=None, policy=None, status=None, response=response)


def _of(request: bytes, decision: Decision) -> None:
    if decision.request != request:
        raise AccessError("ACCESS_NOT_ALLOWED", "a decision about another request")
