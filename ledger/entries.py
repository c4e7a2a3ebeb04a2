"""How an entry is sealed: salt and statement together, bound to their place in the log."""

from __future__ import annotations

from ledger import statement as statements
from ledger.commitment import SALT_BYTES, commit
from ledger.merkle import leaf_hash
from ledger.sealing.envelope import Wrapper
from ledger.sealing.open import open_sealed
from ledger.statement import Statement


def context(log_id: bytes, index: int) -> bytes:
    """What an entry's envelope is bound to: in another row it does not open."""
    return b"certledger/entry/v1\x00" + log_id + index.to_bytes(8, "big")


def content(statement: bytes, salt: bytes) -> bytes:
    return salt + statement


def open_text(sealed: bytes, *, log_id: bytes, index: int, key: Wrapper) -> tuple[bytes, bytes]:
    """(statement as it was hashed, salt), or `VerificationError`."""
    opened = open_sealed(sealed, context=context(log_id, index), key=key)
    return opened[SALT_BYTES:], opened[:SALT_BYTES]


def open_entry(sealed: bytes, *, log_id: bytes, index: int, key: Wrapper) -> tuple[Statement, bytes]:
    """(statement, salt), or `VerificationError`."""
    text, salt = open_text(sealed, log_id=log_id, index=index, key=key)
    return statements.decode(text), salt


def commitment(sealed: bytes, *, log_id: bytes, index: int, key: Wrapper) -> bytes:
    """The commitment that is this entry's leaf data, derived anew from what is stored."""
    return commit(*open_text(sealed, log_id=log_id, index=index, key=key))


def rehash(sealed: bytes, *, log_id: bytes, index: int, key: Wrapper) -> bytes:
    """The leaf hash that the stored entry stands for, derived anew from what is stored."""
    return leaf_hash(commitment(sealed, log_id=log_id, index=index, key=key))
