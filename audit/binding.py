"""Whose signature is it? An authorization counts only if its signer is bound to the one who grants; else NOT_BOUND.

What is proven elsewhere arrives here as a fact: a person's key by an active certificate (`cnf`) or by a `holder-key`
statement of the providing city, an agency's key by the chain. The checks walk consent → mandate → principal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from audit.authorization import Authorization, Presented
from audit.errors import BindingError
from audit.mandate import Mandate, PresentedMandate, Relation
from audit.subject import Holder, Opening, find
from audit.terms import Kind, Witness
from ledger import accreditation, jws
from ledger.errors import VerificationError
from ledger.facts import Facts
from ledger.jws import Compact


class KeySource(StrEnum):
    """How it is known that a key belongs to a person."""

    CERTIFICATE = "certificate"
    """`cnf` of a certificate of that person, verified and active."""
    STATEMENT = "statement"
    """`authorization/holder-key`, recorded by a city after it identified the person."""


@dataclass(frozen=True, slots=True)
class HolderKey:
    """A proven fact: this P-256 key belongs to this person at the moment of binding."""

    x: bytes
    y: bytes
    holder: Holder
    source: KeySource
    city: int
    """Of a statement: which city recorded it."""


@dataclass(frozen=True, slots=True)
class AgencyKey:
    """A proven fact: this P-256 key is on chain for this agency, to sign as a witness."""

    x: bytes
    y: bytes
    agency: str


@dataclass(frozen=True, slots=True)
class BoundMandate:
    """A mandate whose signer is its principal, or an agency that witnessed it. Made by `bind_mandate` alone."""

    id: bytes
    mandate: Mandate
    principal: Holder
    agent: Holder


@dataclass(frozen=True, slots=True)
class Bound:
    """An authorization whose signer may grant it. Made by `bind` alone."""

    id: bytes
    authorization: Authorization
    subject: Holder | None
    mandate: BoundMandate | None


def agency_key(facts: Facts, kid: str, at: int) -> AgencyKey:
    """The agency behind a key of use *witness* that held at `at` (seconds), by facts of the chain."""
    key = accreditation.find_key(facts, kid)
    if key is None or (key.suite, key.use) != (accreditation.P256, accreditation.WITNESS):
        _refuse("NOT_BOUND_KEY", "the chain has no such witness key")
    if not accreditation.key_valid(key, at, facts.block):
        _refuse("NOT_BOUND_ENDED", "the key was not in force")
    if not key.agency or accreditation.city_of(facts, key.agency, at) != key.city:
        _refuse("NOT_BOUND_AGENCY", "the key is of no agency that was a member")
    return AgencyKey(key.x, key.y, key.agency)


def bind_mandate(
    presented: PresentedMandate,
    key: HolderKey | AgencyKey,
    openings: Sequence[Opening],
    *,
    consortium: bytes,
    provider: int,
) -> BoundMandate:
    """Raises `BindingError` unless the principal signed, or the agency that witnessed."""
    mandate = presented.mandate
    _signed(presented.untrusted, key, mandate.consortium, consortium)
    principal, agent = find(mandate.principal, openings), find(mandate.agent, openings)
    if principal is None or agent is None:
        _refuse("NOT_BOUND_SUBJECT", "an opening is missing, or opens something else")
    if principal == agent or agent.is_body:
        _refuse("NOT_BOUND_MANDATE", "the agent is a person, and another one than the principal")
    if principal.is_body != (mandate.relation is Relation.LEGAL_REPRESENTATIVE):
        _refuse("NOT_BOUND_MANDATE", "a body acts through its legal representative, a person does not")
    _by(key, principal, mandate.witness, provider)
    return BoundMandate(presented.id, mandate, principal, agent)


def bind(
    presented: Presented,
    key: HolderKey | AgencyKey,
    openings: Sequence[Opening] = (),
    mandate: BoundMandate | None = None,
    *,
    consortium: bytes,
    provider: int,
) -> Bound:
    """Raises `BindingError` unless whoever grants has signed, for this ledger, as this city `provider` can tell."""
    a = presented.authorization
    _signed(presented.untrusted, key, a.consortium, consortium)
    subject, granting = find(a.subject, openings), find(a.grantor.holder, openings)
    if (a.subject and not subject) or (a.grantor.holder and not granting):
        _refuse("NOT_BOUND_SUBJECT", "an opening is missing, or opens something else")
    _by(key, granting, a.witness, provider)
    if a.kind is Kind.WITNESSED_CONSENT:
        _independent(a, a.witness)
    _walk(a, subject, granting, mandate)
    return Bound(presented.id, a, subject, mandate if a.grantor.mandate else None)


def _signed(compact: Compact, key: HolderKey | AgencyKey, named: bytes, consortium: bytes) -> None:
    if named != consortium:
        _refuse("NOT_BOUND_LEDGER", "made for another ledger")
    if jws.b64url(jws.thumbprint(key.x, key.y)) != compact.kid:
        _refuse("NOT_BOUND_KEY", "signed with another key than the one that was proven")
    try:
        jws.verify(compact, x=key.x, y=key.y)
    except VerificationError:
        _refuse("NOT_BOUND_SIGNATURE", "the signature is not by this key")


def _by(key: HolderKey | AgencyKey, person: Holder | None, witness: Witness | None, provider: int) -> None:
    """The key is the witnessing agency's if there is a witness, the person's own otherwise."""
    if witness is not None:
        if not isinstance(key, AgencyKey) or key.agency != witness.agency:
            _refuse("NOT_BOUND_AGENCY", "not signed by the agency that is named")
        return
    if not isinstance(key, HolderKey) or key.holder != person:
        _refuse("NOT_BOUND_HOLDER", "the key belongs to somebody else")
    if key.source is KeySource.STATEMENT and key.city != provider:
        _refuse("NOT_BOUND_CITY", "another city identified the person")


def _independent(a: Authorization, witness: Witness | None) -> None:
    """Whoever wants to read does not alone testify that the person agreed."""
    if witness is None:
        return
    if witness.agency == a.grantee and len(witness.operators) < 2:
        _refuse("NOT_BOUND_WITNESS", "the agency that reads witnesses with two operators")
    if a.purpose.operator in witness.operators:
        _refuse("NOT_BOUND_WITNESS", "the operator who asks cannot be the witness")


def _walk(a: Authorization, subject: Holder | None, granting: Holder | None, mandate: BoundMandate | None) -> None:
    """Consent → mandate → principal: the mandate that is named, by the subject, for exactly this agent."""
    if a.grantor.mandate is None:
        return
    if mandate is None or mandate.id != a.grantor.mandate:
        _refuse("NOT_BOUND_MANDATE", "the mandate that is named was not shown")
    if mandate.principal != subject or mandate.agent != granting:
        _refuse("NOT_BOUND_MANDATE", "a mandate between other persons")
    _independent(a, mandate.mandate.witness)


def _refuse(code: str, message: str) -> NoReturn:
    raise BindingError(code, message)
