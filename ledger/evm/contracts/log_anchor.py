"""LogAnchor: publishing heads, reading them, and saying in words what it refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.evm.contracts.codec import codec
from ledger.facts import EpochClosing, PublishedHead
from ledger.logid import stream_id
from ledger.ports import HeadItem

NAME = "LogAnchor"

REFUSALS = (
    "NONE",
    "EMPTY",
    "PROOF_LENGTH",
    "STALE",
    "EQUIVOCATION",
    "TOO_LARGE",
    "FIRST_WITH_PROOF",
    "TOO_SOON",
    "BAD_PROOF",
    "EPOCH_CLOSED",
)
"""ILogAnchor.Refusal, in its order."""


def creation(registry: str, min_interval: int) -> bytes:
    """Init code of an anchor; `min_interval` in seconds."""
    return codec(NAME).creation(registry, min_interval)


def publish_many(items: Sequence[HeadItem]) -> bytes:
    rows = [(stream_id(i.stream), i.size, i.root, list(i.proof)) for i in items]
    return codec(NAME).encode("publishMany", rows)


def head_call(log: bytes) -> bytes:
    return codec(NAME).encode("head", log)


def head(log: bytes, answer: bytes) -> PublishedHead | None:
    """The newest head, None if there is none."""
    size, root, prev_size, block, time = codec(NAME).decode("head", answer)
    return PublishedHead(log, size, root, prev_size, block, time) if size else None


def is_head_call(claimed: PublishedHead) -> bytes:
    c = claimed
    return codec(NAME).encode("isHead", c.log, c.size, c.root, c.prev_size, c.block, c.time)


def is_head(answer: bytes) -> bool:
    return bool(codec(NAME).decode("isHead", answer))


def close_epoch(stream: str, last_good_size: int) -> bytes:
    """The governor's own."""
    return codec(NAME).encode("closeEpoch", stream_id(stream), last_good_size)


def close_epoch_decided(proposal: bytes) -> bytes:
    """Carries out what the cities decided; anybody may send it."""
    return codec(NAME).encode("closeEpochDecided", proposal)


def current_epoch_call(city: int, stream: str) -> bytes:
    return codec(NAME).encode("currentEpoch", city, stream_id(stream))


def current_epoch(answer: bytes) -> int:
    return int(codec(NAME).decode("currentEpoch", answer))


def closing_call(log: bytes) -> bytes:
    return codec(NAME).encode("epochClosedAt", log)


def closing(log: bytes, answer: bytes) -> EpochClosing | None:
    """None: the epoch is open."""
    closed, last_good_size, block, time = codec(NAME).decode("epochClosedAt", answer)
    return EpochClosing(log, last_good_size, block, time) if closed else None


def counts(head: PublishedHead, end: EpochClosing | None) -> bool:
    """What a verifier must check beside `isHead`: a head above the last good size of a closed epoch is void."""
    return end is None or head.size <= end.last_good_size


def published(name: str, values: dict[str, Any], block: int) -> PublishedHead | None:
    """The head an event announces, if it announces one."""
    if name != "HeadPublished":
        return None
    v = values
    return PublishedHead(v["logId"], v["size"], v["root"], v["prevSize"], block, v["time"])


def refusal(name: str, values: dict[str, Any]) -> str | None:
    """An event in words if it is a refusal."""
    if name != "HeadRefused":
        return None
    code = values["code"]
    word = REFUSALS[code] if code < len(REFUSALS) else str(code)
    return f"{word} log={values['logId'].hex()} size={values['size']}"
