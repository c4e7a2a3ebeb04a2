"""What is sealed opens for its recipients, in its place, unaltered; or it does not open at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import entries
from ledger import statement as statements
from ledger.commitment import statement_leaf
from ledger.errors import LedgerError, VerificationError
from ledger.keys.wrapping import WrappingKey
from ledger.sealing import envelope
from ledger.sealing.envelope import MAX_RECIPIENTS, Recipient
from ledger.sealing.open import open_sealed
from ledger.sealing.seal import seal
from ledger.statement import Statement

KEYS = [WrappingKey(sha256(bytes([i])).digest()) for i in range(MAX_RECIPIENTS + 1)]
PLACE = b"a place"
DATA_KEY, NONCE = sha256(b"data key").digest(), sha256(b"nonce").digest()[:12]


def sealed(content: bytes, recipients: Sequence[WrappingKey] = KEYS[:1], context: bytes = PLACE) -> bytes:
    return seal(content, context=context, data_key=DATA_KEY, nonce=NONCE, recipients=recipients)


def refusal(content: bytes, *, key: WrappingKey = KEYS[0], context: bytes = PLACE) -> str:
    with pytest.raises(VerificationError) as refused:
        open_sealed(content, context=context, key=key)
    return refused.value.code


SECRET = b"reads like a name"
GOOD = sealed(SECRET)
FOR_TWO = sealed(SECRET, KEYS[:2])


@given(st.binary(max_size=300), st.binary(max_size=60), st.integers(1, MAX_RECIPIENTS))
def test_every_recipient_opens_what_was_sealed(content: bytes, context: bytes, count: int) -> None:
    closed = sealed(content, KEYS[:count], context)
    for key in KEYS[:count]:
        assert open_sealed(closed, context=context, key=key) == content
    assert refusal(closed, key=KEYS[count], context=context) == "ENVELOPE_RECIPIENT"


def test_the_content_cannot_be_read_off() -> None:
    assert SECRET not in GOOD and DATA_KEY not in GOOD


def test_in_another_place_it_does_not_open() -> None:
    assert refusal(GOOD, context=b"another place") == "ENVELOPE_ALTERED"
    assert refusal(GOOD, context=b"") == "ENVELOPE_ALTERED"


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_byte_can_change(at: int, change: int) -> None:
    refusal(GOOD[:at] + bytes([GOOD[at] ^ change]) + GOOD[at + 1 :])


def test_every_byte_counts() -> None:
    for at in range(len(GOOD)):
        refusal(GOOD[:at] + bytes([GOOD[at] ^ 1]) + GOOD[at + 1 :])


def test_a_change_to_another_recipient_never_shows_another_content() -> None:
    """The header is not bound to the ciphertext, so that recipients can be added: only one's own row matters."""
    for at in range(len(FOR_TWO)):
        altered = FOR_TWO[:at] + bytes([FOR_TWO[at] ^ 1]) + FOR_TWO[at + 1 :]
        try:
            assert open_sealed(altered, context=PLACE, key=KEYS[0]) == SECRET
        except VerificationError:
            continue
        assert 2 + 76 <= at < 2 + 2 * 76


@given(st.integers(0, len(FOR_TWO) - 1))
def test_what_is_cut_short_does_not_open(length: int) -> None:
    refusal(FOR_TWO[:length])


def test_what_is_too_long_does_not_open() -> None:
    assert refusal(GOOD + b"\0") == "ENVELOPE_ALTERED"


@pytest.mark.parametrize("head", [b"\x00\x01", b"\x02\x01", b"\x01\x00", b"\x01\x21", b"\x01\xff"])
def test_another_version_or_number_of_recipients_is_refused(head: bytes) -> None:
    assert refusal(head + GOOD[2:]) == "ENVELOPE_FORM"


@pytest.mark.parametrize("count", [0, MAX_RECIPIENTS + 1])
def test_what_nobody_could_open_is_not_sealed(count: int) -> None:
    """`decode` refuses such an envelope: writing one would lose the content."""
    with pytest.raises((LedgerError, ValueError)):
        sealed(SECRET, KEYS[:count])


def test_no_recipient_is_added_or_taken_out_unseen() -> None:
    """Even by somebody who has the data key of one."""
    before = envelope.decode(GOOD)
    data_key = KEYS[0].unwrap(before.recipients[0].wrapped, PLACE)
    added = Recipient(KEYS[1].kid, KEYS[1].wrap(data_key, PLACE))
    more = replace(before, recipients=(*before.recipients, added)).encode()
    assert [refusal(more, key=key) for key in KEYS[:2]] == ["ENVELOPE_ALTERED"] * 2
    less = replace(envelope.decode(FOR_TWO), recipients=envelope.decode(FOR_TWO).recipients[1:]).encode()
    assert (refusal(less, key=KEYS[0]), refusal(less, key=KEYS[1])) == ("ENVELOPE_RECIPIENT", "ENVELOPE_ALTERED")


@given(st.integers(0, 2 + 2 * 76 - 1), st.integers(1, 255))
def test_what_is_spoiled_for_one_recipient_is_spoiled_for_all(at: int, flip: int) -> None:
    spoiled = FOR_TWO[:at] + bytes([FOR_TWO[at] ^ flip]) + FOR_TWO[at + 1 :]
    for key in KEYS[:2]:
        with pytest.raises(VerificationError):
            open_sealed(spoiled, context=PLACE, key=key)


def test_wrapping_the_same_key_twice_shows_nothing_in_common() -> None:
    assert KEYS[0].wrap(DATA_KEY, PLACE)[:28] != KEYS[0].wrap(DATA_KEY, PLACE)[:28]
    assert KEYS[0].kid == sha256(b"certledger/kid/v1\x00" + sha256(b"\0").digest()).digest()[:16]


STATEMENT = Statement(bytes(32), "access", "access/asked", "2026-11-23T08:00:00.000Z", "11330105002500287C", {"n": 1})
SALT = sha256(b"salt").digest()


def entry(log: bytes, index: int) -> bytes:
    return sealed(entries.content(STATEMENT.encode(), SALT), context=entries.context(log, index))


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**63))
def test_an_entry_gives_back_statement_salt_and_leaf(log: bytes, index: int) -> None:
    closed = entry(log, index)
    assert entries.open_entry(closed, log_id=log, index=index, key=KEYS[0]) == (STATEMENT, SALT)
    leaf = entries.rehash(closed, log_id=log, index=index, key=KEYS[0])
    assert leaf == statement_leaf(STATEMENT.encode(), SALT)


def test_an_entry_opens_in_its_own_row_only() -> None:
    closed = entry(bytes(32), 5)
    for log, index in ((bytes(32), 4), (bytes(32), 6), (b"\x01" + bytes(31), 5)):
        with pytest.raises(VerificationError) as refused:
            entries.open_entry(closed, log_id=log, index=index, key=KEYS[0])
        assert refused.value.code == "ENVELOPE_ALTERED"


@pytest.mark.parametrize("content", [b"", SALT, SALT[:10], SALT + b"{}", SALT + b"no JSON"])
def test_an_entry_that_holds_no_statement_is_refused(content: bytes) -> None:
    closed = sealed(content, context=entries.context(bytes(32), 0))
    with pytest.raises(LedgerError):
        entries.open_entry(closed, log_id=bytes(32), index=0, key=KEYS[0])
    assert statements.decode(STATEMENT.encode()) == STATEMENT
