"""Canonical JSON: one value, one text; whatever has two readings is refused under its own code."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger import canonical
from ledger.canonical import MAX_DEPTH, MAX_INTEGER
from ledger.errors import CanonicalError

texts = st.text().map(lambda text: unicodedata.normalize("NFC", text))
scalars = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5), max_leaves=25
)


def loads(text: bytes) -> Any:
    return canonical.loads(text, max_bytes=10**6)


def refusal(text: bytes) -> str:
    with pytest.raises(CanonicalError) as refused:
        loads(text)
    return refused.value.code


@given(values)
def test_the_encoding_is_that_of_rfc8785(value: Any) -> None:
    text = canonical.dumps(value)
    assert text == rfc8785.dumps(value)
    assert canonical.loads_canonical(text, max_bytes=len(text)) == value


@given(values, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_another_spelling_reads_as_the_same_value_but_is_not_canonical(value: Any, indent: Any, ascii_: bool) -> None:
    spelled = json.dumps(value, indent=indent, ensure_ascii=ascii_).encode()
    assert canonical.dumps(loads(spelled)) == canonical.dumps(value)
    if spelled != canonical.dumps(value):
        with pytest.raises(CanonicalError) as refused:
            canonical.loads_canonical(spelled, max_bytes=10**6)
        assert refused.value.code == "JSON_NOT_CANONICAL"


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        value = loads(text)
    except CanonicalError:
        return
    assert loads(canonical.dumps(value)) == value


NUMBERS = ("1", "-0", "-1", "1.0", "1e2", "01", "123456789012345", "9007199254740991", "9007199254740992")
TEXTS = ('"a"', '"b"', '"é"', '"e\u0301"', '"\\u0061"', '"', "\\", "\u0301", "true", "null", "nul")
NESTED = ('{"a":1}', '{"a":1,"a":1}', '{"b":1,"a":[]}', '["a",1]', "[" * 32 + "]" * 32, "[" * 33 + "]" * 33)
pieces = st.sampled_from((*NUMBERS, *TEXTS, *NESTED, *"{}[]:, "))


def strictly(text: bytes) -> Any:
    """What the careful half of `loads` says alone."""
    try:
        value = canonical._parsed(text)
        canonical._check(value, 0)
    except CanonicalError as error:
        return error.code
    return value


def quickly(text: bytes) -> Any:
    try:
        return loads(text)
    except CanonicalError as error:
        return error.code


@given(st.lists(pieces, max_size=9).map("".join))
@settings(max_examples=1000)
@example('{"a":1,"b":{"b":1,"b":2}}')
@example('["a","b"')
def test_plain_documents_are_read_as_the_strict_parser_reads_them(text: str) -> None:
    encoded = text.encode()
    strict, quick = strictly(encoded), quickly(encoded)
    assert (type(quick), quick) == (type(strict), strict)


@given(values, st.data())
def test_a_mutated_document_is_read_as_the_strict_parser_reads_it(value: Any, data: st.DataObject) -> None:
    text = bytearray(canonical.dumps(value))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text)))
        text[place : place + data.draw(st.integers(0, 2))] = data.draw(pieces).encode()
    strict, quick = strictly(bytes(text)), quickly(bytes(text))
    assert (type(quick), quick) == (type(strict), strict)


def test_keys_stand_in_the_order_of_their_utf16_code_units() -> None:
    """U+1F602 is D83D DE02 in UTF-16: before U+FF21 there, behind it by code point (RFC 8785 §3.2.3)."""
    keys = ["", "1", "10", "2", "A", "a", "\u00f6", "\u20ac", "\U0001f602", "\uff21"]
    assert keys[-1] < "\U0001f602"
    wanted = "{" + ",".join(f'"{key}":0' for key in keys) + "}"
    assert canonical.dumps(dict.fromkeys(reversed(keys), 0)) == wanted.encode()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"a":1,"a":1}', "JSON_DUPLICATE_KEY"),
        (b'{"a":1,"\\u0061":2}', "JSON_DUPLICATE_KEY"),
        (b'[{"b":{"":1,"":null}}]', "JSON_DUPLICATE_KEY"),
        (b"1.0", "JSON_FLOAT"),
        (b"-0.0", "JSON_FLOAT"),
        (b"1e2", "JSON_FLOAT"),
        (b"1E400", "JSON_FLOAT"),
        (b"NaN", "JSON_FLOAT"),
        (b"[Infinity]", "JSON_FLOAT"),
        (b'{"a":-Infinity}', "JSON_FLOAT"),
        (b"9007199254740992", "JSON_INTEGER_RANGE"),
        (b"-9007199254740992", "JSON_INTEGER_RANGE"),
        (b"1" + b"0" * 5000, "JSON_INTEGER_RANGE"),
        (b'"\\ud800"', "JSON_SURROGATE"),
        (b'"\\ude02\\ud83d"', "JSON_SURROGATE"),
        (b'{"\\udfff":1}', "JSON_SURROGATE"),
        (b'"A\\u030a"', "JSON_NOT_NFC"),
        ('{"A\u030a":1}'.encode(), "JSON_NOT_NFC"),
        ("\u212b".encode().join((b'"', b'"')), "JSON_NOT_NFC"),
        (b"\xef\xbb\xbf{}", "JSON_SYNTAX"),
        ("{}".encode("utf-16"), "JSON_NOT_UTF8"),
        (b'"\xed\xa0\x80"', "JSON_NOT_UTF8"),
        (b'"\xc0\xaf"', "JSON_NOT_UTF8"),
        (b'"\xff"', "JSON_NOT_UTF8"),
        (b"", "JSON_SYNTAX"),
        (b"{} ", ""),
        (b"{}x", "JSON_SYNTAX"),
        (b"{}{}", "JSON_SYNTAX"),
        (b"{}\x00", "JSON_SYNTAX"),
        (b"\xc2\xa0{}", "JSON_SYNTAX"),
        (b"01", "JSON_SYNTAX"),
        (b"+1", "JSON_SYNTAX"),
        (b"'a'", "JSON_SYNTAX"),
        (b'{"a":1,}', "JSON_SYNTAX"),
        (b"[1,]", "JSON_SYNTAX"),
        (b'"a\nb"', "JSON_SYNTAX"),
        (b'"\\x41"', "JSON_SYNTAX"),
        (b"{1:2}", "JSON_SYNTAX"),
        (b"[" * 100_000, "JSON_TOO_DEEP"),
        (b"[" * 33 + b"]" * 33, "JSON_TOO_DEEP"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "JSON_TOO_DEEP"),
    ],
)
def test_what_has_two_readings_is_refused(text: bytes, code: str) -> None:
    if code:
        assert refusal(text) == code
    else:
        loads(text)


def test_negative_zero_reads_as_zero_and_is_not_canonical() -> None:
    assert canonical.dumps(loads(b"-0")) == b"0"
    with pytest.raises(CanonicalError):
        canonical.loads_canonical(b"-0", max_bytes=2)


def test_limits_are_met_exactly() -> None:
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert canonical.dumps(loads(deepest)) == deepest
    for number in (MAX_INTEGER, -MAX_INTEGER):
        assert loads(str(number).encode()) == number
    assert canonical.loads(b"[1]", max_bytes=3) == [1]
    with pytest.raises(CanonicalError) as refused:
        canonical.loads(b"[1]", max_bytes=2)
    assert refused.value.code == "JSON_TOO_LARGE"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.0, "JSON_TYPE"),
        (math.nan, "JSON_TYPE"),
        (b"bytes", "JSON_TYPE"),
        ({1: 2}, "JSON_TYPE"),
        ({None: 2}, "JSON_TYPE"),
        ({1, 2}, "JSON_TYPE"),
        ([object()], "JSON_TYPE"),
        (MAX_INTEGER + 1, "JSON_INTEGER_RANGE"),
        (-MAX_INTEGER - 1, "JSON_INTEGER_RANGE"),
        ("\ud800", "JSON_SURROGATE"),
        ({"\udc00": 1}, "JSON_SURROGATE"),
        ("e\u0301", "JSON_NOT_NFC"),
        ({"e\u0301": 1}, "JSON_NOT_NFC"),
    ],
)
def test_what_strict_json_cannot_carry_is_not_written(value: Any, code: str) -> None:
    with pytest.raises(CanonicalError) as refused:
        canonical.dumps(value)
    assert refused.value.code == code


def test_a_value_that_contains_itself_is_too_deep() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(CanonicalError) as refused:
        canonical.dumps(endless)
    assert refused.value.code == "JSON_TOO_DEEP"
