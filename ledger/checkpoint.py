"""Heads as signed notes: what clients of other transparency logs read (C2SP tlog-checkpoint, signed-note).

    <origin>
    <size>
    <base64 root>

    — <key name> <base64(key id ‖ signature)>

The origin names the log for ever, and the key is the city's `head` key (Ed25519, note type 0x01). Pure: signing is
an argument.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger.errors import VerificationError
from ledger.merkle import HASH_BYTES
from ledger.types import Head, LogName

MAX_BYTES = 64 * 1024
ED25519_NOTE = b"\x01"
_KEY_ID_BYTES = 4
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_NUMBER = r"0|[1-9][0-9]{0,8}"


def origin(consortium: bytes, log: LogName) -> str:
    """`<consortium>/<city>/<stream>/<epoch>`: unique, no blank, no plus; also the name of the key."""
    return f"{consortium.hex()}/{log.city}/{log.stream}/{log.epoch}"


def key_id(name: str, public: bytes) -> bytes:
    """First 4 bytes of SHA-256(name ‖ "\\n" ‖ 0x01 ‖ public key): tells keys apart, proves nothing."""
    return sha256(name.encode() + b"\n" + ED25519_NOTE + public).digest()[:_KEY_ID_BYTES]


def body(name: str, head: Head) -> str:
    """What is signed: three lines, each ended."""
    return f"{name}\n{head.size}\n{b64encode(head.root).decode()}\n"


def sign(name: str, head: Head, *, public: bytes, signature: Callable[[bytes], bytes]) -> str:
    """The note with one signature."""
    text = body(name, head)
    blob = b64encode(key_id(name, public) + signature(text.encode())).decode()
    return f"{text}\n— {name} {blob}\n"


def verify(note: str, *, name: str, public: bytes) -> Head:
    """The head that `public` signed under `name`. Other keys' signatures are passed over, as the format asks."""
    if len(note.encode()) > MAX_BYTES:
        _refuse("the note is too long")
    text, blank, signatures = note.rpartition("\n\n")
    lines = text.split("\n")
    if not blank or len(lines) < 3 or not signatures.endswith("\n"):
        _refuse("not a signed note")
    _signed(text + "\n", signatures.splitlines(), name, public)
    root = _base64(lines[2])
    if lines[0] != name or not _SIZE.fullmatch(lines[1]) or len(root) != HASH_BYTES:
        _refuse("not a checkpoint of this log")
    return Head(int(lines[1]), root)


def claimed(note: str, consortium: bytes) -> tuple[LogName, Head]:
    """The log and head that a note speaks of, whoever signed it. Raises `VerificationError`."""
    lines = note.split("\n")
    named = re.fullmatch(rf"{consortium.hex()}/({_NUMBER})/([a-z][a-z0-9-]{{0,31}})/({_NUMBER})", lines[0])
    if len(note.encode()) > MAX_BYTES or not named or len(lines) < 3 or not _SIZE.fullmatch(lines[1]):
        _refuse("not a checkpoint of this ledger")
    root = _base64(lines[2])
    if len(root) != HASH_BYTES:
        _refuse("not a checkpoint of this ledger")
    return LogName(int(named[1]), named[2], int(named[3])), Head(int(lines[1]), root)


def verifier_key(name: str, public: bytes) -> str:
    """The key as other clients are given it (C2SP signed-note): `<name>+<key id>+<base64(0x01 ‖ public key)>`."""
    return f"{name}+{key_id(name, public).hex()}+{b64encode(ED25519_NOTE + public).decode()}"


def _signed(text: str, signatures: list[str], name: str, public: bytes) -> None:
    for line in signatures:
        dash, _, rest = line.partition(" ")
        signer, _, blob = rest.partition(" ")
        if dash != "—" or not signer or not blob:
            _refuse("a line of signatures is not one")
        signed = _base64(blob)
        if signer == name and signed[:_KEY_ID_BYTES] == key_id(name, public):
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(signed[_KEY_ID_BYTES:], text.encode())
            except InvalidSignature:
                _refuse("the signature is not by this key")
            return
    _refuse("this key did not sign it")


def _base64(text: str) -> bytes:
    try:
        value = b64decode(text, validate=True)
    except ValueError:
        _refuse("not base64")
    if b64encode(value).decode() != text:
        _refuse("not the canonical base64")
    return value


def _refuse(message: str) -> NoReturn:
    raise VerificationError("CHECKPOINT", message, problem=message)
