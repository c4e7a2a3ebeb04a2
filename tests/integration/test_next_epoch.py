"""Going on after an epoch was closed, with the parts of a real city: what moved, what the chain still knows."""

from __future__ import annotations

import shutil
from pathlib import Path
from threading import Event

import pytest
from homes import HANG_SECONDS, Home, licences

from api import checking, epochs, logs, service
from api.epochs import Epoch
from api.errors import ApiError
from api.wiring import PUBLISHER
from certs import statuslist, store
from certs.lifecycle import Change
from ledger import merkle, tile
from ledger.epochs import Why
from ledger.errors import AppendRefused
from ledger.ports import HeadItem
from ledger.store import logs as rows
from ledger.store import outbox
from ledger.verdict import Result

STREAM = "certificate"


def kept_copy(home: Home) -> Path:
    home.city.close()
    copy = home.folder.parent / "backup.sqlite"
    shutil.copy(home.folder / "ledger.sqlite", copy)
    home.reopen()
    return copy


def restored(home: Home, copy: Path) -> None:
    home.city.close()
    for beside in home.folder.glob("ledger.sqlite-*"):
        beside.unlink()
    shutil.copy(copy, home.folder / "ledger.sqlite")
    home.reopen()


def gone_on(home: Home, why: Why = Why.RESTORED) -> Epoch:
    shown, done = epochs.close(home.city, STREAM, None)
    assert not done
    epochs.close(home.city, STREAM, shown.good)
    epoch = epochs.go_on(home.city, STREAM, why)
    home.publish()
    return epoch


def notes(home: Home) -> list[str]:
    found = [line for line in home.check() if line.outcome is not checking.Outcome.OK]
    assert {line.outcome for line in found} <= {checking.Outcome.NOTE}
    return [line.detail for line in found]


def test_a_head_that_the_city_never_recorded(home: Home) -> None:
    """Somebody with the publisher's key extends the log: the city cannot publish, closes the epoch, goes on."""
    home.issued(3)
    home.publish()
    (before,) = home.city.chain.heads([home.city.log.id])
    assert before is not None
    with home.city.database.reading() as connection:
        forged = [*tile.leaves(rows.tile_reader(connection, 1), 0, 3), bytes(32)]
    head = HeadItem(STREAM, 4, merkle.tree_root(forged), tuple(merkle.prove_consistency(forged, 3, 4)))
    thief = home.city.transactor(PUBLISHER)
    thief.once("thief", lambda: home.city.chain.publish([head]))
    thief.settle_all(HANG_SECONDS)
    more = home.issued(2, start=4)
    with pytest.raises(AppendRefused) as refused:
        home.publish()
    assert refused.value.code == "LOG_DIVERGED"

    epoch = gone_on(home, Why.FOREIGN_HEAD)
    assert (epoch.good, epoch.anchored, epoch.size) == (3, 4, 5)
    assert {each.identifier for each in epoch.again} == {each.identifier for each in more[:2]}
    assert all(home.verify(each.identifier, online=True).verdict.result is Result.VALID for each in home.certificates())
    assert notes(home) == ["certificate: 3–5"]


def test_a_status_that_the_copy_does_not_have_is_taken_from_the_chain(home: Home) -> None:
    one, two, three = home.issued(3)
    home.publish()
    copy = kept_copy(home)
    home.change(one.identifier, Change.REVOKE)
    home.change(two.identifier, Change.SUSPEND)
    home.publish()
    restored(home, copy)
    gone_on(home)
    with home.city.database.reading() as connection:
        found = [store.by_identifier(connection, each.identifier) for each in (one, two, three)]
    assert [row.status.name for row in found if row] == ["REVOKED", "SUSPENDED", "ACTIVE"]
    home.change(two.identifier, Change.REINSTATE)
    home.publish()
    assert home.verify(one.identifier).verdict.findings[7].reason == "STATUS_REVOKED"
    assert home.verify(two.identifier).verdict.result is Result.VALID


def test_places_in_status_lists_that_may_have_been_drawn_are_not_drawn_again(home: Home) -> None:
    home.issued(3)
    home.publish()
    copy = kept_copy(home)
    home.issued(4, start=4)
    lost = {each.status_place for each in home.certificates()}
    home.publish()
    restored(home, copy)
    kept = {each.status_place for each in home.certificates()}
    gone_on(home)
    home.issued(4, start=4)
    anew = {each.status_place for each in home.certificates()} - kept
    assert len(anew) == 4 and not anew & lost
    assert min(anew) == statuslist.LIST_SIZE


def test_a_closed_epoch_stops_the_city_until_it_goes_on(home: Home, tmp_path: Path) -> None:
    """Closed while certificates were recorded and waited: nothing of them is lost, and nothing is sent in vain."""
    home.issued(2)
    home.publish()
    folder = tmp_path / "log"
    logs.export(home.city, folder)
    epochs.close(home.city, STREAM, 2)
    home.issued(2, start=3)
    with pytest.raises(AppendRefused) as refused:
        home.publish()
    assert refused.value.code == "EPOCH_CLOSED"
    (line,) = home.wrong()
    assert line.error is not None and line.error.code == "EPOCH_CLOSED"
    with pytest.raises(AppendRefused) as refused:
        service.serve(home.folder, Event(), lambda *_: None)
    assert refused.value.code == "EPOCH_CLOSED"

    epochs.go_on(home.city, STREAM, Why.OTHER)
    home.publish()
    assert home.size() == 3 and {state for _, state in home.outbox()} == {outbox.DONE}
    assert all(home.verify(each.identifier).verdict.result is Result.VALID for each in home.certificates())
    assert notes(home) == ["certificate: 2–4"]
    with pytest.raises(ApiError) as other:
        logs.export(home.city, folder)
    assert other.value.code == "FOLDER_OF_ANOTHER_LOG"
    assert logs.export(home.city, tmp_path / "log-1").size == 3


def test_a_copy_from_before_a_continuation(home: Home) -> None:
    """Two epochs behind: the newest one is closed as a whole, and what the copy holds goes on in a third."""
    home.issued(3)
    home.publish()
    copy = kept_copy(home)
    home.issued(2, start=4)
    home.publish()
    restored(home, copy)
    gone_on(home)
    home.issued(2, start=6)
    home.publish()
    restored(home, copy)
    with pytest.raises(AppendRefused) as refused:
        epochs.go_on(home.city, STREAM, Why.RESTORED)
    assert refused.value.code == "DATABASE_BEHIND_GUARD"
    gone_on(home)
    assert home.city.log.epoch == 2
    home.issued(4, start=4)
    home.publish()
    assert len(home.certificates()) == 7
    assert all(home.verify(each.identifier).verdict.result is Result.VALID for each in home.certificates())
    zero, one, two = epochs.survey(home.city, STREAM)
    assert (zero.good, zero.known, zero.continued_in) == (3, 5, 2)
    assert (one.good, one.known, one.size) == (0, 3, 0)
    assert (two.size, two.closing) == (5, None)
    assert sorted(notes(home)) == ["certificate/1: 0–3", "certificate: 3–5"]


def test_nothing_is_closed_or_continued_without_need(home: Home) -> None:
    with pytest.raises(ApiError) as refused:
        epochs.close(home.city, STREAM, None)
    assert refused.value.code == "NOTHING_TO_CLOSE"
    home.issue(licences(home.folder / "rows.csv", 2))
    home.publish()
    with pytest.raises(ApiError) as refused:
        epochs.go_on(home.city, STREAM, Why.RESTORED)
    assert refused.value.code == "LOG_NOT_CLOSED"
    with pytest.raises(ApiError) as refused:
        epochs.close(home.city, STREAM, 1)
    assert refused.value.code == "CLOSE_SIZE"
    (standing,) = epochs.survey(home.city, STREAM)
    assert (standing.closing, standing.good, standing.missing) == (None, 2, 0)
