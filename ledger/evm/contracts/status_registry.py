"""StatusRegistry: changing and reading statuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.evm.contracts.codec import codec
from ledger.facts import StatusHistory, StatusRecord
from ledger.logid import ascii32, from_ascii32
from ledger.ports import StatusChange, StatusEvent

NAME = "StatusRegistry"

REFUSALS = (
    "NONE",
    "NOT_ENTITLED",
    "NO_DIGEST",
    "BAD_TRANSITION",
    "NO_REASON",
    "BAD_EFFECTIVE_FROM",
    "BAD_NEXT",
)
"""IStatusRegistry.Refusal, in its order."""


def creation(registry: str) -> bytes:
    return codec(NAME).creation(registry)


def set_status_many(changes: Sequence[StatusChange]) -> bytes:
    rows = [
        (
            ascii32(c.issuer),
            c.digest,
            c.status,
            c.reason,
            c.effective_from,
            ascii32(c.next_issuer) if c.next_issuer else bytes(32),
            c.next_digest,
        )
        for c in changes
    ]
    return codec(NAME).encode("setStatusMany", rows)


def records_call(issuer: str, digest: bytes) -> bytes:
    return codec(NAME).encode("records", ascii32(issuer), digest)


def records(issuer: str, digest: bytes, answer: bytes) -> StatusHistory:
    rows = codec(NAME).decode("records", answer)
    return StatusHistory(issuer, digest, tuple(_record(row) for row in rows))


def changed(values: dict[str, Any]) -> StatusEvent:
    """A StatusChanged event."""
    return StatusEvent(from_ascii32(values["issuer"]), values["digest"], values["status"])


def refusal(name: str, values: dict[str, Any]) -> str | None:
    """An event in words if it is a refusal."""
    if name != "StatusRefused":
        return None
    code = values["code"]
    word = REFUSALS[code] if code < len(REFUSALS) else str(code)
    return f"{word} issuer={from_ascii32(values['issuer'])} digest={values['digest'].hex()}"


def _record(row: Any) -> StatusRecord:
    status, reason, effective_from, next_issuer, next_digest, _actor, recorded, time = row
    return StatusRecord(status, reason, effective_from, from_ascii32(next_issuer), next_digest, recorded, time)
