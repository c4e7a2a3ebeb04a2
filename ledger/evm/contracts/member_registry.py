"""MemberRegistry: rows of cities, agencies, accreditations and keys, as `ledger.facts`; the governor's calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.evm.contracts.codec import OPEN_ENDED, checksummed, codec
from ledger.facts import Accreditation, Agency, City, Compromise, Key, Term
from ledger.jws import b64url, unb64url
from ledger.logid import ascii32, from_ascii32

NAME = "MemberRegistry"
ROLE_PUBLISH = 1
ROLE_STATUS = 2


@dataclass(frozen=True, slots=True)
class Founder:
    """A city that is there from the first block."""

    city: int
    division: int
    governor: str
    hot: tuple[str, ...]
    types: tuple[str, ...]
    """21-character codes the city may let its agencies issue."""
    endpoint: str = ""


def creation(consortium: bytes, founders: Sequence[Founder], *, production: bool) -> bytes:
    """Init code of a registry."""
    rows = [
        (f.city, f.division, f.governor, list(f.hot), [ascii32(code) for code in f.types], f.endpoint) for f in founders
    ]
    return codec(NAME).creation(consortium, rows, production)


def add_agency(agency: str) -> bytes:
    return codec(NAME).encode("addAgency", ascii32(agency), 0, OPEN_ENDED)


def accredit(agency: str, type_code: str) -> bytes:
    return codec(NAME).encode("accredit", ascii32(agency), ascii32(type_code), 0, OPEN_ENDED)


def add_key(key: Key) -> bytes:
    """Registers a key from now on, open-ended; its terms are the chain's to say."""
    row = (unb64url(key.kid), key.city, _agency(key.agency), key.suite, key.use, key.x, key.y)
    return codec(NAME).encode("addKey", row, 0, OPEN_ENDED)


def end_key(kid: str, to: int) -> bytes:
    """Not to be used from `to` on, seconds; 0: now. What it signed before stays good."""
    return codec(NAME).encode("endKey", unb64url(kid), to)


def compromise_key(kid: str, since: int) -> bytes:
    """Not to be trusted for anything dated `since` or later; it may reach back."""
    return codec(NAME).encode("compromiseKey", unb64url(kid), since)


def end_agency(agency: str) -> bytes:
    """From now on."""
    return codec(NAME).encode("endAgency", ascii32(agency), 0)


def add_account(account: str, agency: str, roles: int) -> bytes:
    """A hot account of the city, or of an agency of it; ROLE_PUBLISH | ROLE_STATUS."""
    return codec(NAME).encode("addAccount", account, _agency(agency), roles, 0, OPEN_ENDED)


def end_account(account: str) -> bytes:
    return codec(NAME).encode("endAccount", account, 0)


def multicall(calls: Sequence[bytes]) -> bytes:
    """Several of the governor's acts in one transaction: all or none."""
    return codec(NAME).encode("multicall", list(calls))


def city_call(city: int) -> bytes:
    return codec(NAME).encode("city", city)


def city_row(city: int, answer: bytes) -> City:
    row, terms = codec(NAME).decode("city", answer)
    return City(city, row[0], _terms(terms))


def governor(answer: bytes) -> str:
    """Of the same answer: the city's governor, EIP-55; the zero address of a city that never was."""
    return checksummed(codec(NAME).decode("city", answer)[0][1])


def governs_call(who: str) -> bytes:
    """Reverts unless it is the governor of an active city."""
    return codec(NAME).encode("governs", who)


def agency_call(agency: str, city: int) -> bytes:
    return codec(NAME).encode("agencyTerms", ascii32(agency), city)


def agency_row(agency: str, city: int, answer: bytes) -> Agency:
    return Agency(agency, city, _terms(codec(NAME).decode("agencyTerms", answer)))


def accreditation_call(agency: str, city: int, type_code: str) -> bytes:
    return codec(NAME).encode("accreditationTerms", ascii32(agency), city, ascii32(type_code))


def accreditation_row(agency: str, city: int, type_code: str, answer: bytes) -> Accreditation:
    return Accreditation(agency, city, type_code, _terms(codec(NAME).decode("accreditationTerms", answer)))


def key_call(kid: str) -> bytes:
    return codec(NAME).encode("key", unb64url(kid))


def key_row(kid: str, answer: bytes) -> Key | None:
    """None: no such key was ever registered."""
    row, terms, compromises = codec(NAME).decode("key", answer)
    thumbprint, city, agency, suite, use, x, y = row
    if not city:
        return None
    known = tuple(Compromise(since, recorded) for since, recorded in compromises)
    return Key(b64url(thumbprint), city, from_ascii32(agency), suite, use, x, y, _terms(terms), known)


def kid_added(values: dict[str, Any]) -> str:
    """The thumbprint that a KeyAdded event names."""
    return b64url(values["thumbprint"])


def _agency(agency: str) -> bytes:
    return ascii32(agency) if agency else bytes(32)


def _terms(rows: Any) -> tuple[Term, ...]:
    return tuple(
        Term(start, None if end == OPEN_ENDED else end, recorded, opens) for start, end, recorded, opens in rows
    )
