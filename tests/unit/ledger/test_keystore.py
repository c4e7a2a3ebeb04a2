"""The keystore opens with its password, whole; and it never tells a secret."""

from __future__ import annotations

import os
import traceback
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ledger_keys import KEYS, PASSWORD, refusal, use_all

from ledger import jws
from ledger.errors import KeystoreError
from ledger.keys.keystore import P256, Keystore

NOBODY = 65534


def test_what_was_generated_is_there_after_opening_again(keystore: Path) -> None:
    store, again = Keystore.open(keystore, PASSWORD), Keystore.open(keystore, PASSWORD)
    assert use_all(store) == use_all(again)
    assert store.names() == sorted(name for name, _ in KEYS) and store.has("cert") and not store.has("other")
    signer = store.signer("cert")
    jws.verify_es256(signer.sign(b"message"), b"message", x=again.signer("cert").x, y=again.signer("cert").y)
    assert again.wrapper("entries").unwrap(store.wrapper("entries").wrap(bytes(32), b"c"), b"c") == bytes(32)


def test_generating_twice_changes_nothing(keystore: Path) -> None:
    before = keystore.read_bytes()
    store = Keystore.open(keystore, PASSWORD)
    store.generate(*KEYS)
    assert keystore.read_bytes() == before
    store.generate(("more", P256))
    assert Keystore.open(keystore, PASSWORD).has("more")


@pytest.mark.parametrize("password", [b"", b"correct horsf", b"correct horse\n", b"Correct horse"])
def test_another_password_does_not_open_it(keystore: Path, password: bytes) -> None:
    assert refusal(keystore, password) == "KEYSTORE_PASSWORD"


def test_a_keystore_is_not_created_over_a_file_nor_without_a_password(keystore: Path, tmp_path: Path) -> None:
    before = keystore.read_bytes()
    with pytest.raises(KeystoreError) as refused:
        Keystore.create(keystore, PASSWORD)
    assert refused.value.code == "KEYSTORE_EXISTS" and keystore.read_bytes() == before
    with pytest.raises(KeystoreError) as refused:
        Keystore.create(tmp_path / "other.keys", b"")
    assert refused.value.code == "KEYSTORE_PASSWORD_EMPTY" and not (tmp_path / "other.keys").exists()


def test_only_its_owner_can_read_the_file(keystore: Path) -> None:
    assert keystore.stat().st_mode & 0o777 == 0o600
    names = {file.name for file in keystore.parent.iterdir()}
    assert names <= {keystore.name, keystore.name + ".lock"}, "a half-written keystore is left"


def test_a_file_left_beside_it_does_not_open_it_to_others(keystore: Path) -> None:
    """The new content is written beside the old one: a file that lies there already keeps its own mode."""
    beside = keystore.with_name(keystore.name + ".new")
    beside.touch()
    beside.chmod(0o666)
    Keystore.open(keystore, PASSWORD).generate(("more", P256))
    assert keystore.stat().st_mode & 0o777 == 0o600


def test_a_key_is_asked_for_by_name_and_kind(keystore: Path) -> None:
    store = Keystore.open(keystore, PASSWORD)
    for ask in (lambda: store.signer("other"), lambda: store.signer("entries"), lambda: store.wrapper("cert")):
        with pytest.raises(KeystoreError) as refused:
            ask()
        assert refused.value.code == "KEY_MISSING"


def test_no_secret_shows_in_any_text(keystore: Path) -> None:
    store = Keystore.open(keystore, PASSWORD)
    secrets = [PASSWORD, *(store._secret(name, kind) for name, kind in KEYS)]
    shown = [
        repr(store),
        repr(store._keys),
        repr(store.signer("cert")),
        repr(store.wrapper("entries")),
        keystore.read_text(),
    ]
    for password in (b"wrong", PASSWORD):
        with pytest.raises(KeystoreError) as refused:
            Keystore.open(keystore, password).signer("hot")
        shown += [repr(refused.value), str(refused.value), str(refused.value.params)]
        shown += traceback.format_exception(refused.value)
    for secret in secrets:
        for form in (
            secret.hex(),
            repr(secret)[2:-1],
            str(int.from_bytes(secret, "big")),
            b64encode(secret).decode(),
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


def test_a_read_only_folder_is_named_and_nothing_is_generated(keystore: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with read_only(keystore.parent, monkeypatch):
        store = Keystore.open(Path(keystore.name), PASSWORD)
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
    assert Keystore.open(keystore, PASSWORD).signer("more").kid == store.signer("more").kid


def test_an_absent_file_is_unreadable(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent.keys") == "KEYSTORE_UNREADABLE"
    with pytest.raises(KeystoreError) as refused:
        Keystore.create(tmp_path / "absent" / "city.keys", PASSWORD)
    assert refused.value.code == "KEYSTORE_UNWRITABLE"
