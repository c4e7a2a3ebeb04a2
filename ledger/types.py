"""Small values that several modules of the ledger share."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.logid import log_id


@dataclass(frozen=True, slots=True)
class Head:
    """State of a log: how many leaves, and the root over them."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class LogName:
    """One stream of one city in one epoch."""

    city: int
    stream: str
    epoch: int = 0

    @property
    def id(self) -> bytes:
        return log_id(self.city, self.stream, self.epoch)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head of ours as the chain holds it, final."""

    size: int
    root: bytes
    prev_size: int
    block: int
    time: int
    """Block time, seconds."""
