"""Opening, durability settings, and one error for every way in which a database cannot write."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from ledger_acts import LOG, Place
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ledger.errors import StoreUnavailable
from ledger.store import database, logs
from ledger.store.database import Database, translated


def pragma(place: Place, name: str) -> object:
    with place.database.reading() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def test_what_is_committed_is_synced_and_what_is_deleted_is_wiped(place: Place) -> None:
    assert pragma(place, "journal_mode") == "wal"
    assert pragma(place, "synchronous") == 2
    assert pragma(place, "secure_delete") == 1
    assert pragma(place, "foreign_keys") == 1


def test_an_error_rolls_back_what_was_written(place: Place) -> None:
    with pytest.raises(ZeroDivisionError), place.database.writing() as connection:
        connection.execute(text("INSERT INTO own (n) VALUES (1)"))
        raise ZeroDivisionError
    assert place.own() == []


def test_a_reader_sees_one_snapshot_while_others_append(place: Place) -> None:
    place.say(1)
    with place.database.reading() as connection:
        before = logs.find(connection, LOG.id)
        place.say(2)
        assert logs.find(connection, LOG.id) == before
    with place.database.reading() as connection:
        after = logs.find(connection, LOG.id)
    assert before is not None and after is not None and (before.head.size, after.head.size) == (1, 2)


def test_a_writer_that_waited_too_long_is_told_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 20)
    impatient = Database(f"sqlite:///{place.database_file}")
    with place.database.writing():
        with pytest.raises(StoreUnavailable), impatient.writing():
            pass
        with impatient.reading() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
    with impatient.writing() as connection:
        connection.execute(text("INSERT INTO own (n) VALUES (1)"))
    impatient.close()
    assert place.own() == [1]


@pytest.mark.parametrize("way", ["reading", "writing"])
def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path, way: str) -> None:
    absent = Database(f"sqlite:///{tmp_path / 'absent' / 'city.db'}")
    with pytest.raises(StoreUnavailable) as refused, getattr(absent, way)():
        pass
    assert refused.value.code == "STORE_UNAVAILABLE"


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "city.db").write_bytes(b"no database at all, and long enough to be looked at" * 100)
    with pytest.raises(StoreUnavailable), Database(f"sqlite:///{tmp_path / 'city.db'}").reading():
        pass


def test_a_read_only_database_reads_and_does_not_write(place: Place) -> None:
    place.say(1)
    read_only = Database(f"sqlite:///file:{place.database_file}?mode=ro&uri=true")
    with read_only.reading() as connection:
        assert logs.find(connection, LOG.id) is not None
    with pytest.raises(StoreUnavailable), read_only.writing() as connection:
        connection.execute(text("INSERT INTO own (n) VALUES (1)"))
    read_only.close()


def test_the_error_tells_no_value_of_the_statement(place: Place) -> None:
    with pytest.raises(StoreUnavailable) as refused, place.database.writing() as connection:
        connection.execute(text("INSERT INTO nowhere (n) VALUES (:n)"), {"n": "330106199001011234"})
    assert "330106" not in str(refused.value) + str(refused.value.params)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    "said",
    [
        'duplicate key value violates unique constraint "p"\nDETAIL:  Key (code)=(330106199001011234) already exists.',
        'invalid input syntax for type bigint: "330106199001011234"',
    ],
)
def test_what_postgresql_says_about_a_value_is_not_passed_on(said: str) -> None:
    """Its messages quote the row. Two of them, as psycopg hands them over."""
    with pytest.raises(StoreUnavailable) as refused, translated():
        raise IntegrityError("INSERT", {}, sqlite3.IntegrityError(said))
    assert "330106" not in str(refused.value) + str(refused.value.params)


def test_reading_entries_leaves_the_connection_as_it_was(place: Place) -> None:
    """Options set on a connection outlive the call: PostgreSQL then refuses the next UPDATE, asked to stream it."""
    place.say(1)
    with place.database.reading() as connection:
        before = dict(connection.get_execution_options())
        assert len(list(logs.entries(connection, 1, 0, 1))) == 1
        assert dict(connection.get_execution_options()) == before


def test_entries_are_streamed_in_order_and_within_bounds(place: Place) -> None:
    place.say(*range(5))
    with place.database.reading() as connection:
        assert [i for i, _ in logs.entries(connection, 1, 1, 4)] == [1, 2, 3]
        assert logs.find(connection, bytes(32)) is None


def test_rows_that_point_nowhere_are_refused(place: Place) -> None:
    with pytest.raises(StoreUnavailable), place.database.writing() as connection:
        logs.insert_entries(connection, 99, 0, [b"sealed"])
    raw = sqlite3.connect(place.database_file)
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()
