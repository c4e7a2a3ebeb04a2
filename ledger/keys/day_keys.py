"""A key for each day: what is recorded on it is sealed for that key too, and the audit office is handed that key alone.

So an auditor reads a log without the audited city's key and without its help, day by day; and what is sealed for a
day's key alone (the openings of accesses) is gone for good when its retention ends and the day's row is destroyed.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from ledger.errors import VerificationError
from ledger.keys.wrapping import WrappingKey
from ledger.sealing.envelope import KEY_BYTES, Wrapper
from ledger.store import day_keys
from ledger.store.database import Connection
from ledger.store.day_keys import DayKeyRow

_CONTEXT = b"certledger/day-key/v1\x00"
ForOffice = Callable[[bytes], str]
"""Encrypts a day's secret to the audit office; the JWE."""


class DayKeys:
    """Of one city. Safe to share between threads."""

    def __init__(self, city: Wrapper, office: ForOffice | None = None) -> None:
        self._city = city
        self._office = office
        self._opened: dict[bytes, WrappingKey] = {}
        """By how the key is stored: whatever a transaction that was rolled back had made is not found by it."""

    def of(self, connection: Connection, at: str) -> WrappingKey:
        """The key of the day (UTC) of a statement's time, made on its first use in the caller's own transaction."""
        row = day_keys.of_day(connection, at[:10]) or self._make(connection, at[:10])
        return self._open(row)

    def find(self, connection: Connection, kid: bytes) -> WrappingKey:
        """Raises `VerificationError` DAY_KEY_MISSING: its retention is over, or somebody took it away."""
        row = day_keys.of_kid(connection, kid)
        if row is None:
            raise VerificationError("DAY_KEY_MISSING", "the key of that day is not here", kid=kid.hex())
        return self._open(row)

    def secret(self, row: DayKeyRow) -> bytes:
        """For handing it to the audit office. Raises `VerificationError`."""
        return self._city.unwrap(row.wrapped, _CONTEXT + row.day.encode())

    def _make(self, connection: Connection, day: str) -> DayKeyRow:
        secret = os.urandom(KEY_BYTES)
        wrapped = self._city.wrap(secret, _CONTEXT + day.encode())
        row = DayKeyRow(WrappingKey(secret).kid, day, wrapped, self._office(secret) if self._office else None)
        day_keys.put(connection, row)
        # Crash day-key/made: rolled back with everything that it sealed.
        return row

    def _open(self, row: DayKeyRow) -> WrappingKey:
        if row.wrapped not in self._opened:
            self._opened[row.wrapped] = WrappingKey(self.secret(row))
        return self._opened[row.wrapped]
