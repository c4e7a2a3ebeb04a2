"""The index of accesses and the openings beside statements, compared with the statements that they derive from.

A row is named with its column where it says otherwise, is missing, or stands for nothing that was recorded. What a
hidden member gave rise to cannot be judged: then the opening is what is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from audit import access, reading
from audit.access import AccessStep
from audit.clock import china_day
from audit.decision import DecisionCode
from audit.errors import AuditError
from audit.keyring import Keyring
from audit.private import Opened
from audit.reading import Keys
from audit.store import accesses, whole
from audit.store.accesses import Place
from ledger.bookkeeping import Days
from ledger.epochs import CONTINUED
from ledger.errors import CanonicalError, VerificationError
from ledger.integrity import Difference, Page
from ledger.logid import ACCESS
from ledger.statement import Statement, seconds
from ledger.store import logs
from ledger.store.database import Connection

FAULTS = (VerificationError, CanonicalError, AuditError)
_HIDDEN = frozenset({"subject_ref", "item", "operator_key", "case_key"})
"""Columns of the index that derive from private members."""


class Openings:
    """Opens what stands beside statements, and names what is not as it was recorded."""

    def __init__(self, keys: Keys, days: Days) -> None:
        self._keys = keys
        self._days = days
        self._gone: set[str] = set()
        """Days whose key is not here: each is named once, however much it sealed."""

    def page(self, connection: Connection, page: Page) -> tuple[dict[int, dict[str, Opened]], list[Difference]]:
        """Openings of the statements that have all of theirs, by index; and the differences."""
        beside = dict(accesses.openings(connection, page.row.no, page.start, page.end))
        opened: dict[int, dict[str, Opened]] = {}
        found: list[Difference] = []
        for index, statement in page.statements.items():
            sealed = beside.pop(index, None)
            try:
                opened[index] = reading.opened_of(page.row, self._keys, statement, index, sealed)
            except FAULTS:
                found += self._fault(page, index, statement, missing=sealed is None)
        surplus = (index for index in beside if not page.unread(index))
        found += (Difference("ROW_SURPLUS", page.row, index, "opening", "log_index") for index in surplus)
        return opened, found

    def readable(self, at: str) -> bool:
        """What was sealed on that day can be expected to open."""
        return self._days.get(at[:10]) is not None

    def _fault(self, page: Page, index: int, statement: Statement, *, missing: bool) -> list[Difference]:
        day = statement.at[:10]
        if missing:
            return [Difference("ROW_MISSING", page.row, index, "opening", "log_index")]
        if self.readable(day):
            return [Difference("OPENING_ALTERED", page.row, index, "opening", "sealed")]
        if day in self._days or day in self._gone:
            return []  # the key is named already
        self._gone.add(day)
        return [Difference("DAY_KEY_MISSING", page.row, index, "day_key", "day")]


class Accesses:
    """The index of accesses, and the openings beside them."""

    stream = ACCESS

    def __init__(self, keys: Keys, keyring: Keyring, days: Days) -> None:
        self._openings = Openings(keys, days)
        self._keyring = keyring
        self.uses: Counter[tuple[bytes, int]] = Counter()
        """(authorization, day in China) → allowed readings that the index has too few (or, below 0, too many)."""
        self.policies: dict[str, tuple[Any, int]] = {}
        """Version of rules → (log, index) of the first decision by it."""

    def page(self, connection: Connection, page: Page) -> Iterator[Difference]:
        opened, found = self._openings.page(connection, page)
        yield from found
        stored = {row[1]: row for row in accesses.rows(connection, page.row.no, page.start, page.end)}
        for index, statement in page.statements.items():
            if statement.type != CONTINUED:
                yield from self._record(page, index, statement, opened.get(index), stored.pop(index, None))
        for index, row in stored.items():
            if not page.unread(index):
                self._miscounted(row, -1)
                yield Difference("ROW_SURPLUS", page.row, index, "access", "log_index")

    def finish(self, connection: Connection) -> Iterator[Difference]:
        """Rows beside entries that no log has, of any stream."""
        rows = {row.no: row for row in logs.every(connection)}
        sizes = {no: row.head.size for no, row in rows.items()}
        for line in whole.accesses_outside(connection, sizes):
            self._miscounted(line, -1)
            yield Difference("ROW_SURPLUS", rows.get(line[0]), line[1], "access", "log_index")
        for no, index in whole.openings_outside(connection, sizes):
            yield Difference("ROW_SURPLUS", rows.get(no), index, "opening", "log_index")

    def _record(
        self, page: Page, index: int, statement: Statement, opened: Mapping[str, Opened] | None, stored: Any
    ) -> Iterator[Difference]:
        try:
            said = access.decode(statement, opened or {}, fitting=True)
        except FAULTS:
            yield Difference("STATEMENT_UNREADABLE", page.row, index, "entry", "sealed")
            return
        if said.policy is not None:
            self.policies.setdefault(said.policy.hex(), (page.row, index))
        place = Place(page.row.no, index)
        line = accesses.line(said, place, seconds(statement.at), self._keyring.index_key)
        if stored == line:
            return
        self._miscounted(line, 1)
        if stored is None:
            yield Difference("ROW_MISSING", page.row, index, "access", "log_index")
            return
        self._miscounted(stored, -1)
        for column, was, now in zip(whole.COLUMNS, line, stored, strict=True):
            if was != now and (opened is not None or column not in _HIDDEN):
                yield Difference("ROW_DIFFERS", page.row, index, "access", column)

    def _miscounted(self, line: tuple[Any, ...], by: int) -> None:
        row = dict(zip(whole.COLUMNS, line, strict=True))
        allowed = row["step"] == accesses.STEPS.index(AccessStep.DECIDED) and row["code"] == int(DecisionCode.ALLOW)
        if allowed and row["authorization"] is not None and isinstance(row["at"], int):
            self.uses[row["authorization"], china_day(row["at"])] += by
