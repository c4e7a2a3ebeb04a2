"""Canonical JSON: RFC 8785 (JCS) in a strict form, because what is hashed must have exactly one reading.

Refused on the way in and on the way out: duplicate keys, floats, integers beyond 2^53-1, strings that are not
Unicode NFC or carry lone surrogates, nesting deeper than 32. Two parties that accept a document here read the
same values from it, and write the same bytes again.
"""

from __future__ import annotations

import json
import unicodedata
from typing import NoReturn, TypeAlias

import orjson

from ledger.errors import CanonicalError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"

MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1


def dumps(value: Json) -> bytes:
    """The one UTF-8 encoding of `value`. Raises `CanonicalError` for what strict JCS cannot carry."""
    return orjson.dumps(_ordered(value, 0))


def loads(text: bytes, *, max_bytes: int) -> Json:
    """Parse strictly, at most `max_bytes` long; white space and key order are free. Raises `CanonicalError`."""
    if len(text) > max_bytes:
        _refuse("JSON_TOO_LARGE", "document is longer than allowed", limit=max_bytes)
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except UnicodeDecodeError:
        _refuse("JSON_NOT_UTF8", "document is not UTF-8")
    except RecursionError:
        _refuse("JSON_TOO_DEEP", "document is nested too deeply", limit=MAX_DEPTH)
    except json.JSONDecodeError as error:
        _refuse("JSON_SYNTAX", "document is not JSON", position=error.pos)
    _ordered(value, 0)
    return value  # type: ignore[no-any-return]  # json.loads cannot say what the hooks guarantee


def loads_canonical(text: bytes, *, max_bytes: int) -> Json:
    """Like `loads`, and the bytes must already be canonical: what was signed is what is read."""
    value = loads(text, max_bytes=max_bytes)
    if dumps(value) != text:
        _refuse("JSON_NOT_CANONICAL", "document is not in canonical form")
    return value


def _ordered(value: Json, depth: int) -> Json:
    """`value` checked, its objects sorted as RFC 8785 §3.2.3 asks."""
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            _refuse("JSON_INTEGER_RANGE", "integer beyond 2^53-1")
        return value
    if depth == MAX_DEPTH:
        _refuse("JSON_TOO_DEEP", "document is nested too deeply", limit=MAX_DEPTH)
    if isinstance(value, dict):
        return {_text(key): _ordered(value[key], depth + 1) for key in _sorted_keys(value)}
    if isinstance(value, list | tuple):
        return [_ordered(item, depth + 1) for item in value]
    _refuse("JSON_TYPE", "value has no place in canonical JSON", type=type(value).__name__)


def _sorted_keys(members: dict[str, Json]) -> list[str]:
    """Keys by UTF-16 code units: not code points, which differ beyond U+FFFF."""
    if not all(isinstance(key, str) for key in members):
        _refuse("JSON_TYPE", "object keys must be strings")
    if all(key.isascii() for key in members):
        return sorted(members)
    return sorted(members, key=lambda key: key.encode("utf-16-be", "surrogatepass"))


def _text(text: str) -> str:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        _refuse("JSON_SURROGATE", "string carries a lone surrogate")
    if not unicodedata.is_normalized("NFC", text):
        _refuse("JSON_NOT_NFC", "string is not in Unicode NFC")
    return text


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse("JSON_DUPLICATE_KEY", "object names a key twice")
    return members


def _integer(digits: str) -> int:
    if len(digits) > len(str(-MAX_INTEGER)):
        _refuse("JSON_INTEGER_RANGE", "integer beyond 2^53-1")
    return int(digits)


def _no_float(_: str) -> NoReturn:
    _refuse("JSON_FLOAT", "floats have no canonical form here: use an integer or a decimal string")


def _refuse(code: str, message: str, **params: object) -> NoReturn:
    raise CanonicalError(code, message, **params)
