"""Statements of the stream `authorization`: granted, revoked, mandated, a person's key, an emergency reviewed.

The signed object is stored beside the log; its id stands here. The id is the digest of an object that holds a random
nonce and salted digests, so it tells nothing. What tells of a person stands as a salted digest, as in `audit.access`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from audit.authorization import Authorization
from audit.binding import Bound, BoundMandate
from audit.errors import AccessError
from audit.private import DIGESTS, Opened, Openings, conceal, reveal
from audit.signed import optional_hex
from audit.terms import METHOD, Kind, Method
from ledger import schema as s
from ledger.canonical import Json
from ledger.statement import Draft, Statement

GRANT = "authorization/grant"
MANDATE = "authorization/mandate"
REVOKE = "authorization/revoke"
HOLDER_KEY = "authorization/holder-key"
REVIEW = "authorization/review"


class Revoker(StrEnum):
    """Who took an authorization or mandate back."""

    SUBJECT = "subject"
    AGENT = "agent"
    AGENCY = "agency"


class Review(StrEnum):
    """What came out of the review of an emergency."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"


_KIND: s.Schema = {"enum": [kind.value for kind in Kind]}
_SCHEMAS = {
    GRANT: s.record(
        authorization=s.HEX32,
        kind=_KIND,
        mandate=s.optional(s.HEX32),
        grantee=s.AGENCY,
        providers={**s.rows(s.CITY, 32), "minItems": 1},
        not_before=s.NATURAL,
        not_after=s.NATURAL,
        max_uses=s.NATURAL,
        daily_limit=s.optional(s.NATURAL),
        review_by=s.optional(s.NATURAL),
        private=DIGESTS,
    ),
    MANDATE: s.record(mandate=s.HEX32, not_before=s.NATURAL, not_after=s.NATURAL, private=DIGESTS),
    REVOKE: s.record(authorization=s.HEX32, by={"enum": [who.value for who in Revoker]}, private=DIGESTS),
    HOLDER_KEY: s.record(kid=s.KID, method=METHOD, evidence=s.optional(s.HEX32), not_after=s.NATURAL, private=DIGESTS),
    REVIEW: s.record(
        authorization=s.HEX32, outcome={"enum": [review.value for review in Review]}, form=s.HEX32, private=DIGESTS
    ),
}
_PRIVATE = {
    GRANT: {"scopes", "subject_ref"},
    MANDATE: {"subject_ref", "agent_ref"},
    REVOKE: {"reason"},
    HOLDER_KEY: {"subject_ref"},
    REVIEW: {"reviewers"},
}
_FORMS = {type_: s.Form("AUTHORIZATION_STATEMENT_FORM", schema) for type_, schema in _SCHEMAS.items()}


@dataclass(frozen=True, slots=True)
class Drafted:
    """What to record, and the openings to keep beside it."""

    draft: Draft
    openings: dict[str, Opened]


def grant(bound: Bound, agency: str, *, subject_ref: str | None, salts: bytes) -> Drafted:
    """`subject_ref`: this city's; None of an agreement. Salts: 32 bytes, and 32 more with a subject."""
    a = bound.authorization
    private: dict[str, Json] = {"scopes": a.to_json()["scopes"]}
    if subject_ref is not None:
        private["subject_ref"] = subject_ref
    body: dict[str, Json] = {
        "authorization": bound.id.hex(),
        "kind": a.kind.value,
        "mandate": optional_hex(a.grantor.mandate),
        "grantee": a.grantee,
        "providers": list(a.providers),
        "not_before": a.not_before,
        "not_after": a.not_after,
        "max_uses": a.max_uses,
        "daily_limit": a.daily_limit,
        "review_by": a.review_by,
    }
    return _drafted(GRANT, agency, body, private, salts)


def mandate(bound: BoundMandate, agency: str, *, principal_ref: str, agent_ref: str, salts: bytes) -> Drafted:
    """References are this city's. Salts: 64 bytes."""
    body: dict[str, Json] = {
        "mandate": bound.id.hex(),
        "not_before": bound.mandate.not_before,
        "not_after": bound.mandate.not_after,
    }
    return _drafted(MANDATE, agency, body, {"subject_ref": principal_ref, "agent_ref": agent_ref}, salts)


def revoke(id: bytes, agency: str, by: Revoker, *, reason: str, salts: bytes) -> Drafted:
    """Of an authorization or a mandate; final. A reason in words may name somebody: private. Salts: 32 bytes."""
    body: dict[str, Json] = {"authorization": id.hex(), "by": by.value}
    return _drafted(REVOKE, agency, body, {"reason": reason}, salts)


def holder_key(
    kid: str, agency: str, method: Method, *, evidence: bytes | None, not_after: int, subject_ref: str, salts: bytes
) -> Drafted:
    """A key belongs to a person whom this agency has identified, by `method`. Salts: 32 bytes."""
    if method is Method.HOLDER_KEY:
        raise AccessError("HOLDER_KEY_METHOD", "a key does not identify its own holder")
    body: dict[str, Json] = {
        "kid": kid,
        "method": method.value,
        "evidence": optional_hex(evidence),
        "not_after": not_after,
    }
    return _drafted(HOLDER_KEY, agency, body, {"subject_ref": subject_ref}, salts)


def review(
    id: bytes, agency: str, outcome: Review, *, form: bytes, reviewers: tuple[str, ...], salts: bytes
) -> Drafted:
    """`form`: digest of the written review; reviewers by pseudonym. Salts: 32 bytes."""
    body: dict[str, Json] = {"authorization": id.hex(), "outcome": outcome.value, "form": form.hex()}
    return _drafted(REVIEW, agency, body, {"reviewers": list(reviewers)}, salts)


def decode(statement: Statement, openings: Openings) -> dict[str, Json]:
    """The clear members and those that are opened. Raises `VerificationError` or `AccessError`."""
    form = _FORMS.get(statement.type)
    if form is None:
        raise AccessError("ACCESS_TYPE", "not a statement of an authorization", type=statement.type)
    body = dict(form.check(statement.body))
    if not set(body["private"]) <= _PRIVATE[statement.type]:
        # Or an opening could stand in for a member in the clear.
        raise AccessError("ACCESS_MEMBERS", "a private member that this type does not have")
    return {name: value for name, value in body.items() if name != "private"} | reveal(body["private"], openings)


def agrees(statement: Statement, authorization: Authorization, id: bytes) -> bool:
    """Is the recorded grant about this very object? A stored object that was exchanged shows here."""
    body = statement.body
    a = authorization
    said = (body.get("authorization"), body.get("kind"), body.get("grantee"), body.get("not_after"))
    return statement.type == GRANT and said == (id.hex(), a.kind.value, a.grantee, a.not_after)


def _drafted(type_: str, agency: str, body: dict[str, Json], private: dict[str, Json], salts: bytes) -> Drafted:
    digests, openings = conceal(private, salts)
    complete: dict[str, Json] = {**body, "private": digests}
    _FORMS[type_].check(complete)
    return Drafted(Draft(type_, agency, complete), openings)
