"""Recording authorizations: granted, mandated, revoked, a person's key, a review. Each is one act of the log.

What is recorded was bound before (`audit.binding`): an authorization of nobody's never gets here. The signed object is
kept sealed beside the statement that names it. A revocation counts here at once, and everywhere else when the chain
says it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from audit import grants
from audit.acts import Deciding
from audit.binding import Bound, BoundMandate
from audit.errors import AuthorizationError
from audit.grants import Drafted, Review, Revoker
from audit.keyring import Keyring
from audit.openings import seal_openings
from audit.signed_object import seal_object
from audit.store import accesses, rights
from audit.store.rights import AuthorizationRow, HolderKeyRow, MandateRow
from audit.subject import Holder, Opening
from audit.terms import Method
from ledger.commitment import SALT_BYTES
from ledger.jws import b64url, thumbprint
from ledger.ports import StatusChange
from ledger.publisher import encode_change
from ledger.sequencer import Appended, Decided, Sequencer, Turn
from ledger.status import FINAL, Reason, Status
from ledger.store import outbox
from ledger.types import LogName

T = TypeVar("T")


class Granting:
    """Of one city, whose agency `steward` (USCC) records."""

    def __init__(self, sequencer: Sequencer, log: LogName, keyring: Keyring, steward: str) -> None:
        self._sequencer = sequencer
        self._log = log
        self._keys = keyring
        self._steward = steward

    def grant(self, bound: Bound, signed: str, openings: Sequence[Opening]) -> Appended[bytes]:
        """Its id. Raises `AuthorizationError` AUTHORIZATION_KNOWN: an id is recorded once."""

        def decide(turn: Turn) -> Decided[bytes]:
            _refuse_known(rights.find(turn.connection, bound.id))
            ref = self._keys.ref(bound.subject) if bound.subject else None
            named, salts = ref.hex() if ref else None, _salts(2 if ref else 1)
            drafted = grants.grant(bound, self._steward, subject_ref=named, salts=salts)
            sealed = seal_object(signed, openings, id=bound.id, key=self._keys.day_keys.of(turn.connection, turn.at))
            rights.put(turn.connection, _row(bound, ref, turn, sealed))
            return self._recorded(turn, drafted, bound.id)

        return self._append(decide)

    def mandate(self, bound: BoundMandate, signed: str, openings: Sequence[Opening]) -> Appended[bytes]:
        """Its id. Raises `AuthorizationError` AUTHORIZATION_KNOWN."""

        def decide(turn: Turn) -> Decided[bytes]:
            _refuse_known(rights.mandate(turn.connection, bound.id))
            principal, agent = self._keys.ref(bound.principal), self._keys.ref(bound.agent)
            drafted = grants.mandate(
                bound, self._steward, principal_ref=principal.hex(), agent_ref=agent.hex(), salts=_salts(2)
            )
            sealed = seal_object(signed, openings, id=bound.id, key=self._keys.day_keys.of(turn.connection, turn.at))
            m = bound.mandate
            place = (turn.log_no, turn.first_index)
            row = MandateRow(bound.id, principal, agent, m.not_before, m.not_after, Status.ACTIVE, *place, sealed)
            rights.put_mandate(turn.connection, row)
            return self._recorded(turn, drafted, bound.id)

        return self._append(decide)

    def revoke(self, id: bytes, by: Revoker, *, reason: str) -> Appended[bytes]:
        """Of an authorization or a mandate; final. Raises `AuthorizationError` AUTHORIZATION_UNKNOWN, _ENDED."""

        def decide(turn: Turn) -> Decided[bytes]:
            row = rights.lock(turn.connection, id) or rights.mandate(turn.connection, id)
            if row is None:
                raise AuthorizationError("AUTHORIZATION_UNKNOWN", "nothing of this id is recorded here", id=id.hex())
            if row.status in FINAL:
                raise AuthorizationError("AUTHORIZATION_ENDED", "it was revoked before", id=id.hex())
            rights.set_status(turn.connection, id, Status.REVOKED)
            change = StatusChange(self._steward, id, Status.REVOKED, Reason.OTHER, 0)
            outbox.put(turn.connection, outbox.STATUS, id, encode_change(change))
            # Crash grant/revoked: rolled back with the append; the authorization holds, and nobody was told otherwise.
            return self._recorded(turn, grants.revoke(id, self._steward, by, reason=reason, salts=_salts(1)), id)

        return self._append(decide)

    def holder_key(
        self, x: bytes, y: bytes, holder: Holder, method: Method, *, evidence: bytes | None, not_after: int
    ) -> Appended[str]:
        """A person was identified, and this P-256 key is his; its thumbprint. Raises AUTHORIZATION_KNOWN."""
        kid = b64url(thumbprint(x, y))

        def decide(turn: Turn) -> Decided[str]:
            _refuse_known(rights.holder_key(turn.connection, kid))
            ref = self._keys.ref(holder)
            drafted = grants.holder_key(
                kid,
                self._steward,
                method,
                evidence=evidence,
                not_after=not_after,
                subject_ref=ref.hex(),
                salts=_salts(1),
            )
            row = HolderKeyRow(kid, ref, x, y, not_after, turn.log_no, turn.first_index)
            rights.put_holder_key(turn.connection, row)
            return self._recorded(turn, drafted, kid)

        return self._append(decide)

    def review(self, id: bytes, outcome: Review, *, form: bytes, reviewers: tuple[str, ...]) -> Appended[bytes]:
        """Of an emergency. Raises `AuthorizationError` AUTHORIZATION_UNKNOWN, REVIEW_NOT_DUE (it is no emergency)."""

        def decide(turn: Turn) -> Decided[bytes]:
            row = rights.lock(turn.connection, id)
            if row is None:
                raise AuthorizationError("AUTHORIZATION_UNKNOWN", "nothing of this id is recorded here", id=id.hex())
            if row.review_by is None or row.reviewed:
                raise AuthorizationError("REVIEW_NOT_DUE", "no emergency, or reviewed before", id=id.hex())
            rights.set_reviewed(turn.connection, id)
            drafted = grants.review(id, self._steward, outcome, form=form, reviewers=reviewers, salts=_salts(1))
            return self._recorded(turn, drafted, id)

        return self._append(decide)

    def _append(self, decide: Callable[[Turn], Decided[T]]) -> Appended[T]:
        return self._sequencer.append(self._log, Deciding(decide))

    def _recorded(self, turn: Turn, drafted: Drafted, value: T) -> Decided[T]:
        """The statement, and its openings beside it."""
        key = self._keys.day_keys.of(turn.connection, turn.at)
        place = (turn.log.id, turn.first_index)
        sealed = seal_openings(drafted.openings, log_id=place[0], index=place[1], recipients=(key,))
        accesses.put_openings(turn.connection, [(turn.log_no, turn.first_index, sealed)])
        return Decided([drafted.draft], value)


def _row(bound: Bound, ref: bytes | None, turn: Turn, sealed: bytes) -> AuthorizationRow:
    a = bound.authorization
    return AuthorizationRow(
        id=bound.id,
        kind=a.kind.value,
        grantee=a.grantee,
        grantor=a.grantor.agency,
        subject_ref=ref,
        mandate=a.grantor.mandate,
        not_before=a.not_before,
        not_after=a.not_after,
        review_by=a.review_by,
        reviewed=False,
        status=Status.ACTIVE,
        uses=0,
        day=0,
        uses_today=0,
        log_no=turn.log_no,
        log_index=turn.first_index,
        sealed=sealed,
    )


def _refuse_known(row: object | None) -> None:
    if row is not None:
        raise AuthorizationError("AUTHORIZATION_KNOWN", "this id is recorded already")


def _salts(members: int) -> bytes:
    return os.urandom(SALT_BYTES * members)
