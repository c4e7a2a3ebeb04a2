"""What a data steward has to settle: items with two sources, entries gone stale, values that contradict each other,
corrections that are overdue. Findings name resources, fields and agencies, never a person or a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from audit.finding import SEVERITY, Evidence, Finding, FindingCode
from audit.resource import Resource, ResourceCatalogue, contested, stale


class Settled(StrEnum):
    """How a correction ended."""

    CORRECTED = "corrected"
    CONFIRMED = "confirmed"
    """The entry was right."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one certificate says of a person, opened for an audit."""

    subject: str
    """The city's reference."""
    resource: str
    values: Mapping[str, str] = field(repr=False)
    """Field → value."""
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Due:
    """A correction as it stands."""

    resource: str
    field: str
    agency: str
    due: date
    evidence: Evidence


def contested_items(catalogue: ResourceCatalogue, city: int) -> Iterator[Finding]:
    """One for each item that several resources claim to lead, asked of the provider of the first."""
    for codes in contested(catalogue).values():
        leads = [catalogue[code] for code in codes]
        yield _finding(FindingCode.SOURCE_CONTESTED, city, leads[0].provider, _led(leads), count=len(codes))


def stale_entries(catalogue: ResourceCatalogue, updated: Mapping[str, int], now: int, city: int) -> Iterator[Finding]:
    """One for each resource whose last update (seconds, by code) lies longer back than its cycle allows."""
    for code, at in updated.items():
        resource = catalogue.get(code)
        if resource is not None and stale(resource, at, now):
            yield _finding(FindingCode.ENTRY_STALE, city, resource.provider, (), count=(now - at) // 86_400)


def conflicting_values(catalogue: ResourceCatalogue, held: Iterable[Held], city: int) -> Iterator[Finding]:
    """Certificates of one person that say other things of one item than the resource that leads it 一数一源.

    Items are the same where their titles are. Asked of the agency whose certificate deviates.
    """
    by_subject: dict[str, list[Held]] = {}
    for each in held:
        by_subject.setdefault(each.subject, []).append(each)
    for several in by_subject.values():
        truth = {title: (each, value) for each in several for title, value in _leading(catalogue, each)}
        for each in several:
            yield from _deviating(catalogue, each, truth, city)


def overdue(corrections: Iterable[Due], today: date, city: int) -> Iterator[Finding]:
    """Open corrections whose last day is over."""
    for each in corrections:
        if today > each.due:
            found = _finding(FindingCode.CORRECTION_OVERDUE, city, each.agency, (each.field,), each.evidence)
            yield found


def _leading(catalogue: ResourceCatalogue, held: Held) -> Iterator[tuple[str, str]]:
    resource = catalogue[held.resource]
    for item in resource.items:
        if item.field in resource.authoritative and item.field in held.values:
            yield item.title, held.values[item.field]


def _deviating(
    catalogue: ResourceCatalogue, held: Held, truth: Mapping[str, tuple[Held, str]], city: int
) -> Iterator[Finding]:
    resource = catalogue[held.resource]
    for item in resource.items:
        lead, value = truth.get(item.title, (held, held.values.get(item.field, "")))
        if lead is not held and item.field in held.values and held.values[item.field] != value:
            shown = (held.evidence, lead.evidence)
            yield _finding(FindingCode.VALUES_CONFLICT, city, resource.provider, (item.field,), *shown)


def _led(resources: Iterable[Resource]) -> tuple[str, ...]:
    several = list(resources)
    shared = {item.title for item in several[0].items}.intersection(*({i.title for i in r.items} for r in several))
    return tuple(i.field for i in several[0].items if i.title in shared and i.field in several[0].authoritative)


def _finding(
    code: FindingCode, city: int, agency: str, fields: tuple[str, ...], *evidence: Evidence, count: int = 1
) -> Finding:
    return Finding(code, SEVERITY[code], city, agency, None, evidence, tuple(sorted(fields)), count)
