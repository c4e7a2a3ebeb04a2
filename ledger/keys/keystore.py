"""The keystore: one JSON file, public halves readable, secrets sealed under a password (Argon2id, AES-256-GCM).

Production replaces the file by PKCS#11 or a KMS behind the same ports. The password comes from a prompt, a file
or the environment, never from the command line.
"""

from __future__ import annotations

import fcntl
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from ledger.errors import KeystoreError
from ledger.keys.p256 import P256Signer, generate_secret
from ledger.keys.wrapping import WrappingKey

VERSION = 1
P256 = "p256"
SECP256K1 = "secp256k1"
WRAPPING = "aes-256-wrap"
HMAC = "hmac-sha256"
ED25519 = "ed25519"

_ITERATIONS, _LANES, _MEMORY_KIB = 3, 4, 64 * 1024
_KDF = {"name": "argon2id", "iterations": _ITERATIONS, "lanes": _LANES, "memory_kib": _MEMORY_KIB}
_CHECK = b"certledger keystore"


@dataclass(frozen=True, slots=True)
class _Sealed:
    kind: str
    sealed: bytes


class Keystore:
    """Named keys of one city. Writes replace the file as a whole, so a crash leaves the old or the new one."""

    def __init__(self, path: Path, cipher: AESGCM, salt: bytes, keys: dict[str, _Sealed]) -> None:
        self._path = path
        self._cipher = cipher
        self._salt = salt
        self._keys = keys

    @classmethod
    def create(cls, path: Path, password: bytes) -> Keystore:
        """A new, empty keystore. Refuses to replace a file that exists, and an empty password."""
        if not password:
            raise KeystoreError("KEYSTORE_PASSWORD_EMPTY", "a keystore needs a password")
        if path.exists():
            raise KeystoreError("KEYSTORE_EXISTS", "there is a keystore already", path=path)
        salt = os.urandom(16)
        store = cls(path, _cipher(password, salt, _KDF), salt, {})
        store._save({})
        return store

    @classmethod
    def open(cls, path: Path, password: bytes) -> Keystore:
        """Raises `KeystoreError`: missing, damaged, or a wrong password."""
        stored = _read(path)
        try:
            cipher = _cipher(password, stored.salt, stored.kdf)
        except ValueError:
            raise _damaged(path) from None
        store = cls(path, cipher, stored.salt, stored.keys)
        store._unseal(stored.check, b"check", "KEYSTORE_PASSWORD")
        store._unseal(stored.whole, _whole(stored.keys), "KEYSTORE_DAMAGED")
        return store

    def names(self) -> list[str]:
        return sorted(self._keys)

    def has(self, name: str) -> bool:
        return name in self._keys

    def generate(self, *names_and_kinds: tuple[str, str]) -> None:
        """Make the keys that do not exist yet; durable on return. Safe to call twice, and from several processes."""
        if all(name in self._keys for name, _ in names_and_kinds):
            return
        with self._alone():
            self._keys = _read(self._path).keys
            fresh = {}
            for name, kind in names_and_kinds:
                if name not in self._keys:
                    secret = os.urandom(32) if kind in (WRAPPING, HMAC, ED25519) else _scalar(kind)
                    fresh[name] = _Sealed(kind, self._seal(secret, _label(name, kind)))
            # Kept before it is known: a key that is used and then lost would stand on the chain and nowhere else.
            self._save({**self._keys, **fresh})
            self._keys |= fresh

    def signer(self, name: str) -> P256Signer:
        return P256Signer(self._secret(name, P256))

    def note_signer(self, name: str) -> Ed25519PrivateKey:
        """The Ed25519 key that signs a city's checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(self._secret(name, ED25519))

    def wrapper(self, name: str) -> WrappingKey:
        return WrappingKey(self._secret(name, WRAPPING))

    def mac_key(self, name: str) -> bytes:
        """32 secret bytes for keyed hashes."""
        return self._secret(name, HMAC)

    def account_secret(self, name: str) -> bytes:
        """Private key of a chain account, 32 bytes: for `ledger.evm.account` only."""
        return self._secret(name, SECP256K1)

    def agreement_secret(self, name: str) -> bytes:
        """Private scalar of a P-256 key of use *enc*, 32 bytes: for `ledger.jwe` only."""
        return self._secret(name, P256)

    def _secret(self, name: str, kind: str) -> bytes:
        key = self._keys.get(name)
        if key is None or key.kind != kind:
            raise KeystoreError("KEY_MISSING", "the keystore has no such key", name=name, kind=kind)
        return self._unseal(key.sealed, _label(name, kind), "KEYSTORE_DAMAGED")

    def _seal(self, secret: bytes, label: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, secret, label)

    def _unseal(self, sealed: bytes, label: bytes, code: str) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], label)
        except (InvalidTag, ValueError):
            raise KeystoreError(code, "the keystore does not open", path=self._path) from None

    def _save(self, content: dict[str, _Sealed]) -> None:
        keys = {n: {"kind": k.kind, "sealed": b64encode(k.sealed).decode()} for n, k in content.items()}
        stored = {
            "v": VERSION,
            "kdf": _KDF,
            "salt": b64encode(self._salt).decode(),
            "check": b64encode(self._seal(_CHECK, b"check")).decode(),
            "whole": b64encode(self._seal(_CHECK, _whole(content))).decode(),
            "keys": keys,
        }
        try:
            _replace(self._path, json.dumps(stored, indent=1, sort_keys=True).encode())
        except OSError as error:
            raise self._unwritable(error) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time: two that each add a key must not lose one."""
        try:
            lock = os.open(
                self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _unwritable(self, error: OSError) -> KeystoreError:
        reason = error.strerror or type(error).__name__
        return KeystoreError("KEYSTORE_UNWRITABLE", "the keystore cannot be written", path=self._path, reason=reason)


@dataclass(frozen=True, slots=True)
class _Stored:
    """The file, read and not yet opened."""

    kdf: dict[str, Any]
    salt: bytes
    check: bytes
    """Opens only with the right password."""
    whole: bytes
    """Opens only if no key was taken out, put in or exchanged."""
    keys: dict[str, _Sealed]


def _read(path: Path) -> _Stored:
    try:
        stored = json.loads(path.read_bytes())
        keys = {name: _Sealed(row["kind"], _unb64(row["sealed"])) for name, row in stored["keys"].items()}
        if stored["v"] != VERSION:
            raise _damaged(path)
        return _Stored(stored["kdf"], _unb64(stored["salt"]), _unb64(stored["check"]), _unb64(stored["whole"]), keys)
    except OSError as error:
        raise KeystoreError(
            "KEYSTORE_UNREADABLE", "the keystore cannot be read", path=path, reason=error.strerror
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _damaged(path) from None


def _damaged(path: Path) -> KeystoreError:
    return KeystoreError("KEYSTORE_DAMAGED", "the keystore is not readable as one", path=path)


def _unb64(text: str) -> bytes:
    return b64decode(text, validate=True)


def _whole(keys: dict[str, _Sealed]) -> bytes:
    """Binds the set of keys: names, kinds and sealed secrets together."""
    digest = sha256()
    for name, key in sorted(keys.items()):
        digest.update(_label(name, key.kind) + b"\x00" + key.sealed)
    return b"whole\x00" + digest.digest()


def _cipher(password: bytes, salt: bytes, kdf: dict[str, Any]) -> AESGCM:
    if kdf != _KDF:  # one cost today; a stored file must not be able to choose a cheaper one
        raise ValueError("unknown key derivation")
    argon2 = Argon2id(salt=salt, length=32, iterations=_ITERATIONS, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return AESGCM(argon2.derive(password))


def _label(name: str, kind: str) -> bytes:
    """Binds a sealed secret to its name and kind: swapped rows do not open."""
    return f"{kind}\x00{name}".encode()


def _scalar(kind: str) -> bytes:
    if kind == P256:
        return generate_secret()
    while True:
        secret = os.urandom(32)
        if 0 < int.from_bytes(secret, "big") < 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141:
            return secret


def _replace(path: Path, content: bytes) -> None:
    """Write beside, sync, rename, sync the folder: never a half-written keystore."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)  # what a crash left there, or somebody else put there with another mode
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
