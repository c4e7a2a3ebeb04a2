"""Rows of certificates compared with the statements that they derive from.

Sealed contents are looked at in `certs.integrity`; here are the columns that follow from the log alone, and what the
chain was to be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from certs import derived_store, identifier, store
from certs.certificate import ISSUE, SUPERSEDE
from certs.derived_store import Derived
from certs.lifecycle import KINDS
from ledger.integrity import Difference, Page
from ledger.logid import CERTIFICATE
from ledger.ports import StatusChange
from ledger.publisher import encode_change
from ledger.statement import Statement
from ledger.status import Reason, Status
from ledger.store import outbox, whole
from ledger.store.database import Connection
from ledger.store.logs import LogRow

_STATUS = {kind.statement: kind.status for kind in KINDS.values()} | {SUPERSEDE: Status.SUPERSEDED}


class Certificates:
    """The table of certificates, and the changes of status in the outbox."""

    stream = CERTIFICATE

    def __init__(self) -> None:
        self._newest: dict[bytes, int] = {}
        """Of certificates whose status was ever changed."""
        self._settled: set[bytes] = set()
        """Digests of rows that are named already, and need not be named again elsewhere."""
        self._astray: dict[bytes, tuple[LogRow, int]] = {}
        """Rows that stand at an entry which is not theirs."""
        self._logs: dict[int, LogRow] = {}
        self._unread = False
        """Some entry tells nothing: it may be a change of any certificate's status."""

    def page(self, connection: Connection, page: Page) -> Iterator[Difference]:
        self._logs[page.row.no] = page.row
        self._unread |= bool(page.all_unread())
        yield from self._issued(connection, page)
        yield from self._changed(connection, page)

    def finish(self, connection: Connection) -> Iterator[Difference]:
        """Statuses, which later statements move; rows of which nothing was recorded; the places of status lists."""
        for digest, (there, index) in self._astray.items():
            if digest not in self._settled:
                self._settled.add(digest)
                yield Difference("ROW_SURPLUS", there, index, "certificate", "digest")
        largest = -1
        for row in derived_store.every(connection):
            largest = max(largest, row.status_place)
            log = self._logs.get(row.log_no)
            if row.digest in self._settled:
                continue
            if log is None or not 0 <= row.log_index < log.head.size:
                yield Difference("ROW_SURPLUS", log, row.log_index, "certificate", "digest")
            elif not self._unread and row.status != self._newest.get(row.digest, Status.ACTIVE):
                yield Difference("ROW_DIFFERS", log, row.log_index, "certificate", "status")
        if store.places_drawn(connection) <= largest:
            yield Difference("ROW_DIFFERS", None, None, "status_counter", "next")

    def _issued(self, connection: Connection, page: Page) -> Iterator[Difference]:
        wanted = {i: _digest(statement) for i, statement in page.statements.items() if statement.type == ISSUE}
        here = {row.log_index: row for row in derived_store.at(connection, page.row.no, page.start, page.end)}
        elsewhere = [digest for i, digest in wanted.items() if i not in here or here[i].digest != digest]
        moved = derived_store.of(connection, elsewhere)
        for index, row in here.items():
            if row.digest != wanted.get(index) and not page.unread(index):
                self._astray[row.digest] = (page.row, index)
        for index, digest in wanted.items():
            found = moved.get(digest) or here.get(index)
            if found is None:
                yield Difference("ROW_MISSING", page.row, index, "certificate", "digest")
                continue
            for column in _differing(found, page.statements[index], digest, (page.row.no, index)):
                self._settled.add(found.digest)
                yield Difference("ROW_DIFFERS", page.row, index, "certificate", column)

    def _changed(self, connection: Connection, page: Page) -> Iterator[Difference]:
        said = {i: _change(statement) for i, statement in page.statements.items() if statement.type in _STATUS}
        told = whole.outbox_of(connection, {change.digest for change in said.values()})
        for index, change in said.items():
            self._newest[change.digest] = change.status
            rows = told.get(change.digest, [])
            body = encode_change(change)
            if not any(row.kind == outbox.STATUS and row.body == body for row in rows):
                column = "key" if not rows else "body" if rows[0].kind == outbox.STATUS else "kind"
                yield Difference("ROW_DIFFERS" if rows else "ROW_MISSING", page.row, index, "outbox", column)


def _differing(row: Derived, statement: Statement, digest: bytes, place: tuple[int, int]) -> Iterator[str]:
    body = statement.body
    replaces = body.get("replaces")
    wanted = {
        "digest": digest,
        "identifier": body["identifier"],
        "issuer": statement.agency,
        "type_code": body["certificate_type"],
        "version": identifier.parse(str(body["identifier"])).version,
        "replaces": bytes.fromhex(str(replaces)) if replaces else None,
        "log_no": place[0],
        "log_index": place[1],
    }
    return (column for column, value in wanted.items() if getattr(row, column) != value)


def _change(statement: Statement) -> StatusChange:
    """What the chain was to be told of it."""
    body: Any = statement.body
    if statement.type == SUPERSEDE:
        next_digest = bytes.fromhex(body["next"])
        agency = statement.agency
        status, reason = Status.SUPERSEDED, Reason.RENEWED
        return StatusChange(agency, _digest(statement), status, reason, 0, agency, next_digest)
    status = _STATUS[statement.type]
    return StatusChange(statement.agency, _digest(statement), status, body["reason"], body["effective_from"])


def _digest(statement: Statement) -> bytes:
    return bytes.fromhex(str(statement.body["digest"]))
