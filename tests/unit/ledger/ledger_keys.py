"""A keystore with one key of each kind, and all that can be asked of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import KeystoreError
from ledger.keys.keystore import HMAC, P256, SECP256K1, WRAPPING, Keystore

PASSWORD = b"correct horse"
KEYS = (("cert", P256), ("http", P256), ("entries", WRAPPING), ("hot", SECP256K1), ("subjects", HMAC))


def use_all(store: Keystore) -> list[bytes]:
    """Everything the keystore keeps, by public means."""
    signers = [store.signer(name) for name, kind in KEYS if kind == P256]
    secrets = [store.account_secret("hot"), store.mac_key("subjects")]
    return [*(s.x + s.y for s in signers), store.wrapper("entries").kid, *secrets]


def refusal(path: Path, password: bytes = PASSWORD) -> str:
    with pytest.raises(KeystoreError) as refused:
        use_all(Keystore.open(path, password))
    return refused.value.code
