"""A key for each content that is about a person, in a store apart: erasing a content is destroying its key.

`contents.sqlite` is no part of a backup of the database, like the guard: a database that is restored must not bring
back what was erased. It has a backup of its own, whose copies expire (docs/adr/0023).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from ledger.errors import VerificationError
from ledger.keys.wrapping import WrappingKey
from ledger.sealing.envelope import KEY_BYTES, Wrapper
from ledger.statement import timestamp
from ledger.store import content_keys
from ledger.store.content_keys import ContentKeyRow
from ledger.store.database import Database

_CONTEXT = b"certledger/content-key/v1\x00"


class ContentKeys:
    """Of one city. Safe to share between threads; several processes may use one store."""

    def __init__(self, path: Path, keeper: Wrapper, clock: Callable[[], datetime]) -> None:
        """`keeper` wraps what is stored: the file alone opens nothing."""
        self._database = Database(f"sqlite:///{path}")
        self._keeper = keeper
        self._clock = clock
        with self._database.writing() as connection:
            content_keys.make_table(connection)

    def fresh(self, number: int) -> list[WrappingKey]:
        """So many new keys, durable on return: nothing is ever sealed for a key that a crash could take away.

        Those that are not used after all stay and open nothing.
        """
        secrets = [os.urandom(KEY_BYTES) for _ in range(number)]
        keys = [WrappingKey(secret) for secret in secrets]
        wrapped = [self._keeper.wrap(secret, _CONTEXT) for secret in secrets]
        rows = [ContentKeyRow(key.kid, each) for key, each in zip(keys, wrapped, strict=True)]
        if rows:
            with self._database.writing() as connection:
                content_keys.put(connection, rows)
        return keys

    def find(self, kids: Collection[bytes]) -> dict[bytes, WrappingKey]:
        """Those that are here, by id. Raises `VerificationError` if one is not as it was stored."""
        with self._database.reading() as connection:
            rows = list(content_keys.of_kids(connection, kids))
        return {row.kid: self._open(row.kid, row.wrapped) for row in rows if row.wrapped is not None}

    def one(self, kid: bytes) -> WrappingKey:
        """Raises `VerificationError` CONTENT_KEY_MISSING: destroyed, or lost."""
        key = self.find([kid]).get(kid)
        if key is None:
            raise VerificationError("CONTENT_KEY_MISSING", "the key of this content is not here", kid=kid.hex())
        return key

    def present(self, kids: Collection[bytes]) -> set[bytes]:
        """Those that could still open something, whether or not they are sound."""
        with self._database.reading() as connection:
            return {row.kid for row in content_keys.of_kids(connection, kids) if row.wrapped is not None}

    def destroyed(self) -> set[bytes]:
        """Ids of every key that was destroyed here."""
        with self._database.reading() as connection:
            return content_keys.destroyed(connection)

    def destroy(self, kids: Collection[bytes]) -> None:
        """For good, durable on return; safe to call again. Raises `StoreUnavailable` WAL_IN_USE: somebody reads.

        The row's bytes are overwritten (secure_delete) and the write-ahead log, which still holds them, is cut off.
        """
        with self._database.writing() as connection:
            content_keys.destroy(connection, kids, timestamp(self._clock()))
        # Crash destroy/committed: gone from the table, and still in the write-ahead log; a repeat cuts it off.
        self._database.cut_log()

    def close(self) -> None:
        self._database.close()

    def _open(self, kid: bytes, wrapped: bytes) -> WrappingKey:
        key = WrappingKey(self._keeper.unwrap(wrapped, _CONTEXT))
        if key.kid != kid:
            raise VerificationError("ENVELOPE_ALTERED", "a content key stands under another key's id")
        return key
