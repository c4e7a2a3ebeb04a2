"""A city's log on real SQLite files, with a clock that the test moves; and a keystore with a key of each kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from ledger_acts import Place
from ledger_keys import KEYS, PASSWORD

from ledger.keys.keystore import Keystore


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


@pytest.fixture
def keystore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file. Argon2id is slow by design: the cipher of a password and salt is derived once and remembered."""
    from ledger.keys import keystore as module

    real = module._cipher

    @cache
    def derived(password: bytes, salt: bytes, kdf: str) -> AESGCM:
        return real(password, salt, json.loads(kdf))

    def remembered(password: bytes, salt: bytes, kdf: Any) -> AESGCM:
        return derived(password, salt, json.dumps(kdf))

    monkeypatch.setattr(module, "_cipher", remembered)
    path = tmp_path / "city.keys"
    Keystore.create(path, PASSWORD).generate(*KEYS)
    return path
