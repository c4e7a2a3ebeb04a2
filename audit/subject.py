"""Whom an authorization or access is about, without saying so: salted digests, and a city's own reference.

Between cities a subject stands as a salted digest whose opening travels encrypted; inside a city as `subject_ref`, an
HMAC that only that city can compute, so that a log can be searched by person and tells nobody else who it is.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from audit.errors import AuthorizationError
from ledger import canonical
from ledger.commitment import field_digest

KEY_BYTES = 32
_KEY_ID_BYTES = 16
_KEY_ID_DOMAIN = b"certledger/kid/v1\x00"
_REF_DOMAIN = b"certledger/subject/v1\x00"
_TYPE = re.compile(r"[0-9]{3}")
_MAX_CODE = 64
_BODIES = frozenset({"001", "099"})


@dataclass(frozen=True, slots=True)
class Holder:
    """A person or body by the code it is known under. Never logged, never in an error."""

    type: str
    """Three digits of GB/T 36903, e.g. 111."""
    code: str
    """In its one spelling: the caller has normalised it, or a search by person misses half of the accesses."""

    def __post_init__(self) -> None:
        fit = 1 <= len(self.code) <= _MAX_CODE and self.code.isprintable() and self.code.strip() == self.code
        if not _TYPE.fullmatch(self.type) or not fit:
            raise AuthorizationError("SUBJECT_FORM", "a holder is a type of three digits and a code")

    @property
    def is_body(self) -> bool:
        """An enterprise or organisation, which acts through persons."""
        return self.type in _BODIES

    def __repr__(self) -> str:
        return f"Holder(type={self.type!r}, code=…)"


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens one salted digest of a holder; travels encrypted to the provider, never stands in a log."""

    salt: bytes
    holder: Holder

    @property
    def digest(self) -> bytes:
        """SHA-256("certledger/field/v1" ‖ 0x00 ‖ salt ‖ JCS(["holder", [type, code]])): 32 bytes."""
        return field_digest(canonical.dumps(["holder", [self.holder.type, self.holder.code]]), self.salt)


def find(digest: bytes | None, openings: Iterable[Opening]) -> Holder | None:
    """Who stands behind a digest, if one of the openings opens it."""
    return next((opening.holder for opening in openings if opening.digest == digest), None)


def subject_ref(holder: Holder, key: bytes) -> str:
    """Key id ‖ HMAC-SHA256(key, "certledger/subject/v1" ‖ 0x00 ‖ type ‖ 0x00 ‖ code): 96 hexadecimal digits.

    `key`: 32 secret bytes of this city. The id says which key, so that a city can change it and still search.
    """
    if len(key) != KEY_BYTES:
        raise AuthorizationError("SUBJECT_KEY", "the key of subject references is 32 bytes long")
    text = _REF_DOMAIN + holder.type.encode("ascii") + b"\x00" + holder.code.encode()
    return (sha256(_KEY_ID_DOMAIN + key).digest()[:_KEY_ID_BYTES] + hmac.digest(key, text, "sha256")).hex()
