"""Closing an envelope. Pure: data key and nonce are arguments, fresh random bytes in every real call."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.errors import VerificationError
from ledger.sealing.envelope import MAX_RECIPIENTS, Envelope, Recipient, Wrapper, head_of


def seal(content: bytes, *, context: bytes, data_key: bytes, nonce: bytes, recipients: Sequence[Wrapper]) -> bytes:
    """`content` for `recipients`, bound to `context`: moved to another row it does not open."""
    if not 0 < len(recipients) <= MAX_RECIPIENTS:
        raise VerificationError("ENVELOPE_RECIPIENTS", "nobody could open it, or too many", limit=MAX_RECIPIENTS)
    wrapped = tuple(Recipient(to.kid, to.wrap(data_key, context)) for to in recipients)
    ciphertext = AESGCM(data_key).encrypt(nonce, content, context + head_of(wrapped))
    return Envelope(wrapped, nonce, ciphertext).encode()
