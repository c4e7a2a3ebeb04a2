"""Versions of the rules, and corrections, compared with what was adopted, opened and closed in the stream `policy`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit import correcting, rulebook
from audit.clock import day_of
from audit.errors import PolicyError
from audit.integrity import FAULTS
from audit.rulebook import STREAM
from audit.store import corrections, whole
from ledger.integrity import Difference, Page
from ledger.statement import Statement, seconds
from ledger.store.database import Connection
from ledger.store.logs import LogRow


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A row as the statement gave rise to it, and where that stands."""

    log: LogRow
    index: int
    columns: Mapping[str, Any]


@dataclass(slots=True)
class _Table:
    name: str
    key: str
    wanted: dict[bytes, _Wanted] = field(default_factory=dict)
    """By the row's id; the newest statement about it."""

    def differences(
        self, rows: Iterable[Any], unread: set[tuple[int, int]], more: Callable[[Any, bytes], Iterator[str]]
    ) -> Iterator[Difference]:
        """`more`: columns that differ in what only the table knows how to compare, by row and the id it should have."""
        places = {(each.log.no, each.index): id for id, each in self.wanted.items()}
        missing = set(self.wanted)
        for row in rows:
            place, id = (row.log_no, row.log_index), getattr(row, self.key)
            id = id if id in self.wanted else places.get(place)
            if id is None:
                if place not in unread:
                    yield Difference("ROW_SURPLUS", None, row.log_index, self.name, self.key)
                continue
            missing.discard(id)
            said = self.wanted[id]
            # Where a later statement about it tells nothing, the row may have followed that one.
            wrong = [] if place in unread else [c for c, value in said.columns.items() if getattr(row, c) != value]
            for column in (*wrong, *more(row, id)):
                yield Difference("ROW_DIFFERS", said.log, said.index, self.name, column)
        for id in missing:
            yield Difference("ROW_MISSING", self.wanted[id].log, self.wanted[id].index, self.name, self.key)


class Policies:
    """The tables of the stream `policy`."""

    stream = STREAM

    def __init__(self) -> None:
        self._rules = _Table("rules", "version")
        self._corrections = _Table("correction", "id")
        self._closed: dict[bytes, str] = {}
        """Day on which a correction was settled."""
        self._unread: set[tuple[int, int]] = set()

    def page(self, connection: Connection, page: Page) -> Iterator[Difference]:
        self._unread.update((page.row.no, index) for index in page.all_unread())
        for index, statement in page.statements.items():
            try:
                self._statement(page.row, index, statement)
            except FAULTS:
                yield Difference("STATEMENT_UNREADABLE", page.row, index, "entry", "sealed")

    def finish(self, connection: Connection) -> Iterator[Difference]:
        yield from self._rules.differences(whole.every_rules(connection), self._unread, _content)
        yield from self._corrections.differences(corrections.every(connection), self._unread, self._settled)

    def _statement(self, log: LogRow, index: int, statement: Statement) -> None:
        at, place = seconds(statement.at), {"log_no": log.no, "log_index": index}
        if statement.type == rulebook.ADOPTED:
            v = rulebook.FORM.check(statement.body)
            version = bytes.fromhex(v["version"])
            columns = {"version": version, "origin": v["origin"], "adopted_at": at, **place}
            self._rules.wanted[version] = _Wanted(log, index, columns)
        elif statement.type == correcting.OPENED:
            v = correcting.OPENED_FORM.check(statement.body)
            id = bytes.fromhex(v["correction"])
            said = {name: v[name] for name in ("resource", "field", "agency", "due")}
            columns = {"id": id, "opened": day_of(at).isoformat(), **said, **place}
            self._corrections.wanted[id] = _Wanted(log, index, columns)
        elif statement.type == correcting.CLOSED:
            v = correcting.CLOSED_FORM.check(statement.body)
            self._closed[bytes.fromhex(v["correction"])] = day_of(at).isoformat()

    def _settled(self, row: Any, id: bytes) -> Iterator[str]:
        """A closing that tells nothing may have been this one's."""
        day = self._closed.get(id)
        if row.closed != day and (day is not None or not self._unread):
            yield "closed"


def _content(row: Any, version: bytes) -> Iterator[str]:
    try:
        rulebook.decode(row.content, version)
    except PolicyError:
        yield "content"
