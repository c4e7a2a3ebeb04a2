"""A P-256 key held in memory that signs ES256."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from ledger.jws import b64url, thumbprint

_ES256 = ec.ECDSA(SHA256())


class P256Signer:
    """Fills `ledger.jws.Signer`. OpenSSL signs outside Python's lock, so threads sign in parallel."""

    def __init__(self, secret: bytes) -> None:
        self._key = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        self.x = numbers.x.to_bytes(32, "big")
        self.y = numbers.y.to_bytes(32, "big")
        self.kid = b64url(thumbprint(self.x, self.y))

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(message, _ES256))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def generate_secret() -> bytes:
    """A fresh private scalar, 32 bytes."""
    return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big")
