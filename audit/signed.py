"""What authorizations, mandates and permits have in common: JWS ES256 over canonical JSON, in exactly one spelling."""

from __future__ import annotations

from typing import NoReturn

from audit.errors import AuthorizationError
from ledger import jws
from ledger import schema as s
from ledger.jws import Compact

SUITE = "p256-sha256"
"""Names signature and digest algorithms, so that an SM2/SM3 suite can stand beside it."""
MAX_BYTES = 16 * 1024
"""Of a payload."""
NONCE: s.Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}


def compact_of(untrusted: str, typ: str) -> Compact:
    """A JWS of bounded length that names its key."""
    if len(untrusted) > 2 * MAX_BYTES or not untrusted.isascii():
        _refuse("SIGNED_TOO_LARGE", "longer than a signed object of this kind can be")
    compact = jws.parse_compact(untrusted, typ=typ)
    _ = compact.kid
    # The header is part of the id: in any other order or spacing the same object would have a second id.
    if jws.header(typ=typ, kid=compact.kid).encode("ascii") != compact.signing_input.partition(b".")[0]:
        _refuse("SIGNED_HEADER", "the header is not in its one form")
    return compact


def optional_hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def optional_bytes(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value)


def _refuse(code: str, message: str) -> NoReturn:
    raise AuthorizationError(code, message)
