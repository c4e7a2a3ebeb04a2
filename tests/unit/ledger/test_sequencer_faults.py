"""What fails before or at commit leaves nothing behind and is told to everybody who waited."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from typing import Any

import pytest
from ledger_acts import HANG, LOG, OTHER, Place, Say
from sqlalchemy import text

from ledger.errors import AppendRefused, LedgerError, StoreUnavailable
from ledger.sequencer import Appended, Turn
from ledger.store import logs

COMMIT_FAILS = (
    "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
    "CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
)


def orphan(turn: Turn) -> None:
    """A row that SQLite takes now and refuses at COMMIT."""
    turn.connection.execute(text("INSERT INTO child (id) VALUES (1)"))


def disk_full(turn: Turn) -> None:
    """The file may not grow for the length of one statement, as on a full disk that is freed again."""
    pages = turn.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    turn.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    try:
        turn.connection.exec_driver_sql("INSERT INTO own (n) VALUES (zeroblob(1000000))")
    finally:
        turn.connection.exec_driver_sql("PRAGMA max_page_count=1000000")


def interrupt(turn: Turn) -> None:
    raise KeyboardInterrupt


def told(place: Place, results: list[Any]) -> list[int]:
    """The numbers whose callers were told that they are recorded; the log and the own rows must agree."""
    values = [r.value for r in results if isinstance(r, Appended)]
    assert [n for n in place.numbers() if n] == values
    assert [n for n in place.own() if n > 0] == values
    return values


def test_a_failed_commit_reaches_all_callers_and_records_nothing(place: Place) -> None:
    place.say(0)
    for statement in COMMIT_FAILS:
        place.edit(statement)
    results = place.together([Say(1), Say(2, after=orphan), Say(3)])
    assert all(isinstance(r, StoreUnavailable) for r in results), results
    assert told(place, results) == []
    place.say(4)
    assert place.numbers() == [0, 4] and place.read()[1].body["n"] == 4


def test_a_failed_guard_answers_nobody_and_the_next_append_goes_on(place: Place) -> None:
    """The entry stands, unacknowledged: the database is ahead of the guard, which is harmless."""
    place.say(0)
    guard = sqlite3.connect(place.guard_file)
    guard.execute("CREATE TRIGGER stuck BEFORE UPDATE ON guard BEGIN SELECT RAISE(ABORT, 'disk error'); END")
    with pytest.raises(StoreUnavailable):
        place.say(1)
    guard.execute("DROP TRIGGER stuck")
    guard.close()
    place.say(2)
    assert place.numbers() == place.own() == [0, 1, 2]


def test_a_full_disk_inside_one_act_leaves_all_or_nothing(place: Place) -> None:
    """SQLite answers SQLITE_FULL by rolling back the whole transaction, savepoints and head lock with it."""
    place.say(0)
    results = place.together([Say(1), Say(2, after=disk_full), Say(3)])
    assert isinstance(results[1], Exception)
    told(place, results)
    place.say(4)
    assert place.numbers()[-1] == 4


def test_an_interrupt_in_one_act_tells_no_neighbour_that_it_was_recorded(place: Place) -> None:
    """One of the first three commits for all and is interrupted; the others wait for its answer."""
    place.say(0)
    results = place.together([Say(1), Say(2), Say(3), Say(4, after=interrupt), Say(5)])
    assert not isinstance(results[3], Appended)
    told(place, results)
    place.say(6)
    assert place.numbers()[-1] == 6


def test_an_interrupt_while_waiting_takes_nobodys_turn_along(place: Place) -> None:
    """The one who waits is told by a signal; whoever commits goes on, and so do those who come after."""
    place.say(0)
    waiting = threading.Event()

    def interrupt_the_waiting(turn: Turn) -> None:
        assert waiting.wait(HANG)
        while LOG not in place.sequencer._queues:
            time.sleep(0.001)
        time.sleep(0.05)  # it has queued, now it waits
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        time.sleep(0.05)

    busy = threading.Thread(target=place.sequencer.append, args=(OTHER, Say(5, before=interrupt_the_waiting)))
    busy.start()
    while not place.sequencer._committing:
        time.sleep(0.001)
    waiting.set()
    with pytest.raises(KeyboardInterrupt):
        place.sequencer.append(LOG, Say(1))
    busy.join(HANG)
    assert not place.sequencer._committing and not place.sequencer._queues
    place.say(2)
    assert place.numbers() == [0, 2] and place.numbers(OTHER) == [5]


@pytest.mark.parametrize(
    "trigger",
    [
        "AFTER INSERT ON entry BEGIN UPDATE entry SET sealed = zeroblob(200) WHERE idx = NEW.idx; END",
        "AFTER INSERT ON entry BEGIN DELETE FROM entry WHERE idx = NEW.idx; END",
        "BEFORE INSERT ON entry WHEN NEW.idx = 3 BEGIN SELECT RAISE(IGNORE); END",
        "AFTER UPDATE ON tile BEGIN UPDATE tile SET hashes = zeroblob(length(NEW.hashes)) WHERE rowid = NEW.rowid; END",
        "AFTER UPDATE ON tile BEGIN DELETE FROM tile WHERE rowid = NEW.rowid; END",
    ],
)
def test_what_the_database_does_not_give_back_is_not_committed(place: Place, trigger: str) -> None:
    place.say(0, 1, 2)
    place.edit(f"CREATE TRIGGER lies {trigger}")
    results = place.together([Say(3), Say(4)])
    assert [getattr(r, "code", r) for r in results] == ["STORE_LIES"] * 2
    place.edit("DROP TRIGGER lies")
    assert place.numbers() == [0, 1, 2] and 3 not in place.own()


def flip(place: Place, level: int, index: int, position: int) -> None:
    with place.database.reading() as connection:
        row = logs.find(connection, LOG.id)
        assert row is not None
        hashes = bytearray(logs.tile_reader(connection, row.no)(level, index))
    hashes[position] ^= 1
    assert place.edit("UPDATE tile SET hashes = ? WHERE level = ? AND idx = ?", bytes(hashes), level, index) == 1


@pytest.mark.parametrize(("level", "index", "position"), [(0, 1, 0), (0, 1, 32 * 43 + 31), (1, 0, 5)])
def test_an_edited_hash_under_the_head_is_found_before_anything_grows_on_it(
    place: Place, level: int, index: int, position: int
) -> None:
    """A new head over an edited tile would not extend the old one: the chain would refuse it and all after it."""
    place.sequencer.append(LOG, Say(0, entries=300))
    flip(place, level, index, position)
    with pytest.raises(AppendRefused) as refused:
        place.say(1)
    assert refused.value.code == "STORE_LIES"
    flip(place, level, index, position)
    place.say(2)
    assert place.numbers()[-1] == 2


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE tile SET hashes = substr(hashes, 1, length(hashes) - 32) WHERE level = 0 AND idx = 1",
        "UPDATE tile SET hashes = substr(hashes, 1, length(hashes) - 1) WHERE level = 0 AND idx = 1",
        "UPDATE tile SET hashes = x'' WHERE level = 1",
        "DELETE FROM tile WHERE level = 1",
        "DELETE FROM tile WHERE level = 0 AND idx = 1",
        "UPDATE log SET size = 299 WHERE stream = 'access'",
        "UPDATE log SET size = 301 WHERE stream = 'access'",
        "UPDATE log SET root = zeroblob(32) WHERE stream = 'access'",
    ],
)
def test_a_damaged_tile_or_head_is_refused_with_a_code(place: Place, edit: str) -> None:
    place.sequencer.append(LOG, Say(0, entries=300))
    assert place.edit(edit) == 1
    with pytest.raises(LedgerError) as refused:
        place.say(1)
    assert refused.value.code in ("STORE_LIES", "DATABASE_BEHIND_GUARD", "STORE_UNAVAILABLE")
    assert place.own() == [0]
