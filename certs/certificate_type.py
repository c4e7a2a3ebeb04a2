"""Certificate types 证照类型: what a type is, its fields, its JSON Schema, and the catalogue of all types.

A type is data: one YAML file in the package's folder `catalogue`, checked on load. Who may issue a type is not
catalogue data: it stands on the chain. How it prints is not here yet.

Codes of `CatalogueError` (parameters): CATALOGUE_FILE (file, problem) a file of the catalogue is damaged;
CATALOGUE_DUPLICATE (key) two types share an id or code; TYPE_UNKNOWN (key) no type of this id or code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import yaml

from certs.errors import CatalogueError
from certs.field import COMMON_FIELDS, OPEN_ENDED, CodeValue, Field, demand, field_schema
from certs.holder import HOLDER_TYPES

__all__ = [
    "COMMON_FIELDS",
    "MAX_ANCHOR_LAG",
    "OPEN_ENDED",
    "Catalogue",
    "CertificateType",
    "CodeValue",
    "Field",
    "StrictLoader",
    "Validity",
    "json_schema",
    "load_catalogue",
    "read_type",
]

MAX_ANCHOR_LAG: Final = 7 * 24 * 3600
"""Seconds between issue and anchor before a verdict says LATE_ANCHOR, unless a type says otherwise."""

_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_TYPE_CODE = re.compile(r"[0-9A-Z]{18}[0-9]{3}")


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a certificate of a type holds when nobody states an end."""

    years: int | None
    """Whole years; None: open-ended 长期."""

    def __post_init__(self) -> None:
        demand(self.years is None or 1 <= self.years <= 99, "validity is not 1 to 99 years")

    def end(self, start: date) -> str:
        """The last valid day, ISO 8601, or 长期: the day before the anniversary of `start`."""
        if self.years is None or start.year + self.years > MAXYEAR:
            return OPEN_ENDED
        year = start.year + self.years
        try:
            anniversary = start.replace(year=year)
        except ValueError:  # 29 February of a year that has none
            anniversary = date(year, 3, 1)
        return (anniversary - timedelta(days=1)).isoformat()


@dataclass(frozen=True, slots=True)
class CertificateType:
    """One type of certificate at one version of its standard."""

    id: str
    """snake_case; the name of its file."""
    code: str
    """21 characters: USCC of the defining body and 3 digits (GB/T 36904)."""
    title_zh: str
    title_en: str
    standard_version: str
    """What cities recognise of each other (标准互认)."""
    holder_types: tuple[str, ...]
    """GB/T 36903 codes of those who can hold it."""
    validity: Validity
    fields: tuple[Field, ...]
    """The common fields, then its own."""
    max_anchor_lag: int = MAX_ANCHOR_LAG
    """Seconds."""
    state_code_table: str | None = None
    """Whose national state codes an import of this type uses: 01 is valid in one ministry, invalid in another."""

    def __post_init__(self) -> None:
        demand(_ID.fullmatch(self.id) is not None, f"id {self.id!r} is not snake_case")
        demand(_TYPE_CODE.fullmatch(self.code) is not None, "code is not 18 characters and 3 digits")
        demand(bool(self.title_zh and self.title_en and self.standard_version), "title or version is missing")
        demand(bool(self.holder_types) and set(self.holder_types) <= set(HOLDER_TYPES), "unknown holder type")
        demand(self.max_anchor_lag > 0, "max_anchor_lag is not positive")
        demand(self.fields[: len(COMMON_FIELDS)] == COMMON_FIELDS, "the common fields do not come first")
        for attribute in ("name", "zh", "code"):
            seen = [getattr(field, attribute) for field in self.fields]
            demand(len(set(seen)) == len(seen), f"two fields share a {attribute}")


def json_schema(certificate_type: CertificateType) -> dict[str, Any]:
    """JSON Schema (Draft 2020-12) of the attributes of one certificate, derived from the fields alone.

    The identifier is allowed and not required: a row is judged before a serial is drawn for it.
    """
    holders = {"title": "持证主体代码类型", "enum": list(certificate_type.holder_types)}
    required = [f.name for f in certificate_type.fields if f.required and f.name != "certificate_identifier"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:certledger:type:{certificate_type.id}:{certificate_type.standard_version}",
        "title": certificate_type.title_zh,
        "type": "object",
        "properties": {f.name: field_schema(f) for f in certificate_type.fields} | {"holder_type": holders},
        "required": required,
        "additionalProperties": False,
    }


class Catalogue(Mapping[str, CertificateType]):
    """All types, iterated by id, found by id or code."""

    def __init__(self, types: tuple[CertificateType, ...]) -> None:
        self._by_id = {each.id: each for each in types}
        self._by_key = {key: each for each in types for key in (each.id, each.code)}
        if len(self._by_key) != 2 * len(types):
            keys = [key for each in types for key in (each.id, each.code)]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise CatalogueError("CATALOGUE_DUPLICATE", f"two types share {twice}", key=twice)

    def __getitem__(self, key: str) -> CertificateType:
        return self._by_key[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, key: str) -> CertificateType:
        """As `[]`, but the error is one to show: TYPE_UNKNOWN."""
        if key not in self._by_key:
            raise CatalogueError("TYPE_UNKNOWN", f"no certificate type {key!r}", key=key)
        return self._by_key[key]


@lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    """The types in this package, checked; read once. Raises `CatalogueError`."""
    folder = resources.files("certs") / "catalogue"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return Catalogue(tuple(read_type(f.name, f.read_text(encoding="utf-8")) for f in files))


def read_type(file: str, text: str) -> CertificateType:
    """The type in the text of one catalogue file `<id>.yaml`. Raises `CatalogueError` naming the file."""
    try:
        written = yaml.load(text, StrictLoader)  # noqa: S506 - a SafeLoader
        demand(isinstance(written, dict), "not a mapping")
        certificate_type = _type_of(written)
        demand(file == f"{certificate_type.id}.yaml", "the file is not named after the id")
    except (yaml.YAMLError, re.error, ValueError, TypeError, KeyError, AttributeError) as error:
        problem = str(error)
        raise CatalogueError("CATALOGUE_FILE", f"{file}: {problem}", file=file, problem=problem) from error
    return certificate_type


def _type_of(written: dict[str, Any]) -> CertificateType:
    """Unknown keys fall through to the dataclasses, which refuse them."""
    title, validity = written.pop("title"), written.pop("validity")
    demand(set(title) == {"zh", "en"}, "a title has zh and en")
    return CertificateType(
        title_zh=title["zh"],
        title_en=title["en"],
        validity=Validity(None if validity == "open_ended" else int(validity["years"])),
        holder_types=tuple(written.pop("holder_types")),
        fields=COMMON_FIELDS + tuple(_field_of(each) for each in written.pop("fields")),
        **written,
    )


def _field_of(written: dict[str, Any]) -> Field:
    values = written.pop("values", {})
    if written.get("pattern") is not None:
        re.compile(written["pattern"])
    listed = tuple(CodeValue(code, words[0], words[1]) for code, words in values.items())
    return Field(values=listed, **written)


class StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key written twice: PyYAML keeps the last one silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        demand(len(set(keys)) == len(keys), f"a key is written twice in {keys}")
        return super().construct_mapping(node, deep=deep)
