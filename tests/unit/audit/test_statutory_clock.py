"""Working days in China: what counts, what stops the clock, and that deadline and elapsed time agree."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.clock import LONGEST, Calendar, Stop, day_of, deadline, elapsed, late
from audit.errors import PolicyError
from audit.lists import EVERY, Act, Duty, Lists

NATIONAL_DAY = frozenset(date(2026, 10, day) for day in range(1, 8))
CALENDAR = Calendar(NATIONAL_DAY, frozenset({date(2026, 9, 27), date(2026, 10, 10)}), date(2026, 12, 31))
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 1))


def due(start: date, limit: int, *stops: Stop) -> date | None:
    found = deadline(start, limit, CALENDAR, stops)
    return found and found.day


def test_weekends_holidays_and_days_worked_in_their_place() -> None:
    assert due(date(2026, 11, 20), 1) == date(2026, 11, 23), "Friday → Monday"
    assert due(date(2026, 9, 30), 1) == date(2026, 10, 8), "over the holidays"
    assert due(date(2026, 10, 8), 2) == date(2026, 10, 10), "a Saturday that is worked"
    assert due(date(2026, 9, 26), 1) == date(2026, 9, 27), "a Sunday that is worked"
    assert due(date(2026, 11, 24), 0) == date(2026, 11, 24), "0 is the very day"
    assert due(date(2026, 10, 3), 0) == date(2026, 10, 3)


def test_the_clock_stands_still_from_the_day_of_the_request_until_the_answer() -> None:
    asked, answered = date(2026, 11, 25), date(2026, 12, 2)
    assert due(date(2026, 11, 24), 3) == date(2026, 11, 27)
    assert due(date(2026, 11, 24), 3, Stop(asked, answered)) == date(2026, 12, 4)
    assert due(date(2026, 11, 24), 3, Stop(asked, None)) is None, "nobody knows when it goes on"
    assert due(date(2026, 11, 24), 0, Stop(date(2026, 11, 24), answered)) == answered
    assert due(date(2026, 11, 24), 1, Stop(date(2026, 12, 30), None)) == date(2026, 11, 25), "stopped long after"


@given(DAYS, st.integers(1, 40), st.lists(st.tuples(DAYS, st.integers(0, 30)), max_size=3))
def test_deadline_and_elapsed_time_agree(start: date, limit: int, pauses: list[tuple[date, int]]) -> None:
    stops = [Stop(since, since + timedelta(days=length)) for since, length in pauses]
    last = due(start, limit, *stops)
    assert last is not None
    assert elapsed(start, last, CALENDAR, stops) == limit
    assert late(start, limit, last, CALENDAR, stops) == 0
    assert elapsed(start, last - timedelta(days=1), CALENDAR, stops) == limit - 1


@given(DAYS, st.integers(0, 40), st.tuples(DAYS, st.integers(0, 30)))
def test_a_pause_never_shortens(start: date, limit: int, pause: tuple[date, int]) -> None:
    without, with_it = due(start, limit), due(start, limit, Stop(pause[0], pause[0] + timedelta(days=pause[1])))
    assert without is not None and with_it is not None and with_it >= without


def test_beyond_the_decreed_calendar_a_day_is_provisional() -> None:
    known, beyond = deadline(date(2026, 12, 28), 3, CALENDAR), deadline(date(2026, 12, 28), 4, CALENDAR)
    assert known is not None and not known.provisional
    assert beyond is not None and beyond.provisional


def test_a_day_is_a_day_in_china() -> None:
    assert day_of(1_795_449_600) == date(2026, 11, 24), "16:00 UTC is midnight in Beijing"
    assert day_of(1_795_449_599) == date(2026, 11, 23)


@pytest.mark.parametrize("limit", [-1, LONGEST + 1])
def test_a_limit_that_no_law_gives_is_refused(limit: int) -> None:
    for refused in (lambda: deadline(date(2026, 1, 1), limit, CALENDAR), lambda: Duty(Act.DELIVER, EVERY, limit)):
        with pytest.raises(PolicyError) as error:
            refused()
        assert error.value.code == "CLOCK_LIMIT"


def test_contradictions_are_refused() -> None:
    day = frozenset({date(2026, 10, 1)})
    with pytest.raises(PolicyError, match="both"):
        Calendar(day, day, date(2026, 12, 31))
    for until in (date(2026, 1, 1), date(2037, 1, 2), date.max):
        with pytest.raises(PolicyError, match="before"):
            Stop(date(2026, 1, 2), until)


def test_duties_have_the_regulations_clocks_unless_an_agency_has_its_own() -> None:
    agency = "11330100XXXX33013C"
    lists = Lists(duties=(Duty(Act.ANSWER_CONDITIONAL, agency, 5), *Lists().duties))
    assert Lists().working_days(Act.ANSWER_UNCONDITIONAL, agency) == 1
    assert Lists().working_days(Act.ANSWER_CONDITIONAL, agency) == 10
    assert Lists().working_days(Act.DELIVER, agency) == 20
    assert lists.working_days(Act.ANSWER_CONDITIONAL, agency) == 5
    assert lists.working_days(Act.ANSWER_CONDITIONAL, "11320100XXXX32010P") == 10
    answer = lists.due(Act.ANSWER_CONDITIONAL, agency, date(2026, 11, 20), CALENDAR)
    assert answer is not None and answer.day == date(2026, 11, 27)
    with pytest.raises(PolicyError) as refused:
        Lists(duties=()).working_days(Act.DELIVER, agency)
    assert refused.value.code == "DUTY_UNKNOWN"
