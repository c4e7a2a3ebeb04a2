"""Estonia's Data Tracker (Andmejälgija), protocol 2.1.0: a portal asks where a person's data was used.

Answers of `/v2/findUsage`, `/v2/usagePeriod` and `/v2/heartbeat`, made from the holder's own history. A usage is data
that went out or was looked at; refusals are no usage and stand in our own history alone, and so does what is lawfully
hidden. Our proofs have no member in this protocol: a portal that wants them asks for our history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.errors import ApiError
from audit.history import History, Line, Outcome
from audit.own import Ground

MOST = 1000
"""Usages in one answer, and how many are meant if nothing is said."""
_OWN_SYSTEM = "certledger"
"""receiverSystem of a look at the city's own counter or page, which names no other system."""


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Parameters of findUsage but the person, who was identified before. Raises `ApiError` TRACKER_QUERY (HTTP 400)."""

    start: datetime | None = None
    """periodStart: from; None: the oldest."""
    end: datetime | None = None
    """periodEnd: until and with; None: now."""
    offset: int = 0
    limit: int = MOST

    def __post_init__(self) -> None:
        zoned = all(moment is None or moment.tzinfo is not None for moment in (self.start, self.end))
        in_order = self.start is None or self.end is None or not zoned or self.start <= self.end
        if not zoned or not in_order or self.offset < 0 or not 0 <= self.limit <= MOST:
            raise ApiError("TRACKER_QUERY", "a period, an offset or a limit that is none", most=MOST)


@dataclass(frozen=True, slots=True)
class Wording:
    """What the protocol wants as text and a record has as codes."""

    agencies: Mapping[str, str]
    """Name by USCC; an agency without one is shown by its code alone."""
    grounds: Mapping[Ground, str]
    """Why somebody reads who needs no authorization."""


def find_usage(history: History, query: UsageQuery, words: Wording) -> dict[str, object]:
    """FindUsageResponse, the newest first. `totalUsages` counts what the period has, whatever the page."""
    used = [line for line in history.lines if line.outcome is Outcome.RELEASED and _within(line, query)]
    page = used[query.offset : query.offset + query.limit]
    return {"totalUsages": len(used), "usages": [_usage(line, words) for line in page]}


def usage_period(records_since: int) -> dict[str, object]:
    """UsagePeriodResponse; no `periodEnd`: until now. `records_since`: seconds."""
    return {"periodStart": _time(records_since)}


def heartbeat(faults: Sequence[str]) -> dict[str, object]:
    """HeartbeatResponse. `faults`: codes of what does not work, never a person's."""
    if faults:
        return {"status": "FAIL", "message": ", ".join(faults)}
    return {"status": "OK"}


def _within(line: Line, query: UsageQuery) -> bool:
    at = datetime.fromtimestamp(line.record.at, UTC)
    return (query.start is None or query.start <= at) and (query.end is None or at <= query.end)


def _usage(line: Line, words: Wording) -> dict[str, object]:
    access = line.record.access
    named = {"receiverName": words.agencies[access.asker]} if access.asker in words.agencies else {}
    purpose = access.purpose
    action = f"{purpose.matter_name}（{purpose.cause}）" if purpose else words.grounds[access.ground]
    return {
        "logtime": _time(line.record.at),
        "action": action,
        "receiverCode": access.asker,
        **named,
        "receiverSystem": purpose.system if purpose else _OWN_SYSTEM,
    }


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
