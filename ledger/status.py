"""Statuses on chain: the values, and which of several records counts at a time.

One registry serves certificates and authorizations alike; nothing here knows which it is.
"""

from __future__ import annotations

from enum import IntEnum

from ledger.facts import Facts, StatusHistory, StatusRecord


class Status(IntEnum):
    """Frozen: the numbers stand in StatusRegistry."""

    ACTIVE = 0
    SUSPENDED = 1
    TRANSFERRING = 2
    REVOKED = 3
    CANCELLED = 4
    SUPERSEDED = 5
    TRANSFERRED = 6


class Reason(IntEnum):
    """Frozen: the numbers stand in IStatusRegistry."""

    SUSPENDED = 1
    """暂扣"""
    REINSTATED = 2
    """暂扣发还"""
    ANNULLED = 3
    """撤销: void from `effective_from`, which may lie in the past."""
    PENALTY = 4
    """吊销"""
    CANCELLED = 5
    """注销"""
    RENEWED = 6
    """延续、换发"""
    CORRECTED = 7
    """更正"""
    OTHER = 99


FINAL = frozenset({Status.REVOKED, Status.CANCELLED, Status.SUPERSEDED, Status.TRANSFERRED})


def allowed(current: Status, wanted: Status) -> bool:
    """The transitions StatusRegistry accepts, apart from transfers."""
    if current == Status.ACTIVE:
        return wanted in {Status.SUSPENDED, Status.REVOKED, Status.CANCELLED, Status.SUPERSEDED}
    if current == Status.SUSPENDED:
        return wanted in {Status.ACTIVE, Status.REVOKED, Status.CANCELLED, Status.SUPERSEDED}
    return False


def history(facts: Facts, issuer: str, digest: bytes) -> StatusHistory | None:
    """None: the facts do not speak of this certificate at all, which is not the same as active."""
    return next((row for row in facts.statuses if row.issuer == issuer and row.digest == digest), None)


def status_at(row: StatusHistory, time: int, as_of: int) -> StatusRecord | None:
    """The last record in force at `time` (seconds) as known at block `as_of`; None: active."""
    known = [r for r in row.records if r.recorded <= as_of and r.effective_from <= time]
    return known[-1] if known else None
