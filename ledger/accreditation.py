"""Who was who, and who could do what, at a time, as known at a block: the rules of MemberRegistry, off chain.

The contract answers the same questions in Solidity; a test asks both about the same rows and compares.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.facts import Facts, Key, Term

P256 = 1
ED25519 = 2

CERT, HTTP, RECEIPT, HEAD, WITNESS, ENC = range(1, 7)


def covers(terms: Sequence[Term], time: int, as_of: int) -> bool:
    """Was a term in force at `time` (seconds), by what had been recorded up to block `as_of`?"""
    return any(
        term.opens == index and term.recorded <= as_of and term.start <= time and not _ended(terms, index, time, as_of)
        for index, term in enumerate(terms)
    )


def _ended(terms: Sequence[Term], index: int, time: int, as_of: int) -> bool:
    """Shortening only ever brings an end forward, so any known end at or before `time` decides."""
    return any(
        record.opens == index and record.recorded <= as_of and record.end is not None and record.end <= time
        for record in terms
    )


def city_of(facts: Facts, agency: str, time: int) -> int | None:
    """The active city the agency belonged to at `time`, None if none."""
    for row in facts.agencies:
        if row.agency == agency and covers(row.terms, time, facts.block) and city_active(facts, row.city, time):
            return row.city
    return None


def city_active(facts: Facts, city: int, time: int) -> bool:
    return any(row.city == city and covers(row.terms, time, facts.block) for row in facts.cities)


def accredited(facts: Facts, agency: str, type_code: str, time: int) -> bool:
    """Could the agency issue this type at `time`, under the city it belonged to then?"""
    city = city_of(facts, agency, time)
    return city is not None and any(
        row.agency == agency
        and row.city == city
        and row.type_code == type_code
        and covers(row.terms, time, facts.block)
        for row in facts.accreditations
    )


def find_key(facts: Facts, kid: str) -> Key | None:
    return next((key for key in facts.keys if key.kid == kid), None)


def compromised(key: Key, time: int, as_of: int) -> bool:
    """Is a compromise known that began at or before `time`?"""
    return any(c.since <= time and c.recorded <= as_of for c in key.compromises)


def key_valid(key: Key, time: int, as_of: int) -> bool:
    return covers(key.terms, time, as_of) and not compromised(key, time, as_of)
