"""Opening an envelope. Who may import this module is a rule of the architecture, checked in the tests."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.errors import VerificationError
from ledger.sealing.envelope import Wrapper, parts


def open_sealed(sealed: bytes, *, context: bytes, key: Wrapper) -> bytes:
    """The content, or `VerificationError`: not for this key, altered, or taken from another place."""
    head, wrapped, nonce, ciphertext = parts(sealed, key.kid)
    data_key = key.unwrap(wrapped, context)
    try:
        return AESGCM(data_key).decrypt(nonce, ciphertext, context + head)
    except InvalidTag:
        raise VerificationError("ENVELOPE_ALTERED", "sealed content was altered or moved") from None
