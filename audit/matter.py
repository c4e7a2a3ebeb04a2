"""Matters 事项: which fields of which resource a matter needs, and which agencies take part in it.

A purpose names a matter; nobody gets a field that the matter does not need. Read from the shape in which departments
write them down (id, task code, needs, departments); agencies there have names, so their codes are handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from audit.errors import PolicyError
from audit.purpose import MATTER_CODE
from audit.terms import FIELD, FIELDS
from ledger import canonical
from ledger import schema as s
from ledger.canonical import Json

_DOMAIN = b"certledger/matters/v1\x00"
_HANDLING = 18
"""A task code begins with the USCC of the agency that handles the matter."""
COLLECTED_ELSEWHERE = "异地代收代办"
"""Accepted at a counter of another city, which so takes part."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Working days: what the law gives, and what the department promises. 0: at once."""

    legal: int
    promised: int

    def __post_init__(self) -> None:
        if not 0 <= self.promised <= self.legal:
            raise PolicyError("MATTER_LIMIT", "a promise is at most what the law gives")


@dataclass(frozen=True, slots=True)
class Matter:
    code: str
    """实施编码, 31 characters."""
    name: str
    needs: Mapping[str, frozenset[str]]
    """Resource code → fields."""
    agencies: frozenset[str]
    """USCCs of all who take part: nobody else reads for this matter."""
    limits: Mapping[str, Limit]
    """By USCC of the department."""

    def to_json(self) -> dict[str, Json]:
        needs: dict[str, Json] = {resource: [*sorted(fields)] for resource, fields in self.needs.items()}
        limits: dict[str, Json] = {who: [limit.legal, limit.promised] for who, limit in self.limits.items()}
        agencies: list[Json] = [*sorted(self.agencies)]
        return {"code": self.code, "name": self.name, "needs": needs, "agencies": agencies, "limits": limits}


class Matters(Mapping[str, Matter]):
    """One version of the list of matters, by code."""

    def __init__(self, matters: Iterable[Matter]) -> None:
        listed = sorted(matters, key=lambda each: each.code)
        self._by_code = {each.code: each for each in listed}
        if len(self._by_code) != len(listed):
            raise PolicyError("MATTER_DUPLICATE", "two matters have one code")
        rows: list[Json] = [each.to_json() for each in listed]
        self.digest = sha256(_DOMAIN + canonical.dumps(rows)).digest()

    def __getitem__(self, code: str) -> Matter:
        return self._by_code[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_code)

    def __len__(self) -> int:
        return len(self._by_code)


_TEXT: s.Schema = {"type": "string", "minLength": 1, "maxLength": 200}
_LIMIT = s.record(legal=s.NATURAL, promised=s.NATURAL)
_DEPARTMENT: s.Schema = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "grants": s.optional(FIELD),
        "matter": _TEXT,
        "limit": _LIMIT,
        "asks_too_much": FIELDS,
    },
    "required": ["name", "limit"],
    "additionalProperties": False,
}
_FIELDS_BY_ID: s.Schema = {"type": "object", "additionalProperties": FIELDS, "minProperties": 1, "maxProperties": 16}
FORM = s.Form(
    "MATTER_FORM",
    {
        "type": "object",
        "properties": {
            "id": FIELD,
            "name": _TEXT,
            "mode": {"enum": ["全程网办", COLLECTED_ELSEWHERE, "多地联办"]},
            "task_code": MATTER_CODE,
            "applicant": FIELD,
            "after": FIELD,
            "needs": _FIELDS_BY_ID,
            "form_only": FIELDS,
            "grantors": {"type": "object", "additionalProperties": FIELD},
            "departments": {**s.rows(_DEPARTMENT, 16), "minItems": 1},
        },
        "required": ["id", "name", "mode", "task_code", "needs", "departments"],
        "additionalProperties": False,
    },
)


def read_matters(
    written: Iterable[Any], *, resources: Mapping[str, str], agencies: Mapping[str, str], counters: Iterable[str]
) -> Matters:
    """`resources`: id → code; `agencies`: display name → USCC; `counters`: USCCs of the counters of all cities.

    Raises `VerificationError` for another shape, `PolicyError` for a name that nobody has.
    """
    windows = frozenset(counters)
    return Matters(_read_matter(each, resources, agencies, windows) for each in written)


def _read_matter(
    written: Any, resources: Mapping[str, str], agencies: Mapping[str, str], counters: frozenset[str]
) -> Matter:
    v = FORM.check(written)
    limits = {_known(agencies, d["name"], v["id"]): Limit(**d["limit"]) for d in v["departments"]}
    if len(limits) != len(v["departments"]):
        raise PolicyError("MATTER_DEPARTMENT", "a department stands there twice", matter=v["id"])
    needs = {_known(resources, each, v["id"]): frozenset(fields) for each, fields in v["needs"].items()}
    taking_part = {v["task_code"][:_HANDLING], *limits}
    taking_part |= counters if v["mode"] == COLLECTED_ELSEWHERE else set()
    return Matter(
        code=v["task_code"],
        name=v["name"],
        needs=MappingProxyType(needs),
        agencies=frozenset(taking_part),
        limits=MappingProxyType(limits),
    )


def _known(names: Mapping[str, str], name: str, matter: str) -> str:
    if name not in names:
        raise PolicyError("MATTER_UNKNOWN_NAME", "no such agency or resource", matter=matter, name=name)
    return names[name]
