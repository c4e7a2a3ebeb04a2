"""A restored copy of a city whose accesses and authorizations go on in their next epochs: all of it, and its uses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import readings
from access_records import STEWARD, holder_key, mandate, person
from homes import Home
from test_next_epoch import kept_copy, restored

from api import auditing, epochs, holder, tracing
from api.wiring import City
from audit.decision import DecisionCode
from audit.store.accesses import Wanted
from ledger.epochs import Why
from ledger.logid import ACCESS, AUTHORIZATION
from ledger.store import logs


def differences(home: Home) -> list[object]:
    return list(auditing.differences(home.city, auditing.Looked(), stream=None, told=lambda *_: None))


def gone_on(home: Home, stream: str) -> None:
    shown, _ = epochs.close(home.city, stream, None)
    epochs.close(home.city, stream, shown.good)
    epochs.go_on(home.city, stream, Why.RESTORED)


def traced(home: Home, number: int = 0) -> list[int]:
    """The epoch of each line of a person, in order."""
    found = tracing.find(home.city, Wanted(subject_refs=(home.city.keyring.ref(person(number)),)), limit=100)
    assert (found.hidden, found.astray) == (0, 0)
    with home.city.database.reading() as connection:
        epochs_of = {row.id: row.name.epoch for row in logs.every(connection)}
    return sorted(epochs_of[line.log] for line in found.lines)


def test_accesses_and_authorizations_go_on(home: Home) -> None:
    readings.prepare(home.city)
    mine = readings.grant(home.city, 0)
    readings.decide(home.city, "anchored", mine)
    home.publish()
    # Recorded and not anchored when the copy is made: these stand again.
    other = readings.grant(home.city, 1)
    mandate(home.city, 2)
    holder_key(home.city, 3)
    readings.decide(home.city, "stands again", mine)
    readings.decide(home.city, "of another", other, number=1)
    readings.staff_read(home.city, "staff")
    copy = kept_copy(home)
    readings.grant(home.city, 4)
    readings.decide(home.city, "lost", mine)
    home.publish()
    restored(home, copy)

    # A day later, so that a use that stands again counts as of another day.
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    home.city.close()
    home.city = City(home.folder, clock=lambda: tomorrow)
    for stream in (ACCESS, AUTHORIZATION):
        gone_on(home, stream)
    home.publish()

    assert differences(home) == []
    # Each reading that was allowed has its release beside it; the look of the staff has none.
    assert traced(home) == [0, 0, 1, 1, 1]
    assert traced(home, 1) == [1, 1]
    assert home.ask('SELECT uses, uses_today FROM "authorization" WHERE id = ?', mine) == [(2, 1)]
    readings.freshen(home.city)
    again = readings.decide(home.city, "stands again", mine)
    assert again.decision.code is DecisionCode.REQUEST_REPEATED
    fresh = readings.decide(home.city, "new", other, number=1)
    assert fresh.opens is not None and fresh.log.epoch == 1
    assert len(holder.look(home.city, person(0), STEWARD, lambda *_: None).history.lines) == 5
    home.publish()
    assert differences(home) == []


def test_an_opening_that_does_not_open_is_named_in_its_new_place(home: Home) -> None:
    readings.prepare(home.city)
    mine = readings.grant(home.city, 0)
    home.publish()
    readings.decide(home.city, "stands again", mine)
    copy = kept_copy(home)
    readings.decide(home.city, "lost", mine)
    home.publish()
    restored(home, copy)
    home.edit(
        "UPDATE opening SET sealed = zeroblob(length(sealed)) WHERE log_index = 0 "
        "AND log_no = (SELECT no FROM log WHERE stream = 'access')"
    )
    gone_on(home, ACCESS)
    home.publish()
    named = {(each.stream, each.index, each.table, each.column) for each in differences(home)}  # type: ignore[attr-defined]
    assert named == {("access", 1, "opening", "sealed")}
