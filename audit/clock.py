"""Statutory clocks: working days in China, with the holidays handed in, and stopped while somebody else must act.

The day something begins does not count (行政许可法 counts working days from the next one). A clock stands still in
[stop, resume): the day on which 补正 was asked for does not count, the day on which it came back does. Years whose
holidays are not decreed yet are counted by weekdays alone, and the answer says that it is provisional.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from audit.errors import PolicyError

CHINA_SECONDS = 8 * 3600
"""Ahead of UTC, the whole year round."""
CHINA = timezone(timedelta(seconds=CHINA_SECONDS))
LONGEST = 366
"""Working days: no statute gives more, and a limit that long is a mistake in a list."""
_SATURDAY = 5
_LONGEST_STOP = timedelta(days=3653)
_ONE_DAY = timedelta(days=1)
_DAY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are working days."""

    holidays: frozenset[date]
    """Weekdays on which nobody works."""
    workdays: frozenset[date]
    """Saturdays and Sundays that are worked 调休."""
    decreed_until: date
    """Last day for which the State Council's notice is known."""

    def __post_init__(self) -> None:
        if self.holidays & self.workdays:
            raise PolicyError("CALENDAR_CONTRADICTION", "a day is both a holiday and a working day")

    def works(self, day: date) -> bool:
        return day in self.workdays or (day.weekday() < _SATURDAY and day not in self.holidays)


@dataclass(frozen=True, slots=True)
class Stop:
    """The clock stood still from the day it was stopped until the day it went on; None: it still does."""

    since: date
    until: date | None

    def __post_init__(self) -> None:
        if self.until is not None and not timedelta() <= self.until - self.since <= _LONGEST_STOP:
            raise PolicyError("CLOCK_STOP", "a clock goes on before it was stopped, or after ten years")

    def holds(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Deadline:
    day: date
    """The last day on time."""
    provisional: bool
    """Some of its days lie beyond the decreed calendar."""


def day_of(seconds: int) -> date:
    """The day in China of a moment (seconds since 1970)."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(CHINA).date()


def deadline(start: date, limit: int, calendar: Calendar, stops: Iterable[Stop] = ()) -> Deadline | None:
    """The day on which `limit` working days have passed; 0: the very day. None: the clock stands still, open end."""
    if not 0 <= limit <= LONGEST:
        raise PolicyError("CLOCK_LIMIT", "no such number of working days", longest=LONGEST)
    stopped = tuple(stops)
    day, left = start, limit
    while left or any(stop.holds(day) for stop in stopped):
        if any(stop.until is None and stop.since <= day for stop in stopped):
            return None
        day += _ONE_DAY
        left -= left > 0 and _counts(day, calendar, stopped)
    return Deadline(day, day > calendar.decreed_until)


def elapsed(start: date, until: date, calendar: Calendar, stops: Iterable[Stop] = ()) -> int:
    """Working days charged from `start` (not counted) to `until` (counted)."""
    stopped = tuple(stops)
    return sum(_counts(day, calendar, stopped) for day in _after(start, until))


def late(start: date, limit: int, today: date, calendar: Calendar, stops: Iterable[Stop] = ()) -> int:
    """By how many working days; 0 or less: on time."""
    return elapsed(start, today, calendar, stops) - limit


def _counts(day: date, calendar: Calendar, stops: tuple[Stop, ...]) -> bool:
    return calendar.works(day) and not any(stop.holds(day) for stop in stops)


def _after(start: date, until: date) -> Iterator[date]:
    day = start + _ONE_DAY
    while day <= until:
        yield day
        day += _ONE_DAY


def china_day(at: int) -> int:
    """Days since 1970-01-01 in China; `at` in seconds."""
    return (at + CHINA_SECONDS) // _DAY_SECONDS
