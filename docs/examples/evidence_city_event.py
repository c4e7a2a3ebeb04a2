"""一网统管: 发现-派单-处置-核查-评价. Order and time are the log's, so nobody can put a step where it was not."""

from __future__ import annotations

from itertools import pairwise

from api import evidence
from api.wiring import City
from audit.evidence_stream import EvidenceType
from ledger.statement import parse_timestamp

STREAM = "city-event"
STEPS = ("found", "assigned", "handled", "checked", "rated")
LIMITS = {"assigned": 30 * 60, "handled": 24 * 3600, "checked": 4 * 3600}
"""Seconds from the step before."""
TEXT = {"type": "string", "minLength": 1, "maxLength": 100}
STEP = EvidenceType(clear={"event": TEXT, "unit": TEXT, "place": TEXT}, private={"reporter": TEXT, "note": TEXT})


def record(city: City, agency: str, step: str, event: str, unit: str, note: str) -> int:
    """The index of the step's entry."""
    evidence.register(city, STREAM, step, STEP, agency=agency)
    item = {"event": event, "unit": unit, "place": "330106", "reporter": "r-81c2", "note": note}
    return evidence.append(city, STREAM, step, [item], agency=agency).first_index


def late(city: City, indices: dict[str, int]) -> list[str]:
    """Steps that took longer than their limit. Raises ValueError if they do not stand in their order."""
    if [indices[step] for step in STEPS] != sorted(indices.values()):
        raise ValueError("a step was recorded before the one it follows")
    shown = {step: evidence.show(city, STREAM, index)["statement"] for step, index in indices.items()}
    times = {step: parse_timestamp(statement["at"]) for step, statement in shown.items()}
    took = {after: (times[after] - times[before]).total_seconds() for before, after in pairwise(STEPS)}
    return [step for step, limit in LIMITS.items() if took[step] > limit]
