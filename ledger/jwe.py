"""JSON Web Encryption with exactly one suite: ECDH-ES+A256KW on P-256, A256GCM (RFC 7516, RFC 7518 §4.6, §5.3).

As with `ledger.jws` there is nothing to negotiate: every other algorithm, header member, curve or spelling is refused
before a key is touched. The key agreement itself is joserfc's.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from ledger import canonical
from ledger import schema as s
from ledger.errors import CanonicalError, VerificationError
from ledger.jws import MAX_HEADER_BYTES, b64url, public_key, thumbprint, unb64url

ALGORITHM, ENCRYPTION = "ECDH-ES+A256KW", "A256GCM"
MAX_CONTENT_BYTES = 64 * 1024
_MAX_CHARACTERS = 4 * (MAX_CONTENT_BYTES + MAX_HEADER_BYTES) // 3 + 200
_ALLOWED = [ALGORITHM, ENCRYPTION]
_PARTS = 5
_HEADER = s.Form(
    "JWE_HEADER",
    s.record(
        alg={"const": ALGORITHM},
        enc={"const": ENCRYPTION},
        typ={"type": "string", "maxLength": 64},
        kid=s.KID,
        epk=s.record(kty={"const": "EC"}, crv={"const": "P-256"}, x=s.KID, y=s.KID),
    ),
)


def encrypt(content: bytes, x: bytes, y: bytes, *, typ: str) -> str:
    """Compact JWE that the holder of the P-256 key (x, y) opens. The header names the key by its thumbprint.

    Not pure: joserfc draws the content key, the nonce and the ephemeral key.
    """
    if len(content) > MAX_CONTENT_BYTES:
        raise VerificationError("JWE_TOO_LARGE", "longer than what is encrypted in one piece", limit=MAX_CONTENT_BYTES)
    public_key(x, y)  # a point off the curve would give the secret away
    header = {"alg": ALGORITHM, "enc": ENCRYPTION, "kid": b64url(thumbprint(x, y)), "typ": typ}
    return jwe.encrypt_compact(header, content, ECKey.import_key(_jwk(x, y)), algorithms=_ALLOWED)


def decrypt(untrusted: str, secret: bytes, *, typ: str) -> bytes:
    """The content. `secret`: the P-256 scalar, 32 bytes. Raises `VerificationError`."""
    x, y = _public(secret)
    parts = untrusted.split(".") if len(untrusted) <= _MAX_CHARACTERS and untrusted.isascii() else []
    if len(parts) != _PARTS:
        raise VerificationError("JWE_FORM", "not a compact JWE of bounded length")
    for part in parts:
        unb64url(part)
    header = _header(parts[0])
    if header["typ"] != typ:
        raise VerificationError("JWE_TYP", "encrypted as something else", expected=typ)
    if header["kid"] != b64url(thumbprint(x, y)):
        raise VerificationError("JWE_RECIPIENT", "encrypted for another key")
    public_key(unb64url(header["epk"]["x"]), unb64url(header["epk"]["y"]))
    key = ECKey.import_key({**_jwk(x, y), "d": b64url(secret)})
    try:
        content = jwe.decrypt_compact(untrusted, key, algorithms=_ALLOWED).plaintext
    except (JoseError, ValueError):
        content = None
    if content is None:
        raise VerificationError("JWE_ALTERED", "the encrypted content was altered")
    return content


def _header(part: str) -> Any:
    try:
        return _HEADER.check(canonical.loads(unb64url(part), max_bytes=MAX_HEADER_BYTES))
    except CanonicalError as error:
        raise VerificationError("JWE_FORM", f"header: {error}") from None


def _public(secret: bytes) -> tuple[bytes, bytes]:
    numbers = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1()).public_key().public_numbers()
    return numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")


def _jwk(x: bytes, y: bytes) -> dict[str, str | list[str]]:
    return {"kty": "EC", "crv": "P-256", "x": b64url(x), "y": b64url(y)}
