"""Appending: contiguous, in one commit for all who wait, each act alone in its savepoint, time never backwards."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta

import pytest
from ledger_acts import AGENCY, HANG, KEY, LOG, OTHER, Place, Say
from sqlalchemy import text

from ledger import entries, sequencer
from ledger.errors import AppendRefused, CanonicalError, StoreUnavailable, VerificationError
from ledger.sequencer import Appended, Decided, Turn
from ledger.statement import Draft
from ledger.store import logs, outbox
from ledger.types import LogName


@dataclass
class Refuse:
    """Writes a row of its own, then refuses."""

    n: int

    def decide(self, turn: Turn) -> Decided[None]:
        turn.connection.execute(text("INSERT INTO own (n) VALUES (:n)"), {"n": self.n})
        raise PermissionError(f"refused {self.n}")


@dataclass
class Drafts:
    drafts: list[Draft]

    def decide(self, turn: Turn) -> Decided[int]:
        return Decided(self.drafts, turn.first_index)


def test_what_was_appended_is_there_under_the_index_and_leaf_told(place: Place) -> None:
    first, second, third = place.say(10, 11, 12)
    assert [a.first_index for a in (first, second, third)] == [0, 1, 2] and second.value == 11
    assert place.numbers() == place.own() == [10, 11, 12]
    with place.database.reading() as connection:
        row = logs.find(connection, LOG.id)
        assert row is not None
        sealed = logs.entry(connection, row.no, 1)
        assert sealed is not None and logs.entry(connection, row.no, 3) is None
    assert second.leaves == (entries.rehash(sealed, log_id=LOG.id, index=1, key=KEY),)
    assert place.read()[1].at == second.at == "2026-11-23T08:00:00.000Z"


def test_one_act_may_make_several_entries_or_none(place: Place) -> None:
    several = place.sequencer.append(LOG, Say(1, entries=300))
    none = place.sequencer.append(LOG, Say(2, entries=0))
    assert (several.first_index, len(several.leaves)) == (0, 300)
    assert (none.first_index, none.leaves, none.value) == (300, (), 2)
    assert place.numbers() == [1] * 300 and place.own() == [1, 2]


def test_logs_do_not_share_indices(place: Place) -> None:
    neighbour = LogName(LOG.city + 1, LOG.stream)
    place.say(1, 2)
    place.say(3, log=OTHER)
    place.say(4, log=neighbour)
    assert (place.numbers(), place.numbers(OTHER), place.numbers(neighbour)) == ([1, 2], [3], [4])
    with place.database.reading() as connection:
        assert [row.name for row in logs.every(connection)] == [LOG, OTHER, neighbour]


def test_the_outbox_says_once_that_a_log_changed(place: Place) -> None:
    place.say(1, 2)
    place.say(3, log=OTHER)
    with place.database.reading() as connection:
        waiting = outbox.waiting(connection, outbox.HEAD, 10)
        assert [item.key for item in waiting] == [LOG.id, OTHER.id]
    with place.database.writing() as connection:
        outbox.mark(connection, waiting[0].id, outbox.SENT)
    place.say(4)
    with place.database.reading() as connection:
        assert [item.key for item in outbox.waiting(connection, outbox.HEAD, 10)] == [OTHER.id, LOG.id]


def test_an_act_that_refuses_takes_back_only_itself(place: Place) -> None:
    results = place.together([Say(1), Refuse(2), Say(3), Refuse(4), Say(5)])
    assert [str(r) for r in (results[1], results[3])] == ["refused 2", "refused 4"]
    assert [r.first_index for r in results if isinstance(r, Appended)] == [0, 1, 2]
    assert place.numbers() == [1, 3, 5] and place.own() == [-1, 1, 3, 5]


def test_an_act_with_a_draft_that_cannot_be_written_takes_back_its_own_rows(place: Place) -> None:
    def drafts(turn: Turn) -> None:
        raise CanonicalError("JSON_FLOAT", "as a draft would")

    results = place.together([Say(1), Say(2, after=drafts), Say(3)])
    assert isinstance(results[1], CanonicalError)
    for bad in (
        Draft("access/asked", AGENCY, {"n": 1.5}),
        Draft("case/asked", AGENCY, {}),
        Draft("access/x", "ab", {}),
    ):  # type: ignore[dict-item]
        with pytest.raises((CanonicalError, VerificationError)):
            place.sequencer.append(LOG, Drafts([Draft("access/asked", AGENCY, {"n": 9}), bad]))
    assert place.numbers() == [1, 3]


def test_acts_that_wait_share_one_commit_and_see_one_time(place: Place) -> None:
    ticks = iter(range(100))
    place.sequencer._clock = lambda: place.clock.now + timedelta(seconds=next(ticks))
    results = place.together([Say(n) for n in range(20)])
    assert {r.at for r in results if isinstance(r, Appended)} == {"2026-11-23T08:00:01.000Z"}
    assert place.numbers() == list(range(20))


def test_each_act_sees_what_the_one_before_it_wrote(place: Place) -> None:
    seen: list[int] = []

    def look(turn: Turn) -> None:
        seen.append(turn.connection.execute(text("SELECT count(*) FROM own WHERE n >= 0")).scalar_one())

    place.together([Say(n, before=look) for n in range(4)])
    assert seen == [0, 1, 2, 3]


def test_eight_threads_of_a_hundred_acts_give_one_contiguous_log(place: Place) -> None:
    told: dict[int, int] = {}

    def run(thread: int) -> None:
        for n in range(thread * 100, thread * 100 + 100):
            told[n] = place.sequencer.append(LOG, Say(n)).first_index

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert len(told) == 800 and sorted(told.values()) == list(range(800))
    assert place.numbers() == sorted(told, key=lambda n: told[n]) == place.own()


def test_more_acts_than_fit_one_commit_are_all_answered(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gets the lock takes the oldest waiters, and its own act may not be among them yet."""
    monkeypatch.setattr(sequencer, "MAX_ACTS", 1)
    told: list[int] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            for n in range(50):
                told.append(place.sequencer.append(LOG, Say(n)).first_index)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert not failed, repr(failed[0])
    assert sorted(told) == list(range(400)) and len(place.read()) == 400


def test_a_small_step_back_of_the_clock_is_held(place: Place) -> None:
    place.say(1)
    place.clock.step(-2)
    place.say(2)
    place.clock.step(1.5)
    place.say(3)
    assert [s.at for s in place.read()] == ["2026-11-23T08:00:00.000Z"] * 3


def test_a_larger_step_back_refuses_until_time_has_caught_up(place: Place) -> None:
    place.say(1)
    place.clock.step(-2.001)
    results = place.together([Say(2), Say(3)])
    assert [getattr(r, "code", None) for r in results] == ["CLOCK_BACKWARDS"] * 2
    assert all(isinstance(r, AppendRefused) for r in results)
    assert place.numbers() == [1] and 2 not in place.own()
    place.clock.step(60)
    place.say(4)
    assert place.numbers() == [1, 4]


def test_each_log_has_its_own_time(place: Place) -> None:
    place.say(1)
    place.clock.step(-3600)
    place.say(2, log=OTHER)
    assert place.read(OTHER)[0].at == "2026-11-23T07:00:00.000Z"


def test_a_database_that_is_gone_is_unavailable_not_refused(place: Place) -> None:
    place.say(1)
    place.edit("DROP TABLE entry")
    with pytest.raises(StoreUnavailable):
        place.say(2)
    assert place.own() == [1]
