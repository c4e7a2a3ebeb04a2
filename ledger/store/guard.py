"""The guard: (size, root) per log in a file of its own, which is never restored from a backup.

A database restored from an older copy is consistent in itself; only something that was not restored with it can
tell. The guard is raised after each commit and before anybody is answered, and it only ever rises.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from ledger.errors import AppendRefused
from ledger.store.database import Database
from ledger.types import Head, LogName

_metadata = MetaData()
_guard = Table(
    "guard",
    _metadata,
    Column("log_id", LargeBinary(32), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
)

_READ = select(_guard).where(_guard.c.log_id == bindparam("log_id"))
_WANTED = insert(_guard)
_RAISE = _WANTED.on_conflict_do_update(
    index_elements=[_guard.c.log_id],
    set_={"size": _WANTED.excluded.size, "root": _WANTED.excluded.root},
    where=_WANTED.excluded.size > _guard.c.size,
)


class Guard:
    """What has been acknowledged at least. Several processes may raise it; SQLite's lock orders them."""

    def __init__(self, path: Path) -> None:
        self._database = Database(f"sqlite:///{path}")
        with self._database.writing() as connection:
            _metadata.create_all(connection)

    def read(self, log_id: bytes) -> Head | None:
        with self._database.reading() as connection:
            row = connection.execute(_READ, {"log_id": log_id}).one_or_none()
        return Head(row.size, row.root) if row else None

    def raise_to(self, log_id: bytes, head: Head) -> None:
        """Durable on return. Safe to call twice, late, or out of order: a smaller head changes nothing."""
        with self._database.writing() as connection:
            connection.execute(_RAISE, {"log_id": log_id, "size": head.size, "root": head.root})

    def check(self, log: LogName, head: Head, root_at: Callable[[int], bytes]) -> None:
        """Raises `AppendRefused` if the database is behind what was acknowledged, or another history.

        A database ahead of the guard is a crash between commit and guard: nobody was answered, and if the root at
        the guard's size (`root_at`) is the guard's, all is well.
        """
        known = self.read(log.id)
        if known is None or known == head or (known.size < head.size and root_at(known.size) == known.root):
            return
        raise AppendRefused(
            "DATABASE_BEHIND_GUARD",
            "the database holds less than was acknowledged: it was restored from an older copy",
            log=log.id.hex(),
            stream=log.stream,
            size=head.size,
            guard=known.size,
            missing=max(known.size - head.size, 0),
        )

    def close(self) -> None:
        self._database.close()
