"""Opening a database: SQLite in a file, or PostgreSQL. What is acknowledged is durable in both."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError

from ledger.errors import StoreConflict, StoreUnavailable

__all__ = ["Connection", "Database", "Engine"]

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another process's append before it says so."""


class Database:
    """One city's database. Safe to share between threads; a process opens it once."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine)

    @classmethod
    def frozen(cls, path: Path) -> Database:
        """A SQLite file that nobody writes, read as it is and where it is: no lock, no file beside it."""
        database = cls.__new__(cls)
        database.engine = create_engine(f"sqlite:///file:{quote(str(path.resolve()))}?mode=ro&immutable=1&uri=true")
        return database

    def freeze(self) -> None:
        """SQLite, all in one file, as `frozen` reads it; nobody else may have it open."""
        raw = self.engine.raw_connection()  # through a connection of SQLAlchemy's it would stand in a transaction
        try:
            raw.cursor().execute("PRAGMA journal_mode=DELETE")
        finally:
            raw.close()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that may write, committed on leaving, rolled back on an error.

        SQLite: BEGIN IMMEDIATE, so two writers queue here instead of failing at commit.
        """
        with translated(), self.engine.connect() as opened:
            connection = opened.execution_options(certledger_writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot of the database: head and tiles read in it belong together."""
        with translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    def cut_log(self) -> None:
        """SQLite: move what the write-ahead log holds into the file and cut it to nothing, so that it keeps no copy of
        what was overwritten. Raises `StoreUnavailable` WAL_IN_USE while another connection reads. PostgreSQL: nothing.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with translated(), contextlib.closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.close()
        if busy:
            raise StoreUnavailable("WAL_IN_USE", "somebody reads the database; its log still holds what was removed")

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Disk full, read-only, locked, gone: one error that says nothing was acknowledged.

    The driver's own sentence may quote personal values, so only its stable code is passed on.
    """
    try:
        yield
    except IntegrityError as error:
        raise StoreConflict("STORE_CONFLICT", "another process was faster", reason=_driver_code(error)) from None
    except DBAPIError as error:
        raise StoreUnavailable("STORE_UNAVAILABLE", "the database refused", reason=_driver_code(error)) from None


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """Undone alone if its body raises. A `StoreConflict` is the body's own; other `StoreUnavailable` the database's.

    Plain statements, because SQLAlchemy's nested transactions cost more than everything else an append does. Where
    the database has ended the whole transaction (SQLite on a full disk), undoing fails, and that is told.
    """
    with translated():
        at_once(connection, "SAVEPOINT act")
        try:
            yield
        except Exception:
            at_once(connection, "ROLLBACK TO SAVEPOINT act")
            at_once(connection, "RELEASE SAVEPOINT act")
            raise
        at_once(connection, "RELEASE SAVEPOINT act")


def insert_rows(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Many rows, each with the columns of the table in their order, as the driver takes them.

    For rows that are written for every entry: SQLAlchemy's conversion of values costs more than storing them.
    """
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(table.c))
    columns = ", ".join(f'"{name}"' for name in table.c.keys())  # noqa: SIM118  # a collection of columns is no dict
    connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', list(rows))  # noqa: S608  # names of ours


def at_once(connection: Connection, statement: str, values: Sequence[Any] = ()) -> Any:
    """The driver's cursor after a statement with `?` for each value: past SQLAlchemy, in the same transaction.

    For what is asked for every act: SQLAlchemy's own work on a statement costs ten times as much as running it.
    """
    if connection.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    try:
        return connection.connection.driver_connection.execute(statement, values)  # type: ignore[union-attr]
    except connection.dialect.loaded_dbapi.Error as error:
        raise StoreUnavailable("STORE_UNAVAILABLE", "the database refused", reason=_code_of(error)) from None


def _driver_code(error: DBAPIError) -> str:
    return _code_of(error.orig)


def _code_of(original: BaseException | None) -> str:
    """SQLITE_FULL, SQLITE_READONLY…, or PostgreSQL's SQLSTATE."""
    code = getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None)
    return str(code or type(original).__name__)


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def pragmas(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver must not open transactions on its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("certledger_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
