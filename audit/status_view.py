"""Reading from the chain which authorizations and mandates hold no more: in the background, never in a decision.

Whoever may end one: an agency of a city that it names as provider, or the agency that granted it. What anybody else
writes under its id has no effect, or a stranger could revoke what is not his.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit import stored
from audit.errors import AuditError
from audit.keyring import Keyring
from audit.store import rights
from ledger import accreditation
from ledger.errors import CanonicalError, VerificationError
from ledger.facts import Facts, Question
from ledger.ports import Chain, StatusEvent
from ledger.status import Status
from ledger.store.database import Connection, Database

REFRESH = 60
"""Seconds between two readings."""


def refresh(database: Database, chain: Chain, keyring: Keyring, city: int, now: int) -> int:
    """Read what changed since the last time; how many changes counted. Raises `ChainUnavailable`: the view ages."""
    with database.reading() as connection:
        since = rights.view_block(connection) + 1
        known = set(rights.every_id(connection))
    block, events = chain.status_events(since)
    ours = [event for event in events if event.digest in known]
    with database.reading() as connection:
        cities = {event.digest: _cities(connection, keyring, event.digest, city) for event in ours}
    facts = chain.facts(_question(ours, cities)) if ours else None
    counted = {each.digest: Status(each.status) for each in ours if facts and _entitled(facts, each, cities)}
    # Crash view/read: the view stands as it was, and ages; the same changes are read again.
    with database.writing() as connection:
        rights.put_view(connection, counted, block=block, read_at=now)
    return len(counted)


def stale(database: Database, now: int) -> bool:
    """Is it time to read again?"""
    with database.reading() as connection:
        return now - rights.read_at(connection) >= REFRESH


def _cities(connection: Connection, keyring: Keyring, id: bytes, city: int) -> Sequence[int]:
    """Whose agencies may end it. What cannot be opened any more is ended by whoever says so here."""
    try:
        found = stored.authorization(connection, keyring, id)
    except (VerificationError, CanonicalError, AuditError):
        return (city,)
    return found[0].authorization.providers if found else (city,)


def _question(events: Sequence[StatusEvent], cities: Mapping[bytes, Sequence[int]]) -> Question:
    """To which of those cities the agencies belong that wrote."""
    pairs = dict.fromkeys((event.issuer, city) for event in events for city in cities[event.digest])
    return Question(cities=tuple(dict.fromkeys(city for _, city in pairs)), agencies=tuple(pairs))


def _entitled(facts: Facts, event: StatusEvent, cities: Mapping[bytes, Sequence[int]]) -> bool:
    return accreditation.city_of(facts, event.issuer, facts.time) in cities[event.digest]
