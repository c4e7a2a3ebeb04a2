"""An act of the sequencer that is one function, for whoever needs no more state than a closure has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ledger.sequencer import Decided, Turn

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deciding(Generic[T]):
    """Fills `ledger.sequencer.Act`."""

    decide: Callable[[Turn], Decided[T]]
