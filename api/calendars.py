"""The calendar of working days in China: weekends, holidays, and the weekends that are worked instead 调休.

From PyPI `holidays`, which follows the State Council's yearly notice. It also computes festivals of years to come; of
those the make-up days are not known, so they are left out here and a deadline in them is provisional.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from audit.clock import Calendar

COUNTRY = "CN"
FIRST_YEAR = 2015
"""No clock of ours began before."""
_NEXT_YEARS = 3
"""A notice appears a few weeks before its year."""


@lru_cache(maxsize=4)
def china(this_year: int) -> Calendar:
    """As far as a notice is known; `this_year`: of the clock that asks."""
    from holidays import country_holidays

    found = country_holidays(COUNTRY, years=range(FIRST_YEAR, this_year + _NEXT_YEARS))
    worked = {day for day in found.weekend_workdays if day.year >= FIRST_YEAR}
    # A year without a make-up day is one whose notice the library does not have: since 2000 every notice had some.
    decreed = max(day.year for day in worked)
    off = {day for day in found if FIRST_YEAR <= day.year <= decreed and day not in worked}
    return Calendar(frozenset(off), frozenset(worked), date(decreed, 12, 31))
