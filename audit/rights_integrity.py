"""Authorizations, mandates and persons' keys as a city keeps them, compared with what was recorded and signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from audit import deciding, grants
from audit.integrity import FAULTS, Accesses, Openings
from audit.reading import Keys
from audit.signed_object import SignedObject, open_object
from audit.store import rights, whole
from audit.store.rights import AuthorizationRow, HolderKeyRow, MandateRow
from ledger.bookkeeping import Days
from ledger.epochs import CONTINUED
from ledger.integrity import Difference, Page
from ledger.jws import b64url, thumbprint
from ledger.logid import AUTHORIZATION
from ledger.ports import StatusChange
from ledger.publisher import encode_change
from ledger.statement import Statement
from ledger.status import Reason, Status
from ledger.store import outbox
from ledger.store import whole as whole_outbox
from ledger.store.database import Connection
from ledger.store.logs import LogRow


class Authorizations:
    """Authorizations, mandates and persons' keys, with their statuses and counters; after `Accesses`."""

    stream = AUTHORIZATION

    def __init__(self, keys: Keys, counted: Accesses, days: Days) -> None:
        self._keys = keys
        self._openings = Openings(keys, days)
        self._counted = counted
        self._places: dict[str, set[Any]] = {"authorization": set(), "mandate": set(), "holder_key": set()}
        """Ids that were recorded or are named already, by table."""
        self._revoked: set[bytes] = set()
        self._reviewed: set[bytes] = set()
        self._granted: dict[bytes, tuple[LogRow, int]] = {}
        self._unread: set[tuple[int, int]] = set()
        """Entries that tell nothing: what derives from them cannot be judged."""

    def page(self, connection: Connection, page: Page) -> Iterator[Difference]:
        opened, found = self._openings.page(connection, page)
        yield from found
        self._unread.update((page.row.no, index) for index in page.all_unread())
        for index, statement in page.statements.items():
            if statement.type == CONTINUED:
                continue
            try:
                said = grants.decode(statement, opened.get(index, {}))
            except FAULTS:
                yield Difference("STATEMENT_UNREADABLE", page.row, index, "entry", "sealed")
                continue
            for table, column, missing in self._statement(connection, page, index, statement, said):
                yield Difference("ROW_MISSING" if missing else "ROW_DIFFERS", page.row, index, table, column)

    def finish(self, connection: Connection) -> Iterator[Difference]:
        """Statuses and counters, which later statements move; and rows that stand for nothing."""
        for id, (row, index) in self._granted.items():
            stored = rights.find(connection, id)
            if stored is not None:
                for column in self._moved(connection, stored):
                    yield Difference("ROW_DIFFERS", row, index, "authorization", column)
                continue
            held = rights.mandate(connection, id)
            if held is not None and not self._unread and held.status != self._status(id):
                yield Difference("ROW_DIFFERS", row, index, "mandate", "status")
        for table, named in self._places.items():
            for key, no, index in whole.every_place(connection, table):
                if key not in named and (no, index) not in self._unread:
                    yield Difference("ROW_SURPLUS", None, index, table, "kid" if table == "holder_key" else "id")

    def _statement(
        self, connection: Connection, page: Page, index: int, statement: Statement, said: Mapping[str, Any]
    ) -> Iterator[tuple[str, str, bool]]:
        """(table, column, whether the row is missing) of what differs."""
        place, type_ = (page.row.no, index), statement.type
        readable = self._openings.readable(statement.at)
        if type_ == grants.GRANT:
            id = bytes.fromhex(said["authorization"])
            self._granted[id] = (page.row, index)
            stored = rights.find(connection, id) or whole.authorization_at(connection, *place)
            yield from self._compared(
                "authorization", stored, self._grant(id, said, place, stored if readable else None)
            )
        elif type_ == grants.MANDATE:
            id = bytes.fromhex(said["mandate"])
            self._granted[id] = (page.row, index)
            held = rights.mandate(connection, id) or whole.mandate_at(connection, *place)
            wanted = self._mandate(id, said, place, held if readable else None)
            yield from self._compared("mandate", held, wanted)
        elif type_ == grants.HOLDER_KEY:
            key = rights.holder_key(connection, said["kid"]) or whole.holder_key_at(connection, *place)
            yield from self._compared("holder_key", key, _holder_key(said, place, key))
        elif type_ == grants.REVOKE:
            id = bytes.fromhex(said["authorization"])
            self._revoked.add(id)
            yield from _announced(connection, StatusChange(statement.agency, id, Status.REVOKED, Reason.OTHER, 0))
        elif type_ == grants.REVIEW:
            self._reviewed.add(bytes.fromhex(said["authorization"]))

    def _compared(self, table: str, stored: Any, wanted: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
        """`wanted`: what the columns should be, those that can be said."""
        key = "kid" if table == "holder_key" else "id"
        self._places[table].add(wanted[key])
        if stored is None:
            yield table, key, True
            return
        self._places[table].add(getattr(stored, key))
        for column, value in wanted.items():
            if getattr(stored, column) != value:
                yield table, column, False

    def _grant(self, id: bytes, said: Mapping[str, Any], place: tuple[int, int], stored: Any) -> dict[str, Any]:
        signed = self._signed(id, stored)
        wanted: dict[str, Any] = {
            "id": id,
            "kind": said["kind"],
            "grantee": said["grantee"],
            "mandate": said["mandate"] and bytes.fromhex(said["mandate"]),
            "not_before": said["not_before"],
            "not_after": said["not_after"],
            "review_by": said["review_by"],
            "log_no": place[0],
            "log_index": place[1],
        }
        if "scopes" in said:  # opened: then a subject that is not there was never recorded
            wanted["subject_ref"] = bytes.fromhex(said["subject_ref"]) if "subject_ref" in said else None
        try:
            if signed is not None:
                wanted["grantor"] = deciding.authorization_of(id, signed).authorization.grantor.agency
        except FAULTS:
            signed = None
        return wanted if signed or stored is None else wanted | {"sealed": b""}

    def _mandate(self, id: bytes, said: Mapping[str, Any], place: tuple[int, int], stored: Any) -> dict[str, Any]:
        wanted: dict[str, Any] = {
            "id": id,
            "not_before": said["not_before"],
            "not_after": said["not_after"],
            "log_no": place[0],
            "log_index": place[1],
        }
        if "agent_ref" in said:
            wanted["agent_ref"] = bytes.fromhex(said["agent_ref"])
            wanted["principal_ref"] = bytes.fromhex(said["subject_ref"])
        signed = self._signed(id, stored)
        try:
            if signed is not None:
                deciding.mandate_of(id, signed)
        except FAULTS:
            signed = None
        return wanted if signed or stored is None else wanted | {"sealed": b""}

    def _signed(self, id: bytes, stored: AuthorizationRow | MandateRow | None) -> SignedObject | None:
        """The signed object, if it opens."""
        if stored is None:
            return None
        try:
            return open_object(stored.sealed, id=id, key=self._keys.openings(stored.sealed))
        except FAULTS:
            return None

    def _moved(self, connection: Connection, stored: AuthorizationRow) -> Iterator[str]:
        if not self._unread and stored.status != self._status(stored.id):
            yield "status"
        if not self._unread and stored.reviewed != (stored.id in self._reviewed):
            yield "reviewed"
        days = whole.allowed_by_day(connection, stored.id)
        for (id, day), number in self._counted.uses.items():
            if id == stored.id:
                days[day] = days.get(day, 0) + number
        used = {day: number for day, number in days.items() if number}
        newest = max(used, default=0)
        if stored.uses != sum(used.values()):
            yield "uses"
        if stored.day != newest:
            yield "day"
        if stored.uses_today != used.get(newest, 0):
            yield "uses_today"

    def _status(self, id: bytes) -> Status:
        return Status.REVOKED if id in self._revoked else Status.ACTIVE


def _announced(connection: Connection, change: StatusChange) -> Iterator[tuple[str, str, bool]]:
    """What the chain was to be told of a revocation."""
    rows = whole_outbox.outbox_of(connection, {change.digest}).get(change.digest, [])
    if any((row.kind, row.body) == (outbox.STATUS, encode_change(change)) for row in rows):
        return
    yield "outbox", "key" if not rows else "body" if rows[0].kind == outbox.STATUS else "kind", not rows


def _holder_key(said: Mapping[str, Any], place: tuple[int, int], stored: HolderKeyRow | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "kid": said["kid"],
        "not_after": said["not_after"],
        "log_no": place[0],
        "log_index": place[1],
    }
    if "subject_ref" in said:
        wanted["subject_ref"] = bytes.fromhex(said["subject_ref"])
    if stored is not None and b64url(thumbprint(stored.x, stored.y)) != said["kid"]:
        wanted["x"] = None  # which of the two was edited nobody can tell
    return wanted
