"""The guard: only rises, is never restored, and shows a database that was."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ledger_acts import LOG, OTHER, Place, Say

from ledger.errors import AppendRefused, StoreUnavailable
from ledger.store.guard import Guard
from ledger.types import Head

ONE, TWO, THREE = (Head(size, bytes([size]) * 32) for size in (1, 2, 3))


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    return Guard(tmp_path / "alone.db")


def test_it_only_rises(guard: Guard, tmp_path: Path) -> None:
    assert guard.read(LOG.id) is None
    for raised, known in ((TWO, TWO), (ONE, TWO), (TWO, TWO), (THREE, THREE), (Head(3, bytes(32)), THREE)):
        guard.raise_to(LOG.id, raised)
        assert guard.read(LOG.id) == known
    guard.close()
    again = Guard(tmp_path / "alone.db")
    assert again.read(LOG.id) == THREE and again.read(OTHER.id) is None
    again.close()


def test_behind_or_beside_it_is_refused_ahead_of_it_is_fine(guard: Guard) -> None:
    root_at = {head.size: head.root for head in (ONE, TWO, THREE)}.__getitem__
    guard.check(LOG, ONE, root_at)
    guard.raise_to(LOG.id, TWO)
    for fine in (TWO, THREE):
        guard.check(LOG, fine, root_at)
    for wrong in (ONE, Head(0, bytes(32)), Head(2, bytes(32))):
        with pytest.raises(AppendRefused) as refused:
            guard.check(LOG, wrong, root_at)
        assert refused.value.code == "DATABASE_BEHIND_GUARD"
    assert refused.value.params["size"] == "2" and refused.value.params["guard"] == "2"
    guard.check(OTHER, ONE, root_at)
    guard.close()


def restored(place: Place, copy: Path) -> Place:
    """The database file put back from a copy, and everything opened again."""
    place.close()
    for file in place.database_file.parent.glob(place.database_file.name + "-*"):
        file.unlink()
    shutil.copy(copy, place.database_file)
    return Place(place.database_file.parent)


def test_an_older_copy_of_the_database_is_refused(place: Place, tmp_path: Path) -> None:
    place.say(1, 2)
    place.say(7, log=OTHER)
    place.close()
    copy = Path(shutil.copy(place.database_file, tmp_path / "backup.db"))
    place.say(3)
    old = restored(place, copy)
    results = old.together([Say(4), Say(5)])
    assert [getattr(r, "code", r) for r in results] == ["DATABASE_BEHIND_GUARD"] * 2
    old.say(8, log=OTHER)  # a log that lost nothing goes on
    assert old.numbers(OTHER) == [7, -1, 8] and old.own() == [1, 2, 7, -1, 8]
    old.close()


def test_an_empty_database_beside_a_used_guard_is_refused(place: Place) -> None:
    place.say(1)
    place.close()
    place.database_file.unlink()
    new = Place(place.database_file.parent)
    with pytest.raises(AppendRefused) as refused:
        new.say(2)
    assert refused.value.code == "DATABASE_BEHIND_GUARD" and new.own() == []
    new.close()


def test_a_database_ahead_of_the_guard_goes_on(place: Place, tmp_path: Path) -> None:
    """A crash between commit and guard: nobody was answered, and the next append raises the guard again."""
    place.say(1)
    place.close()
    copy = Path(shutil.copy(place.guard_file, tmp_path / "older-guard.db"))
    place.say(2, 3)
    place.close()
    for file in tmp_path.glob("guard.db-*"):
        file.unlink()
    shutil.copy(copy, place.guard_file)
    again = Place(tmp_path)
    known = again.guard.read(LOG.id)
    assert known is not None and known.size == 1
    again.say(4)
    assert again.numbers() == [1, 2, 3, 4]
    again.close()


def test_a_longer_database_of_another_history_is_refused(place: Place, tmp_path: Path) -> None:
    """Longer than the guard knows, but not a continuation of it: at the guard's size it has another root."""
    (tmp_path / "other").mkdir()
    other = Place(tmp_path / "other")
    other.say(1, 2, 3)
    other.close()
    place.say(1, 2)
    forged = restored(place, other.database_file)
    with pytest.raises(AppendRefused):
        forged.say(4)
    forged.close()


def test_a_guard_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        Guard(tmp_path / "absent" / "guard.db")
