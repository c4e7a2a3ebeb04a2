"""Paired measurement: A, B, A, B … in one run, because these machines are shared and drift.

A lone absolute says little; the ratio of two medians from interleaved rounds holds when the machine slows down.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Work = Callable[[], int]
"""Does some work and returns how many items it did."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Items per second over the rounds of one contender."""

    name: str
    rates: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rates)


@dataclass(frozen=True, slots=True)
class Contender:
    name: str
    work: Work


@dataclass(frozen=True, slots=True)
class Absent:
    """A peer that is not installed: named, never guessed."""

    name: str


def measure(contenders: Sequence[Contender], rounds: int, told: Callable[[], None]) -> list[Measured]:
    """Each contender once a round, in turn, after one uncounted round."""
    rates: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(rounds + 1):
        for contender in contenders:
            started = time.perf_counter()
            items = contender.work()
            rate = items / (time.perf_counter() - started)
            if number:
                rates[contender.name].append(rate)
            told()
    return [Measured(name, tuple(found)) for name, found in rates.items()]


def percentile(seconds: Sequence[float], share: float) -> float:
    """The value below which `share` of the measurements lie."""
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
