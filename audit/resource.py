"""The data-resource catalogue 政务数据资源目录: what there is, who provides it, how it is shared, how fresh it must be.

Rows carry the national columns and one of our own, 权威信息项: the items for which the resource is the lead source, by
一数一源. An item is written 名称(field_name), because authorizations name fields. The file itself is read elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from hashlib import sha256
from typing import NoReturn

from audit.errors import PolicyError
from audit.terms import DAY
from ledger import canonical
from ledger.canonical import Json

_DOMAIN = b"certledger/catalogue/v1\x00"
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,63}")
_USCC = re.compile(r"[0-9A-Z]{18}")


class Sharing(IntEnum):
    """共享类型, as the national catalogue numbers it."""

    UNCONDITIONAL = 1
    CONDITIONAL = 2
    NOT_SHARED = 3


TITLES: Mapping[str, str] = {
    "name": "信息资源名称",
    "code": "信息资源代码",
    "provider_name": "信息资源提供方",
    "provider": "信息资源提供方代码",
    "summary": "信息资源摘要",
    "format": "信息资源格式",
    "sharing": "共享类型",
    "condition": "共享条件",
    "mode": "共享方式",
    "open": "是否向社会开放",
    "cycle": "更新周期",
    "items": "信息项",
    "authoritative": "权威信息项",
}
"""Member → column of the national catalogue; the last one is ours."""

CYCLES: Mapping[str, int | None] = {
    "实时": DAY,
    "每日": DAY,
    "每周": 7 * DAY,
    "每月": 31 * DAY,
    "每季度": 92 * DAY,
    "每半年": 184 * DAY,
    "每年": 366 * DAY,
    "不定期": None,
}
"""更新周期 → seconds after which an entry is stale; None: never."""


@dataclass(frozen=True, slots=True)
class Item:
    """One 信息项."""

    field: str
    title: str


@dataclass(frozen=True, slots=True)
class Resource:
    """One row."""

    code: str
    name: str
    provider: str
    """USCC."""
    provider_name: str
    summary: str
    format: str
    sharing: Sharing
    condition: str
    mode: str
    open: bool
    cycle: str
    items: tuple[Item, ...]
    authoritative: frozenset[str]
    """Fields for which this resource is the lead source."""

    def __post_init__(self) -> None:
        names = [item.field for item in self.items]
        formed = {"code": _CODE.fullmatch(self.code), "provider": _USCC.fullmatch(self.provider), "name": self.name}
        for column in (column for column, fits in formed.items() if not fits):
            _refuse("RESOURCE_FORM", "code, name or provider is missing or malformed", self.code, column)
        if not names or len(set(names)) != len(names):
            _refuse("RESOURCE_ITEMS", "items are missing or doubled", self.code, "items")
        if not self.authoritative <= set(names):
            _refuse("RESOURCE_ITEMS", "it leads items that it does not have", self.code, "authoritative")
        if self.cycle not in CYCLES:
            _refuse("RESOURCE_CYCLE", "no such update cycle", self.code, "cycle")
        if self.sharing is Sharing.CONDITIONAL and not self.condition:
            _refuse("RESOURCE_CONDITION", "shared on a condition that is not named", self.code, "condition")

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(item.field for item in self.items)

    def to_json(self) -> dict[str, Json]:
        plain: dict[str, Json] = {each.name: getattr(self, each.name) for each in fields(self)}
        items: list[Json] = [[item.field, item.title] for item in self.items]
        lead: list[Json] = [*sorted(self.authoritative)]
        return plain | {"sharing": int(self.sharing), "items": items, "authoritative": lead}


class ResourceCatalogue(Mapping[str, Resource]):
    """One version of the catalogue, by code."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        listed = sorted(resources, key=lambda each: each.code)
        self._by_code = {each.code: each for each in listed}
        for code, count in Counter(each.code for each in listed).items():
            if count > 1:
                _refuse("RESOURCE_DUPLICATE", "two rows have one code", code)
        rows: list[Json] = [each.to_json() for each in listed]
        self.digest = sha256(_DOMAIN + canonical.dumps(rows)).digest()

    def __getitem__(self, code: str) -> Resource:
        return self._by_code[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_code)

    def __len__(self) -> int:
        return len(self._by_code)


@dataclass(frozen=True, slots=True)
class Changed:
    """One difference between two versions; `old` or `new` is None where a resource came or went."""

    code: str
    column: str
    old: Json
    new: Json


def differences(old: ResourceCatalogue, new: ResourceCatalogue) -> tuple[Changed, ...]:
    """What an operator confirms before a new version counts. Rising by code, then in the order of the columns."""
    found: list[Changed] = []
    for code in sorted({*old, *new}):
        before = old[code].to_json() if code in old else None
        after = new[code].to_json() if code in new else None
        if before is None or after is None:
            found.append(Changed(code, "code", before and code, after and code))
        else:
            found += (Changed(code, name, before[name], after[name]) for name in before if before[name] != after[name])
    return tuple(found)


def contested(catalogue: ResourceCatalogue) -> dict[str, tuple[str, ...]]:
    """Titles of items that several resources claim to lead → their codes: one item has one source 一数一源."""
    claims: dict[str, list[str]] = {}
    for resource in catalogue.values():
        for item in resource.items:
            if item.field in resource.authoritative:
                claims.setdefault(item.title, []).append(resource.code)
    return {title: tuple(codes) for title, codes in claims.items() if len(codes) > 1}


def stale(resource: Resource, updated_at: int, now: int) -> bool:
    """Was it last brought up to date longer ago than its cycle allows? Seconds since 1970."""
    cycle = CYCLES[resource.cycle]
    return cycle is not None and now - updated_at > cycle


def _refuse(code: str, message: str, resource: str, column: str = "code") -> NoReturn:
    raise PolicyError(code, message, resource=resource[:64], column=TITLES[column])
