"""The binary form of sealed content: version, recipients, nonce, ciphertext."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.errors import VerificationError

VERSION = 1
"""Names the suite: AES-256-GCM content, 256-bit data key wrapped by AES-256-GCM."""
KEY_BYTES = 32
KID_BYTES = 16
NONCE_BYTES = 12
WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + 16
_HEAD_BYTES = 2
_RECIPIENT_BYTES = KID_BYTES + WRAPPED_BYTES
MAX_RECIPIENTS = 32


class Wrapper(Protocol):
    """A key that wraps data keys and never leaves its keeper. Safe to call from several threads."""

    @property
    def kid(self) -> bytes:
        """16-byte key id."""

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """60 bytes that only this key and this context open again."""

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The 32-byte data key, or `VerificationError`."""


@dataclass(frozen=True, slots=True)
class Recipient:
    kid: bytes
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    recipients: tuple[Recipient, ...]
    nonce: bytes
    ciphertext: bytes

    def encode(self) -> bytes:
        return head_of(self.recipients) + self.nonce + self.ciphertext


def decode(sealed: bytes) -> Envelope:
    """Raises `VerificationError` for anything that is not an envelope of this version."""
    body = _body(sealed)
    recipients = tuple(
        Recipient(sealed[i : i + KID_BYTES], sealed[i + KID_BYTES : i + _RECIPIENT_BYTES])
        for i in range(_HEAD_BYTES, body, _RECIPIENT_BYTES)
    )
    return Envelope(recipients, sealed[body : body + NONCE_BYTES], sealed[body + NONCE_BYTES :])


def head_of(recipients: Sequence[Recipient]) -> bytes:
    """What stands before nonce and ciphertext. The content is bound to it, so that nobody takes a recipient out, or
    spoils the key of one, unseen by the others."""
    return b"".join((bytes((VERSION, len(recipients))), *(r.kid + r.wrapped for r in recipients)))


def parts(sealed: bytes, kid: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """(head, data key wrapped for `kid`, nonce, ciphertext): what one recipient needs, for millions of envelopes."""
    body = _body(sealed)
    for i in range(_HEAD_BYTES, body, _RECIPIENT_BYTES):
        if sealed.startswith(kid, i):
            wrapped = sealed[i + KID_BYTES : i + _RECIPIENT_BYTES]
            return sealed[:body], wrapped, sealed[body : body + NONCE_BYTES], sealed[body + NONCE_BYTES :]
    raise VerificationError("ENVELOPE_RECIPIENT", "not sealed for this key")


def kids(sealed: bytes) -> tuple[bytes, ...]:
    """Ids of the keys that open it."""
    return tuple(sealed[i : i + KID_BYTES] for i in range(_HEAD_BYTES, _body(sealed), _RECIPIENT_BYTES))


def _body(sealed: bytes) -> int:
    """Where nonce and ciphertext begin."""
    if len(sealed) < _HEAD_BYTES or sealed[0] != VERSION or not 0 < sealed[1] <= MAX_RECIPIENTS:
        raise VerificationError("ENVELOPE_FORM", "not a sealed content of a known version")
    body = _HEAD_BYTES + sealed[1] * _RECIPIENT_BYTES
    if len(sealed) < body + NONCE_BYTES + 16:
        raise VerificationError("ENVELOPE_FORM", "sealed content is cut short")
    return body
