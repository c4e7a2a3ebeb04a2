"""External enforcement: a decision, a permit for it, and the report of the gateway that released.

For data we do not hold and exchanges that stay as they are. The decision is recorded before the permit is signed; the
gateway releases against the permit and reports the digest of what it sent. What it never reports is a finding.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit import drafting, permit
from audit.access import Access, AccessStep
from audit.deciding import Asked, Decider
from audit.errors import PermitError
from audit.keyring import Keyring
from audit.permit import Permit
from audit.reading import city_keys, of_request
from audit.recording import RecordedDecision, Recorder, record_all
from ledger.jws import Signer
from ledger.sealing.envelope import Wrapper
from ledger.sequencer import Appended, Decided, Sequencer, Turn
from ledger.types import LogName


@dataclass(frozen=True, slots=True)
class Permitted:
    recorded: RecordedDecision
    permit: str | None
    """The signed permit; None: refused."""


@dataclass(frozen=True, slots=True)
class Close:
    """The act by which a gateway's report is recorded. Done twice with the same digest, the second does nothing.

    `agency`: USCC of the agency that records for the provider. `response`: SHA-256 of what went out; None: nothing did.
    """

    permit: Permit
    response: bytes | None
    agency: str
    keyring: Keyring
    city_key: Wrapper

    def decide(self, turn: Turn) -> Decided[bool]:
        """False: it had been reported before, the same. Raises `PermitError`, `AccessError`."""
        keys = city_keys(turn.connection, self.city_key, self.keyring.day_keys)
        records = of_request(turn.connection, self.permit.request, self.keyring.index_key, keys)
        decided = next((each for each in records if _gave(each, self.permit)), None)
        if decided is None:
            raise PermitError("PERMIT_UNKNOWN", "no decision here gave this permit")
        before = next((each for each in records if each.step is AccessStep.CLOSED), None)
        if before is not None:
            if before.response != self.response:
                raise PermitError("PERMIT_CLOSED", "it was reported before, with another digest")
            return Decided([], False)
        record = drafting.closed(decided, self.response)
        # Crash permit/closed: rolled back with the append; the gateway reports again.
        return Decided(record_all(turn, [(record, self.agency)], self.keyring), True)


class Permitting:
    """Of one city. Safe to share between threads."""

    def __init__(
        self,
        recorder: Recorder,
        sequencer: Sequencer,
        log: LogName,
        keyring: Keyring,
        city_key: Wrapper,
        *,
        signer: Signer,
        consortium: bytes,
    ) -> None:
        """`signer`: the city's key of use *receipt*."""
        self._recorder = recorder
        self._sequencer = sequencer
        self._log = log
        self._keys = keyring
        self._city_key = city_key
        self._signer = signer
        self._consortium = consortium

    def decide(self, asked: Asked, decider: Decider, agency: str) -> Permitted:
        """`decider`: one that gives permits. The record is durable before the permit is signed."""
        recorded = self._recorder.decide(asked, decider, agency)
        # Crash permit/decided: recorded, no permit left; after ten minutes it is found as unclosed.
        if recorded.access.permit is None:
            return Permitted(recorded, None)
        given = permit.issue(
            asked.request,
            recorded.decision,
            consortium=self._consortium,
            leaf=recorded.leaf,
            now=recorded.decision.decided_at,
        )
        return Permitted(recorded, permit.sign(given, self._signer))

    def close(self, untrusted: str, response: bytes | None, agency: str, own: tuple[bytes, bytes]) -> Appended[bool]:
        """`own`: (x, y) of the key that signs here. Raises `PermitError`, `VerificationError`."""
        x, y = own
        given = permit.verify(untrusted, x=x, y=y, consortium=self._consortium)
        return self._sequencer.append(self._log, Close(given, response, agency, self._keys, self._city_key))


def _gave(access: Access, given: Permit) -> bool:
    return access.step is AccessStep.DECIDED and access.allowed and access.permit == given.id
