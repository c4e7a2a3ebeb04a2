"""Of any two heads of a log the smaller is a prefix of the larger, or it is raised, and proven by a file alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger import checkpoint, monitor, tile
from ledger.errors import VerificationError
from ledger.monitor import Alarm, Raised, Seen
from ledger.tile import ReadTile
from ledger.types import Head, LogName

LOG, CONSORTIUM = LogName(1, "access"), sha256(b"consortium").digest()
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
NAME = checkpoint.origin(CONSORTIUM, LOG)


def tree(leaves: Iterable[str]) -> ReadTile:
    tiles = tile.extend(lambda *_: b"", 0, [sha256(leaf.encode()).digest() for leaf in leaves])
    return lambda level, index: tiles.get((level, index), b"")


def seen(read: ReadTile, size: int, source: str = "city", key: Ed25519PrivateKey = KEY) -> Seen:
    head = Head(size, tile.root(read, size))
    note = checkpoint.sign(NAME, head, public=key.public_key().public_bytes_raw(), signature=key.sign)
    return Seen(LOG, head, source, 0, note)


def history(size: int, changed: int | None = None) -> ReadTile:
    return tree(f"{index}{'!' if index == changed else ''}" for index in range(size))


@given(st.integers(1, 600), st.integers(1, 600))
def test_one_history_is_never_raised(first: int, second: int) -> None:
    read = history(600)
    small, large = sorted((first, second))
    assert list(monitor.compare([seen(read, small, "another")], seen(read, large), read)) == []
    assert list(monitor.compare([seen(read, large, "another")], seen(read, small), read)) == []


@given(st.integers(2, 600), st.data())
def test_two_histories_are_raised_and_proven(size: int, data: st.DataObject) -> None:
    before = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, before - 1))
    known, other = seen(history(size), before), history(size, changed)
    (raised,) = monitor.compare([known], seen(other, size, "elsewhere"), other)
    assert raised.alarm is Alarm.SPLIT_VIEW
    file = monitor.encode(raised, CONSORTIUM)
    read, consortium = monitor.decode(file)
    assert (read, consortium) == (raised, CONSORTIUM)
    monitor.prove_split(read, consortium, PUBLIC)


def test_the_same_place_shows_less() -> None:
    read = history(9)
    (raised,) = monitor.compare([seen(read, 9)], seen(read, 5), read)
    assert raised.alarm is Alarm.SHRUNK


def test_a_tree_that_cannot_show_what_was_seen() -> None:
    known = seen(history(9), 5)
    (raised,) = monitor.compare([known], seen(history(9), 9), lambda *_: b"")
    assert raised.alarm is Alarm.SPLIT_VIEW and raised.root is None
    with pytest.raises(VerificationError, match="one history"):
        monitor.prove_split(raised, CONSORTIUM, PUBLIC)


def split() -> Raised:
    other = history(300, 2)
    return next(monitor.compare([seen(history(300), 5)], seen(other, 300), other))


def test_the_chain_vouches_for_a_head_as_a_signature_does() -> None:
    raised = split()
    unsigned = replace(raised, first=replace(raised.first, note="", source=monitor.CHAIN, block=7))
    monitor.prove_split(unsigned, CONSORTIUM, PUBLIC, [raised.first.head])
    with pytest.raises(VerificationError, match="vouches"):
        monitor.prove_split(unsigned, CONSORTIUM, PUBLIC)


@pytest.mark.parametrize(
    "altered",
    [
        lambda r: replace(r, root=r.first.head.root),
        lambda r: replace(r, root=None),
        lambda r: replace(r, root=bytes(32)),
        lambda r: replace(r, path=r.path[1:]),
        lambda r: replace(r, path=(*r.path[:-1], bytes(32))),
        lambda r: replace(r, first=replace(r.first, head=Head(6, r.first.head.root))),
        lambda r: replace(r, second=replace(r.second, head=Head(300, bytes(32)))),
        lambda r: replace(r, first=seen(history(300), 5, key=Ed25519PrivateKey.generate())),
    ],
)
def test_altered_evidence_proves_nothing(altered: object) -> None:
    assert callable(altered)
    with pytest.raises(VerificationError):
        monitor.prove_split(altered(split()), CONSORTIUM, PUBLIC)


@pytest.mark.parametrize("log", [LOG, LogName(4_000_000, "case", 12)])
def test_what_a_note_claims(log: LogName) -> None:
    head = Head(7, sha256(b"x").digest())
    note = checkpoint.sign(checkpoint.origin(CONSORTIUM, log), head, public=PUBLIC, signature=KEY.sign)
    assert checkpoint.claimed(note, CONSORTIUM) == (log, head)


@pytest.mark.parametrize(
    "note", ["", "x", f"{CONSORTIUM.hex()}/1/access/0\n7", f"{CONSORTIUM.hex()}/01/access/0\n7\nAA==\n"]
)
def test_what_is_no_note_claims_nothing(note: str) -> None:
    with pytest.raises(VerificationError):
        checkpoint.claimed(note, CONSORTIUM)
