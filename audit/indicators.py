"""绩效评估: indicators of service, governance and data value, each one query over the access records of a period.

A query is written down as it is run, so the words beside a figure cannot say anything else than what was counted.
Whoever has the log, or an export of it, repeats it and gets the same number: only records under an anchored head are
counted, and what depends on the clock depends on the moment the snapshot names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from audit.access import AccessStep
from audit.decision import DecisionCode
from audit.own import Ground
from ledger import canonical
from ledger.canonical import Json

_DOMAIN = b"certledger/indicators/v1\x00"
UNCLOSED = "permit/unclosed"
"""Stands for a permit that nobody closed, after all records."""


class Group(StrEnum):
    SERVICE = "service"
    GOVERNANCE = "governance"
    VALUE = "value"


class Unit(StrEnum):
    COUNT = "count"
    SECONDS = "seconds"


class Measure(StrEnum):
    COUNT = "count"
    DISTINCT = "count distinct"
    SUM = "sum"
    MEDIAN = "median"
    P95 = "p95"
    """Of a hundred, ninety-five took no longer (nearest rank)."""


Cell = str | int | None
"""Of a row, which stands for one record; None: nothing to say."""


@dataclass(frozen=True, slots=True)
class Query:
    """`measure of` the rows in which every named column has one of its values."""

    measure: Measure
    of: str | None
    """Column; None: rows are counted."""
    where: tuple[tuple[str, tuple[Cell, ...]], ...]

    @property
    def text(self) -> str:
        """The query in words that a person and a program read alike."""
        conditions = [f"{column} in ({', '.join(map(str, values))})" for column, values in self.where]
        measured = f"{self.measure} {self.of}" if self.of else self.measure
        return f"{measured} where {' and '.join(conditions)}"


@dataclass(frozen=True, slots=True)
class Indicator:
    name: str
    group: Group
    unit: Unit
    query: Query


def _where(**values: object) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    listed = {name: value if isinstance(value, tuple) else (value,) for name, value in values.items()}
    return tuple(listed.items())


_D, _R, _C = AccessStep.DECIDED.value, AccessStep.RELEASED.value, AccessStep.CLOSED.value
_BY_RIGHT = Ground.AUTHORIZATION.value
_ASKED_HERE = {"step": _D, "ground": _BY_RIGHT}
_OVER = tuple(
    int(code)
    for code in (
        DecisionCode.FIELD_NOT_NEEDED,
        DecisionCode.FIELD_FORBIDDEN,
        DecisionCode.AUTHORIZED_TOO_MUCH,
        DecisionCode.FIELD_NOT_AUTHORIZED,
    )
)
_ENDED = tuple(int(code) for code in (DecisionCode.REVOKED, DecisionCode.SUSPENDED, DecisionCode.EXPIRED))
_WITHOUT = tuple(int(code) for code in (DecisionCode.NOT_AUTHORIZED, DecisionCode.NOT_BOUND))

INDICATORS: Final = (
    # service
    Indicator("decisions", Group.SERVICE, Unit.COUNT, Query(Measure.COUNT, None, _where(**_ASKED_HERE))),
    Indicator("allowed", Group.SERVICE, Unit.COUNT, Query(Measure.COUNT, None, _where(**_ASKED_HERE, code=0))),
    Indicator("released", Group.SERVICE, Unit.COUNT, Query(Measure.COUNT, None, _where(step=(_R, _C)))),
    Indicator("seconds_to_release", Group.SERVICE, Unit.SECONDS, Query(Measure.MEDIAN, "delay", _where(step=(_R, _C)))),
    Indicator(
        "seconds_to_release_p95", Group.SERVICE, Unit.SECONDS, Query(Measure.P95, "delay", _where(step=(_R, _C)))
    ),
    Indicator("own_views", Group.SERVICE, Unit.COUNT, Query(Measure.COUNT, None, _where(step=_D, ground="own_holder"))),
    # governance
    Indicator("over_asked", Group.GOVERNANCE, Unit.COUNT, Query(Measure.COUNT, None, _where(step=_D, code=_OVER))),
    Indicator("after_end", Group.GOVERNANCE, Unit.COUNT, Query(Measure.COUNT, None, _where(step=_D, code=_ENDED))),
    Indicator(
        "without_right", Group.GOVERNANCE, Unit.COUNT, Query(Measure.COUNT, None, _where(step=_D, code=_WITHOUT))
    ),
    Indicator("stale_status", Group.GOVERNANCE, Unit.COUNT, Query(Measure.COUNT, None, _where(step=_D, code=505))),
    Indicator(
        "staff_reads", Group.GOVERNANCE, Unit.COUNT, Query(Measure.COUNT, None, _where(step=_D, ground="own_staff"))
    ),
    Indicator("permits_unclosed", Group.GOVERNANCE, Unit.COUNT, Query(Measure.COUNT, None, _where(step=UNCLOSED))),
    Indicator("anchored_late", Group.GOVERNANCE, Unit.COUNT, Query(Measure.COUNT, None, _where(late="yes"))),
    # data value
    Indicator("resources_used", Group.VALUE, Unit.COUNT, Query(Measure.DISTINCT, "resource", _where(step=(_R, _C)))),
    Indicator("agencies_served", Group.VALUE, Unit.COUNT, Query(Measure.DISTINCT, "asker", _where(step=(_R, _C)))),
    Indicator("matters_served", Group.VALUE, Unit.COUNT, Query(Measure.DISTINCT, "matter", _where(step=(_R, _C)))),
    Indicator("cases_served", Group.VALUE, Unit.COUNT, Query(Measure.DISTINCT, "case", _where(step=(_R, _C)))),
    Indicator("fields_reused", Group.VALUE, Unit.COUNT, Query(Measure.SUM, "fields", _where(step=(_R, _C)))),
    Indicator(
        "released_across_cities",
        Group.VALUE,
        Unit.COUNT,
        Query(Measure.COUNT, None, _where(step=(_R, _C), across="yes")),
    ),
)


def definitions() -> bytes:
    """SHA-256("certledger/indicators/v1" ‖ 0x00 ‖ JCS({name: query})): which queries a snapshot was made with."""
    texts: dict[str, Json] = {indicator.name: indicator.query.text for indicator in INDICATORS}
    return sha256(_DOMAIN + canonical.dumps(texts)).digest()
