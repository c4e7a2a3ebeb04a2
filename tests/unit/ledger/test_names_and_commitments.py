"""Log ids, names on chain, commitments and field digests, computed a second time from their definitions."""

from __future__ import annotations

from hashlib import sha256

import pytest
from Crypto.Hash import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger import commitment, logid
from ledger.errors import LedgerError, VerificationError
from ledger.types import LogName

SALT = bytes(range(32))


@given(st.integers(0, 2**32 - 1), st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True), st.integers(0, 2**32 - 1))
def test_a_log_id_is_keccak_of_the_abi_encoding(city: int, stream: str, epoch: int) -> None:
    encoded = city.to_bytes(32, "big") + stream.encode().ljust(32, b"\0") + epoch.to_bytes(32, "big")
    wanted = keccak.new(digest_bits=256, data=encoded).digest()
    assert logid.log_id(city, stream, epoch) == LogName(city, stream, epoch).id == wanted


@pytest.mark.parametrize("stream", ["", "Access", "1access", "-a", "a_b", "a" * 33, "接入", "a\n", "a\0", "a b"])
def test_a_stream_has_a_plain_name(stream: str) -> None:
    with pytest.raises(LedgerError):
        logid.stream_id(stream)


@pytest.mark.parametrize(("city", "epoch"), [(2**32, 0), (-1, 0), (1, 2**32), (1, -1)])
def test_a_log_the_chain_cannot_name_has_no_id(city: int, epoch: int) -> None:
    """City and epoch are uint32 in the contract: beyond it abi.encode has no such value."""
    with pytest.raises(LedgerError):
        logid.log_id(city, "access", epoch)


@given(st.text(st.characters(max_codepoint=127), min_size=1, max_size=32))
def test_two_names_never_share_a_word_on_chain(name: str) -> None:
    try:
        word = logid.ascii32(name)
    except LedgerError:
        return
    assert len(word) == 32 and logid.from_ascii32(word) == name


def test_a_name_of_trailing_zeros_is_refused() -> None:
    """It would be the same 32 bytes as the name without them."""
    with pytest.raises(LedgerError):
        logid.ascii32("11330105002500287C\0")


@pytest.mark.parametrize("name", ["", "a" * 33, "证照"])
def test_names_on_chain_are_short_ascii(name: str) -> None:
    with pytest.raises(LedgerError) as refused:
        logid.ascii32(name)
    assert refused.value.code == "NAME_NOT_ASCII32"
    assert logid.from_ascii32(bytes(32)) == ""


@given(st.binary(max_size=100), st.binary(min_size=32, max_size=32))
def test_a_commitment_is_as_the_protocol_writes_it(statement: bytes, salt: bytes) -> None:
    wanted = sha256(b"certledger/v1" + b"\x00" + b"\x43" + salt + statement).digest()
    assert commitment.commit(statement, salt) == wanted
    assert commitment.statement_leaf(statement, salt) == sha256(b"\x00" + wanted).digest()
    assert commitment.field_digest(statement, salt) == sha256(b"certledger/field/v1\x00" + salt + statement).digest()


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_salt_of_another_length_is_refused(length: int) -> None:
    for digest in (commitment.commit, commitment.statement_leaf, commitment.field_digest):
        with pytest.raises(VerificationError) as refused:
            digest(b"{}", bytes(length))
        assert refused.value.code == "SALT_LENGTH"


def test_salt_and_statement_cannot_be_cut_elsewhere() -> None:
    assert commitment.commit(b"ab", SALT) != commitment.commit(b"b", SALT[1:] + b"a")
