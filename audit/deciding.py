"""A decision under the log's lock: the authorization's row, its statuses and its counter are read and written there.

Sixty-four readers of an authorization for ten uses get exactly ten: each is decided after the one before was counted.
No signature is verified and no chain is asked here; the authorization was bound when it was recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from audit import authorization, drafting, mandate, permit, policy
from audit.access import Access
from audit.binding import Bound, BoundMandate
from audit.clock import china_day
from audit.decision import Decision
from audit.errors import AuditError
from audit.keyring import Keyring
from audit.request import Request, Rules, StatusView, Unbound, Uses
from audit.signed_object import SignedObject, open_object
from audit.store import accesses, rights
from audit.store.rights import AuthorizationRow
from audit.subject import find
from audit.terms import Kind
from ledger.errors import CanonicalError, VerificationError
from ledger.sealing.envelope import kids
from ledger.sequencer import Turn
from ledger.statement import seconds
from ledger.store.database import Connection

OBJECTS_KEPT = 4096
B = TypeVar("B")

Held = Callable[[Connection, bytes, str, bytes | None], bytes | None]
"""(subject_ref, resource, item that is asked for or None) → digest of the item that is held, or None."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came, its signature verified."""

    request: Request
    authorization: bytes | None
    """Id of the one it names."""
    asker_city: int
    signature: bytes
    """SHA-256 of the request's signature."""
    kid: str


@dataclass(frozen=True, slots=True)
class Outcome:
    decision: Decision
    access: Access


class _Kept(Generic[B]):
    """Signed objects that were opened before, by id and as they are stored: they never change."""

    def __init__(self, keyring: Keyring, read: Callable[[bytes, SignedObject], B]) -> None:
        self._keys = keyring
        self._read = read
        self._found: dict[tuple[bytes, bytes], B] = {}

    def get(self, connection: Connection, id: bytes, sealed: bytes) -> B:
        """Raises `VerificationError`, `CanonicalError` or `AuditError`."""
        if (id, sealed) not in self._found:
            key = self._keys.day_keys.find(connection, kids(sealed)[0])
            if len(self._found) >= OBJECTS_KEPT:
                self._found.clear()
            self._found[id, sealed] = self._read(id, open_object(sealed, id=id, key=key))
        return self._found[id, sealed]


class Decider:
    """Of one provider."""

    def __init__(self, rules: Rules, keyring: Keyring, held: Held, *, permits_of: bytes | None = None) -> None:
        """`permits_of`: id of the consortium, where what is allowed is released elsewhere, against a permit."""
        self._rules = rules
        self._keys = keyring
        self._held = held
        self._permits_of = permits_of
        self._authorizations = _Kept(keyring, authorization_of)
        self._mandates = _Kept(keyring, mandate_of)

    def decide(self, turn: Turn, asked: Asked) -> Outcome:
        now = seconds(turn.at)
        connection, ref = turn.connection, self._keys.ref(asked.request.subject)
        item = self._held(connection, ref, asked.request.resource, asked.request.item)
        request = replace(asked.request, item=item or asked.request.item)
        row = rights.lock(connection, asked.authorization) if asked.authorization else None
        shown = self._shown(connection, asked.authorization, row)
        view = _view(connection, shown, row)
        uses = _uses(connection, request.id, row, now)
        decision = policy.decide(request, shown, self._rules, view, uses, now, held=self._held_somewhere(item))
        access = drafting.decided(
            request,
            decision,
            asker_city=asked.asker_city,
            signature=asked.signature,
            kid=asked.kid,
            subject_ref=ref.hex(),
            permit=self._permit(request, decision, now),
        )
        if decision.allowed and row is not None:
            rights.count_use(connection, row, china_day(now))
        return Outcome(decision, access)

    def _shown(self, connection: Connection, id: bytes | None, row: AuthorizationRow | None) -> Bound | Unbound | None:
        if id is None:
            return None
        if row is None:
            return Unbound(id)
        try:
            bound = self._authorizations.get(connection, row.id, row.sealed)
            if row.mandate is None:
                return bound
            named = rights.mandate(connection, row.mandate)
            if named is None:
                return Unbound(id, row.mandate)
            return replace(bound, mandate=self._mandates.get(connection, named.id, named.sealed))
        except (VerificationError, CanonicalError, AuditError):
            # Somebody changed what is stored: it authorizes nothing, and the check of the log names the row.
            return Unbound(id, row.mandate)

    def _held_somewhere(self, item: bytes | None) -> bool:
        """Of data that is released elsewhere, only whoever holds it knows whether there is such an entry."""
        return item is not None or self._permits_of is not None

    def _permit(self, request: Request, decision: Decision, now: int) -> bytes | None:
        """Id of the permit that will be signed when the record stands."""
        if self._permits_of is None or not decision.allowed:
            return None
        return permit.issue(request, decision, consortium=self._permits_of, leaf=bytes(32), now=now).id


def authorization_of(id: bytes, stored: SignedObject) -> Bound:
    """What was bound when it was recorded. Raises `VerificationError` STORED_OBJECT_DIFFERS for another object."""
    presented = authorization.parse(stored.signed)
    _same(presented.id, id)
    return Bound(id, presented.authorization, find(presented.authorization.subject, stored.openings), None)


def mandate_of(id: bytes, stored: SignedObject) -> BoundMandate:
    presented = mandate.parse(stored.signed)
    _same(presented.id, id)
    principal = find(presented.mandate.principal, stored.openings)
    agent = find(presented.mandate.agent, stored.openings)
    if principal is None or agent is None:
        raise VerificationError("STORED_OBJECT_DIFFERS", "a person in it is not opened", id=id.hex())
    return BoundMandate(id, presented.mandate, principal, agent)


def _same(found: bytes, id: bytes) -> None:
    if found != id:
        raise VerificationError("STORED_OBJECT_DIFFERS", "another object is stored under this id", id=id.hex())


def _view(connection: Connection, shown: Bound | Unbound | None, row: AuthorizationRow | None) -> StatusView:
    """The statuses of what is shown: this city's own, and the chain's as last read."""
    if not isinstance(shown, Bound) or row is None:
        return StatusView(rights.read_at(connection))
    read_at, status = rights.seen(connection, row.id)
    chain, local = {row.id: status}, {row.id: row.status}
    if shown.mandate is not None:
        id = shown.mandate.id
        chain[id], local[id] = rights.chain_status(connection, id), rights.local_mandate_status(connection, id)
    return StatusView(read_at, chain, local)


def _uses(connection: Connection, request: bytes, row: AuthorizationRow | None, now: int) -> Uses:
    repeated = accesses.decided_before(connection, request)
    if row is None:
        return Uses(repeated=repeated)
    today = row.uses_today if row.day == china_day(now) else 0
    emergency = row.kind == Kind.EMERGENCY and row.grantor is not None
    overdue = emergency and rights.review_overdue(connection, row.grantor or "", now)
    return Uses(row.uses, today, repeated, overdue)
