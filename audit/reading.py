"""Records read back from a log: statement, openings, place and anchor, one alone or all in order.

Memory is that of one page, however long the log. Openings that are missing, whose key was destroyed, or that do not fit
hide their members; why, stands beside the line, and is for `audit.integrity` to judge. Nothing is left out silently.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from audit import access, openings
from audit.access import Access, Recorded
from audit.errors import AccessError
from audit.private import Opened, reveal
from audit.store import accesses
from audit.store.accesses import Place, Wanted
from ledger import entries
from ledger import statement as statements
from ledger.commitment import statement_leaf
from ledger.epochs import CONTINUED
from ledger.errors import CanonicalError, VerificationError
from ledger.keys.day_keys import DayKeys
from ledger.sealing.envelope import Wrapper, kids
from ledger.statement import Statement, seconds
from ledger.store import logs, outbox
from ledger.store.database import Connection
from ledger.store.logs import LogRow

PAGE = 1000
"""Entries held at once."""
MOST_OF_REQUEST = 64
"""Records of one request that are looked at: its decision stands among the first, refused repeats follow."""
KeyFor = Callable[[bytes], Wrapper]
"""The key that opens a sealed content. Raises `VerificationError` where there is none."""


@dataclass(frozen=True, slots=True)
class Keys:
    """With what a log is read: a city with its own key, the audit office with the keys of the days."""

    entries: KeyFor
    openings: KeyFor


@dataclass(frozen=True, slots=True)
class Line:
    """An entry that was read."""

    index: int
    statement: Statement
    salt: bytes
    leaf: bytes
    """Leaf hash, derived from what was read."""
    openings: dict[str, Opened] = field(default_factory=dict)
    """Those that fit; empty if there are none to be had."""
    fault: str = ""
    """Code of why private members are hidden: OPENING_MISSING, OPENING_MISMATCH, DAY_KEY_MISSING, ENVELOPE_ALTERED…"""


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry that does not open, or holds no statement."""

    index: int
    code: str


def city_keys(connection: Connection, city: Wrapper, day_keys: DayKeys) -> Keys:
    """Entries by the city's own key; openings, which are not sealed for it, by the key of their day."""
    return Keys(lambda _: city, by_day(connection, day_keys))


def by_day(connection: Connection, day_keys: DayKeys) -> KeyFor:
    """Asks the database once for each day."""
    found: dict[bytes, Wrapper] = {}

    def find(sealed: bytes) -> Wrapper:
        for kid in kids(sealed):
            if kid not in found:
                found[kid] = day_keys.find(connection, kid)
            return found[kid]
        raise VerificationError("ENVELOPE_RECIPIENT", "not sealed for this key")

    return find


def lines(connection: Connection, row: LogRow, keys: Keys, start: int, end: int) -> Iterator[Line | Unread]:
    """Entries [start, end) that are there, in order."""
    for first in range(start, end, PAGE):
        last = min(first + PAGE, end)
        beside = dict(accesses.openings(connection, row.no, first, last))
        for index, sealed in logs.entries(connection, row.no, first, last):
            yield line(row, keys, index, sealed, beside.get(index))


def line(row: LogRow, keys: Keys, index: int, sealed: bytes, beside: bytes | None) -> Line | Unread:
    """`beside`: the sealed openings of this entry, if there are any."""
    try:
        text, salt = entries.open_text(sealed, log_id=row.id, index=index, key=keys.entries(sealed))
        statement = statements.decode(text)
    except (VerificationError, CanonicalError) as error:
        return Unread(index, error.code)
    leaf = statement_leaf(text, salt)
    try:
        opened = opened_of(row, keys, statement, index, beside)
    except (VerificationError, CanonicalError, AccessError) as error:
        return Line(index, statement, salt, leaf, fault=error.code)
    return Line(index, statement, salt, leaf, opened)


def opened_of(row: LogRow, keys: Keys, statement: Statement, index: int, beside: bytes | None) -> dict[str, Opened]:
    """The openings of all private members. Raises `VerificationError`, `CanonicalError` or `AccessError`."""
    said = statement.body.get("private")
    private = {name: str(digest) for name, digest in said.items()} if isinstance(said, dict) else {}
    if beside is None and not private:
        return {}
    if beside is None:
        raise AccessError("OPENING_MISSING", "the openings of this statement are not here", index=index)
    found = openings.open_openings(beside, log_id=row.id, index=index, key=keys.openings(beside))
    reveal(private, found)
    if found.keys() != private.keys():
        raise AccessError("OPENING_MISSING", "not all private members of this statement are here", index=index)
    return found


class Records:
    """Records of accesses in one log, in their places; belongs to the transaction it was made in."""

    def __init__(self, connection: Connection, row: LogRow, keys: Keys) -> None:
        self._connection = connection
        self._row = row
        self._keys = keys
        anchors = outbox.anchors(connection, row.no)
        self._sizes = [anchor.size for anchor in anchors]
        self._times = [anchor.time for anchor in anchors]

    def every(self, start: int = 0, end: int | None = None) -> Iterator[Recorded]:
        """In order. What cannot be read as a record is left out: `audit check` names it."""
        stop = self._row.head.size if end is None else min(end, self._row.head.size)
        for each in lines(self._connection, self._row, self._keys, start, stop):
            if isinstance(each, Line) and each.statement.type != CONTINUED:
                try:
                    yield self.record(each)
                except (VerificationError, AccessError):
                    continue

    def one(self, index: int) -> Recorded:
        """Raises `VerificationError` or `AccessError` if there is no such record, or it cannot be read."""
        return self.record(self.line(index))

    def line(self, index: int) -> Line:
        """Raises `VerificationError`."""
        sealed = logs.entry(self._connection, self._row.no, index)
        if sealed is None:
            raise VerificationError("ENTRY_MISSING", "no such entry here", log=self._row.id.hex(), index=index)
        beside = accesses.opening(self._connection, Place(self._row.no, index))
        read = line(self._row, self._keys, index, sealed, beside)
        if isinstance(read, Unread):
            raise VerificationError("ENVELOPE_ALTERED", "the entry cannot be read")
        return read

    def record(self, line: Line) -> Recorded:
        """Raises `VerificationError` or `AccessError` if the statement is not of an access."""
        return Recorded(
            access=access.decode(line.statement, line.openings, fitting=True),
            city=self._row.name.city,
            agency=line.statement.agency,
            at=seconds(line.statement.at),
            log=self._row.id,
            index=line.index,
            leaf=line.leaf,
            anchored=self.anchored(line.index),
        )

    def anchored(self, index: int) -> int | None:
        """Block time of the first head that covers the entry."""
        place = bisect_right(self._sizes, index)
        return self._times[place] if place < len(self._times) else None


def of_request(connection: Connection, request: bytes, index_key: bytes, keys: Keys) -> list[Access]:
    """This city's records of one request, the oldest first. Raises `VerificationError` or `AccessError`."""
    rows = {row.no: row for row in logs.every(connection)}
    places = accesses.find(connection, Wanted(request=request), index_key, limit=MOST_OF_REQUEST)
    return [Records(connection, rows[place.log_no], keys).one(place.log_index).access for place in places]
