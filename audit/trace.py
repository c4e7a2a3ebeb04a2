"""Which accesses were of this person, certificate, agency, operator, case, matter, period? Predicates over records.

A member that was hidden or erased answers neither yes nor no. Such lines are counted, never left out silently: a reader
learns how many there are that he cannot see.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from audit.access import Recorded
from audit.decision import DecisionCode
from audit.purpose import Purpose

Filter = Callable[[Recorded], bool | None]
"""True, False, or None: the member it asks for is not open."""


@dataclass(frozen=True, slots=True)
class Traced:
    lines: tuple[Recorded, ...]
    hidden: int
    """Records that nothing excludes, and that are not open enough to say that they belong here."""


def trace(records: Iterable[Recorded], *filters: Filter) -> Traced:
    """Records that every filter takes, in their order. Without a filter: all."""
    lines: list[Recorded] = []
    hidden = 0
    for record in records:
        answers = [accepts(record) for accepts in filters]
        if False in answers:
            continue
        if None in answers:
            hidden += 1
        else:
            lines.append(record)
    return Traced(tuple(lines), hidden)


def of_subject(refs: Collection[str]) -> Filter:
    """`refs`: the person's references under every key this city has had."""
    return lambda record: _member(record.access.subject_ref, refs)


def of_item(digest: bytes) -> Filter:
    """One certificate, by its digest."""
    return lambda record: _member(record.access.item, (digest,))


def of_resource(code: str) -> Filter:
    return lambda record: record.access.resource == code


def of_agency(agency: str) -> Filter:
    """Who read, wherever the record stands."""
    return lambda record: record.access.asker == agency


def of_operator(operator: str) -> Filter:
    return lambda record: _member(record.access.operator, (operator,))


def of_case(business_code: str) -> Filter:
    return lambda record: _purpose(record, lambda purpose: purpose.business_code == business_code)


def of_matter(code: str) -> Filter:
    return lambda record: record.access.matter == code


def of_cause(cause: str) -> Filter:
    return lambda record: _purpose(record, lambda purpose: purpose.cause == cause)


def of_authorization(id: bytes) -> Filter:
    return lambda record: record.access.authorization == id


def in_period(start: int, end: int) -> Filter:
    """Recorded in [start, end), seconds since 1970."""
    return lambda record: start <= record.at < end


def with_code(codes: Collection[DecisionCode]) -> Filter:
    return lambda record: record.access.code in codes


def _member(value: str | bytes | None, wanted: Collection[str] | Collection[bytes]) -> bool | None:
    return None if value is None else value in wanted


def _purpose(record: Recorded, holds: Callable[[Purpose], bool]) -> bool | None:
    return None if record.access.purpose is None else holds(record.access.purpose)
