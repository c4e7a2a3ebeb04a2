"""A statement has one form and one text; everything near it is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import canonical
from ledger.errors import CanonicalError, LedgerError, VerificationError
from ledger.statement import MAX_BYTES, Statement, decode, from_json, parse_timestamp, timestamp

AGENCY = "11330105002500287C"
GOOD: dict[str, Any] = {
    "v": 1,
    "log": "ab" * 32,
    "stream": "access",
    "type": "access/asked",
    "at": "2026-11-23T08:00:00.000Z",
    "agency": AGENCY,
    "body": {"fields": ["holder_name"]},
}


def test_decoding_is_the_inverse_of_encoding() -> None:
    text = canonical.dumps(GOOD)
    statement = decode(text)
    assert statement.log == bytes.fromhex("ab" * 32) and statement.type == "access/asked"
    assert statement.encode() == text == json.dumps(GOOD, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize("member", GOOD)
def test_every_member_must_be_there(member: str) -> None:
    with pytest.raises(VerificationError) as refused:
        from_json({name: value for name, value in GOOD.items() if name != member})
    assert refused.value.code == "STATEMENT_FORM"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("v", 2),
        ("v", "1"),
        ("v", True),
        ("extra", 1),
        ("log", "AB" * 32),
        ("log", "ab" * 31),
        ("log", "ab" * 32 + "\n"),
        ("log", 5),
        ("stream", "case"),
        ("stream", "Access"),
        ("type", "access"),
        ("type", "access/"),
        ("type", "access/asked/twice"),
        ("type", "access/asked\n"),
        ("type", "case/asked"),
        ("at", "2026-11-23T08:00:00Z"),
        ("at", "2026-11-23T08:00:00.000+00:00"),
        ("at", "2026-11-23T08:00:00.000Z\n"),
        ("at", "２０２６-11-23T08:00:00.000Z"),
        ("at", "2026-02-30T08:00:00.000Z"),
        ("at", "2026-11-23T24:00:00.000Z"),
        ("agency", "11330105002500287"),
        ("agency", "11330105002500287c"),
        ("agency", None),
        ("body", []),
        ("body", "text"),
        ("body", None),
    ],
)
def test_another_form_is_refused(member: str, value: object) -> None:
    with pytest.raises(VerificationError):
        from_json({**GOOD, member: value})


def test_what_is_not_an_object_is_refused() -> None:
    for value in ([], None, 1, "text", [GOOD]):
        with pytest.raises(VerificationError):
            from_json(value)  # type: ignore[arg-type]


def test_a_statement_in_another_spelling_is_refused() -> None:
    with pytest.raises(CanonicalError) as refused:
        decode(json.dumps(GOOD).encode())
    assert refused.value.code == "JSON_NOT_CANONICAL"


def test_a_statement_is_at_most_64_kib() -> None:
    longest = MAX_BYTES - len(canonical.dumps({**GOOD, "body": {"x": ""}}))
    assert len(from_json({**GOOD, "body": {"x": "x" * longest}}).encode()) == MAX_BYTES
    with pytest.raises(VerificationError) as refused:
        from_json({**GOOD, "body": {"x": "x" * (longest + 1)}}).encode()
    assert refused.value.code == "STATEMENT_TOO_LARGE"
    with pytest.raises(CanonicalError):
        decode(canonical.dumps({**GOOD, "body": {"x": "x" * (longest + 1)}}))


@given(st.dictionaries(st.sampled_from([*GOOD, "w"]), st.sampled_from([1, True, None, "", "1", [], {}, "ab" * 32])))
def test_what_is_read_is_written_again_unchanged(changes: dict[str, Any]) -> None:
    """The rule behind every case above: no second text reads as the same statement."""
    text = canonical.dumps({**GOOD, **changes})
    try:
        statement = decode(text)
    except LedgerError:
        return
    assert statement.encode() == text


def test_a_log_id_has_32_bytes() -> None:
    with pytest.raises(VerificationError):
        Statement(b"short", "access", "access/asked", GOOD["at"], AGENCY, {})


moments = st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_a_timestamp_is_utc_and_never_later_than_its_moment(moment: datetime, offset: int) -> None:
    read = parse_timestamp(timestamp(moment.astimezone(timezone(timedelta(minutes=offset)))))
    assert timedelta() <= moment - read < timedelta(milliseconds=1)
    assert timestamp(read) == timestamp(moment)


@given(moments, moments)
def test_timestamps_sort_as_their_moments(one: datetime, other: datetime) -> None:
    assert (timestamp(one) <= timestamp(other)) == (
        parse_timestamp(timestamp(one)) <= parse_timestamp(timestamp(other))
    )


def test_a_moment_without_a_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="time zone"):
        timestamp(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    "text", ["", "2026-11-23", "2026-11-23T08:00:00.0000Z", "2026-02-30T08:00:00.000Z", "２０２６-11-23T08:00:00.000Z"]
)
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(VerificationError) as refused:
        parse_timestamp(text)
    assert refused.value.code == "TIMESTAMP_FORM"
