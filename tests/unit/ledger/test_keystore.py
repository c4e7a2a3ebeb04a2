"""The keystore opens with its password, whole; and it never tells a secret."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger import jws
from ledger.errors import KeystoreError
from ledger.keys import keystore
from ledger.keys.keystore import HMAC, P256, SECP256K1, WRAPPING, Keystore

PASSWORD = b"correct horse"
KEYS = (("cert", P256), ("http", P256), ("entries", WRAPPING), ("hot", SECP256K1), ("subjects", HMAC))
NOBODY = 65534


@pytest.fixture(autouse=True)
def derive_each_key_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id is slow by design; the same password and salt give the same cipher, so it is remembered here."""
    real = keystore._cipher

    @cache
    def derived(password: bytes, salt: bytes, kdf: str) -> AESGCM:
        return real(password, salt, json.loads(kdf))

    def remembered(password: bytes, salt: bytes, kdf: Any) -> AESGCM:
        return derived(password, salt, json.dumps(kdf))

    monkeypatch.setattr(keystore, "_cipher", remembered)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "city.keys"
    Keystore.create(path, PASSWORD).generate(*KEYS)
    return path


def use_all(store: Keystore) -> list[bytes]:
    """Everything the keystore keeps, by public means."""
    signers = [store.signer(name) for name, kind in KEYS if kind == P256]
    return [
        *(s.x + s.y for s in signers),
        store.wrapper("entries").kid,
        store.account_secret("hot"),
        store.mac_key("subjects"),
    ]


def refusal(path: Path, password: bytes = PASSWORD) -> str:
    with pytest.raises(KeystoreError) as refused:
        use_all(Keystore.open(path, password))
    return refused.value.code


def test_what_was_generated_is_there_after_opening_again(path: Path) -> None:
    store, again = Keystore.open(path, PASSWORD), Keystore.open(path, PASSWORD)
    assert use_all(store) == use_all(again)
    assert store.names() == sorted(name for name, _ in KEYS) and store.has("cert") and not store.has("other")
    signer = store.signer("cert")
    jws.verify_es256(signer.sign(b"message"), b"message", x=again.signer("cert").x, y=again.signer("cert").y)
    assert again.wrapper("entries").unwrap(store.wrapper("entries").wrap(bytes(32), b"c"), b"c") == bytes(32)


def test_generating_twice_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    store = Keystore.open(path, PASSWORD)
    store.generate(*KEYS)
    assert path.read_bytes() == before
    store.generate(("more", P256))
    assert Keystore.open(path, PASSWORD).has("more")


@pytest.mark.parametrize("password", [b"", b"correct horsf", b"correct horse\n", b"Correct horse"])
def test_another_password_does_not_open_it(path: Path, password: bytes) -> None:
    assert refusal(path, password) == "KEYSTORE_PASSWORD"


def test_a_keystore_is_not_created_over_a_file_nor_without_a_password(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeystoreError) as refused:
        Keystore.create(path, PASSWORD)
    assert refused.value.code == "KEYSTORE_EXISTS" and path.read_bytes() == before
    with pytest.raises(KeystoreError) as refused:
        Keystore.create(tmp_path / "other.keys", b"")
    assert refused.value.code == "KEYSTORE_PASSWORD_EMPTY" and not (tmp_path / "other.keys").exists()


def test_only_its_owner_can_read_the_file(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_file_left_beside_it_does_not_open_it_to_others(path: Path) -> None:
    """The new content is written beside the old one: a file that lies there already keeps its own mode."""
    beside = path.with_name(path.name + ".new")
    beside.touch()
    beside.chmod(0o666)
    Keystore.open(path, PASSWORD).generate(("more", P256))
    assert path.stat().st_mode & 0o777 == 0o600


def test_damage_at_any_byte_is_an_error_or_changes_no_key(path: Path) -> None:
    """Spaces and the last bits of a base64 text mean nothing; whatever else is damaged is refused with a code."""
    whole, found, harmless = path.read_bytes(), 0, 0
    wanted = use_all(Keystore.open(path, PASSWORD))
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            assert use_all(Keystore.open(path, PASSWORD)) == wanted
            harmless += 1
        except KeystoreError as error:
            assert error.code in ("KEYSTORE_DAMAGED", "KEYSTORE_PASSWORD", "KEY_MISSING")
            found += 1
    print(f"keystore: {len(whole)} bytes damaged one by one, {found} refused, {harmless} without effect")
    assert harmless <= 2 * len(KEYS) + 4


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"v":1}', b'{"v":2}', b"{" * 100])
def test_a_file_that_is_no_keystore_is_refused(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    assert refusal(path) == "KEYSTORE_DAMAGED"


@pytest.mark.parametrize("length", [1, 100, 500, -1])
def test_a_file_cut_short_is_refused(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    assert refusal(path) == "KEYSTORE_DAMAGED"


def test_swapped_rows_do_not_open(path: Path) -> None:
    stored = json.loads(path.read_bytes())
    stored["keys"]["cert"], stored["keys"]["http"] = stored["keys"]["http"], stored["keys"]["cert"]
    path.write_text(json.dumps(stored))
    assert refusal(path) == "KEYSTORE_DAMAGED"


def test_a_row_under_another_kind_does_not_open(path: Path) -> None:
    stored = json.loads(path.read_bytes())
    stored["keys"]["cert"]["kind"] = SECP256K1
    path.write_text(json.dumps(stored))
    with pytest.raises(KeystoreError) as refused:
        Keystore.open(path, PASSWORD).account_secret("cert")
    assert refused.value.code == "KEYSTORE_DAMAGED"


@pytest.mark.parametrize("change", [{"iterations": 1}, {"memory_kib": 8}, {"name": "scrypt"}, {"lanes": 1}])
def test_a_file_cannot_choose_a_cheaper_derivation(path: Path, change: dict[str, Any]) -> None:
    stored = json.loads(path.read_bytes())
    path.write_text(json.dumps({**stored, "kdf": {**stored["kdf"], **change}}))
    assert refusal(path) == "KEYSTORE_DAMAGED"


def test_a_key_is_asked_for_by_name_and_kind(path: Path) -> None:
    store = Keystore.open(path, PASSWORD)
    for ask in (lambda: store.signer("other"), lambda: store.signer("entries"), lambda: store.wrapper("cert")):
        with pytest.raises(KeystoreError) as refused:
            ask()
        assert refused.value.code == "KEY_MISSING"


def test_no_secret_shows_in_any_text(path: Path) -> None:
    store = Keystore.open(path, PASSWORD)
    secrets = [PASSWORD, *(store._secret(name, kind) for name, kind in KEYS)]
    shown = [
        repr(store),
        repr(store._keys),
        repr(store.signer("cert")),
        repr(store.wrapper("entries")),
        path.read_text(),
    ]
    for password in (b"wrong", PASSWORD):
        with pytest.raises(KeystoreError) as refused:
            Keystore.open(path, password).signer("hot")
        shown += [repr(refused.value), str(refused.value), str(refused.value.params)]
        shown += traceback.format_exception(refused.value)
    for secret in secrets:
        for form in (
            secret.hex(),
            repr(secret)[2:-1],
            str(int.from_bytes(secret, "big")),
            keystore.b64encode(secret).decode(),
        ):
            assert not [text for text in shown if form in text]


@contextmanager
def read_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder may not be written for a while; root, whom no mode stops, becomes nobody meanwhile."""
    monkeypatch.chdir(folder)
    owner = folder.stat()
    for file in (folder, *folder.iterdir()):
        os.chown(file, NOBODY if os.geteuid() == 0 else -1, -1)
    folder.chmod(0o500)
    acting = os.geteuid()
    if acting == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(acting)
        folder.chmod(0o700)
        os.chown(folder, owner.st_uid, -1)


def test_a_read_only_folder_is_named_and_nothing_is_generated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with read_only(path.parent, monkeypatch):
        store = Keystore.open(Path(path.name), PASSWORD)
        assert len(use_all(store)) == len(KEYS)
        with pytest.raises(KeystoreError) as refused:
            store.generate(("more", P256))
        assert refused.value.code == "KEYSTORE_UNWRITABLE"
        with pytest.raises(KeystoreError) as refused:
            Keystore.create(Path("other.keys"), PASSWORD)
        assert refused.value.code == "KEYSTORE_UNWRITABLE"
        # The key that could not be kept must not be used: it would be on the chain and nowhere else.
        assert not store.has("more")
    store.generate(("more", P256))
    assert Keystore.open(path, PASSWORD).signer("more").kid == store.signer("more").kid


def test_an_absent_file_is_unreadable(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent.keys") == "KEYSTORE_UNREADABLE"
    with pytest.raises(KeystoreError) as refused:
        Keystore.create(tmp_path / "absent" / "city.keys", PASSWORD)
    assert refused.value.code == "KEYSTORE_UNWRITABLE"
