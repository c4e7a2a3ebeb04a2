"""Which accesses were of this person, certificate, agency, operator, case, matter, period? Predicates over records.

A member that was hidden or erased answers neither yes nor no. Such lines are counted, never left out silently: a reader
learns how many there are that he cannot see.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from audit.access import Recorded
from audit.decision import DecisionCode

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
    return lambda record: _is(record, "subject_ref", refs)


def of_item(digest: bytes) -> Filter:
    """One certificate, by its digest."""
    return lambda record: _is(record, "item", (digest,))


def of_resource(code: str) -> Filter:
    return lambda record: record.access.resource == code


def of_agency(agency: str) -> Filter:
    """Who read, wherever the record stands."""
    return lambda record: record.access.asker == agency


def of_operator(operator: str) -> Filter:
    return lambda record: _is(record, "operator", (operator,))


def of_case(business_code: str) -> Filter:
    return lambda record: _is(record, "case", (business_code,))


def of_matter(code: str) -> Filter:
    return lambda record: record.access.matter == code


def of_cause(cause: str) -> Filter:
    def accepts(record: Recorded) -> bool | None:
        purpose = record.access.purpose
        return _unknown(record, "purpose") if purpose is None else purpose.cause == cause

    return accepts


def of_authorization(id: bytes) -> Filter:
    return lambda record: record.access.authorization == id


def in_period(start: int, end: int) -> Filter:
    """Recorded in [start, end), seconds since 1970."""
    return lambda record: start <= record.at < end


def with_code(codes: Collection[DecisionCode]) -> Filter:
    return lambda record: record.access.code in codes


def _is(record: Recorded, member: str, wanted: Collection[str] | Collection[bytes]) -> bool | None:
    value = getattr(record.access, member)
    return _unknown(record, member) if value is None else value in wanted


def _unknown(record: Recorded, member: str) -> bool | None:
    """A member that was never recorded is nobody's; one that is hidden may be anybody's."""
    return None if member in record.access.hidden else False
