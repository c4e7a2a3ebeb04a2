"""Entries that stand again in the next epoch of their log: what is kept beside them follows them.

Openings are bound to the place of their statement and sealed for the key of its day, so they are opened and sealed
anew. One that does not open goes along as it is, and the check names it in its new place as it did in the old one:
continuing a log neither heals nor hides.
"""

from __future__ import annotations

from audit.errors import AuditError
from audit.keyring import Keyring
from audit.openings import open_openings, seal_openings
from audit.store import accesses, rights, whole
from audit.store.accesses import Place
from ledger.continuing import Move
from ledger.errors import CanonicalError, VerificationError
from ledger.sealing.envelope import kids
from ledger.statement import seconds
from ledger.store.database import Connection
from ledger.types import LogName


def follow(connection: Connection, keyring: Keyring, move: Move, old: LogName, new: LogName) -> None:
    """Openings, the index of accesses, authorizations, mandates and persons' keys; inside the continuing act."""
    _openings(connection, keyring, move, old, new)
    used = whole.used_from(connection, move.old_no, move.first)
    at = seconds(move.at)
    accesses.move(connection, move.old_no, move.first, move.new_no, at)
    rights.move(connection, move.old_no, move.first, move.new_no)
    for id in used:
        # Their statements carry the time of this act now, and the counter of a day goes by the statements.
        rights.recount(connection, id, whole.allowed_by_day(connection, id))


def _openings(connection: Connection, keyring: Keyring, move: Move, old: LogName, new: LogName) -> None:
    for index, sealed in accesses.openings_from(connection, move.old_no, move.first):
        place = Place(move.new_no, index - move.first + 1)
        again = _anew(connection, keyring, move.at, sealed, (old, index), (new, place.log_index))
        accesses.replace_opening(connection, Place(move.old_no, index), place, again)


def _anew(
    connection: Connection, keyring: Keyring, at: str, sealed: bytes, was: tuple[LogName, int], now: tuple[LogName, int]
) -> bytes:
    """Sealed for its new place and the key of that day."""
    try:
        key = keyring.day_keys.find(connection, kids(sealed)[0])
        openings = open_openings(sealed, log_id=was[0].id, index=was[1], key=key)
    except (VerificationError, CanonicalError, AuditError):
        return sealed
    today = keyring.day_keys.of(connection, at)
    return seal_openings(openings, log_id=now[0].id, index=now[1], recipients=(today,))
