"""A keystore's file that was damaged or edited: refused with a code, or the keys are what they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ledger_keys import KEYS, PASSWORD, refusal, use_all

from ledger.errors import KeystoreError
from ledger.keys.keystore import SECP256K1, Keystore


def test_damage_at_any_byte_is_an_error_or_changes_no_key(keystore: Path) -> None:
    """Spaces and the last bits of a base64 text mean nothing; whatever else is damaged is refused with a code."""
    whole, found, harmless = keystore.read_bytes(), 0, 0
    wanted = use_all(Keystore.open(keystore, PASSWORD))
    for at in range(len(whole)):
        keystore.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            assert use_all(Keystore.open(keystore, PASSWORD)) == wanted
            harmless += 1
        except KeystoreError as error:
            assert error.code in ("KEYSTORE_DAMAGED", "KEYSTORE_PASSWORD", "KEY_MISSING")
            found += 1
    print(f"keystore: {len(whole)} bytes damaged one by one, {found} refused, {harmless} without effect")
    assert harmless <= 2 * len(KEYS) + 4


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"v":1}', b'{"v":2}', b"{" * 100])
def test_a_file_that_is_no_keystore_is_refused(keystore: Path, text: bytes) -> None:
    keystore.write_bytes(text)
    assert refusal(keystore) == "KEYSTORE_DAMAGED"


@pytest.mark.parametrize("length", [1, 100, 500, -1])
def test_a_file_cut_short_is_refused(keystore: Path, length: int) -> None:
    keystore.write_bytes(keystore.read_bytes()[:length])
    assert refusal(keystore) == "KEYSTORE_DAMAGED"


def test_swapped_rows_do_not_open(keystore: Path) -> None:
    stored = json.loads(keystore.read_bytes())
    stored["keys"]["cert"], stored["keys"]["http"] = stored["keys"]["http"], stored["keys"]["cert"]
    keystore.write_text(json.dumps(stored))
    assert refusal(keystore) == "KEYSTORE_DAMAGED"


def test_a_row_under_another_kind_does_not_open(keystore: Path) -> None:
    stored = json.loads(keystore.read_bytes())
    stored["keys"]["cert"]["kind"] = SECP256K1
    keystore.write_text(json.dumps(stored))
    with pytest.raises(KeystoreError) as refused:
        Keystore.open(keystore, PASSWORD).account_secret("cert")
    assert refused.value.code == "KEYSTORE_DAMAGED"


@pytest.mark.parametrize("change", [{"iterations": 1}, {"memory_kib": 8}, {"name": "scrypt"}, {"lanes": 1}])
def test_a_file_cannot_choose_a_cheaper_derivation(keystore: Path, change: dict[str, Any]) -> None:
    stored = json.loads(keystore.read_bytes())
    keystore.write_text(json.dumps({**stored, "kdf": {**stored["kdf"], **change}}))
    assert refusal(keystore) == "KEYSTORE_DAMAGED"
