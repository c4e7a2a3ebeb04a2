"""A symmetric key that wraps data keys (AES-256-GCM, random nonce: at most 2^32 wraps a key, then rotate)."""

from __future__ import annotations

import os
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.errors import VerificationError
from ledger.sealing.envelope import KID_BYTES, NONCE_BYTES


class WrappingKey:
    """Fills `ledger.sealing.envelope.Wrapper`."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)
        self.kid = sha256(b"certledger/kid/v1\x00" + secret).digest()[:KID_BYTES]

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data_key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise VerificationError("ENVELOPE_ALTERED", "wrapped key was altered or moved") from None
