"""One cell of a row: text as people write it, in; the value as the certificate carries it, out.

What is read is normalised, and only so: blanks around it go, Unicode becomes NFC (canonical JSON refuses
anything else), codes fold to half width and capitals, dates and decimals get their one spelling. The rest is
refused with a `CellError`. Codes (parameters):
    VALUE_MISSING                       a required value is empty
    VALUE_TYPE                          JSON that no attribute has here: true, an object, a list
    VALUE_TOO_LONG (limit)              over 2,000 characters
    VALUE_CONTROL_CHARACTER             control or direction-override characters, line breaks inside
    LIST_TOO_LONG (limit)               over 100 items
    CODE_FORMAT, CODE_UNKNOWN (allowed) not a code; not of this field's list
    PATTERN_MISMATCH (pattern)          not of the field's form
    DATE_FORMAT, DATE_IMPOSSIBLE        none of the four spellings; a day that does not exist
    AMOUNT_FORMAT, AMOUNT_TOO_LARGE (limit)  not a whole number of 分; over 2^53 - 1
    DECIMAL_FORMAT                      not a decimal of at most 15 and 6 digits
    DIVISION_FORMAT                     not six digits (GB/T 2260)
    and the codes of `HolderError` and `IdentifierError`, under their own names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final

from certs.errors import CellError
from certs.field import CODE, MAX_FEN, MAX_LIST, MAX_STRING, OPEN_ENDED, Field
from certs.holder import check_resident_id, check_uscc, fold
from certs.identifier import parse

Cell = str | int | list[object] | dict[str, object] | None
"""Text of a CSV file, or a value of a JSON line (numbers with a fraction arrive as their text)."""
Value = str | int | list[str]
Converter = Callable[[str], Value]

# C0 and C1 controls, line and paragraph separators, direction overrides (a name must read as it is stored),
# zero-width space, byte order mark, lone surrogates, noncharacters. The joiners U+200C and U+200D stay: scripts
# of minorities need them.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")
_SEPARATOR = re.compile("[、;；|]")
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{1,2})-([0-9]{1,2})|/([0-9]{1,2})/([0-9]{1,2})|([0-9]{2})([0-9]{2})"
    r"|年([0-9]{1,2})月([0-9]{1,2})日)"
)
_CODE = re.compile(CODE)
_AMOUNT = re.compile(r"0|[1-9][0-9]*")
_DECIMAL = re.compile(r"0*([0-9]{1,15})(?:\.([0-9]{1,6}?)0*)?")
_DIVISION = re.compile(r"[1-9][0-9]{5}")
_PRINTED_FEN = len(str(MAX_FEN))


def reader_of(field: Field, *, existing: bool = False) -> Callable[[Cell], Value | None]:
    """The function that reads this field's cells: a value, None if empty. Raises `CertsError`.

    `existing`: of rows that bring the certificate's identifier; in others there must be none, and it is never parsed.
    """
    if field.kind == "string_list":
        return _read_list
    if field.kind == "string" or (field.name == "certificate_identifier" and not existing):
        return lambda cell: text_of(cell) or None
    convert = _converter(field)

    def read(cell: Cell) -> Value | None:
        text = text_of(cell)
        return convert(text) if text else None

    return read


def text_of(cell: Cell) -> str:
    """The text of a cell, normalised; empty if there is none."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        if isinstance(cell, int) and not isinstance(cell, bool):
            return str(cell)
        raise CellError("VALUE_TYPE", "not a text or a number")
    text = cell.strip(" \t\r\n\u3000\xa0\ufeff")
    if len(text) > MAX_STRING:
        raise CellError("VALUE_TOO_LONG", f"over {MAX_STRING} characters", limit=MAX_STRING)
    if text.isascii():
        if text and not text.isprintable():
            raise CellError("VALUE_CONTROL_CHARACTER", "a control character")
        return text
    if not text.isprintable() and _CONTROL.search(text) is not None:
        raise CellError("VALUE_CONTROL_CHARACTER", "a control character")
    # A few characters become two here; the schema bounds the length that results.
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def _read_list(cell: Cell) -> list[str] | None:
    cells = _SEPARATOR.split(text_of(cell)) if not isinstance(cell, list) else cell
    if len(cells) > MAX_LIST:
        raise CellError("LIST_TOO_LONG", f"over {MAX_LIST} items", limit=MAX_LIST)
    items = []
    for item in cells:
        if not isinstance(item, str):
            raise CellError("VALUE_TYPE", "an item of the list is not a text")
        items.append(text_of(item))
    return [item for item in items if item] or None


def _converter(field: Field) -> Converter:
    if field.values:
        return _listed_code(field)
    if field.pattern is not None:
        return _pattern(field.pattern)
    return _CONVERTERS[field.kind]


def _listed_code(field: Field) -> Converter:
    codes = {word: value.code for value in field.values for word in (value.code, value.zh)}
    allowed = " ".join(f"{value.code}={value.zh}" for value in field.values)

    def convert(text: str) -> str:
        if text not in codes:
            raise CellError("CODE_UNKNOWN", f"not one of {allowed}", allowed=allowed)
        return codes[text]

    return convert


def _pattern(pattern: str) -> Converter:
    whole = re.compile(pattern)

    def convert(text: str) -> str:
        if whole.fullmatch(text) is None:
            raise CellError("PATTERN_MISMATCH", f"not of the form {pattern}", pattern=pattern)
        return text

    return convert


def _code(text: str) -> str:
    if _CODE.fullmatch(text) is None:
        raise CellError("CODE_FORMAT", "not a code of letters and digits")
    return text


@lru_cache(maxsize=4096)
def iso_date(text: str) -> str:
    """2026-01-31, 2026/1/31, 20260131 or 2026年1月31日 → 2026-01-31."""
    written = _DATE.fullmatch(text)
    if written is None:
        raise CellError("DATE_FORMAT", "not a date")
    try:
        return date(*(int(part) for part in written.groups() if part is not None)).isoformat()
    except ValueError:
        raise CellError("DATE_IMPOSSIBLE", "this day does not exist") from None


def _date_or_open_ended(text: str) -> str:
    return OPEN_ENDED if text == OPEN_ENDED else iso_date(text)


def _integer_fen(text: str) -> int:
    if _AMOUNT.fullmatch(text) is None:
        raise CellError("AMOUNT_FORMAT", "not a whole number of fen")
    # The length first: Python refuses to convert thousands of digits with an error of its own.
    if len(text) > _PRINTED_FEN or int(text) > MAX_FEN:
        raise CellError("AMOUNT_TOO_LARGE", f"over {MAX_FEN}", limit=MAX_FEN)
    return int(text)


def _decimal(text: str) -> str:
    written = _DECIMAL.fullmatch(text)
    if written is None:
        raise CellError("DECIMAL_FORMAT", "not a decimal number")
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")


def _uscc(text: str) -> str:
    code = fold(text)
    check_uscc(code)
    return code


def _resident_id(text: str) -> str:
    code = fold(text)
    check_resident_id(code)
    return code


def _identifier(text: str) -> str:
    return str(parse(text))


def _division(text: str) -> str:
    if _DIVISION.fullmatch(text) is None:
        raise CellError("DIVISION_FORMAT", "not six digits")
    return text


_CONVERTERS: Final[dict[str, Converter]] = {
    "code": _code,
    "date": iso_date,
    "date_or_open_ended": _date_or_open_ended,
    "integer_fen": _integer_fen,
    "decimal": _decimal,
    "uscc": _uscc,
    "resident_id": _resident_id,
    "identifier": _identifier,
    "division": _division,
}
