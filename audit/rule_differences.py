"""Two versions of the rules compared: what an operator confirms before the new one counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from audit.lists import Lists
from audit.matter import Matter
from audit.request import Rules
from audit.resource import Resource, ResourceCatalogue, differences
from ledger import canonical
from ledger.canonical import Json


class Part(StrEnum):
    RESOURCE = "resource"
    MATTER = "matter"
    NEGATIVE = "negative"
    RESPONSIBILITY = "responsibility"
    CLOCK = "clock"


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One line of the comparison."""

    part: Part
    kind: Kind
    key: str
    """Code of the resource or matter; of a line of a list, the line."""
    member: str
    """Column, field or agency; empty: the whole."""
    old: str
    new: str


def compare(old: Rules, new: Rules) -> tuple[RuleChange, ...]:
    """In the order catalogue, matters, lists; within them rising by code."""
    return (
        *_catalogue(old.catalogue, new.catalogue),
        *_matters(old.matters, new.matters),
        *_lists(old.lists, new.lists),
    )


def _catalogue(old: ResourceCatalogue, new: ResourceCatalogue) -> Iterator[RuleChange]:
    for change in differences(old, new):
        if change.column == "items":
            yield from _items(old[change.code], new[change.code])
        elif change.column == "authoritative":
            yield from _sets(
                Part.RESOURCE, change.code, old[change.code].authoritative, new[change.code].authoritative, "★ {}"
            )
        else:
            whole = change.column == "code"
            named = {"member": "" if whole else change.column, "key": change.code}
            name = _names(old.get(change.code), new.get(change.code)) if whole else _texts(change.old, change.new)
            yield _difference(Part.RESOURCE, *name, **named)


def _items(old: Resource, new: Resource) -> Iterator[RuleChange]:
    before = {item.field: item.title for item in old.items}
    after = {item.field: item.title for item in new.items}
    found = list(_members(Part.RESOURCE, new.code, before, after))
    if not found:  # the same items in another order
        found = [_difference(Part.RESOURCE, ", ".join(before), ", ".join(after), key=new.code, member="items")]
    yield from found


def _matters(old: Mapping[str, Matter], new: Mapping[str, Matter]) -> Iterator[RuleChange]:
    for code in sorted({*old, *new}):
        before, after = old.get(code), new.get(code)
        if before is None or after is None:
            names = (before.name if before else "", after.name if after else "")
            yield _difference(Part.MATTER, *names, key=code, member="")
        else:
            yield from _matter(before, after)


def _matter(old: Matter, new: Matter) -> Iterator[RuleChange]:
    if old.name != new.name:
        yield _difference(Part.MATTER, old.name, new.name, key=new.code, member="name")
    for resource in sorted({*old.needs, *new.needs}):
        fields = (old.needs.get(resource, frozenset()), new.needs.get(resource, frozenset()))
        yield from _sets(Part.MATTER, new.code, *fields, f"{resource} {{}}")
    yield from _sets(Part.MATTER, new.code, old.agencies, new.agencies, "{}")
    limits = [{who: f"{limit.legal}/{limit.promised}" for who, limit in each.limits.items()} for each in (old, new)]
    yield from _members(Part.MATTER, new.code, *limits)


def _lists(old: Lists, new: Lists) -> Iterator[RuleChange]:
    parts: Sequence[tuple[Part, Callable[[Lists], list[str]]]] = (
        (Part.NEGATIVE, lambda lists: [_line(each.to_json()) for each in lists.negative]),
        (Part.RESPONSIBILITY, lambda lists: [_line(each.to_json()) for each in lists.shares]),
        (Part.CLOCK, lambda lists: [_line(each.to_json()) for each in lists.duties]),
    )
    for part, lines in parts:
        before, after = lines(old), lines(new)
        yield from (_difference(part, line, "", key=line, member="") for line in before if line not in after)
        yield from (_difference(part, "", line, key=line, member="") for line in after if line not in before)
        if sorted(before) == sorted(after) and before != after and part is Part.CLOCK:
            yield _difference(part, "; ".join(before), "; ".join(after), key="*", member="order")


def _members(part: Part, key: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[RuleChange]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield _difference(part, old.get(name, ""), new.get(name, ""), key=key, member=name)


def _sets(part: Part, key: str, old: frozenset[str], new: frozenset[str], form: str) -> Iterator[RuleChange]:
    for name in sorted(old ^ new):
        gone = name in old
        yield _difference(part, name if gone else "", "" if gone else name, key=key, member=form.format(name))


def _difference(part: Part, old: str, new: str, *, key: str, member: str) -> RuleChange:
    kind = Kind.ADDED if not old else Kind.REMOVED if not new else Kind.CHANGED
    return RuleChange(part, kind, key, member, old, new)


def _names(old: Resource | None, new: Resource | None) -> tuple[str, str]:
    return old.name if old else "", new.name if new else ""


def _texts(old: Json, new: Json) -> tuple[str, str]:
    return _line(old), _line(new)


def _line(value: Json) -> str:
    return value if isinstance(value, str) else canonical.dumps(value).decode()
