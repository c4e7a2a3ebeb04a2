"""A closed log goes on in its next epoch: one act, everything or nothing, and nothing twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ledger_acts import KEY, LOG, Place, Say

from ledger import continuing, epochs, tile
from ledger.continuing import ContinueLog, Move
from ledger.epochs import Continued, Why
from ledger.errors import AppendRefused, VerificationError
from ledger.facts import EpochClosing, PublishedHead
from ledger.statement import Statement
from ledger.store import logs, outbox
from ledger.store.database import Connection
from ledger.types import LogName

NEXT = LogName(LOG.city, LOG.stream, 1)


class Power(Exception):
    """The machine went off here."""


def head(place: Place, size: int, prev_size: int = 0) -> PublishedHead:
    """The head of the first `size` entries, as if it had been published."""
    with place.database.reading() as connection:
        row = logs.find(connection, LOG.id)
        assert row is not None
        root = tile.root(logs.tile_reader(connection, row.no), size)
    return PublishedHead(LOG.id, size, root, prev_size, size, 1000 + size)


def continuation(place: Place, good: int, *heads: PublishedHead, moves: list[Move] | None = None) -> ContinueLog:
    def moved(_: Connection, move: Move) -> None:
        if moves is None:
            raise Power
        moves.append(move)

    return ContinueLog(LOG, EpochClosing(LOG.id, good, 9, 2000), heads, Why.RESTORED, KEY, moved)


@pytest.fixture
def seven(place: Place) -> Place:
    place.say(*range(7))
    return place


def test_what_has_no_anchor_stands_again_in_the_same_order(seven: Place) -> None:
    moves: list[Move] = []
    anchored = head(seven, 3), head(seven, 5, 3)
    act = continuation(seven, 5, *anchored, moves=moves)
    appended = seven.sequencer.append(NEXT, act)
    assert (appended.first_index, len(appended.leaves)) == (0, 3)
    first, *again = seven.read(NEXT)
    said = epochs.read(first)
    assert (said.log, said.size, said.root, said.again) == (LOG.id, 5, anchored[1].root, (5, 7))
    assert (first.type, first.agency, first.stream) == ("log/continued", "", LOG.stream)
    assert [statement.body["n"] for statement in again] == [5, 6]
    assert {statement.log for statement in again} == {NEXT.id}
    assert seven.numbers() == list(range(7))  # the old log is evidence, and stays whole
    assert [(move.old_no, move.first, move.new_no) for move in moves] == [(1, 5, 2)]


def test_done_twice_it_does_nothing_the_second_time(seven: Place) -> None:
    act = continuation(seven, 5, head(seven, 5), moves=[])
    seven.sequencer.append(NEXT, act)
    before = seven.read(NEXT)
    assert seven.sequencer.append(NEXT, act).leaves == ()
    assert seven.read(NEXT) == before


def test_interrupted_it_leaves_nothing_and_can_be_done_again(seven: Place, tmp_path: Path) -> None:
    with pytest.raises(Power):
        seven.sequencer.append(NEXT, continuation(seven, 5, head(seven, 5)))
    assert seven.read(NEXT) == []
    with seven.database.reading() as connection:
        assert logs.current(connection, LOG.city, LOG.stream) == LOG
    seven.sequencer.append(NEXT, continuation(seven, 5, head(seven, 5), moves=[]))
    with seven.database.reading() as connection:
        assert logs.current(connection, LOG.city, LOG.stream) == NEXT
    seven.say(7, log=NEXT)
    assert [statement.body.get("n") for statement in seven.read(NEXT)] == [None, 5, 6, 7]


def test_nothing_is_added_to_what_is_over_and_nothing_begins_otherwise(seven: Place) -> None:
    with pytest.raises(AppendRefused) as refused:
        seven.say(7, log=NEXT)
    assert refused.value.code == "EPOCH_NOT_CONTINUED"
    seven.sequencer.append(NEXT, continuation(seven, 7, head(seven, 7), moves=[]))
    with pytest.raises(AppendRefused) as refused:
        seven.sequencer.append(LOG, Say(8))
    assert refused.value.code == "EPOCH_OVER"
    assert (seven.numbers(), seven.own()) == (list(range(7)), list(range(7)))


@pytest.mark.parametrize("good", [7, 8])
def test_a_database_that_does_not_hold_what_stands_is_refused(seven: Place, good: int) -> None:
    """More than it has, or a head of another history."""
    foreign = replace(head(seven, 7), size=good, root=bytes(32))
    with pytest.raises(AppendRefused) as refused:
        seven.sequencer.append(NEXT, continuation(seven, good, head(seven, 5), foreign, moves=[]))
    assert refused.value.code == "CLOSING_NOT_REPRODUCED"
    assert seven.read(NEXT) == []


def test_a_void_head_is_neither_kept_nor_asked_for(seven: Place) -> None:
    """Somebody published a tenth entry that the city never recorded: what stands ends before it."""
    foreign = PublishedHead(LOG.id, 10, bytes(32), 5, 8, 1500)
    seven.sequencer.append(NEXT, continuation(seven, 5, head(seven, 5), foreign, moves=[]))
    with seven.database.reading() as connection:
        newest = outbox.newest_anchor(connection, 1)
        assert newest is not None and newest.size == 5
        waiting = outbox.waiting(connection, outbox.HEAD, 10)
    assert [item.key for item in waiting] == [NEXT.id]


def test_nothing_of_it_was_ever_published(seven: Place) -> None:
    seven.sequencer.append(NEXT, continuation(seven, 0, moves=[]))
    first, *again = seven.read(NEXT)
    assert epochs.read(first).again == (0, 7) and len(again) == 7


def test_the_first_entry_of_an_epoch_is_read_from_the_database(seven: Place) -> None:
    seven.sequencer.append(NEXT, continuation(seven, 5, head(seven, 5), moves=[]))
    with seven.database.reading() as connection:
        old, new = (logs.find(connection, name.id) for name in (LOG, NEXT))
        assert old is not None and new is not None
        assert continuing.continued(connection, old, KEY) is None
        said = continuing.continued(connection, new, KEY)
    assert said == Continued(LOG.id, 5, head(seven, 5).root, Why.RESTORED, (5, 7))


def test_another_statement_is_no_first_entry() -> None:
    asked = Statement(NEXT.id, "access", "access/asked", "2026-11-23T08:00:00.000Z", "11330105002500287C", {})
    with pytest.raises(VerificationError) as refused:
        epochs.read(asked)
    assert refused.value.code == "STATEMENT_FORM"
