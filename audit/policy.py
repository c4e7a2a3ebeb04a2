"""May this be read? Pure and deny by default: a list of questions, and the first that is not answered well refuses.

Everything is handed in: the rules, the request as it was verified, the authorization as it was bound, the statuses as
they were last read, the uses as they were counted under the authorization's lock. Nothing asks the chain or a clock.
"""

from __future__ import annotations

from audit.binding import Bound, BoundMandate
from audit.decision import Decision, DecisionCode, StatusBlock
from audit.lists import Lists
from audit.matter import Matter, Matters
from audit.request import Request, Rules, StatusView, Unbound, Uses
from audit.resource import Resource, Sharing
from audit.terms import Kind
from ledger.status import FINAL, Status

MAX_STATUS_AGE = 15 * 60
"""Seconds: an older view of the chain cannot say that nothing was revoked."""
CLOCK_SKEW = 5 * 60
"""A view this far ahead of our clock says that one of the two clocks is wrong."""


class _Refused(Exception):
    def __init__(self, code: DecisionCode, fields: tuple[str, ...] = ()) -> None:
        super().__init__(code.name)
        self.code = code
        self.fields = fields


def decide(
    request: Request,
    shown: Bound | Unbound | None,
    rules: Rules,
    view: StatusView,
    uses: Uses,
    now: int,
    *,
    held: bool = True,
) -> Decision:
    """`held`: there is such an entry of the subject here. Never raises for a bad request: it refuses."""
    mandate, status = None, None
    if isinstance(shown, Unbound):
        mandate = shown.mandate
    elif shown is not None:
        mandate = shown.authorization.grantor.mandate
        status = StatusBlock(view.of(shown.id), view.of(mandate) if mandate else Status.ACTIVE, view.read_at)
    code, fields = DecisionCode.ALLOW, request.fields
    try:
        _ask(request, shown, rules, view, uses, now, held)
    except _Refused as refused:
        code, fields = refused.code, refused.fields
    return Decision(
        code=code,
        request=request.id,
        policy=rules.version,
        decided_at=now,
        authorization=shown.id if shown else None,
        mandate=mandate,
        status=status,
        fields=fields,
        params={
            "agency": request.agency,
            "matter": request.purpose.matter_code,
            "resource": request.resource,
            "fields": ", ".join(fields),
        },
    )


def _ask(
    request: Request, shown: Bound | Unbound | None, rules: Rules, view: StatusView, uses: Uses, now: int, held: bool
) -> None:
    """The order is that of the codes; a passer-by learns about the matter before anything about a person."""
    if uses.repeated:
        raise _Refused(DecisionCode.REQUEST_REPEATED)
    matter = _purpose(request, rules.matters)
    resource = _resource(request, matter, rules)
    bound = _authorized(request, shown)
    _in_force(bound, matter, view, now)
    _by_kind(bound, resource, rules.lists, uses)
    _amount(request, bound, matter, uses)
    if not held:
        raise _Refused(DecisionCode.NOTHING_HELD)


def _purpose(request: Request, matters: Matters) -> Matter:
    """A catalogued matter under its own name, a case, and the asker taking part in it."""
    purpose = request.purpose
    matter = matters.get(purpose.matter_code)
    if matter is None:
        raise _Refused(DecisionCode.MATTER_UNKNOWN)
    if purpose.matter_name != matter.name:
        raise _Refused(DecisionCode.MATTER_NAME_DIFFERS)
    if request.agency not in matter.agencies:
        raise _Refused(DecisionCode.MATTER_NOT_OF_AGENCY)
    if purpose.business_code is None:
        raise _Refused(DecisionCode.CASE_MISSING)
    if (purpose.org, purpose.operator) != (request.agency, request.operator):
        raise _Refused(DecisionCode.PURPOSE_OF_ANOTHER)
    return matter


def _resource(request: Request, matter: Matter, rules: Rules) -> Resource:
    """Known fields of a shared resource, needed by the matter, none on the negative list."""
    resource = rules.catalogue.get(request.resource)
    if resource is None:
        raise _Refused(DecisionCode.RESOURCE_UNKNOWN)
    if resource.sharing is Sharing.NOT_SHARED:
        raise _Refused(DecisionCode.RESOURCE_NOT_SHARED)
    _within(request.fields, resource.fields, DecisionCode.FIELD_UNKNOWN)
    _within(request.fields, matter.needs.get(request.resource, frozenset()), DecisionCode.FIELD_NOT_NEEDED)
    if forbidden := rules.lists.forbidden(request.resource, request.fields, matter.code):
        raise _Refused(DecisionCode.FIELD_FORBIDDEN, forbidden)
    return resource


def _authorized(request: Request, shown: Bound | Unbound | None) -> Bound:
    """For this asker, at this provider, about this subject, for this case of this matter."""
    if shown is None:
        raise _Refused(DecisionCode.NOT_AUTHORIZED)
    if isinstance(shown, Unbound):
        raise _Refused(DecisionCode.NOT_BOUND)
    a = shown.authorization
    if a.grantee != request.agency:
        raise _Refused(DecisionCode.OTHER_GRANTEE)
    if request.provider not in a.providers:
        raise _Refused(DecisionCode.OTHER_PROVIDER)
    if a.subject is not None and shown.subject != request.subject:
        raise _Refused(DecisionCode.OTHER_SUBJECT)
    asked = (request.purpose.system, request.purpose.matter_code, request.purpose.business_code)
    granted = (a.purpose.system, a.purpose.matter_code, a.purpose.business_code or asked[2])
    if asked != granted:
        raise _Refused(DecisionCode.OTHER_PURPOSE)
    return shown


def _in_force(bound: Bound, matter: Matter, view: StatusView, now: int) -> None:
    """A revocation never ages; a good status does."""
    a, mandate = bound.authorization, bound.mandate
    _status(view.of(bound.id), DecisionCode.REVOKED, DecisionCode.SUSPENDED)
    if now < a.not_before:
        raise _Refused(DecisionCode.NOT_YET_VALID)
    if now >= a.not_after:
        raise _Refused(DecisionCode.EXPIRED)
    if not -CLOCK_SKEW <= now - view.read_at <= MAX_STATUS_AGE:
        raise _Refused(DecisionCode.STATUS_STALE)
    if mandate is not None:
        _mandate(mandate, matter, view, now)


def _mandate(bound: BoundMandate, matter: Matter, view: StatusView, now: int) -> None:
    _status(view.of(bound.id), DecisionCode.MANDATE_REVOKED, DecisionCode.MANDATE_SUSPENDED)
    if now < bound.mandate.not_before:
        raise _Refused(DecisionCode.MANDATE_NOT_YET_VALID)
    if now >= bound.mandate.not_after:
        raise _Refused(DecisionCode.MANDATE_EXPIRED)
    if matter.code not in bound.mandate.matters:
        raise _Refused(DecisionCode.MANDATE_OTHER_MATTER)


def _status(status: Status, revoked: DecisionCode, suspended: DecisionCode) -> None:
    if status in FINAL:
        raise _Refused(revoked)
    if status is not Status.ACTIVE:
        raise _Refused(suspended)


def _by_kind(bound: Bound, resource: Resource, lists: Lists, uses: Uses) -> None:
    """An agency grants what it is responsible for, no more than its line of the list; emergencies are reviewed."""
    a = bound.authorization
    if a.grantor.agency is not None and a.grantor.agency != resource.provider:
        raise _Refused(DecisionCode.GRANTOR_NOT_RESPONSIBLE)
    if a.kind is Kind.AGREEMENT:
        line = lists.share(resource.provider, resource.code, a.grantee, a.purpose.matter_code)
        scope = a.scope_of(resource.code)
        more = set(scope.fields if scope else ()) - (line.fields if line else frozenset())
        if line is None or more or (a.daily_limit or 0) > line.daily_limit:
            raise _Refused(DecisionCode.AGREEMENT_NOT_LISTED, tuple(sorted(more)))
    if a.kind is Kind.EMERGENCY and uses.review_overdue:
        raise _Refused(DecisionCode.REVIEW_OVERDUE)


def _amount(request: Request, bound: Bound, matter: Matter, uses: Uses) -> None:
    """Asked ⊆ authorized ⊆ needed, of the one item if one is named, and not too often."""
    a = bound.authorization
    for each in a.scopes:
        _within(each.fields, matter.needs.get(each.resource, frozenset()), DecisionCode.AUTHORIZED_TOO_MUCH)
    scope = a.scope_of(request.resource)
    _within(request.fields, frozenset(scope.fields if scope else ()), DecisionCode.FIELD_NOT_AUTHORIZED)
    if scope and scope.item is not None and scope.item != request.item:
        raise _Refused(DecisionCode.ITEM_NOT_AUTHORIZED)
    if uses.total >= a.max_uses:
        raise _Refused(DecisionCode.USES_EXHAUSTED)
    if a.daily_limit is not None and uses.today >= a.daily_limit:
        raise _Refused(DecisionCode.DAILY_LIMIT)


def _within(asked: tuple[str, ...], allowed: frozenset[str], code: DecisionCode) -> None:
    if more := tuple(name for name in asked if name not in allowed):
        raise _Refused(code, more)
