"""Fields of a certificate: what kinds of value there are, and what every certificate carries.

A kind fixes how a value is written in the certificate (its JSON Schema, here) and how it is read from a cell
(`certs.cells`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from certs.identifier import MAX_LENGTH as MAX_IDENTIFIER

Kind = Literal[
    "string",
    "string_list",
    "code",
    "pattern",
    "date",
    "date_or_open_ended",
    "integer_fen",
    "decimal",
    "uscc",
    "resident_id",
    "identifier",
    "division",
]
KINDS: Final[tuple[str, ...]] = get_args(Kind)

OPEN_ENDED: Final = "长期"
MAX_STRING: Final = 2_000
"""Characters (code points) of one value."""
MAX_LIST: Final = 100
MAX_FEN: Final = 2**53 - 1
"""分; the largest integer of canonical JSON (RFC 8785 §3.2.2.3)."""
DECIMAL: Final = r"(0|[1-9][0-9]{0,14})(\.[0-9]{0,5}[1-9])?"
"""The one spelling of a decimal: not negative, no leading or trailing zeros, at most 6 decimals."""
CODE: Final = r"[0-9A-Za-z][0-9A-Za-z_-]{0,31}"
_DATE: Final = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"

_SCHEMAS: Final[Mapping[str, Mapping[str, object]]] = {
    "string": {"type": "string", "minLength": 1, "maxLength": MAX_STRING},
    "string_list": {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": MAX_STRING},
        "minItems": 1,
        "maxItems": MAX_LIST,
    },
    "code": {"type": "string", "pattern": f"^{CODE}$"},
    "pattern": {"type": "string"},
    "date": {"type": "string", "format": "date", "pattern": f"^{_DATE}$"},
    "date_or_open_ended": {"type": "string", "pattern": f"^({_DATE}|{OPEN_ENDED})$"},
    "integer_fen": {"type": "integer", "minimum": 0, "maximum": MAX_FEN},
    "decimal": {"type": "string", "pattern": f"^{DECIMAL}$"},
    "uscc": {"type": "string", "pattern": "^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$"},
    "resident_id": {"type": "string", "pattern": "^[0-9]{17}[0-9X]$"},
    "identifier": {"type": "string", "pattern": r"^[0-9A-Z.]+$", "maxLength": MAX_IDENTIFIER},
    "division": {"type": "string", "pattern": "^[1-9][0-9]{5}$"},
}

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_FIELD_CODE = re.compile(r"[A-Z][A-Z0-9]{0,31}")


def demand(holds: bool, problem: str) -> None:
    """Construction of a value object: ValueError unless it holds; who reads the catalogue names the file."""
    if not holds:
        raise ValueError(problem)


@dataclass(frozen=True, slots=True)
class CodeValue:
    """One value of a code list; people may write the Chinese word, the certificate carries the code."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute of a certificate. `required`: a certificate without it is not valid."""

    name: str
    """snake_case, the key in the certificate."""
    zh: str
    """字段中文名."""
    en: str
    code: str
    """Pinyin initials as GB/T 36903 writes them, e.g. 名称 MC; unique within a type."""
    kind: Kind
    required: bool = True
    pattern: str | None = None
    """Regular expression of the whole value; for kind `pattern` alone."""
    values: tuple[CodeValue, ...] = ()
    """The code list, for kind `code` alone; empty: any code."""

    def __post_init__(self) -> None:
        demand(_NAME.fullmatch(self.name) is not None, f"field name {self.name!r} is not snake_case")
        demand(_FIELD_CODE.fullmatch(self.code) is not None, f"code of {self.name} is not pinyin initials")
        demand(bool(self.zh and self.en), f"{self.name} lacks a name in Chinese or English")
        demand(self.kind in KINDS, f"{self.name}: no such kind {self.kind!r}")
        demand((self.kind == "pattern") == (self.pattern is not None), f"{self.name}: kind or pattern alone")
        demand(self.kind == "code" or not self.values, f"{self.name}: values are for kind code")


COMMON_FIELDS: Final = (
    Field("certificate_identifier", "电子证照标识", "Certificate identifier", "ZZBS", "identifier"),
    Field("certificate_number", "证照编号", "Certificate number", "ZZBH", "string"),
    Field("holder_name", "持证主体", "Holder", "CZZT", "string"),
    Field("holder_code", "持证主体代码", "Holder code", "CZZTDM", "string"),
    Field("holder_type", "持证主体代码类型", "Holder code type", "CZZTDMLXDM", "code"),
    Field("issuing_authority_name", "颁发机构", "Issuing authority", "ZZBFJG", "string"),
    Field("issuing_authority_code", "颁发机构代码", "Issuing authority code", "ZZBFJGDM", "uscc"),
    Field("issuing_date", "颁发日期", "Date of issue", "ZZBFRQ", "date"),
    Field("validity_start", "有效期起始", "Valid from", "ZZYXQQSRQ", "date"),
    Field("validity_end", "有效期截止", "Valid until", "ZZYXQJZRQ", "date_or_open_ended"),
    Field("area_code", "行政区划", "Administrative division", "XZQH", "division"),
)
"""Every type has them (GB/T 36903 names and codes); a type's file lists only its own."""


def field_schema(field: Field) -> dict[str, Any]:
    """JSON Schema of one value."""
    schema: dict[str, Any] = {"title": field.zh, **_SCHEMAS[field.kind]}
    if field.values:
        return {"title": field.zh, "enum": [value.code for value in field.values]}
    if field.pattern is not None:
        schema["pattern"] = f"^({field.pattern})$"
    return schema
