"""The negative list 负面清单 and the responsibility list 责任清单: what is never shared, who must share what, how fast.

An agreement between agencies is no more than its line on the responsibility list allows. Clocks are duties with working
days: an answer to a request, a delivery after approval, a correction 校核纠错.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256

from audit.clock import LONGEST, Calendar, Deadline, Stop, deadline
from audit.errors import PolicyError
from ledger import canonical
from ledger.canonical import Json

EVERY = "*"
_DOMAIN = b"certledger/lists/v1\x00"


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A line of the negative list."""

    resource: str
    """Code, or `*`."""
    field: str
    """Name, or `*`."""
    basis: str
    """The law that forbids it: a line without one is somebody's wish."""
    except_matters: frozenset[str] = frozenset()
    """Codes of the matters for which the law allows it."""

    def __post_init__(self) -> None:
        if not self.resource or not self.field or not self.basis:
            raise PolicyError("NEGATIVE_LINE", "a line of the negative list names resource, field and law")

    def hits(self, resource: str, field: str, matter: str) -> bool:
        named = self.resource in (EVERY, resource) and self.field in (EVERY, field)
        return named and matter not in self.except_matters

    def to_json(self) -> list[Json]:
        return [self.resource, self.field, self.basis, [*sorted(self.except_matters)]]


@dataclass(frozen=True, slots=True)
class Share:
    """A line of the responsibility list: who shares which fields with whom, for which matter, how often a day."""

    provider: str
    """USCC of the agency that is responsible for the resource."""
    resource: str
    grantee: str
    fields: frozenset[str]
    matters: frozenset[str]
    daily_limit: int

    def __post_init__(self) -> None:
        if not self.fields or not self.matters or self.daily_limit < 1:
            raise PolicyError("RESPONSIBILITY_LINE", "a line names fields, matters and a daily limit")

    def to_json(self) -> list[Json]:
        fields, matters = [*sorted(self.fields)], [*sorted(self.matters)]
        return [self.provider, self.resource, self.grantee, [*fields], [*matters], self.daily_limit]


class Act(StrEnum):
    """What has a statutory clock (政务数据共享条例)."""

    ANSWER_UNCONDITIONAL = "answer_unconditional"
    ANSWER_CONDITIONAL = "answer_conditional"
    DELIVER = "deliver"
    """After approval."""
    CORRECT = "correct"
    """校核纠错: somebody reported that an entry is wrong."""
    REVIEW = "review"
    """Of an emergency."""


@dataclass(frozen=True, slots=True)
class Duty:
    """How many working days an act may take; of one agency, or `*`."""

    act: Act
    agency: str
    working_days: int

    def __post_init__(self) -> None:
        if not 0 <= self.working_days <= LONGEST:
            raise PolicyError("CLOCK_LIMIT", "no such number of working days", longest=LONGEST)

    def to_json(self) -> list[Json]:
        return [self.act.value, self.agency, self.working_days]


STATUTORY = (
    Duty(Act.ANSWER_UNCONDITIONAL, EVERY, 1),
    Duty(Act.ANSWER_CONDITIONAL, EVERY, 10),
    Duty(Act.DELIVER, EVERY, 20),
    Duty(Act.CORRECT, EVERY, 10),
    Duty(Act.REVIEW, EVERY, 20),
)
"""What counts where a list says nothing else: three of the regulation (by a secondary source), two of our own."""


@dataclass(frozen=True, slots=True)
class Lists:
    """One version of both lists."""

    negative: tuple[Forbidden, ...] = ()
    shares: tuple[Share, ...] = ()
    duties: tuple[Duty, ...] = STATUTORY

    def forbidden(self, resource: str, fields: Iterable[str], matter: str) -> tuple[str, ...]:
        """Those of the fields that are on the negative list, rising."""
        return tuple(f for f in sorted(fields) if any(line.hits(resource, f, matter) for line in self.negative))

    def share(self, provider: str, resource: str, grantee: str, matter: str) -> Share | None:
        """The line under which one agency may agree with another."""
        wanted = (provider, resource, grantee)
        lines = (each for each in self.shares if (each.provider, each.resource, each.grantee) == wanted)
        return next((each for each in lines if matter in each.matters), None)

    def working_days(self, act: Act, agency: str) -> int:
        """An agency's own line counts before the general one. Raises `PolicyError` if there is neither."""
        for name in (agency, EVERY):
            for duty in self.duties:
                if (duty.act, duty.agency) == (act, name):
                    return duty.working_days
        raise PolicyError("DUTY_UNKNOWN", "the responsibility list has no clock for this act", act=act)

    def due(
        self, act: Act, agency: str, start: date, calendar: Calendar, stops: Iterable[Stop] = ()
    ) -> Deadline | None:
        return deadline(start, self.working_days(act, agency), calendar, stops)

    @property
    def digest(self) -> bytes:
        """32 bytes; the order of lines does not matter, except among duties, where the first counts."""
        lines: dict[str, Json] = {
            "negative": [*sorted((line.to_json() for line in self.negative), key=canonical.dumps)],
            "shares": [*sorted((line.to_json() for line in self.shares), key=canonical.dumps)],
            "duties": [line.to_json() for line in self.duties],
        }
        return sha256(_DOMAIN + canonical.dumps(lines)).digest()
