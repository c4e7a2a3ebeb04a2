"""What an authorization of each kind must and must not have. Deny by default: every kind has its own list."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from audit.errors import AuthorizationError
from audit.terms import DAY, Kind, Method, Witness

if TYPE_CHECKING:
    from audit.authorization import Authorization

LONGEST = {Kind.CONSENT: 366 * DAY, Kind.WITNESSED_CONSENT: 366 * DAY, Kind.AGREEMENT: 3 * 366 * DAY}
LONGEST |= {Kind.EMERGENCY: DAY}
"""Seconds. A window of ninety-nine years is an open one."""
MOST_USES = {Kind.CONSENT: 1000, Kind.WITNESSED_CONSENT: 1000, Kind.AGREEMENT: 10**9, Kind.EMERGENCY: 1000}
REVIEW_WITHIN = 30 * DAY
"""How long after its end an emergency must have been reviewed."""


def check(a: Authorization) -> None:
    """Raises `AuthorizationError`."""
    _ordered(a)
    _window(a)
    _KIND_RULES[a.kind](a)
    if a.purpose.org != a.grantee:
        _refuse("AUTHORIZATION_PURPOSE_ORG", "the purpose is another agency's than the grantee's")
    if (a.purpose.business_code is None) != (a.kind is Kind.AGREEMENT):
        _refuse("AUTHORIZATION_CASE", "one case, except in an agreement, which has none")


def _ordered(a: Authorization) -> None:
    """Sets are written in one order, so that one authorization has one text."""
    texts = [[scope.resource for scope in a.scopes], *([*scope.fields] for scope in a.scopes)]
    texts.append([*a.witness.operators] if a.witness else [])
    if any(sorted(set(each)) != each for each in texts) or sorted(set(a.providers)) != [*a.providers]:
        _refuse("AUTHORIZATION_ORDER", "a list is not in rising order, or says something twice")


def _window(a: Authorization) -> None:
    if not a.not_before < a.not_after <= a.not_before + LONGEST[a.kind]:
        _refuse("AUTHORIZATION_WINDOW", "ends before it begins, or too late", days=LONGEST[a.kind] // DAY)
    if a.max_uses > MOST_USES[a.kind]:
        _refuse("AUTHORIZATION_USES", "more uses than this kind may have", most=MOST_USES[a.kind])


def _consent(a: Authorization) -> None:
    _by_a_person(a)
    if a.method is not Method.HOLDER_KEY or a.witness is not None:
        _refuse("AUTHORIZATION_METHOD", "a consent is signed by the person's own key and by no witness")


def _witnessed(a: Authorization) -> None:
    _by_a_person(a)
    if a.method in (None, Method.HOLDER_KEY) or a.witness is None or a.witness.form is None:
        _refuse("AUTHORIZATION_METHOD", "a witnessed consent has a method, a witness and a stored form")


def _by_a_person(a: Authorization) -> None:
    """Someone agreed for the subject: the subject itself, or an agent whose mandate is named."""
    if a.grantor.holder is None or a.grantor.agency is not None or a.subject is None:
        _refuse("AUTHORIZATION_GRANTOR", "a consent has a person who grants and a person it is about")
    if (a.grantor.mandate is None) != (a.grantor.holder == a.subject):
        _refuse("AUTHORIZATION_MANDATE", "whoever grants for another names the mandate, and nobody else does")
    _only_of(a, daily_limit=False, review_by=False)


def _agreement(a: Authorization) -> None:
    _by_an_agency(a)
    if a.subject is not None:
        _refuse("AUTHORIZATION_SUBJECT", "an agreement is about nobody in particular")
    _only_of(a, daily_limit=True, review_by=False)


def _emergency(a: Authorization) -> None:
    witness = _by_an_agency(a)
    if len(witness.operators) != 2:
        _refuse("AUTHORIZATION_TWO_OPERATORS", "an emergency is declared by two operators")
    _only_of(a, daily_limit=False, review_by=True)
    if not a.not_after <= (a.review_by or 0) <= a.not_after + REVIEW_WITHIN:
        _refuse("AUTHORIZATION_REVIEW", "an emergency is reviewed soon after its end", days=REVIEW_WITHIN // DAY)


def _by_an_agency(a: Authorization) -> Witness:
    """The agency that grants is the one that signs, and it does not grant to itself."""
    g = a.grantor
    if g.agency is None or g.holder is not None or g.mandate is not None or g.agency == a.grantee:
        _refuse("AUTHORIZATION_GRANTOR", "an agency grants to another agency")
    if a.witness is None or a.witness.agency != g.agency or a.method is not None:
        _refuse("AUTHORIZATION_METHOD", "the agency that grants is the one that signs")
    return a.witness


def _only_of(a: Authorization, *, daily_limit: bool, review_by: bool) -> None:
    if (a.daily_limit is not None, a.review_by is not None) != (daily_limit, review_by):
        _refuse("AUTHORIZATION_LIMITS", "a daily limit is an agreement's, a review an emergency's")


def _refuse(code: str, message: str, **params: object) -> NoReturn:
    raise AuthorizationError(code, message, **params)


_KIND_RULES = {
    Kind.CONSENT: _consent,
    Kind.WITNESSED_CONSENT: _witnessed,
    Kind.AGREEMENT: _agreement,
    Kind.EMERGENCY: _emergency,
}
