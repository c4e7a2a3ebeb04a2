"""A whole check of a city: every hash of every log derived anew, every other column compared with what it derives from.

Guard, database and chain first; then each log page by page, with the tables that follow from its statements; then what
can be said only at the end. What is found is yielded as it is found; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from api.checking import later_epoch, said_of, with_unknown
from api.wiring import CITY_KEY, City
from audit.integrity import Accesses
from audit.reading import city_keys
from audit.rights_integrity import Authorizations
from audit.rules_integrity import Policies
from certs.derived import Certificates
from certs.integrity import Contents
from ledger import bookkeeping, integrity
from ledger.bookkeeping import Days
from ledger.errors import CanonicalError, ChainUnavailable, LedgerError, VerificationError
from ledger.integrity import Difference, TableCheck
from ledger.logid import CERTIFICATE
from ledger.merkle import EMPTY_ROOT
from ledger.store import logs
from ledger.store.database import Connection
from ledger.store.logs import LogRow
from ledger.types import Head

Told = Callable[[int, int], None]
"""(entries derived so far, of so many)."""


@dataclass(slots=True)
class Looked:
    """What was looked at; filled while differences are yielded."""

    entries: int = 0
    chain: LedgerError | None = None
    """Why the chain could not be asked."""


def differences(city: City, looked: Looked, *, stream: str | None, told: Told) -> Iterator[Difference]:
    """`stream`: only logs of this one. Raises what opening the city raises."""
    with city.database.reading() as connection:
        rows, misnamed = _identified(connection, city.settings.city)
        wanted = [row for row in rows if stream in (None, row.name.stream)]
        yield from (each for each in misnamed if stream in (None, each.stream))
        yield from _agreement(city, connection, rows, wanted, looked)
        yield from _entries(city, connection, rows, wanted, looked, told)
        if stream is None:
            yield from bookkeeping.unclaimed(connection)


def _identified(connection: Connection, city: int) -> tuple[list[LogRow], list[Difference]]:
    found = [bookkeeping.identified(row, city) for row in logs.every(connection)]
    return [row for row, _ in found], [difference for _, difference in found if difference]


def _agreement(
    city: City, connection: Connection, rows: Sequence[LogRow], wanted: Sequence[LogRow], looked: Looked
) -> Iterator[Difference]:
    """Heads: tiles against database, guard and chain; anchors against every head the chain accepted."""
    try:
        known = with_unknown(city, list(rows))
        heads = dict(zip([row.id for row in known], city.chain.heads([row.id for row in known]), strict=True))
        history = {row.id: city.chain.history(row.id) for row in wanted}
    except ChainUnavailable as error:
        known, heads, history, looked.chain = list(rows), {}, {}, error
    streams = {row.name.stream for row in wanted}
    for row in (row for row in known if row.name.stream in streams):
        later = later_epoch(rows, row)
        if later is None:
            yield from integrity.compare(connection, row, city.guard, heads.get(row.id))
        else:
            yield from integrity.compare_ended(connection, row, _ended(city, connection, row, later)[0])
        if row.id in history:
            yield from bookkeeping.anchors(connection, row, history[row.id])


def _entries(
    city: City, connection: Connection, rows: Sequence[LogRow], wanted: Sequence[LogRow], looked: Looked, told: Told
) -> Iterator[Difference]:
    key = city.keystore.wrapper(CITY_KEY)
    days, unsound = bookkeeping.day_keys(connection, city.day_keys)
    yield from unsound
    checks = _checks(city, connection, days)
    total = sum(row.head.size for row in wanted)

    def progress(number: int) -> None:
        looked.entries += number
        told(looked.entries, total)

    for row in wanted:
        later = later_epoch(rows, row)
        # What stands again in the next epoch is looked at there: its rows have followed it.
        end = row.head.size if later is None else _ended(city, connection, row, later)[1]
        mine = [check for check in checks if check.stream == row.name.stream]
        named = set[int | None]()
        for difference in integrity.rehash(connection, row, 0, end, key, progress, mine):
            named.add(difference.index)
            yield difference
        yield from integrity.rehash(connection, row, end, row.head.size, key, progress)
        yield from integrity.tiles(connection, row, 0)
        yield from bookkeeping.rows(connection, row)
        yield from bookkeeping.newest(connection, row, key)
        if row.name.stream == CERTIFICATE:
            contents = Contents(connection, key, city.content_keys).differences(row, 0, end)
            # Of a row that is named already, the content cannot be expected to open.
            yield from (each for each in contents if each.index not in named)
    streams = {row.name.stream for row in wanted}
    for check in checks:
        if check.stream in streams:
            yield from check.finish(connection)


def _ended(city: City, connection: Connection, row: LogRow, later: LogRow) -> tuple[Head, int]:
    """Of a log that was continued: what stands of it, and from which entry on it stands again in the next epoch."""
    try:
        said = said_of(city, connection, row, later)
    except (VerificationError, CanonicalError):
        said = None  # the entry that says so is named where entries are derived
    return (Head(said.size, said.root), said.again[0]) if said else (Head(0, EMPTY_ROOT), 0)


def _checks(city: City, connection: Connection, days: Days) -> list[TableCheck]:
    """Every package's own; accesses are counted before the authorizations they used."""
    keys = city_keys(connection, city.keystore.wrapper(CITY_KEY), city.day_keys)
    counted = Accesses(keys, city.keyring, days)
    return [Certificates(), counted, Authorizations(keys, counted, days), Policies()]
