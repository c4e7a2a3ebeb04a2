"""Signed objects as they are stored, opened and bound to their ids again."""

from __future__ import annotations

from audit.binding import Bound, BoundMandate
from audit.deciding import authorization_of, mandate_of
from audit.keyring import Keyring
from audit.signed_object import SignedObject, open_object
from audit.store import rights
from ledger.sealing.envelope import kids
from ledger.store.database import Connection


def authorization(connection: Connection, keyring: Keyring, id: bytes) -> tuple[Bound, SignedObject] | None:
    """What is recorded under an id. Raises `VerificationError`, `CanonicalError` or `AuditError`."""
    row = rights.find(connection, id)
    if row is None:
        return None
    found = _opened(connection, keyring, id, row.sealed)
    return authorization_of(id, found), found


def mandate(connection: Connection, keyring: Keyring, id: bytes) -> tuple[BoundMandate, SignedObject] | None:
    """The same of a mandate."""
    row = rights.mandate(connection, id)
    if row is None:
        return None
    found = _opened(connection, keyring, id, row.sealed)
    return mandate_of(id, found), found


def _opened(connection: Connection, keyring: Keyring, id: bytes, sealed: bytes) -> SignedObject:
    key = keyring.day_keys.find(connection, kids(sealed)[0])
    return open_object(sealed, id=id, key=key)
