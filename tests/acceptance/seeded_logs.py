"""What two cities would have recorded, and what one of them left out or altered; written through the real sequencer.

A city that lies writes its log itself, so nothing here is edited behind the ledger's back: each log is sound, and what
is wrong is what it says.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit_records import access, digest
from audit_world import CONSENT, NAME, OPENINGS, PERSON_KEY, PROVIDER, RULES, SCOPE_OF, bound

from api.wiring import City
from audit.access import ASKER_SIDE, Access, AccessStep, draft, private_members
from audit.authorization import sign
from audit.decision import DecisionCode
from audit.finding import FindingCode as F
from audit.granting import Granting
from audit.grants import Revoker
from audit.openings import seal_openings
from audit.rulebook import STREAM, Adopt, Origin
from audit.store import accesses as beside
from audit.store.rulebook import newest_version
from ledger.logid import ACCESS, AUTHORIZATION
from ledger.sequencer import Decided, Turn

A, D, REL, REC = AccessStep.ASKED, AccessStep.DECIDED, AccessStep.RELEASED, AccessStep.RECEIVED
STEPS = (A, D, REL, REC)
HOUR = 3600
REVOKED_AT = 60
"""Seconds after the beginning when the second authorization is taken back."""
HONEST = 20
"""Readings in which nothing is wrong."""
Kept = dict[AccessStep, "Placed"]


@dataclass(frozen=True, slots=True)
class Placed:
    """A record, seconds after the beginning when it is written, and how often."""

    access: Access
    at: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class Seed:
    name: str
    alter: Callable[[Kept], None]
    wanted: tuple[F, ...]


def changed(*steps: AccessStep, **changes: Any) -> Callable[[Kept], None]:
    def alter(kept: Kept) -> None:
        for step in steps:
            kept[step] = replace(kept[step], access=replace(kept[step].access, **changes))

    return alter


def without(*steps: AccessStep) -> Callable[[Kept], None]:
    def alter(kept: Kept) -> None:
        for step in steps:
            kept.pop(step)

    return alter


def placed(step: AccessStep, **changes: Any) -> Callable[[Kept], None]:
    def alter(kept: Kept) -> None:
        kept[step] = replace(kept[step], **changes)

    return alter


def over_asked_and_refused(kept: Kept) -> None:
    kept.pop(REL)
    changed(A, D, REC, fields=(NAME, "registered_capital"))(kept)
    changed(D, REC, code=DecisionCode.FIELD_NOT_AUTHORIZED, response=None)(kept)


def by_a_revoked_one(kept: Kept) -> None:
    """The authorization is exchanged where its id is known."""
    for step in STEPS:
        kept[step] = replace(kept[step], at=kept[step].at + 2 * REVOKED_AT)


def _seeds() -> tuple[Seed, ...]:
    capital = (NAME, "registered_capital")
    return (
        Seed("asking left out", without(A), (F.ASKED_MISSING,)),
        Seed("decision left out", without(D), (F.DECIDED_MISSING,)),
        Seed("release left out", without(REL), (F.RELEASE_MISSING,)),
        Seed("receiving left out", without(REC), (F.RECEIVED_MISSING,)),
        Seed("the asker has nothing", without(A, REC), (F.ASKED_MISSING, F.RECEIVED_MISSING)),
        Seed("the provider has nothing", without(D, REL), (F.DECIDED_MISSING, F.RELEASE_MISSING)),
        Seed("released twice", placed(REL, times=2), (F.RECORD_DOUBLED,)),
        Seed("other signature", changed(D, signature=digest("x")), (F.REQUEST_DIFFERS,)),
        Seed("other mandate", changed(D, mandate=digest("x")), (F.REQUEST_DIFFERS,)),
        Seed("other fields asked", changed(A, fields=(SCOPE_OF, NAME)), (F.FIELDS_DIFFER,)),
        Seed("other fields received", changed(REC, fields=(SCOPE_OF,)), (F.FIELDS_DIFFER,)),
        Seed("told otherwise", changed(REC, code=DecisionCode.EXPIRED), (F.DECISION_DIFFERS,)),
        Seed("another answer", changed(REC, response=digest("x")), (F.RESPONSE_DIFFERS,)),
        Seed("released though refused", changed(D, REC, code=DecisionCode.REVOKED), (F.RELEASED_REFUSED,)),
        Seed("over-asked and refused", over_asked_and_refused, (F.OVER_ASKED,)),
        Seed("over-asked and served", changed(*STEPS, fields=capital), (F.OVER_ASKED, F.OVER_RELEASED)),
        Seed("no authorization", changed(*STEPS, authorization=digest("nowhere")), (F.UNAUTHORIZED,)),
        Seed("after a revocation", by_a_revoked_one, (F.AFTER_REVOCATION,)),
        Seed("dated back", placed(REC, at=-2 * HOUR), (F.RECORD_LATE,)),
        Seed("dated ahead", placed(REC, at=HOUR // 2), (F.RECORD_DATED_AHEAD,)),
    )


@dataclass(frozen=True, slots=True)
class _Authorization:
    id: bytes
    text: str
    bound: Any


def authorizations(begun: int) -> tuple[_Authorization, ...]:
    """Two of the same person's; the second will be revoked."""
    return tuple(_made(begun, number) for number in (1, 2))


def _made(begun: int, number: int) -> _Authorization:
    a = replace(CONSENT, nonce=bytes([number] * 16), not_before=begun - 4 * HOUR, not_after=begun + 24 * HOUR)
    one = bound(a)
    return _Authorization(one.id, sign(a, PERSON_KEY), one)


@dataclass(frozen=True, slots=True)
class _Write:
    """Appends one record with its openings, as the recorder does."""

    access: Access
    agency: str
    city: City

    def decide(self, turn: Turn) -> Decided[None]:
        salts = os.urandom(32 * len(private_members(self.access)))
        drafted, openings = draft(self.access, self.agency, salts)
        key = self.city.day_keys.of(turn.connection, turn.at)
        place = beside.Place(turn.log_no, turn.first_index)
        sealed = seal_openings(openings, log_id=turn.log.id, index=turn.first_index, recipients=(key,))
        beside.put_openings(turn.connection, [(place.log_no, place.log_index, sealed)])
        at = int(datetime.fromisoformat(turn.at).timestamp())
        beside.put(turn.connection, [beside.line(self.access, place, at, self.city.keyring.index_key)])
        return Decided([drafted], None)


def _readings(begun: int) -> Iterator[tuple[str, Kept, tuple[F, ...]]]:
    """(name, records, what is to be found) of every reading."""
    good, revoked = authorizations(begun)
    seeds = [Seed(f"honest {number}", lambda _: None, ()) for number in range(HONEST)]
    for seed in (*seeds, *_seeds()):
        records = {
            step: Placed(access(step, seed.name, authorization=good.id), offset) for offset, step in enumerate(STEPS)
        }
        seed.alter(records)
        if seed.alter is by_a_revoked_one:
            changed(*STEPS, authorization=revoked.id)(records)
        yield seed.name, records, seed.wanted


def wanted(begun: int) -> list[tuple[str, str]]:
    """(code, request) of everything that is to be found, in order."""
    return sorted((code.value, digest(name).hex()) for name, _, codes in _readings(begun) for code in codes)


def write(provider: Path, asker: Path, begun: int) -> int:
    """Both cities' records from `begun` (seconds) on; how many."""
    placed = [each for _, records, _ in _readings(begun) for each in records.values() for _ in range(each.times)]
    _write(provider, begun, [each for each in placed if each.access.step not in ASKER_SIDE], granting=True)
    _write(asker, begun, [each for each in placed if each.access.step in ASKER_SIDE], granting=False)
    return len(placed)


def _write(home: Path, begun: int, records: Sequence[Placed], *, granting: bool) -> None:
    now = begun - 3 * HOUR
    with City(home, clock=lambda: datetime.fromtimestamp(now, UTC)) as city:
        if granting:
            for each in authorizations(begun):
                _granting(city).grant(each.bound, each.text, OPENINGS[:1])
        log = city.log_of(ACCESS)
        for each in sorted(records, key=lambda placed: placed.at):
            now = begun + each.at
            agency = each.access.asker if each.access.step in ASKER_SIDE else PROVIDER
            city.sequencer.append(log, _Write(each.access, agency, city))
        if granting:
            now = begun + REVOKED_AT
            _adopt(city)
            _granting(city).revoke(authorizations(begun)[1].id, Revoker.SUBJECT, reason="不再需要")


def _adopt(city: City) -> None:
    """The rules by which it is judged whether somebody asked for too much."""
    with city.database.reading() as connection:
        present = newest_version(connection)
    city.sequencer.append(city.log_of(STREAM), Adopt(RULES, city.steward, Origin.IMPORTED, present))


def _granting(city: City) -> Granting:
    return Granting(city.sequencer, city.log_of(AUTHORIZATION), city.keyring, city.steward)
