"""Keys of contents: durable before they are used, told apart when they are gone, and really gone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import VerificationError
from ledger.keys.content_keys import ContentKeys
from ledger.keys.wrapping import WrappingKey

KEEPER = WrappingKey(b"k" * 32)


def store(path: Path, keeper: WrappingKey = KEEPER) -> ContentKeys:
    return ContentKeys(path / "contents.sqlite", keeper, lambda: datetime(2026, 11, 24, tzinfo=UTC))


def wrapped(path: Path, kid: bytes) -> bytes:
    with closing(sqlite3.connect(path / "contents.sqlite")) as raw:
        (found,) = raw.execute("SELECT wrapped FROM content_key WHERE kid = ?", (kid,)).fetchone()
    assert isinstance(found, bytes)
    return found


def test_fresh_keys_are_there_for_another_process(tmp_path: Path) -> None:
    keys = store(tmp_path).fresh(501)
    found = store(tmp_path).find([key.kid for key in keys])
    assert len(found) == 501
    for key in keys[:3]:
        assert found[key.kid].unwrap(key.wrap(b"d" * 32, b"c"), b"c") == b"d" * 32
    assert store(tmp_path).fresh(0) == []


def test_another_keeper_opens_none(tmp_path: Path) -> None:
    (key,) = store(tmp_path).fresh(1)
    with pytest.raises(VerificationError):
        store(tmp_path, WrappingKey(b"x" * 32)).one(key.kid)


def test_a_key_under_another_ones_id_is_none(tmp_path: Path) -> None:
    keys = store(tmp_path)
    first, second = keys.fresh(2)
    with closing(sqlite3.connect(tmp_path / "contents.sqlite")) as raw, raw:
        swapped = (wrapped(tmp_path, second.kid), first.kid)
        raw.execute("UPDATE content_key SET wrapped = ? WHERE kid = ?", swapped)
    with pytest.raises(VerificationError):
        keys.one(first.kid)
    assert keys.present([first.kid]) == {first.kid}


def test_a_destroyed_key_leaves_a_trace_and_no_bytes(tmp_path: Path) -> None:
    keys = store(tmp_path)
    gone, stays = keys.fresh(2)
    secret = wrapped(tmp_path, gone.kid)
    assert any(secret in each.read_bytes() for each in tmp_path.iterdir())
    keys.destroy([gone.kid])
    assert not any(secret in each.read_bytes() for each in tmp_path.iterdir())
    assert keys.find([gone.kid, stays.kid]).keys() == {stays.kid} == keys.present([gone.kid, stays.kid])
    assert keys.destroyed() == {gone.kid}
    with pytest.raises(VerificationError) as error:
        keys.one(gone.kid)
    assert error.value.code == "CONTENT_KEY_MISSING"


def test_destroying_again_changes_nothing_and_an_unknown_one_leaves_a_trace(tmp_path: Path) -> None:
    keys = store(tmp_path)
    (gone,) = keys.fresh(1)
    keys.destroy([gone.kid])
    keys.destroy([gone.kid, b"u" * 16])
    assert keys.destroyed() == {gone.kid, b"u" * 16}
