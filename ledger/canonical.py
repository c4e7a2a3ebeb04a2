"""Canonical JSON: RFC 8785 (JCS) in a strict form, because what is hashed must have exactly one reading.

Refused on the way in and on the way out: duplicate keys, floats, integers beyond 2^53-1, strings that are not
Unicode NFC or carry lone surrogates, nesting deeper than 32. Two parties that accept a document here read the
same values from it, and write the same bytes again.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import NoReturn, TypeAlias

import orjson

from ledger.errors import CanonicalError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"

MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1
# A string always ends, at the end of the text if need be, and never gives back what it took: linear for any input.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
# What stands outside strings in a plain document: no sign, no fraction, no exponent, no white space.
_PLAIN = b'"[]{},:0123456789nul'
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * len(str(MAX_INTEGER))
_BEYOND_FFFF = re.compile(rb"[\xf0-\xff]")
"""First bytes of characters whose place among others differs between UTF-8 and UTF-16."""


def dumps(value: Json) -> bytes:
    """The one UTF-8 encoding of `value`. Raises `CanonicalError` for what strict JCS cannot carry."""
    if type(value) is list and all(type(item) is str and item.isascii() for item in value):
        return orjson.dumps(value)  # every private member is digested so
    text = _plainly(value)
    return _encoded(value, plain=_check(value, 0)) if text is None else text


def loads(text: bytes, *, max_bytes: int) -> Json:
    """Parse strictly, at most `max_bytes` long; white space and key order are free. Raises `CanonicalError`."""
    _bound_length(text, max_bytes)
    value, plain = _plain(text)
    if plain and (b"{" not in text or orjson.dumps(value) == text):
        return value
    value = _parsed(text)
    _check(value, 0)
    return value


def loads_canonical(text: bytes, *, max_bytes: int) -> Json:
    """Like `loads`, and the bytes must already be canonical: what was signed is what is read."""
    _bound_length(text, max_bytes)
    value, plain = _plain(text)
    if plain and not _BEYOND_FFFF.search(text) and orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == text:
        return value
    value = _parsed(text)
    if _encoded(value, plain=_check(value, 0)) != text:
        _refuse("JSON_NOT_CANONICAL", "document is not in canonical form")
    return value


def _plainly(value: Json) -> bytes | None:
    """The encoding of what a plain document says, as nearly every value does; None: strict checking decides.

    What orjson writes in a way of its own (a NaN, a date, a tuple) is not what it reads back.
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None
    if _BEYOND_FFFF.search(text):
        return None
    read, plain = _plain(text)
    return text if plain and read == value else None


def _encoded(value: Json, *, plain: bool) -> bytes:
    """A checked value; `plain`: its keys are ASCII, where orjson's order is that of RFC 8785."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS) if plain else orjson.dumps(_ordered(value))


def _bound_length(text: bytes, max_bytes: int) -> None:
    if len(text) > max_bytes:
        _refuse("JSON_TOO_LARGE", "document is longer than allowed", limit=max_bytes)


def _plain(text: bytes) -> tuple[Json, bool]:
    """What a fast parser reads, and whether the text is so plain that strict reading can only read the same.

    Nearly every document is: no escape, no number but natural ones far from the limit, fewer brackets than levels, and
    all of it NFC, so that every string in it is. What this leaves to the caller is a key that stands there twice: then
    orjson does not write what it read. Strict reading decides on everything else, and names what is wrong.
    """
    if b"\\" in text:
        return None, False
    outside = b'"'.join(text.split(b'"')[::2])  # of strings
    if outside.translate(None, _PLAIN) or _LONG_NUMBER in outside.translate(_DIGITS_AS_ZEROS):
        return None, False
    if outside.count(b"[") + outside.count(b"{") > MAX_DEPTH:
        return None, False
    try:
        value: Json = orjson.loads(text)
        return value, text.isascii() or unicodedata.is_normalized("NFC", text.decode())
    except ValueError:
        return None, False


def _parsed(text: bytes) -> Json:
    try:
        decoded = text.decode("utf-8")
        bound_depth(decoded)
        value: Json = _DECODER.decode(decoded)
    except UnicodeDecodeError:
        _refuse("JSON_NOT_UTF8", "document is not UTF-8")
    except json.JSONDecodeError as error:
        _refuse("JSON_SYNTAX", "document is not JSON", position=error.pos)
    return value


def bound_depth(text: str) -> None:
    """Refuse nesting that the standard parser would follow until the C stack ends.

    It recurses in C, and other people's packages raise Python's recursion limit beyond what that stack holds. Only a
    text with more opening brackets than levels is looked at; what is not JSON at all is the parser's to refuse.
    """
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _TOKENS.finditer(text):
        bracket = token[0]
        if bracket in ("[", "{"):
            depth += 1
            if depth > MAX_DEPTH:
                _refuse("JSON_TOO_DEEP", "document is nested too deeply", limit=MAX_DEPTH)
        elif bracket in ("]", "}"):
            depth -= 1


def _check(value: Json, depth: int) -> bool:
    """Refuse what strict JCS cannot carry. Whether all keys are ASCII, whose order needs no thought."""
    if isinstance(value, str):
        _text(value)
        return True
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            _refuse("JSON_INTEGER_RANGE", "integer beyond 2^53-1")
        return True
    if depth == MAX_DEPTH:
        _refuse("JSON_TOO_DEEP", "document is nested too deeply", limit=MAX_DEPTH)
    if isinstance(value, dict):
        return _check_members(value, depth)
    if isinstance(value, list | tuple):
        plain = True
        for item in value:
            plain &= _check(item, depth + 1)
        return plain
    _refuse("JSON_TYPE", "value has no place in canonical JSON", type=type(value).__name__)


def _check_members(members: dict[str, Json], depth: int) -> bool:
    plain = True
    for key, member in members.items():
        if not isinstance(key, str):
            _refuse("JSON_TYPE", "object keys must be strings")
        if not key.isascii():
            plain = False
            _text(key)
        if type(member) is not str or not member.isascii():  # most members are such strings
            plain &= _check(member, depth + 1)
    return plain


def _ordered(value: Json) -> Json:
    """A checked value with its objects sorted by UTF-16 code units (RFC 8785 §3.2.3), which differ beyond U+FFFF."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {name: _ordered(value[name]) for name in names}
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    return value


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


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float
)
