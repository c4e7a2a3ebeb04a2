"""JSON Web Signatures with exactly one algorithm: ES256 (RFC 7515, RFC 7518 §3.4).

There is no algorithm to negotiate, hence none to confuse. Base64url is read only in its one canonical unpadded
form and a signature only as 64 bytes r‖s: whatever has a second spelling is refused.
Why our own and not a JOSE library: docs/adr/0004.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from ledger import canonical
from ledger.canonical import Json
from ledger.errors import CanonicalError, VerificationError

ALGORITHM = "ES256"
MAX_HEADER_BYTES = 2048
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_ES256 = ec.ECDSA(SHA256())


class Signer(Protocol):
    """A P-256 key that signs and never leaves its keeper (a keystore file, PKCS#11, a KMS).

    Safe to call from several threads; raises `KeystoreError` if the keeper does not answer.
    """

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint, base64url."""

    def sign(self, message: bytes) -> bytes:
        """ES256 over `message`: 64 bytes r‖s."""


@dataclass(frozen=True, slots=True)
class Compact:
    """A compact JWS taken apart, nothing verified yet."""

    untrusted_header: dict[str, Json]
    payload: bytes
    signature: bytes
    signing_input: bytes

    @property
    def kid(self) -> str:
        kid = self.untrusted_header.get("kid")
        if not isinstance(kid, str):
            raise VerificationError("JWS_KID", "the header names no key")
        return kid


def b64url(value: bytes) -> str:
    # urlsafe_b64encode without its three extra calls: issuing comes here thirty times a certificate.
    return binascii.b2a_base64(value, newline=False).translate(_TO_URL, b"=").decode("ascii")


def unb64url(text: str) -> bytes:
    """Only the canonical unpadded form: no padding, no other alphabet, no stray trailing bits."""
    try:
        # Whatever this passes over (other characters, stray bits), the comparison below does not.
        value = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise VerificationError("BASE64URL", "not base64url") from None
    if b64url(value) != text:
        raise VerificationError("BASE64URL", "not the canonical unpadded base64url form")
    return value


@lru_cache(maxsize=256)
def header(*, typ: str, kid: str) -> str:
    """The encoded protected header: always the same three members."""
    return b64url(canonical.dumps({"alg": ALGORITHM, "kid": kid, "typ": typ}))


def sign_compact(payload: bytes, *, typ: str, signer: Signer) -> str:
    signing_input = f"{header(typ=typ, kid=signer.kid)}.{b64url(payload)}"
    return f"{signing_input}.{b64url(signer.sign(signing_input.encode('ascii')))}"


def parse_compact(text: str, *, typ: str) -> Compact:
    """Three parts, the one algorithm, the expected `typ`, no extension (`crit`, embedded keys) at all."""
    parts = text.split(".")
    if len(parts) != 3:
        raise VerificationError("JWS_FORM", "a compact JWS has three parts")
    untrusted = _header(unb64url(parts[0]))
    if untrusted.get("alg") != ALGORITHM:
        raise VerificationError("JWS_ALGORITHM", "only ES256 is accepted")
    if untrusted.get("typ") != typ:
        raise VerificationError("JWS_TYP", "signed as something else", expected=typ)
    if set(untrusted) - {"alg", "typ", "kid"}:
        raise VerificationError("JWS_HEADER", "the header carries members that are not understood")
    signature = unb64url(parts[2])
    if len(signature) != 64:
        raise VerificationError("JWS_SIGNATURE_LENGTH", "an ES256 signature is 64 bytes r‖s")
    return Compact(untrusted, unb64url(parts[1]), signature, f"{parts[0]}.{parts[1]}".encode("ascii"))


def typ(untrusted: str) -> str:
    """What a JWS says it is, nothing verified: which reader to hand it to. Raises `VerificationError`."""
    value = _header(unb64url(untrusted.partition(".")[0][:MAX_HEADER_BYTES])).get("typ")
    if not isinstance(value, str):
        raise VerificationError("JWS_TYP", "the header does not say what it is", expected="-")
    return value


def verify(compact: Compact, *, x: bytes, y: bytes) -> None:
    """Raises `VerificationError` unless the signature is by the key (x, y)."""
    verify_es256(compact.signature, compact.signing_input, x=x, y=y)


def verify_es256(signature: bytes, message: bytes, *, x: bytes, y: bytes) -> None:
    if len(signature) != 64:
        raise VerificationError("JWS_SIGNATURE_LENGTH", "an ES256 signature is 64 bytes r‖s")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public_key(x, y).verify(encode_dss_signature(r, s), message, _ES256)
    except InvalidSignature:
        raise VerificationError("SIGNATURE", "the signature is not by this key") from None


@lru_cache(maxsize=1024)
def public_key(x: bytes, y: bytes) -> ec.EllipticCurvePublicKey:
    """P-256 key from its affine coordinates, 32 bytes each. A point off the curve is refused."""
    if len(x) != 32 or len(y) != 32:
        raise VerificationError("KEY_FORM", "P-256 coordinates are 32 bytes each")
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1())
    try:
        return numbers.public_key()
    except ValueError:
        raise VerificationError("KEY_FORM", "not a point of P-256") from None


@lru_cache(maxsize=1024)
def thumbprint(x: bytes, y: bytes) -> bytes:
    """RFC 7638 SHA-256 thumbprint of a P-256 public key: 32 bytes."""
    return sha256(canonical.dumps({"crv": "P-256", "kty": "EC", "x": b64url(x), "y": b64url(y)})).digest()


def ed25519_thumbprint(public: bytes) -> bytes:
    """RFC 7638 thumbprint of an Ed25519 key (RFC 8037): 32 bytes."""
    return sha256(canonical.dumps({"crv": "Ed25519", "kty": "OKP", "x": b64url(public)})).digest()


def _header(text: bytes) -> dict[str, Json]:
    try:
        value = canonical.loads(text, max_bytes=MAX_HEADER_BYTES)
    except CanonicalError as error:
        raise VerificationError("JWS_HEADER", f"header: {error}") from None
    if not isinstance(value, dict):
        raise VerificationError("JWS_HEADER", "the header is not an object")
    return value
