"""Two cities' access records laid side by side by request id: what one lacks, or says otherwise, is a finding.

Both logs only grow and are anchored, so neither side can make its story fit afterwards. What both leave out together no
log shows: the holder's own notice is the third witness. What is too young to judge is left for the next time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from audit.access import ASKER_SIDE, Access, AccessStep, Recorded
from audit.authorization import Authorization
from audit.decision import DecisionCode, told
from audit.finding import Finding, FindingCode, found
from audit.matter import Matters
from audit.own import Ground
from audit.policy import MAX_STATUS_AGE

MAX_LAG = 3600
"""Seconds between an act and the block that anchors it, and between the two sides of one access."""
SKEW = 300
"""Seconds a city's clock may be ahead of the block that anchors its record."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """An authorization was taken back."""

    at: int
    """Seconds: block time, or the time of the statement at the city that recorded it."""
    city: int | None
    """Who knew at once; None: known from the chain, which a city may know 15 minutes late."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the comparison goes by beside the records themselves."""

    authorizations: Mapping[bytes, Authorization]
    revoked: Mapping[bytes, tuple[Revoked, ...]]
    matters: Matters


@dataclass(slots=True)
class _Pair:
    """All records of one request, by type."""

    records: dict[AccessStep, list[Recorded]] = field(default_factory=dict)

    def first(self, step: AccessStep) -> Recorded | None:
        return next(iter(self.records.get(step, ())), None)

    @property
    def released(self) -> Recorded | None:
        """What went out: of our own, or through a gateway that did not report that it sent nothing."""
        closed = self.first(AccessStep.CLOSED)
        sent = closed and (closed.access.response is not None or "response" in closed.access.hidden)
        return self.first(AccessStep.RELEASED) or (closed if sent else None)

    @property
    def all(self) -> list[Recorded]:
        return [record for step in AccessStep for record in self.records.get(step, ())]


def reconcile(records: Iterable[Recorded], known: Known, now: int) -> tuple[Finding, ...]:
    """`records`: of all the cities that are compared, in any order. By request id, then in the order of the rules."""
    pairs: dict[bytes, _Pair] = {}
    for record in records:
        if _counts(record):
            pairs.setdefault(record.access.request, _Pair()).records.setdefault(record.access.step, []).append(record)
    return tuple(finding for id in sorted(pairs) for finding in _compare(id, pairs[id], known, now))


def _counts(record: Recorded) -> bool:
    """Of a reading by authorization, in its own side's log: nobody writes the other side's half for it.

    That a request came again is said by a second `decided`; the first one is the outcome.
    """
    access = record.access
    place = access.asker_city if access.step in ASKER_SIDE else access.provider
    again = access.step is AccessStep.DECIDED and access.code is DecisionCode.REQUEST_REPEATED
    return access.ground is Ground.AUTHORIZATION and record.city == place and not again


def _compare(id: bytes, pair: _Pair, known: Known, now: int) -> Iterator[Finding]:
    """A pair younger than the lag is still under way, and says nothing yet."""
    if now - min(_time(record) for record in pair.all) <= MAX_LAG:
        return
    note = partial(_note, id)
    yield from _doubled(pair, note)
    yield from _missing(pair, note)
    yield from _late(pair, note, now)
    yield from _differing(pair, note)
    yield from _rights(pair, known, note)


Note = Callable[..., Finding]


def _note(id: bytes, code: FindingCode, at_fault: Recorded, *others: Recorded, fields: Iterable[str] = ()) -> Finding:
    """About the record of whoever is asked to explain."""
    return found(code, (at_fault, *others), city=at_fault.city, agency=at_fault.agency, request=id, fields=fields)


def _absent(code: FindingCode, witness: Recorded, city: int, agency: str) -> Finding:
    """About whoever has no record, shown by the other side's. Without any record of a city, its agency is unknown."""
    return found(code, (witness,), city=city, agency=agency, request=witness.access.request)


def _doubled(pair: _Pair, note: Note) -> Iterator[Finding]:
    """Two of one type; `closed` after `released` are two types."""
    for records in pair.records.values():
        if len(records) > 1:
            yield note(FindingCode.RECORD_DOUBLED, *records[1:], records[0])


def _missing(pair: _Pair, note: Note) -> Iterator[Finding]:
    """Each half has the other half beside it; who lacks one is named by what the other side recorded."""
    asked, decided = pair.first(AccessStep.ASKED), pair.first(AccessStep.DECIDED)
    received, released = pair.first(AccessStep.RECEIVED), pair.released
    if (left := decided or released) and asked is None:
        yield _absent(FindingCode.ASKED_MISSING, left, left.access.asker_city, left.access.asker)
    if (left := asked or received) and decided is None:
        agency = released.agency if released else left.access.asker
        yield _absent(FindingCode.DECIDED_MISSING, left, left.access.provider, agency)
    if released and received is None:
        yield _absent(FindingCode.RECEIVED_MISSING, released, released.access.asker_city, released.access.asker)
    if received and received.access.allowed and released is None:
        agency = decided.agency if decided else received.access.asker
        yield _absent(FindingCode.RELEASE_MISSING, received, received.access.provider, agency)


def _late(pair: _Pair, note: Note, now: int) -> Iterator[Finding]:
    """By block times, which no city chooses: late against its own clock, or against the earliest record of the pair."""
    anchored = [record.anchored for record in pair.all if record.anchored is not None]
    for record in pair.all:
        by = record.anchored if record.anchored is not None else now
        if by - min([record.at, *anchored]) > MAX_LAG:
            yield note(FindingCode.RECORD_LATE, record)
        if record.at > by + SKEW:
            yield note(FindingCode.RECORD_DATED_AHEAD, record)


def _differing(pair: _Pair, note: Note) -> Iterator[Finding]:
    asked, decided = pair.first(AccessStep.ASKED), pair.first(AccessStep.DECIDED)
    received, released = pair.first(AccessStep.RECEIVED), pair.released
    if asked and decided:
        if _request(asked.access) != _request(decided.access):
            yield note(FindingCode.REQUEST_DIFFERS, decided, asked)
        if more := set(asked.access.fields) ^ set(decided.access.fields):
            yield note(FindingCode.FIELDS_DIFFER, decided, asked, fields=more)
    if decided and released and not decided.access.allowed:
        yield note(FindingCode.RELEASED_REFUSED, released, decided)
    if decided and received and received.access.code is not told(decided.access.code or DecisionCode.ALLOW):
        yield note(FindingCode.DECISION_DIFFERS, received, decided)
    if released and received:
        if more := set(released.access.fields) ^ set(received.access.fields):
            yield note(FindingCode.FIELDS_DIFFER, received, released, fields=more)
        hidden = "response" in released.access.hidden | received.access.hidden
        if not hidden and released.access.response != received.access.response:
            yield note(FindingCode.RESPONSE_DIFFERS, received, released)


def _request(access: Access) -> tuple[object, ...]:
    """What both sides must say alike without opening anything."""
    rights = (access.matter, access.authorization, access.mandate)
    sides = (access.asker, access.asker_city, access.provider)
    return (*sides, access.resource, *rights, access.signature, access.kid)


def _rights(pair: _Pair, known: Known, note: Note) -> Iterator[Finding]:
    """Was it too much, and was it allowed at all? By the provider's record, else by the asker's own."""
    decided, released = pair.first(AccessStep.DECIDED), pair.released
    asked = pair.first(AccessStep.ASKED) or decided
    if asked and (more := _beyond(asked.access, known)):
        yield note(FindingCode.OVER_ASKED, asked, fields=more)
    if released and (more := _beyond(released.access, known)):
        yield note(FindingCode.OVER_RELEASED, released, fields=more)
    if decided is None or not decided.access.allowed:
        return
    if not _authorized(decided, known):
        yield note(FindingCode.UNAUTHORIZED, decided)
    for id in (decided.access.authorization, decided.access.mandate):
        if id is not None and any(_knew(revoked, decided) for revoked in known.revoked.get(id, ())):
            yield note(FindingCode.AFTER_REVOCATION, decided)


def _beyond(access: Access, known: Known) -> set[str]:
    """Fields that the matter does not need, or the authorization does not cover."""
    matter = known.matters.get(access.matter or "")
    needed = matter.needs.get(access.resource, frozenset()) if matter else frozenset()
    authorization = known.authorizations.get(access.authorization or b"")
    if authorization is not None:
        scope = authorization.scope_of(access.resource)
        needed &= frozenset(scope.fields if scope else ())
    return set(access.fields) - needed


def _authorized(decided: Recorded, known: Known) -> bool:
    """The authorization exists and is of this asker, provider, matter and time."""
    access = decided.access
    a = known.authorizations.get(access.authorization or b"")
    if a is None or not a.not_before <= decided.at < a.not_after:
        return False
    return (a.grantee, a.purpose.matter_code) == (access.asker, access.matter) and access.provider in a.providers


def _knew(revoked: Revoked, decided: Recorded) -> bool:
    """A city knows its own revocations at once, the chain's within the age a status may have."""
    late = 0 if revoked.city == decided.city else MAX_STATUS_AGE
    return decided.at > revoked.at + late if late else decided.at >= revoked.at


def _time(record: Recorded) -> int:
    return record.at if record.anchored is None else min(record.at, record.anchored)
