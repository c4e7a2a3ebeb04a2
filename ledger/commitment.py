"""What stands in a log instead of a statement: a salted commitment, so that a leaf tells nothing by itself.

commitment = SHA-256("certledger/v1" ‖ 0x00 ‖ 0x43 ‖ salt ‖ JCS(statement)), leaf = SHA-256(0x00 ‖ commitment).
Without the salt nobody can guess a statement from its leaf; with salt and statement anybody can check it.
"""

from __future__ import annotations

from hashlib import sha256

from ledger.errors import VerificationError
from ledger.merkle import leaf_hash

SALT_BYTES = 32
_COMMITMENT_DOMAIN = b"certledger/v1\x00\x43"
_FIELD_DOMAIN = b"certledger/field/v1\x00"


def commit(statement: bytes, salt: bytes) -> bytes:
    """32-byte commitment to canonical statement bytes under a 32-byte random salt."""
    return sha256(_COMMITMENT_DOMAIN + _salt(salt) + statement).digest()


def statement_leaf(statement: bytes, salt: bytes) -> bytes:
    """The leaf hash that stands in the tree for a statement."""
    return leaf_hash(commit(statement, salt))


def field_digest(name_and_value: bytes, salt: bytes) -> bytes:
    """Digest of one private member, JCS([name, value]): opened or dropped alone (evidence, hiding, erasure)."""
    return sha256(_FIELD_DOMAIN + _salt(salt) + name_and_value).digest()


def _salt(salt: bytes) -> bytes:
    if len(salt) != SALT_BYTES:
        raise VerificationError("SALT_LENGTH", "a salt is 32 bytes long")
    return salt
