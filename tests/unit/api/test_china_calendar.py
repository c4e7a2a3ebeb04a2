"""Working days of the notices of 2025 and 2026, and what is said of years that have none."""

from __future__ import annotations

from datetime import date

from api.calendars import china
from audit.clock import deadline
from audit.lists import Act, Lists

CALENDAR = china(2026)


def test_holidays_and_weekends_that_are_worked() -> None:
    """国办发明电〔2024〕12号、〔2025〕7号."""
    off = [
        date(2026, 1, 1),
        date(2026, 2, 23),
        date(2026, 4, 6),
        date(2026, 5, 5),
        date(2026, 10, 7),
        date(2025, 10, 8),
    ]
    worked = [date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 9, 20), date(2025, 10, 11)]
    assert not any(CALENDAR.works(day) for day in off)
    assert all(CALENDAR.works(day) and day.weekday() >= 5 for day in worked)
    assert not CALENDAR.works(date(2026, 11, 28)) and CALENDAR.works(date(2026, 11, 27))


def test_ten_working_days_over_the_spring_festival() -> None:
    found = Lists().due(Act.CORRECT, "11330100XXXX33013C", date(2026, 2, 12), CALENDAR)
    # 13th, 14th (worked); 24th to 28th (28th worked); March 2nd to 4th.
    assert found is not None and (found.day, found.provisional) == (date(2026, 3, 4), False)


def test_beyond_the_last_notice_a_deadline_is_provisional() -> None:
    after = date(CALENDAR.decreed_until.year + 1, 3, 1)
    found = deadline(after, 5, CALENDAR)
    assert found is not None and found.provisional
    assert CALENDAR.decreed_until.year >= 2026 and china(2026) is CALENDAR
    assert not any(day > CALENDAR.decreed_until for day in CALENDAR.holidays | CALENDAR.workdays)
