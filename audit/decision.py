"""The answer to a request for somebody's fields: ALLOW, or the first refusal in a fixed order. Both are recorded.

Numbers are frozen: they stand in access records. Their order is the order in which `audit.policy` asks: who and what
for, then what, then by which right, then how much. Words and remedies stand in `api/messages` under the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from ledger.status import Status


class DecisionCode(IntEnum):
    ALLOW = 0

    REQUEST_REPEATED = 101
    """The id was decided before: its first outcome stands, and nothing is released twice."""

    MATTER_UNKNOWN = 201
    """The purpose is no catalogued matter."""
    MATTER_NAME_DIFFERS = 202
    MATTER_NOT_OF_AGENCY = 203
    """The asker takes no part in the matter."""
    CASE_MISSING = 204
    PURPOSE_OF_ANOTHER = 205
    """The purpose names another agency or operator than the one who asks."""

    RESOURCE_UNKNOWN = 301
    RESOURCE_NOT_SHARED = 302
    FIELD_UNKNOWN = 303
    FIELD_NOT_NEEDED = 304
    """Over-asking: the matter does not need it."""
    FIELD_FORBIDDEN = 305
    """On the negative list."""

    NOT_AUTHORIZED = 401
    """No authorization was shown."""
    NOT_BOUND = 402
    """It was, and it is not the grantor's."""
    OTHER_GRANTEE = 403
    OTHER_PROVIDER = 404
    OTHER_SUBJECT = 405
    OTHER_PURPOSE = 406

    REVOKED = 501
    SUSPENDED = 502
    NOT_YET_VALID = 503
    EXPIRED = 504
    STATUS_STALE = 505
    MANDATE_REVOKED = 511
    MANDATE_SUSPENDED = 512
    MANDATE_NOT_YET_VALID = 513
    MANDATE_EXPIRED = 514
    MANDATE_OTHER_MATTER = 515
    """The agent goes beyond his mandate."""
    GRANTOR_NOT_RESPONSIBLE = 521
    """An agency granted what another one provides."""
    AGREEMENT_NOT_LISTED = 522
    REVIEW_OVERDUE = 523
    """The grantor declared an emergency before and has not reviewed it in time."""

    AUTHORIZED_TOO_MUCH = 601
    """The authorization covers what the matter does not need: blanket consent is none."""
    FIELD_NOT_AUTHORIZED = 602
    ITEM_NOT_AUTHORIZED = 603
    USES_EXHAUSTED = 604
    DAILY_LIMIT = 605

    NOTHING_HELD = 701
    """All in order; there is no such entry."""
    NOT_OWN = 801
    """A reading called one's own, of what is somebody else's."""

    NOT_AVAILABLE = 901
    """What the asker is told in place of codes that would tell whether a person is known. Never what was decided."""


_UNTOLD = frozenset({DecisionCode.NOT_BOUND, DecisionCode.OTHER_SUBJECT, DecisionCode.NOTHING_HELD})


@dataclass(frozen=True, slots=True)
class StatusBlock:
    """The statuses a decision went by; stands in the access record."""

    authorization: Status
    mandate: Status
    read_at: int
    """When the chain was last read, seconds."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Not a permission by itself: only a durable record of it lets anything out."""

    code: DecisionCode
    request: bytes
    policy: bytes
    """Version of the rules: digest over catalogue, matters and lists."""
    decided_at: int
    authorization: bytes | None
    mandate: bytes | None
    status: StatusBlock | None
    fields: tuple[str, ...] = ()
    """Allowed: those to release. Refused: those at fault, if it was about fields."""
    params: Mapping[str, str] | None = None
    """For the words: agency, matter, resource, fields. No personal value."""

    @property
    def allowed(self) -> bool:
        return self.code is DecisionCode.ALLOW


def told(code: DecisionCode) -> DecisionCode:
    """What the asker may be told: "none" and "refused" look alike where the difference is about a person."""
    return DecisionCode.NOT_AVAILABLE if code in _UNTOLD else code
