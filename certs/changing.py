"""Changing the status of a certificate that exists: one act records it and queues it for the chain."""

from __future__ import annotations

from dataclasses import dataclass

from certs import lifecycle, store
from certs.errors import LifecycleError
from certs.lifecycle import KINDS, Change
from ledger.ports import StatusChange
from ledger.publisher import encode_change
from ledger.sequencer import Decided, Turn
from ledger.statement import Draft, seconds
from ledger.status import Reason
from ledger.store import outbox


@dataclass(frozen=True, slots=True)
class ChangeStatus:
    """An act for the sequencer. Doing it twice is refused by the certificate's own state, not repeated."""

    identifier: str
    agency: str
    """Who acts; only the issuer may."""
    change: Change
    reason: Reason
    effective_from: int = 0
    """Seconds; 0: when it is anchored. In the past only for 撤销 (ANNULLED)."""

    def decide(self, turn: Turn) -> Decided[store.Certificate]:
        certificate = store.by_identifier(turn.connection, self.identifier)
        if certificate is None:
            raise LifecycleError("CERTIFICATE_UNKNOWN", "no such certificate here", identifier=self.identifier)
        if certificate.issuer != self.agency:
            raise LifecycleError("NOT_THE_ISSUER", "another agency issued it", identifier=self.identifier)
        lifecycle.check(
            certificate.status,
            self.change,
            self.reason,
            identifier=self.identifier,
            effective_from=self.effective_from,
            now=seconds(turn.at),
        )
        kind = KINDS[self.change]
        store.set_status(turn.connection, certificate.digest, kind.status)
        queued = StatusChange(certificate.issuer, certificate.digest, kind.status, self.reason, self.effective_from)
        outbox.put(turn.connection, outbox.STATUS, certificate.digest, encode_change(queued))
        # Crash change/queued: rolled back with the whole append; the certificate is as it was.
        body = lifecycle.change_body(
            digest=certificate.digest,
            identifier=certificate.identifier,
            reason=self.reason,
            effective_from=self.effective_from,
        )
        return Decided([Draft(kind.statement, self.agency, body)], certificate)
