"""Indicators on a real city: counted under anchored heads, anchored before use, and the same when counted again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import readings
from access_records import FIELDS, STEWARD
from homes import Home, copied

from api import auditing, devchain, indicators
from api.errors import ApiError
from api.indicators import Taken
from audit.errors import AccessError
from ledger.errors import VerificationError


@pytest.fixture
def read(founded: Path, tmp_path: Path) -> Iterator[Home]:
    with copied(founded, tmp_path) as home:
        readings.prepare(home.city)
        mine = readings.grant(home.city, 0)
        readings.decide(home.city, "first", mine)
        readings.decide(home.city, "too much", mine, fields=(*FIELDS, "registered_capital"))
        readings.staff_read(home.city, "staff")
        yield home


def take(home: Home) -> Taken:
    """Of everything that is older than this second, which the records of the fixture are made to be."""
    now = int(home.city.clock().timestamp())
    while int(home.city.clock().timestamp()) == now:
        time.sleep(0.05)
    return indicators.take(home.city, 0, now + 1, STEWARD, lambda *_: None)


def figures(taken: Taken) -> dict[str, int | None]:
    return {value.name: value.value for value in taken.snapshot.values}


def again(home: Home, index: int) -> list[str]:
    _, differing = indicators.again(home.city, index, lambda *_: None)
    return [then.name for then, _ in differing]


def test_a_snapshot_is_anchored_and_comes_out_again(read: Home) -> None:
    taken = take(read)
    assert taken.anchored and taken.beyond == 0
    found = figures(taken)
    wanted = {"decisions": 2, "allowed": 1, "released": 1, "over_asked": 1, "staff_reads": 1, "fields_reused": 2}
    assert {name: found[name] for name in wanted} == wanted
    readings.decide(read.city, "later", readings.grant(read.city, 1), number=1)
    read.publish()
    assert again(read, taken.index) == []
    assert figures(take(read))["allowed"] == 2
    assert list(auditing.differences(read.city, auditing.Looked(), stream=None, told=lambda *_: None)) == []


def test_without_the_chain_it_is_recorded_and_not_to_be_used(read: Home) -> None:
    read.publish()
    readings.staff_read(read.city, "not anchored")
    read.chain.stop()
    read.reopen()
    taken = take(read)
    assert not taken.anchored and taken.beyond == 1
    assert figures(taken)["staff_reads"] == 1
    read.chain = devchain.start_inside(read.city)
    read.city.forget_chain()
    read.publish()
    assert again(read, taken.index) == []


def test_a_log_that_was_bettered_afterwards_does_not_come_out(read: Home) -> None:
    taken = take(read)
    read.edit(
        "UPDATE tile SET hashes = zeroblob(length(hashes)) WHERE log_no = (SELECT no FROM log WHERE stream = 'access')"
    )
    with pytest.raises(VerificationError) as found:
        again(read, taken.index)
    assert found.value.code == "INDICATOR_HEAD"


def test_no_snapshot_and_no_period_are_refused(read: Home) -> None:
    with pytest.raises(ApiError) as unknown:
        again(read, 0)
    assert unknown.value.code == "INDICATOR_UNKNOWN"
    later = int(read.city.clock().timestamp()) + 3600
    with pytest.raises(AccessError) as period:
        indicators.take(read.city, 0, later, STEWARD, lambda *_: None)
    assert period.value.code == "INDICATOR_PERIOD"
