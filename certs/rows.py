"""Rows of a file, judged: one row of cells becomes the attributes of one certificate, or a reject that says why.

Columns are headed by Chinese name, pinyin code or snake_case name, in any order and mixture. A heading that is
unknown, stands twice or is missing refuses the file before anything is issued: HEADER_REFUSED (unknown,
duplicate, missing: headings joined with 、, – for none); HEADER_NOT_FOUND when not one heading is known, and then
none is repeated, because such a first line is somebody's personal data.

The issuer's name and code and the identifier are not taken from rows. Left out or empty, `holder_type` is the
type's only one, `validity_start` the date of issue, `validity_end` follows the type's rule, `area_code` is the
issuer's. Rows of certificates that exist already (`existing`) bring their identifier and the issuer's name as it was
printed then, and state an end where the type has one: it is a fact by now, and no rule makes it up.

Rules of a reject (parameters), beside those of `certs.cells`, `certs.holder` and `certs.identifier`:
    ROW_RAGGED (expected, found)    another number of cells than the header
    ROW_MALFORMED                   quotes or JSON that cannot be read (found by the reader of the file)
    ROW_UNKNOWN_COLUMN, ROW_DUPLICATE_COLUMN   a later JSON line with a key that no column has, or one twice
    VALUE_MISSING                   a required value is empty
    HOLDER_TYPE_NOT_ALLOWED (allowed)   nobody of this holder type holds such a certificate
    IDENTIFIER_NOT_EMPTY            certificates that exist already are imported, not issued
    ISSUING_AUTHORITY_DIFFERS (expected)   the row names another issuer
    ISSUING_DATE_IN_FUTURE (today)  issued after today
    VALIDITY_REVERSED               ends before it starts
    SCHEMA (problem)                the rules passed, the JSON Schema did not
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from jsonschema_rs import Draft202012Validator

from certs.cells import Cell, Value, reader_of
from certs.certificate_type import CertificateType, Field, json_schema
from certs.errors import CellError, CertsError, RowFileError
from certs.holder import HOLDER_TYPES, normalised_code

IDENTIFIER: Final = "certificate_identifier"
_SUPPLIED: Final = frozenset({IDENTIFIER, "issuing_authority_name", "issuing_authority_code"})
_DEFAULTED: Final = frozenset({"validity_start", "validity_end", "area_code"})
_HEADING_CUT: Final = 40
_LONG_NUMBER = re.compile("[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Issuer:
    """The agency that issues these rows: an option of the command, never a column."""

    code: str
    """USCC."""
    name: str
    area_code: str
    """GB/T 2260."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as the file has it, aligned with the columns; or what the reader of the file found wrong with it."""

    line: int
    """Where the row starts, from 1."""
    cells: Sequence[Cell]
    fault: str = ""
    """A ROW_ rule; empty if the row could be read."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be issued."""

    line: int
    attributes: dict[str, Value]
    """By snake_case name, as json_schema(type) wants them; a certificate to issue still lacks its identifier."""
    certificate_number: str
    holder_type: str
    holder_code: str
    """Normalised (`certs.holder.normalised_code`)."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that is not issued. Its parameters never repeat a cell."""

    line: int
    column: str
    """The heading in the file; empty if it is the row's fault."""
    rule: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Columns:
    """The header of a file, understood: `fields[i]` stands under `headings[i]`."""

    fields: tuple[Field, ...]
    headings: tuple[str, ...]


def headings_of(certificate_type: CertificateType) -> Mapping[str, Field]:
    """Fields by every heading a column may have."""
    return {key: field for field in certificate_type.fields for key in (field.zh, field.code, field.name)}


def clean_heading(heading: str) -> str:
    """Without the blanks and byte order marks that spreadsheet programs leave around it."""
    return heading.strip(" \t\r\n\u3000\xa0\ufeff")


def resolve_columns(certificate_type: CertificateType, header: Sequence[str], *, existing: bool = False) -> Columns:
    """Understand a header, or refuse it with everything that is wrong with it. Raises `RowFileError`."""
    known = headings_of(certificate_type)
    headings = tuple(clean_heading(heading) for heading in header)
    if not any(heading in known for heading in headings):
        raise RowFileError("HEADER_NOT_FOUND", "the first line is not a header of this certificate type")
    fields = [known[heading] for heading in headings if heading in known]
    problems = {
        "unknown": [_shown(at, text) for at, text in enumerate(headings, 1) if text not in known],
        "duplicate": sorted({field.zh for field in fields if fields.count(field) > 1}),
        "missing": [field.zh for field in _needed(certificate_type, existing) if field not in fields],
    }
    if any(problems.values()):
        named = {problem: "、".join(words) or "–" for problem, words in problems.items()}
        raise RowFileError("HEADER_REFUSED", "the header does not fit the certificate type", **named)
    return Columns(tuple(fields), headings)


def _needed(certificate_type: CertificateType, existing: bool) -> list[Field]:
    """The fields that only the file can tell."""
    told = _SUPPLIED | _DEFAULTED
    if existing:
        told -= {IDENTIFIER} if certificate_type.validity.years is None else {IDENTIFIER, "validity_end"}
    if len(certificate_type.holder_types) == 1:
        told |= {"holder_type"}
    return [field for field in certificate_type.fields if field.required and field.name not in told]


def _shown(position: int, heading: str) -> str:
    """An unknown heading with a long number in it may be somebody's: say where, not what."""
    if not heading or _LONG_NUMBER.search(heading):
        return f"[{position}]"
    return heading[:_HEADING_CUT]


@lru_cache(maxsize=64)
def schema_validator(certificate_type: CertificateType) -> Draft202012Validator:
    """The compiled schema of a type, once per process."""
    return Draft202012Validator(json_schema(certificate_type), validate_formats=True)


class RowReader:
    """Judges the rows of one file: `read` is a pure function of the row."""

    def __init__(
        self,
        certificate_type: CertificateType,
        columns: Columns,
        issuer: Issuer,
        today: date,
        *,
        existing: bool = False,
    ) -> None:
        """`today` is the issuer's calendar day."""
        needed = {field.name for field in _needed(certificate_type, existing)}
        self._existing = existing
        self._type = certificate_type
        self._issuer = issuer
        self._today = today.isoformat()
        self._readers = tuple(
            (field.name, reader_of(field, existing=existing), field.name in needed) for field in columns.fields
        )
        self._heading = dict(zip((field.name for field in columns.fields), columns.headings, strict=True))
        self._validator = schema_validator(certificate_type)

    def read(self, raw: RawRow) -> Row | Reject:
        """The certificate's attributes, or the first rule that the row breaks."""
        if raw.fault:
            return Reject(raw.line, "", raw.fault, {})
        expected, found = len(self._readers), len(raw.cells)
        if expected != found:
            return Reject(raw.line, "", "ROW_RAGGED", {"expected": str(expected), "found": str(found)})
        attributes: dict[str, Value] = {}
        try:
            self._read_cells(raw.cells, attributes)
            self._supply(attributes)
            self._check_holder(attributes)
            self._check_dates(attributes)
            self._check_schema(attributes)
        except _Broken as broken:
            return Reject(raw.line, self._heading.get(broken.name, broken.name), broken.rule, broken.params)
        return Row(
            raw.line,
            attributes,
            str(attributes["certificate_number"]),
            str(attributes["holder_type"]),
            str(attributes["holder_code"]),
        )

    def _read_cells(self, cells: Sequence[Cell], attributes: dict[str, Value]) -> None:
        name = ""
        try:
            for (name, read, needed), cell in zip(self._readers, cells, strict=True):
                value = read(cell)
                if value is not None:
                    attributes[name] = value
                elif needed:
                    raise CellError("VALUE_MISSING", "a required value is empty")
        except CertsError as error:
            raise _Broken(name, error) from None

    def _supply(self, attributes: dict[str, Value]) -> None:
        """What the row need not say. A row that does say it must agree."""
        if IDENTIFIER in attributes and not self._existing:
            raise _broken(IDENTIFIER, "IDENTIFIER_NOT_EMPTY")
        for name, value in (
            ("issuing_authority_name", self._issuer.name),
            ("issuing_authority_code", self._issuer.code),
        ):
            # Agencies are renamed; a certificate that exists goes on printing the name it was issued under.
            free = self._existing and name == "issuing_authority_name"
            if attributes.setdefault(name, value) != value and not free:
                raise _broken(name, "ISSUING_AUTHORITY_DIFFERS", expected=value)
        attributes.setdefault("area_code", self._issuer.area_code)
        if len(self._type.holder_types) == 1:
            attributes.setdefault("holder_type", self._type.holder_types[0])

    def _check_holder(self, attributes: dict[str, Value]) -> None:
        holder_type = str(attributes["holder_type"])
        if holder_type not in HOLDER_TYPES:
            raise _broken("holder_type", "HOLDER_TYPE_UNKNOWN")
        if holder_type not in self._type.holder_types:
            allowed = " ".join(self._type.holder_types)
            raise _broken("holder_type", "HOLDER_TYPE_NOT_ALLOWED", allowed=allowed)
        try:
            attributes["holder_code"] = normalised_code(holder_type, str(attributes["holder_code"]))
        except CertsError as error:
            raise _Broken("holder_code", error) from None

    def _check_dates(self, attributes: dict[str, Value]) -> None:
        """ISO dates compare as text."""
        issued = str(attributes["issuing_date"])
        if issued > self._today:
            raise _broken("issuing_date", "ISSUING_DATE_IN_FUTURE", today=self._today)
        start = str(attributes.setdefault("validity_start", issued))
        if "validity_end" not in attributes:
            attributes["validity_end"] = self._type.validity.end(date.fromisoformat(start))
        if str(attributes["validity_end"]) < start:  # 长期 sorts after every digit
            raise _broken("validity_end", "VALIDITY_REVERSED")

    def _check_schema(self, attributes: dict[str, Value]) -> None:
        if self._validator.is_valid(attributes):
            return
        error = next(self._validator.iter_errors(attributes))
        name = str(error.instance_path[0]) if error.instance_path else ""
        # The keyword alone: the library's sentence repeats the value.
        raise _broken(name, "SCHEMA", problem=str(error.schema_path[-1]))


class _Broken(Exception):
    """A rule broken by the value of one field; never leaves this module."""

    def __init__(self, name: str, error: CertsError) -> None:
        super().__init__(error.code)
        self.name, self.rule, self.params = name, error.code, error.params


def _broken(name: str, rule: str, **params: str) -> _Broken:
    return _Broken(name, CellError(rule, rule, **params))
