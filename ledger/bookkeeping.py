"""What the ledger keeps beside the leaves, compared with what it derives from: names of logs, rows, anchors, outbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ledger import entries, tile
from ledger.errors import CanonicalError, LedgerError, VerificationError
from ledger.facts import PublishedHead
from ledger.integrity import Difference
from ledger.keys.day_keys import DayKeys
from ledger.keys.wrapping import WrappingKey
from ledger.logid import BUILT_IN_STREAMS
from ledger.merkle import HASH_BYTES
from ledger.sealing.envelope import Wrapper
from ledger.store import day_keys as stored_day_keys
from ledger.store import logs, outbox, whole
from ledger.store.database import Connection
from ledger.store.logs import LogRow
from ledger.types import Anchor, LogName

_EPOCHS_TRIED = 64
_KINDS = frozenset({outbox.HEAD, outbox.STATUS})
_STATES = frozenset({outbox.WAITING, outbox.SENT, outbox.DONE, outbox.REFUSED})


Days = Mapping[str, bytes | None]
"""Day → id of its key; None: the key does not open."""


def day_keys(connection: Connection, keys: DayKeys) -> tuple[dict[str, bytes | None], list[Difference]]:
    """The keys of the days, each its own witness: it opens under its day, and has its id."""
    days: dict[str, bytes | None] = {}
    found: list[Difference] = []
    for row in stored_day_keys.every(connection):
        try:
            kid = WrappingKey(keys.secret(row)).kid
        except VerificationError:
            days[row.day] = None
            found.append(Difference("DAY_KEY_ALTERED", None, None, "day_key", "wrapped"))
            continue
        days[row.day] = kid if kid == row.kid else None
        if kid != row.kid:
            found.append(Difference("DAY_KEY_ALTERED", None, None, "day_key", "kid"))
    return days, found


def identified(row: LogRow, city: int) -> tuple[LogRow, Difference | None]:
    """The log under the name that its id says, and which column says otherwise.

    Of four columns one follows from the other three: where another name gives the stored id, it is the name that was
    edited, else the id.
    """
    if _id(row.name) == row.id:
        return row, None
    for column, name in _other_names(row.name, city):
        if _id(name) == row.id:
            right = replace(row, name=name)
            return right, Difference("LOG_MISNAMED", right, None, "log", column)
    right = replace(row, id=_id(row.name) or row.id)
    return right, Difference("LOG_MISNAMED", right, None, "log", "log_id")


def rows(connection: Connection, row: LogRow) -> Iterator[Difference]:
    """Entries and tiles that the head does not count, or counts otherwise."""
    for index in whole.entries_from(connection, row.no, row.head.size):
        yield Difference("ENTRY_SURPLUS", row, index, "entry", "idx")
    missing = _widths(row.head.size)
    for level, index, length in whole.tile_lengths(connection, row.no):
        width = _width(row.head.size, level, index)
        first = index << tile.HEIGHT * (level + 1) if 0 <= level <= 8 and index >= 0 else None
        if width <= 0:
            yield Difference("TILE_SURPLUS", row, first, "tile", "idx" if 0 <= level < len(missing) else "level")
            continue
        missing[level] -= 1
        if length != width * HASH_BYTES:
            yield Difference(
                "TILE_CUT_SHORT" if length < width * HASH_BYTES else "TILE_TOO_LONG", row, first, "tile", "hashes"
            )
    if any(missing):
        yield Difference("TILE_MISSING", row, None, "tile", "idx")


def newest(connection: Connection, row: LogRow, key: Wrapper) -> Iterator[Difference]:
    """The time from which the log goes on."""
    try:
        sealed = logs.entry(connection, row.no, row.head.size - 1) or b""
        statement, _ = entries.open_entry(sealed, log_id=row.id, index=row.head.size - 1, key=key)
    except (VerificationError, CanonicalError):
        return  # named where the entries are derived
    if statement.at != row.last_at:
        yield Difference("ROW_DIFFERS", row, row.head.size - 1, "log", "last_at")


def anchors(connection: Connection, row: LogRow, published: Sequence[PublishedHead]) -> Iterator[Difference]:
    """The heads we know to be anchored against every head that the chain ever accepted of this log."""
    on_chain = {head.size: Anchor(head.size, head.root, head.prev_size, head.block, head.time) for head in published}
    for anchor in outbox.anchors(connection, row.no):
        said = on_chain.pop(anchor.size, None)
        if said is None:
            yield Difference("ANCHOR_UNKNOWN", row, anchor.size - 1, "anchor", "size")
            continue
        for column in ("root", "prev_size", "block", "time"):
            if getattr(said, column) != getattr(anchor, column):
                yield Difference("ROW_DIFFERS", row, anchor.size - 1, "anchor", column)
    under_way = any(item.key == row.id for item in outbox.unsettled(connection, outbox.HEAD))
    for size in sorted(on_chain):
        if not under_way and size <= row.head.size:
            yield Difference("ROW_MISSING", row, size - 1, "anchor", "size")


def unclaimed(connection: Connection) -> Iterator[Difference]:
    """Rows that belong to no log, or that nobody could have written."""
    for table, _ in whole.orphans(connection):
        yield Difference("ROW_SURPLUS", None, None, table, "log_no")
    known = {row.id for row in logs.every(connection)}
    for item in whole.outbox_rows(connection):
        if item.kind not in _KINDS:
            yield Difference("ROW_DIFFERS", None, item.id, "outbox", "kind")
        elif item.kind == outbox.HEAD and item.key not in known:
            yield Difference("ROW_DIFFERS", None, item.id, "outbox", "key")
        if item.state not in _STATES:
            yield Difference("ROW_DIFFERS", None, item.id, "outbox", "state")


def _id(name: LogName) -> bytes | None:
    try:
        return name.id
    except LedgerError:  # no log has such a name
        return None


def _other_names(name: LogName, city: int) -> Iterator[tuple[str, LogName]]:
    """(column, name with another value in it)."""
    yield "city", replace(name, city=city)
    yield from (("stream", replace(name, stream=stream)) for stream in BUILT_IN_STREAMS)
    yield from (("epoch", replace(name, epoch=epoch)) for epoch in range(_EPOCHS_TRIED))


def _width(size: int, level: int, index: int) -> int:
    """Hashes that tile (level, index) holds in a tree of `size`; none if there is no such tile."""
    if level < 0 or index < 0:
        return 0
    return min((size >> tile.HEIGHT * level) - index * tile.WIDTH, tile.WIDTH)


def _widths(size: int) -> list[int]:
    """How many tiles each level has."""
    found: list[int] = []
    while hashes := size >> tile.HEIGHT * len(found):
        found.append(-(-hashes // tile.WIDTH))
    return found
