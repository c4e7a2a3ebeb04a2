"""Preflight: is this city in order? Every check says what it looked at; nothing is changed.

First what must be there at all, then whether guard, database and chain agree, then whether the newest leaves can be
derived again from what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from api.errors import ApiError
from api.wiring import CITY_KEY, City
from certs.errors import CertsError
from certs.integrity import Contents
from ledger import continuing, integrity
from ledger.epochs import Continued
from ledger.errors import AppendRefused, ChainMismatch, ChainUnavailable, LedgerError, VerificationError
from ledger.facts import EpochClosing, PublishedHead
from ledger.integrity import Difference, Progress
from ledger.logid import CERTIFICATE
from ledger.merkle import EMPTY_ROOT
from ledger.store import logs, outbox
from ledger.store.database import Connection
from ledger.store.logs import LogRow
from ledger.types import Head, LogName

NEWEST_LEAVES = 10_000


class Outcome(StrEnum):
    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """Could not be looked at: the chain is away."""
    NOTE = "note"
    """In order, and still to be known: it stays."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One line of the report."""

    check: str
    """Stable name; words under `check.<name>`."""
    outcome: Outcome
    detail: str = ""
    error: LedgerError | ApiError | CertsError | None = None
    difference: Difference | None = None
    """The first of what differs."""


def run(city: City, *, leaves: int, progress: Progress) -> Iterator[Checked]:
    """`leaves`: how many of the newest leaves of each log to derive again; 0: all."""
    basics = (
        ("settings", lambda: f"{city.settings.name} ({city.settings.division})"),
        ("keystore", lambda: str(len(city.keystore.names()))),
        ("database", lambda: city.database.engine.dialect.name),
    )
    for name, look in basics:
        found = _try(name, look)
        yield found
        if found.outcome is not Outcome.OK:
            return  # nothing below can be looked at without it
    chain = _try("chain", lambda: f"{city.chain_url} #{city.chain.newest()}")
    yield chain
    yield from agreement(city, chain_answers=chain.outcome is Outcome.OK)
    yield from _rehashed(city, leaves, progress)
    yield from _contents(city, leaves)
    yield _outbox(city)


def _try(name: str, look: Callable[[], str]) -> Checked:
    try:
        return Checked(name, Outcome.OK, look())
    except ChainMismatch as error:
        return Checked(name, Outcome.WRONG, str(error), error)
    except ChainUnavailable as error:
        return Checked(name, Outcome.UNKNOWN, str(error), error)
    except (LedgerError, ApiError, CertsError) as error:
        return Checked(name, Outcome.WRONG, str(error), error)


def agreement(city: City, *, chain_answers: bool) -> Iterator[Checked]:
    """Heads: tiles against database, guard and chain."""
    with city.database.reading() as connection:
        rows = logs.every(connection)
        if chain_answers:
            rows = with_unknown(city, rows)
        published: list[PublishedHead | None] = [None] * len(rows)
        closings: list[EpochClosing | None] = [None] * len(rows)
        if chain_answers:
            published = city.chain.heads([row.id for row in rows])
            closings = city.chain.closings([row.id for row in rows])
        for row, head, end in zip(rows, published, closings, strict=True):
            on_chain = str(head.size if head else 0) if chain_answers else "?"
            detail = f"{_named(row)}: {row.head.size} / {on_chain}"
            kept = outbox.newest_anchor(connection, row.no)
            if chain_answers and kept is not None and (head is None or head.size < kept.size):
                yield _rolled_back(_named(row), kept.size, head.size if head else 0)
            later = later_epoch(rows, row)
            if later is not None:
                yield from _ended(city, connection, row, later, head, detail)
                continue
            yield _judged("heads", list(integrity.compare(connection, row, city.guard, head)), detail)
            if end is not None:
                error = AppendRefused("EPOCH_CLOSED", "closed on the chain and not continued", log=row.id.hex())
                yield Checked("epochs", Outcome.WRONG, detail, error)


def _rolled_back(stream: str, anchored: int, chain: int) -> Checked:
    """Nothing of ours is wrong, but what stood on the chain does not stand there now."""
    detail = f"{stream}: {anchored} / {chain}"
    error = LedgerError("CHAIN_ROLLED_BACK", detail, log=stream, anchored=anchored, chain=chain)
    return Checked("chain", Outcome.WRONG, detail, error)


def _named(row: LogRow) -> str:
    return f"{row.name.stream}/{row.name.epoch}" if row.name.epoch else row.name.stream


def with_unknown(city: City, rows: list[LogRow]) -> list[LogRow]:
    """With the epochs that the chain has and a restored database does not: empty here."""
    known = {row.name for row in rows}
    missing = [
        LogName(name.city, name.stream, epoch)
        for name in dict.fromkeys(LogName(row.name.city, row.name.stream) for row in rows)
        for epoch in range(city.chain.current_epoch(name.city, name.stream))
    ]
    return rows + [logs.empty(name) for name in missing if name not in known]


def later_epoch(rows: Sequence[LogRow], row: LogRow) -> LogRow | None:
    """The epoch that goes on from this one."""
    name = row.name
    later = [r for r in rows if r.head.size and (r.name.city, r.name.stream) == (name.city, name.stream)]
    return min((r for r in later if r.name.epoch > name.epoch), key=lambda r: r.name.epoch, default=None)


def said_of(city: City, connection: Connection, row: LogRow, later: LogRow) -> Continued | None:
    """What the later epoch says of this log; None: nothing, the chain closed it as a whole before this database knew
    of it. Raises `VerificationError`."""
    said = continuing.continued(connection, later, city.keystore.wrapper(CITY_KEY))
    return said if said and said.log == row.id else None


def _ended(
    city: City, connection: Connection, row: LogRow, later: LogRow, head: PublishedHead | None, detail: str
) -> Iterator[Checked]:
    """A log that was continued: what stands of it must be there; that the rest is disowned stays a finding."""
    try:
        said = said_of(city, connection, row, later)
    except VerificationError as error:
        yield Checked("epochs", Outcome.WRONG, detail, error)
        return
    standing = Head(said.size, said.root) if said else Head(0, EMPTY_ROOT)
    yield _judged("heads", list(integrity.compare_ended(connection, row, standing)), detail)
    guarded = city.guard.read(row.id)
    known = max(row.head.size, guarded.size if guarded else 0, head.size if head else 0)
    if known > standing.size:
        note = LedgerError(
            "ENTRIES_DISOWNED",
            "entries of a closed epoch that do not stand",
            log=_named(row),
            start=standing.size,
            end=known - 1,
            entries=known - standing.size,
            missing=known - row.head.size,
        )
        yield Checked("epochs", Outcome.NOTE, f"{_named(row)}: {standing.size}–{known}", note)


def _rehashed(city: City, leaves: int, progress: Progress) -> Iterator[Checked]:
    key = city.keystore.wrapper(CITY_KEY)
    with city.database.reading() as connection:
        for row in logs.every(connection):
            start = max(row.head.size - leaves, 0) if leaves else 0
            differences = list(integrity.rehash(connection, row, start, row.head.size, key, progress))
            differences += integrity.tiles(connection, row, start)
            yield _judged("leaves", differences, f"{_named(row)}: {start}–{row.head.size}")


def _contents(city: City, leaves: int) -> Iterator[Checked]:
    """Every certificate opens with its own key, unless an anchored statement says that it was erased."""
    try:
        keys = city.content_keys
    except LedgerError as error:
        yield Checked("contents", Outcome.WRONG, str(error), error)
        return
    with city.database.reading() as connection:
        contents = Contents(connection, city.keystore.wrapper(CITY_KEY), keys)
        for row in logs.every(connection):
            if row.name.stream == CERTIFICATE:
                start = max(row.head.size - leaves, 0) if leaves else 0
                differences = list(contents.differences(row, start, row.head.size))
                yield _judged("contents", differences, f"{_named(row)}: {start}–{row.head.size}")


def _outbox(city: City) -> Checked:
    """Nothing that was recorded may have been refused by the chain: it would be told here and hold nowhere."""
    with city.database.reading() as connection:
        counts = outbox.counts(connection)
    refused = sum(number for (_, state), number in counts.items() if state == outbox.REFUSED)
    waiting = sum(number for (_, state), number in counts.items() if state == outbox.WAITING)
    detail = f"{waiting} waiting, {refused} refused"
    if not refused:
        return Checked("outbox", Outcome.OK, detail)
    return Checked("outbox", Outcome.WRONG, detail, LedgerError("OUTBOX_REFUSED", detail, refused=refused))


def _judged(name: str, differences: list[Difference], detail: str) -> Checked:
    if not differences:
        return Checked(name, Outcome.OK, detail)
    first = differences[0]
    place = f"{first.stream} #{first.index if first.index is not None else '-'} {first.table}.{first.column}"
    more = f" (+{len(differences) - 1})" if len(differences) > 1 else ""
    return Checked(name, Outcome.WRONG, f"{detail}: {first.code} {place}{more}", difference=first)
