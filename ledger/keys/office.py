"""The audit office's side of the keys of the day: a city encrypts each to the office, which opens them on its machine.

The office's private key never meets a city, and nothing of the city's is needed to open what it handed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger import canonical, jwe
from ledger import schema as s
from ledger.canonical import Json
from ledger.errors import VerificationError
from ledger.jws import b64url, public_key, thumbprint, unb64url
from ledger.keys.day_keys import DayKeys, ForOffice
from ledger.keys.wrapping import WrappingKey
from ledger.sealing.envelope import KEY_BYTES
from ledger.store.day_keys import DayKeyRow

TYP = "certledger-day-key+jwe"
MAX_JWK_BYTES = 4096
FORM = s.Form(
    "OFFICE_KEY_FORM",
    s.record(kty={"const": "EC"}, crv={"const": "P-256"}, use={"const": "enc"}, kid=s.KID, x=s.KID, y=s.KID),
)


def jwk(x: bytes, y: bytes) -> dict[str, Json]:
    """The public half, as the office hands it to cities."""
    kid = b64url(thumbprint(x, y))
    return {"kty": "EC", "crv": "P-256", "use": "enc", "kid": kid, "x": b64url(x), "y": b64url(y)}


def read_jwk(text: bytes) -> tuple[bytes, bytes]:
    """(x, y). Raises `VerificationError` or `CanonicalError`: anything but a public P-256 key with its own name."""
    v: Mapping[str, Any] = FORM.check(canonical.loads(text, max_bytes=MAX_JWK_BYTES))
    x, y = unb64url(v["x"]), unb64url(v["y"])
    public_key(x, y)
    if v["kid"] != b64url(thumbprint(x, y)):
        raise VerificationError("OFFICE_KEY_FORM", "the name is not the key's thumbprint", place="kid")
    return x, y


def for_office(x: bytes, y: bytes) -> ForOffice:
    """How a city hands over the key of a day."""
    return lambda secret: jwe.encrypt(secret, x, y, typ=TYP)


class OfficeKeys(DayKeys):
    """The keys of the days as the office opens them. `secret`: its P-256 scalar."""

    def __init__(self, secret: bytes) -> None:
        super().__init__(WrappingKey(bytes(32)))  # of no city: nothing is ever wrapped or unwrapped with it
        self._office_secret = secret

    def secret(self, row: DayKeyRow) -> bytes:
        """Raises `VerificationError` DAY_KEY_NOT_SHARED, DAY_KEY_OTHER, or what the encryption says."""
        if row.office is None:
            raise VerificationError("DAY_KEY_NOT_SHARED", "this day was not handed to the audit office", day=row.day)
        secret = jwe.decrypt(row.office, self._office_secret, typ=TYP)
        if len(secret) != KEY_BYTES or WrappingKey(secret).kid != row.kid:
            raise VerificationError("DAY_KEY_OTHER", "another key was handed over for this day", day=row.day)
        return secret
