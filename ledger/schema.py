"""JSON Schemas of what arrives from outside: every member known, every length bounded, nothing left over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from ledger.canonical import Json
from ledger.errors import VerificationError

Schema = dict[str, Any]

HEX32: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
ADDRESS: Schema = {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}
AGENCY: Schema = {"type": "string", "pattern": "^[0-9A-Z]{18}$"}
OPTIONAL_AGENCY: Schema = {"type": "string", "pattern": "^([0-9A-Z]{18})?$"}
TYPE_CODE: Schema = {"type": "string", "pattern": "^[0-9A-Z]{21}$"}
KID: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
TIMESTAMP: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
NATURAL: Schema = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
CITY: Schema = {"type": "integer", "minimum": 1, "maximum": 2**32 - 1}


def record(*, _optional: Mapping[str, Schema] | None = None, **members: Schema) -> Schema:
    """An object with exactly these members, and perhaps the optional ones."""
    return {
        "type": "object",
        "properties": {**members, **(_optional or {})},
        "required": list(members),
        "additionalProperties": False,
    }


def rows(item: Schema, limit: int) -> Schema:
    return {"type": "array", "items": item, "maxItems": limit}


def optional(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


class Form:
    """A schema with the name under which its violation is reported."""

    def __init__(self, code: str, schema: Schema) -> None:
        self._code = code
        self._validator = jsonschema_rs.Draft202012Validator(schema)

    def check(self, value: Json) -> Mapping[str, Any]:
        """`value` again, now known to have the form; else `VerificationError` naming the place, not the value."""
        if not self._validator.is_valid(value):
            error = next(self._validator.iter_errors(value))
            place = "/".join(str(part) for part in error.instance_path) or "(top)"
            raise VerificationError(self._code, f"unexpected form at {place}", place=place)
        assert isinstance(value, dict)  # noqa: S101  # every Form is a record
        return value
