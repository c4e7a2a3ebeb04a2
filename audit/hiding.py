"""Recording orders of lawful hiding, and reading those that stand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from audit import withholding
from audit.keyring import Keyring
from audit.openings import seal_openings
from audit.reading import Keys, Line, Unread, lines
from audit.store import accesses
from audit.withholding import PRIVATE_MEMBERS, STREAM, Order
from ledger.commitment import SALT_BYTES
from ledger.epochs import CONTINUED
from ledger.errors import VerificationError
from ledger.sequencer import Decided, Turn
from ledger.statement import seconds
from ledger.store import logs
from ledger.store.database import Connection


@dataclass(frozen=True, slots=True)
class Withhold:
    """One order. `agency`: USCC of the agency that hides."""

    order: Order
    agency: str
    keyring: Keyring

    def decide(self, turn: Turn) -> Decided[Order]:
        """Raises `AccessError` for an order that may not be."""
        salts = os.urandom(SALT_BYTES * PRIVATE_MEMBERS)
        draft, openings = withholding.draft(self.order, self.agency, now=seconds(turn.at), salts=salts)
        key = self.keyring.day_keys.of(turn.connection, turn.at)
        sealed = seal_openings(openings, log_id=turn.log.id, index=turn.first_index, recipients=(key,))
        accesses.put_openings(turn.connection, [(turn.log_no, turn.first_index, sealed)])
        return Decided([draft], self.order)


def orders(connection: Connection, city: int, keys: Keys) -> Iterator[Order]:
    """Every order of a city, in all epochs. Raises `VerificationError` or `AccessError` where one cannot be read:
    a log of orders that was tampered with must not show what it hides, nor hide what it should show."""
    for row in logs.every(connection):
        if (row.name.city, row.name.stream) != (city, STREAM):
            continue
        for each in lines(connection, row, keys, 0, row.head.size):
            line = _sound(each)
            if line.statement.type != CONTINUED:
                yield withholding.decode(line.statement, line.openings)


def _sound(each: Line | Unread) -> Line:
    if isinstance(each, Unread):
        raise VerificationError("WITHHOLDING_UNREADABLE", "an order cannot be read", index=each.index)
    return each
