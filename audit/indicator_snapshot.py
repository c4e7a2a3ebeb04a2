"""Figures as they stood: period, heads, queries, values. A statement of the stream `indicator`.

It is recorded and anchored before anybody reports by it, so no figure can be bettered afterwards: whoever holds the
logs up to the heads it names counts again and must come to the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit.errors import AccessError
from audit.measuring import Value
from ledger import schema as s
from ledger.canonical import Json
from ledger.statement import Draft, Statement
from ledger.types import Head

STREAM = "indicator"
TAKEN = "indicator/snapshot"

_COUNT = s.NATURAL
_FORM = s.Form(
    "INDICATOR_FORM",
    s.record(
        start=s.NATURAL,
        end=s.NATURAL,
        taken_at=s.NATURAL,
        definitions=s.HEX32,
        heads=s.rows(s.record(log=s.HEX32, size=_COUNT, root=s.HEX32), 64),
        values=s.rows(
            s.record(
                name={"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"}, value=s.optional(_COUNT), hidden=_COUNT
            ),
            128,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Covered:
    """What of one log was counted: everything under this head, which the chain knows."""

    log: bytes
    head: Head


@dataclass(frozen=True, slots=True)
class IndicatorSnapshot:
    """Times in seconds since 1970, [start, end)."""

    start: int
    end: int
    taken_at: int
    definitions: bytes
    """Of the queries (`audit.indicators.definitions`)."""
    heads: tuple[Covered, ...]
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.start < self.end <= self.taken_at:
            raise AccessError("INDICATOR_PERIOD", "a period ends after it begins and before it is counted")


def draft(snapshot: IndicatorSnapshot, agency: str) -> Draft:
    """`agency`: USCC of the one that counts."""
    heads: list[Json] = [
        {"log": covered.log.hex(), "size": covered.head.size, "root": covered.head.root.hex()}
        for covered in snapshot.heads
    ]
    values: list[Json] = [{"name": v.name, "value": v.value, "hidden": v.hidden} for v in snapshot.values]
    body: dict[str, Json] = {
        "start": snapshot.start,
        "end": snapshot.end,
        "taken_at": snapshot.taken_at,
        "definitions": snapshot.definitions.hex(),
        "heads": heads,
        "values": values,
    }
    _FORM.check(body)
    return Draft(TAKEN, agency, body)


def decode(statement: Statement) -> IndicatorSnapshot:
    """Raises `VerificationError` or `AccessError`."""
    if statement.type != TAKEN:
        raise AccessError("INDICATOR_TYPE", "not a statement of the stream indicator", type=statement.type)
    v = _FORM.check(statement.body)
    return IndicatorSnapshot(
        start=v["start"],
        end=v["end"],
        taken_at=v["taken_at"],
        definitions=bytes.fromhex(v["definitions"]),
        heads=tuple(Covered(bytes.fromhex(h["log"]), Head(h["size"], bytes.fromhex(h["root"]))) for h in v["heads"]),
        values=tuple(Value(row["name"], row["value"], row["hidden"]) for row in v["values"]),
    )


def differing(then: IndicatorSnapshot, again: Iterable[Value]) -> tuple[tuple[Value, Value], ...]:
    """(as recorded, as counted again) of each figure that does not come out as it was recorded."""
    counted = {value.name: value for value in again}
    pairs = [(value, counted.get(value.name, Value(value.name, None, 0))) for value in then.values]
    return tuple((recorded, now) for recorded, now in pairs if recorded != now)
