"""The outbox: in order, taken once, stored before it is sent; and which anchor covers a leaf first."""

from __future__ import annotations

import pytest
from ledger_acts import LOG, Place

from ledger.errors import StoreUnavailable
from ledger.store import logs, outbox
from ledger.types import Anchor


def stored(place: Place, nonce: int, label: str = "heads") -> outbox.StoredTransaction:
    with place.database.writing() as connection:
        return outbox.store(
            connection, sender="0xa", nonce=nonce, tx_hash=bytes([nonce]) * 32, raw=b"raw %d" % nonce, label=label
        )


def put(place: Place, *bodies: bytes) -> list[outbox.Item]:
    with place.database.writing() as connection:
        for body in bodies:
            outbox.put(connection, outbox.STATUS, b"key", body)
    return waiting(place)


def waiting(place: Place, limit: int = 100) -> list[outbox.Item]:
    with place.database.reading() as connection:
        return outbox.waiting(connection, outbox.STATUS, limit)


def test_the_oldest_wait_first_and_equal_ones_all_wait(place: Place) -> None:
    put(place, b"suspend", b"reinstate", b"suspend")
    assert [item.body for item in waiting(place)] == [b"suspend", b"reinstate", b"suspend"]
    assert [item.body for item in waiting(place, 2)] == [b"suspend", b"reinstate"]


def test_an_item_is_taken_once(place: Place) -> None:
    first, second = put(place, b"1", b"2")
    transaction = stored(place, 0)
    with place.database.writing() as connection:
        outbox.take(connection, first.id, b"as sent", transaction.id)
    with pytest.raises(StoreUnavailable) as refused, place.database.writing() as connection:
        outbox.take(connection, second.id, b"as sent", transaction.id)
        outbox.take(connection, first.id, b"twice", transaction.id)
    assert refused.value.code == "OUTBOX_TAKEN"
    assert [item.body for item in waiting(place)] == [b"2"]
    with place.database.reading() as connection:
        assert [item.body for item in outbox.carried_by(connection, transaction.id)] == [b"as sent"]
        assert outbox.counts(connection) == {(outbox.STATUS, outbox.SENT): 1, (outbox.STATUS, outbox.WAITING): 1}


def test_one_head_waits_per_log_and_a_sent_one_makes_room(place: Place) -> None:
    with place.database.writing() as connection:
        for _ in range(3):
            outbox.put_head(connection, LOG.id)
        (item,) = outbox.waiting(connection, outbox.HEAD, 10)
        outbox.mark(connection, item.id, outbox.SENT)
        outbox.put_head(connection, LOG.id)
        (newer,) = outbox.waiting(connection, outbox.HEAD, 10)
        assert newer.id > item.id and outbox.counts(connection)[outbox.HEAD, outbox.SENT] == 1


def test_a_transaction_is_kept_byte_for_byte_and_its_nonce_is_used_once(place: Place) -> None:
    first, second = stored(place, 0), stored(place, 1, label="status")
    with pytest.raises(StoreUnavailable):
        stored(place, 1)
    with place.database.writing() as connection:
        outbox.settled(connection, first.id, outbox.FINAL, block=7, gas_used=50_000)
    with place.database.reading() as connection:
        assert outbox.transactions(connection, state=outbox.SIGNED) == [second]
        (final,) = outbox.transactions(connection, state=outbox.FINAL, sender="0xa", label="heads")
    assert (final.raw, final.block, final.nonce) == (b"raw 0", 7, 0)
    with place.database.reading() as connection:
        assert outbox.transactions(connection, sender="0xb") == []


def test_an_item_cannot_go_with_a_transaction_that_is_not_stored(place: Place) -> None:
    (item,) = put(place, b"1")
    with pytest.raises(StoreUnavailable), place.database.writing() as connection:
        outbox.take(connection, item.id, b"", 99)
    assert waiting(place) == [item]


def test_the_first_anchor_that_covers_a_leaf_is_its_anchor(place: Place) -> None:
    place.say(1)
    anchors = [Anchor(size, bytes([size]) * 32, size - 2, size * 10, size * 100) for size in (2, 4, 7)]
    with place.database.writing() as connection:
        row = logs.find(connection, LOG.id)
        assert row is not None and outbox.newest_anchor(connection, row.no) is None
        for anchor in (anchors[2], anchors[0], anchors[1], anchors[1]):
            outbox.put_anchor(connection, row.no, anchor)
        covering = [outbox.first_anchor_covering(connection, row.no, index) for index in range(8)]
        assert covering == [anchors[0]] * 2 + [anchors[1]] * 2 + [anchors[2]] * 3 + [None]
        assert outbox.newest_anchor(connection, row.no) == anchors[2]
