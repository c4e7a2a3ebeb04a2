"""Moments as people write them on a command line: days and times in China."""

from __future__ import annotations

from datetime import datetime

from api.errors import ApiError
from certs.certificate import CHINA


def seconds(text: str) -> int:
    """`YYYY-MM-DD`, its first second, or `YYYY-MM-DDTHH:MM[:SS]`; since 1970. Raises `ApiError` DAY_FORM."""
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=CHINA)).timestamp())
    except (ValueError, OverflowError):
        raise ApiError("DAY_FORM", "not a day of the form YYYY-MM-DD, nor a time of one") from None
