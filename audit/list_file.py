"""The negative list, the responsibility list and the clocks as stewards write them, names instead of codes → lists.

And whether matters and lists speak of what the catalogue has: a line about a field that nobody knows forbids nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from audit.clock import LONGEST
from audit.errors import PolicyError
from audit.lists import EVERY, STATUTORY, Act, Duty, Forbidden, Lists, Share
from audit.purpose import MATTER_CODE
from audit.request import Rules
from audit.terms import FIELD, FIELDS
from ledger import schema as s

_NAME: s.Schema = {"type": "string", "minLength": 1, "maxLength": 200}
_EVERY_OR_FIELD: s.Schema = {"anyOf": [FIELD, {"const": EVERY}]}
_LIMIT: s.Schema = {"type": "integer", "minimum": 1, "maximum": 10**9}
_DAYS: s.Schema = {"type": "integer", "minimum": 0, "maximum": LONGEST}
_MATTERS = s.rows(MATTER_CODE, 256)
FORM = s.Form(
    "LISTS_FORM",
    s.record(
        negative=s.rows(
            s.record(resource=_NAME, field=_EVERY_OR_FIELD, basis=_NAME, _optional={"except_matters": _MATTERS}), 10_000
        ),
        responsibility=s.rows(
            s.record(
                provider=_NAME,
                resource=_NAME,
                grantee=_NAME,
                fields=FIELDS,
                matters={**_MATTERS, "minItems": 1},
                daily_limit=_LIMIT,
            ),
            10_000,
        ),
        _optional={
            "clocks": s.rows(s.record(act={"enum": [act.value for act in Act]}, agency=_NAME, working_days=_DAYS), 1000)
        },
    ),
)


def read_lists(written: Any, *, resources: Mapping[str, str], agencies: Mapping[str, str]) -> Lists:
    """`resources`: id → code, `agencies`: display name → USCC; a code or USCC may stand there itself.

    Clocks of the file count before the statutory ones. Raises `VerificationError` LISTS_FORM, `PolicyError`
    LIST_UNKNOWN_NAME (name) and those of the lines.
    """
    v = FORM.check(written)
    return Lists(
        negative=tuple(_forbidden(line, resources) for line in v["negative"]),
        shares=tuple(_share(line, resources, agencies) for line in v["responsibility"]),
        duties=(*(_duty(line, agencies) for line in v.get("clocks", ())), *STATUTORY),
    )


def check(rules: Rules) -> None:
    """Whether matters and lists fit the catalogue. Resources of other cities are not in it, and may be needed.

    Raises `PolicyError` MATTER_FIELD_UNKNOWN (matter, resource, fields), LIST_RESOURCE_UNKNOWN (resource),
    LIST_FIELD_UNKNOWN (resource, fields), LIST_MATTER_UNKNOWN (matter).
    """
    for matter in rules.matters.values():
        for code, fields in matter.needs.items():
            if code in rules.catalogue and (unknown := fields - rules.catalogue[code].fields):
                named = ", ".join(sorted(unknown))
                raise PolicyError(
                    "MATTER_FIELD_UNKNOWN", "no such field", matter=matter.code, resource=code, fields=named
                )
    for line in rules.lists.negative:
        _in_catalogue(rules, line.resource, {line.field}, line.except_matters)
    for share in rules.lists.shares:
        _in_catalogue(rules, share.resource, share.fields, share.matters)


def _in_catalogue(rules: Rules, resource: str, fields: Iterable[str], matters: Iterable[str]) -> None:
    if resource != EVERY and resource not in rules.catalogue:
        raise PolicyError("LIST_RESOURCE_UNKNOWN", "no such resource", resource=resource)
    several = rules.catalogue.values() if resource == EVERY else [rules.catalogue[resource]]
    known = {EVERY}.union(*(each.fields for each in several))
    if unknown := sorted(set(fields) - known):
        raise PolicyError("LIST_FIELD_UNKNOWN", "no such field", resource=resource, fields=", ".join(unknown))
    for matter in matters:
        if matter not in rules.matters:
            raise PolicyError("LIST_MATTER_UNKNOWN", "no such matter", matter=matter)


def _forbidden(line: Any, resources: Mapping[str, str]) -> Forbidden:
    resource = line["resource"] if line["resource"] == EVERY else _known(resources, line["resource"])
    return Forbidden(resource, line["field"], line["basis"], frozenset(line.get("except_matters", ())))


def _share(line: Any, resources: Mapping[str, str], agencies: Mapping[str, str]) -> Share:
    return Share(
        provider=_known(agencies, line["provider"]),
        resource=_known(resources, line["resource"]),
        grantee=_known(agencies, line["grantee"]),
        fields=frozenset(line["fields"]),
        matters=frozenset(line["matters"]),
        daily_limit=line["daily_limit"],
    )


def _duty(line: Any, agencies: Mapping[str, str]) -> Duty:
    agency = EVERY if line["agency"] == EVERY else _known(agencies, line["agency"])
    return Duty(Act(line["act"]), agency, line["working_days"])


def _known(names: Mapping[str, str], name: str) -> str:
    if name in names.values():
        return name
    if name not in names:
        raise PolicyError("LIST_UNKNOWN_NAME", "no such agency or resource", name=name)
    return names[name]
