"""A city's card: what it hands out so that others can found a ledger with it, or admit it. Nothing in it is secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from api import wiring
from api.wiring import City
from ledger import canonical
from ledger import schema as s
from ledger.canonical import Json

MAX_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Card:
    """Which city this is, and the accounts that act for it on chain."""

    consortium: str
    """64 hexadecimal digits."""
    city: int
    division: int
    """GB/T 2260, six digits."""
    name: str
    governor: str
    """Votes and replaces the others; EIP-55, as the next."""
    hot: tuple[str, ...]
    """Accounts that publish heads and set statuses."""

    def to_json(self) -> dict[str, Json]:
        return {
            "consortium": self.consortium,
            "city": self.city,
            "division": self.division,
            "name": self.name,
            "governor": self.governor,
            "hot": list(self.hot),
        }


FORM = s.Form(
    "CARD_FORM",
    s.record(
        consortium=s.HEX32,
        city=s.CITY,
        division={"type": "integer", "minimum": 100000, "maximum": 999999},
        name={"type": "string", "minLength": 1, "maxLength": 100},
        governor=s.ADDRESS,
        hot=s.rows(s.ADDRESS, 8),
    ),
)


def card_of(city: City) -> Card:
    """The card of an opened city."""
    s = city.settings
    governor, publisher = city.address(wiring.GOVERNOR), city.address(wiring.PUBLISHER)
    return Card(s.consortium, s.city, s.division, s.name, governor, (publisher,))


def decode(text: bytes) -> Card:
    """Raises `VerificationError` CARD_FORM or `CanonicalError`."""
    v: Any = FORM.check(canonical.loads(text, max_bytes=MAX_BYTES))
    return Card(v["consortium"], v["city"], v["division"], v["name"], v["governor"], tuple(v["hot"]))
