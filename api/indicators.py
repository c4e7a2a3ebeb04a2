"""Indicators of a city: counted under anchored heads, recorded, anchored, and counted again by whoever doubts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from api.errors import ApiError
from api.wiring import CITY_KEY, City
from audit import indicator_snapshot, indicators, measuring
from audit.access import Recorded
from audit.indicator_snapshot import STREAM, Covered, IndicatorSnapshot
from audit.measuring import Value
from audit.reading import Records, city_keys
from ledger import entries, tile
from ledger.errors import VerificationError
from ledger.logid import ACCESS
from ledger.sequencer import Decided, Turn
from ledger.store import logs, outbox
from ledger.store.database import Connection
from ledger.types import Head

PUBLISHING = 60.0
"""Seconds that anchoring may take before the figures are shown as not anchored."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Taken:
    snapshot: IndicatorSnapshot
    index: int
    """In the log of indicators."""
    beyond: int
    """Records that no anchored head covers yet; not counted."""
    anchored: bool
    """Only then may anybody report by it."""


@dataclass(frozen=True, slots=True)
class _Take:
    snapshot: IndicatorSnapshot
    agency: str

    def decide(self, _: Turn) -> Decided[None]:
        return Decided([indicator_snapshot.draft(self.snapshot, self.agency)], None)


def take(city: City, start: int, end: int, agency: str, progress: Progress) -> Taken:
    """Of [start, end), seconds. `agency`: USCC of the one that counts. Raises `AccessError` INDICATOR_PERIOD."""
    _publish(city)
    now = int(city.clock().timestamp())
    heads, beyond = _heads(city)
    values = _count(city, heads, start, end, now, progress)
    snapshot = IndicatorSnapshot(start, end, now, indicators.definitions(), heads, values)
    appended = city.sequencer.append(city.log_of(STREAM), _Take(snapshot, agency))
    # Crash indicator/recorded: recorded and not shown; it stands in the log, and taking another changes nothing.
    _publish(city)
    return Taken(snapshot, appended.first_index, beyond, _anchored(city, appended.first_index))


def again(city: City, index: int, progress: Progress) -> tuple[IndicatorSnapshot, tuple[tuple[Value, Value], ...]]:
    """A snapshot, and what does not come out as it says. Raises `ApiError` INDICATOR_UNKNOWN, INDICATOR_QUERIES;
    `VerificationError` where a log does not lead to a head that it names any more."""
    snapshot = _recorded(city, index)
    if snapshot.definitions != indicators.definitions():
        raise ApiError("INDICATOR_QUERIES", "counted by other queries than today's")
    values = _count(city, snapshot.heads, snapshot.start, snapshot.end, snapshot.taken_at, progress)
    return snapshot, indicator_snapshot.differing(snapshot, values)


def _publish(city: City) -> None:
    """As far as the chain answers: what it does not cover yet is counted neither now nor later by this snapshot."""
    city.try_publishing(PUBLISHING)


def _heads(city: City) -> tuple[tuple[Covered, ...], int]:
    found, beyond = [], 0
    with city.database.reading() as connection:
        for row in logs.every(connection):
            if (row.name.city, row.name.stream) != (city.settings.city, ACCESS):
                continue
            anchor = outbox.newest_anchor(connection, row.no)
            beyond += row.head.size - (anchor.size if anchor else 0)
            if anchor is not None:
                found.append(Covered(row.id, Head(anchor.size, anchor.root)))
    return tuple(found), beyond


def _count(
    city: City, heads: tuple[Covered, ...], start: int, end: int, now: int, progress: Progress
) -> tuple[Value, ...]:
    with city.database.reading() as connection:
        return measuring.measure(_under(connection, city, heads, progress), start, end, now)


def _under(connection: Connection, city: City, heads: tuple[Covered, ...], progress: Progress) -> Iterator[Recorded]:
    """The records under the heads, after each log was found to lead to its head."""
    keys = city_keys(connection, city.keystore.wrapper(CITY_KEY), city.day_keys)
    total = sum(covered.head.size for covered in heads)
    done = 0
    for covered in heads:
        row = logs.find(connection, covered.log)
        if row is None or tile.root(logs.tile_reader(connection, row.no), covered.head.size) != covered.head.root:
            raise VerificationError("INDICATOR_HEAD", "a log does not lead to the head", log=covered.log.hex())
        for record in Records(connection, row, keys).every(0, covered.head.size):
            yield record
            done += 1
            if done % 1000 == 0:
                progress(done, total)
    progress(total, total)


def _anchored(city: City, index: int) -> bool:
    with city.database.reading() as connection:
        row = logs.find(connection, city.log_of(STREAM).id)
        return row is not None and outbox.first_anchor_covering(connection, row.no, index) is not None


def _recorded(city: City, index: int) -> IndicatorSnapshot:
    with city.database.reading() as connection:
        row = logs.find(connection, city.log_of(STREAM).id)
        sealed = logs.entry(connection, row.no, index) if row else None
        if row is None or sealed is None:
            raise ApiError("INDICATOR_UNKNOWN", "no such snapshot", index=index)
        key = city.keystore.wrapper(CITY_KEY)
        statement, _ = entries.open_entry(sealed, log_id=row.id, index=index, key=key)
    return indicator_snapshot.decode(statement)
