"""Recording accesses. A record is durable before the thing it records happens; only then a `RecordedAccess` exists.

It is made here and nowhere else, after commit and guard, and it is what opens attributes
(`certs.crossregion.disclosure`): no read without a record, by construction.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from audit import access as accesses
from audit import drafting
from audit.access import Access
from audit.acts import Deciding
from audit.deciding import Asked, Decider, Outcome
from audit.decision import Decision, DecisionCode
from audit.errors import AccessError
from audit.keyring import Keyring
from audit.openings import seal_openings
from audit.own import OwnReading, decide_own
from audit.purpose import UseCause
from audit.request import Rules
from audit.store import accesses as index
from audit.store.accesses import Place
from ledger.commitment import SALT_BYTES
from ledger.sequencer import Appended, Decided, Sequencer, Turn
from ledger.statement import Draft, seconds
from ledger.types import LogName

T = TypeVar("T")
_AFTER_COMMIT = object()


@dataclass(frozen=True, slots=True)
class RecordedAccess:
    """An allowed access that stands durably in a log, and what it allows: exactly `access.fields` of `access.item`."""

    access: Access
    log: LogName
    index: int
    leaf: bytes
    at: str
    made: object = field(repr=False)

    def __post_init__(self) -> None:
        if self.made is not _AFTER_COMMIT or not self.access.allowed:
            raise AccessError("ACCESS_NOT_RECORDED", "only what was recorded and allowed opens anything")


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """The durable outcome of a request."""

    decision: Decision
    access: Access
    at: str
    log: LogName
    index: int
    leaf: bytes
    opens: RecordedAccess | None
    """None: it was refused, or is released elsewhere against a permit."""


class Recorder:
    """Of one city and its log of accesses. Safe to share between threads."""

    def __init__(self, sequencer: Sequencer, log: LogName, keyring: Keyring, city: int) -> None:
        self._sequencer = sequencer
        self._log = log
        self._keys = keyring
        self._city = city

    def decide(self, asked: Asked, decider: Decider, agency: str) -> RecordedDecision:
        """Judge a request and record the outcome, allow or deny, in one transaction with its counter.

        `agency`: USCC of the agency that records for the provider. Durable on return.
        """

        def decide(turn: Turn) -> Decided[Outcome]:
            outcome = decider.decide(turn, asked)
            # Crash access/counted: rolled back with the append; nothing was decided and nothing was used.
            return Decided([self._record(turn, outcome.access, agency)], outcome)

        appended = self._append(decide)
        # Crash access/decided: recorded, and nothing left; the asker's repeat finds the decision and gets nothing.
        return self._outcome(appended, appended.value.decision, appended.value.access)

    def own(
        self,
        reading: OwnReading,
        rules: Rules,
        *,
        subject_ref: bytes | None = None,
        operator: str | None = None,
        case: str | None = None,
        purpose: UseCause | None = None,
        item: bytes | None = None,
    ) -> RecordedDecision:
        """A reading of one's own: the holder's, or of staff of the agency that provides the resource.

        `subject_ref`: kept with the item, for a reading that names no subject.
        """
        ref = self._keys.ref(reading.subject) if reading.subject else subject_ref

        def decide(turn: Turn) -> Decided[tuple[Decision, Access]]:
            repeated = index.decided_before(turn.connection, reading.id)
            decision = decide_own(reading, rules, seconds(turn.at), repeated=repeated)
            access = drafting.own(
                reading,
                decision,
                city=self._city,
                subject_ref=ref.hex() if ref else None,
                operator=operator,
                case=case,
                purpose=purpose,
                item=item,
            )
            return Decided([self._record(turn, access, reading.agency)], (decision, access))

        appended = self._append(decide)
        return self._outcome(appended, *appended.value)

    def note(self, access: Access, agency: str) -> Appended[Access]:
        """Record what this city does as asker or after a decision: asked, received, released, closed."""
        if access.step is accesses.AccessStep.DECIDED:
            raise AccessError("ACCESS_MEMBERS", "what was decided is recorded by whoever decides")
        return self._append(lambda turn: Decided([self._record(turn, access, agency)], access))

    def _append(self, decide: Callable[[Turn], Decided[T]]) -> Appended[T]:
        return self._sequencer.append(self._log, Deciding(decide))

    def _record(self, turn: Turn, access: Access, agency: str) -> Draft:
        """The statement of an act's only entry, with its openings and its line in the index beside it."""
        return record_all(turn, [(access, agency)], self._keys)[0]

    def _outcome(self, appended: Appended[T], decision: Decision, access: Access) -> RecordedDecision:
        (leaf,) = appended.leaves
        place = (appended.log, appended.first_index, leaf, appended.at)
        opens = RecordedAccess(access, *place, _AFTER_COMMIT) if _opens(access) else None
        return RecordedDecision(decision, access, appended.at, appended.log, appended.first_index, leaf, opens)


def record_all(turn: Turn, records: Sequence[tuple[Access, str]], keys: Keyring) -> list[Draft]:
    """Statements of an act's entries: (access, USCC of the agency that acts) each; with openings and index."""
    day_key = keys.day_keys.of(turn.connection, turn.at)
    drafts, sealed, lines, now = [], [], [], seconds(turn.at)
    for at, (access, agency) in enumerate(records, turn.first_index):
        draft, openings = accesses.draft(access, agency, os.urandom(SALT_BYTES * accesses.private_count(access)))
        envelope = seal_openings(openings, log_id=turn.log.id, index=at, recipients=(day_key,))
        drafts.append(draft)
        sealed.append((turn.log_no, at, envelope))
        lines.append(index.line(access, Place(turn.log_no, at), now, keys.index_key))
    index.put_openings(turn.connection, sealed)
    index.put(turn.connection, lines)
    return drafts


def _opens(access: Access) -> bool:
    return access.code is DecisionCode.ALLOW and access.permit is None
