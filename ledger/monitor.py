"""Whether two heads of one log can both be true. Pure; who saw them, and where, is told by the caller.

A log only grows, so of any two heads the smaller is a prefix of the larger. A city that shows two people two histories
is found by whoever keeps what he saw; and because a city signs its heads and the chain keeps its own, what was found
is proven with nothing but a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger import canonical, checkpoint, merkle, tile
from ledger import schema as s
from ledger.canonical import Json
from ledger.errors import VerificationError
from ledger.tile import ReadTile
from ledger.types import Head, LogName

VERSION = 1
MAX_BYTES = 256 * 1024
MAX_PATH = 128
CHAIN = "chain"
"""The source whose word no city can take back; every other source is the name of a place."""


class Alarm(StrEnum):
    """What is wrong between two heads. Frozen."""

    SPLIT_VIEW = "split-view"
    """Two histories of one log."""
    SHRUNK = "shrunk"
    """A source shows less than it has shown before."""
    FORGED = "forged"
    """A head that the city's key did not sign."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A head, where and when it was seen."""

    log: LogName
    head: Head
    source: str
    at: int
    """Seconds, by the monitor's clock."""
    note: str = ""
    """The signed checkpoint; empty: the chain said it, or nobody signed."""
    block: int | None = None
    """Of the chain."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm with what proves it."""

    alarm: Alarm
    first: Seen
    second: Seen
    root: bytes | None = None
    """What the second history has where the first ends; None: both are of one size, or nothing was shown."""
    path: tuple[bytes, ...] = ()
    """Consistency proof from that root to the second head."""


def compare(known: Iterable[Seen], now: Seen, read: ReadTile | None) -> Iterator[Raised]:
    """`now` against everything that was seen of its log. `read`: the tree that `now` is the head of, if it is shown."""
    for before in known:
        if before.head.size == now.head.size:
            if before.head.root != now.head.root:
                yield Raised(Alarm.SPLIT_VIEW, before, now)
        elif before.head.size > now.head.size:
            if before.source == now.source:
                yield Raised(Alarm.SHRUNK, before, now)
        elif read is not None:
            yield from _grown(before, now, read)


def _grown(before: Seen, now: Seen, read: ReadTile) -> Iterator[Raised]:
    """Is what was seen before a prefix of what is shown now?"""
    try:
        root = tile.root(read, before.head.size) if before.head.size else merkle.EMPTY_ROOT
        path = tuple(tile.prove_consistency(read, before.head.size, now.head.size))
    except VerificationError:
        yield Raised(Alarm.SPLIT_VIEW, before, now)
        return
    if root != before.head.root:
        yield Raised(Alarm.SPLIT_VIEW, before, now, root, path)


_SEEN = s.record(
    source={"type": "string", "maxLength": 300},
    size=s.NATURAL,
    root=s.HEX32,
    at=s.NATURAL,
    note={"type": "string", "maxLength": checkpoint.MAX_BYTES},
    block=s.optional(s.NATURAL),
)
FORM = s.Form(
    "SPLIT_VIEW_FORM",
    s.record(
        v={"const": VERSION},
        consortium=s.HEX32,
        alarm={"enum": [alarm.value for alarm in Alarm]},
        city=s.CITY,
        stream={"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}$"},
        epoch={"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        first=_SEEN,
        second=_SEEN,
        root=s.optional(s.HEX32),
        path=s.rows(s.HEX32, MAX_PATH),
    ),
)


def encode(raised: Raised, consortium: bytes) -> bytes:
    """The file for a third party."""
    log = raised.first.log
    path: list[Json] = [each.hex() for each in raised.path]
    return canonical.dumps(
        {
            "v": VERSION,
            "consortium": consortium.hex(),
            "alarm": raised.alarm.value,
            "city": log.city,
            "stream": log.stream,
            "epoch": log.epoch,
            "first": _json(raised.first),
            "second": _json(raised.second),
            "root": raised.root.hex() if raised.root else None,
            "path": path,
        }
    )


def decode(text: bytes) -> tuple[Raised, bytes]:
    """(what was raised, consortium). Raises `VerificationError` or `CanonicalError`; nothing is proven yet."""
    v = FORM.check(canonical.loads(text, max_bytes=MAX_BYTES))
    log = LogName(v["city"], v["stream"], v["epoch"])
    root = bytes.fromhex(v["root"]) if v["root"] else None
    first, second = (_seen(log, v[which]) for which in ("first", "second"))
    path = tuple(bytes.fromhex(each) for each in v["path"])
    return Raised(Alarm(v["alarm"]), first, second, root, path), bytes.fromhex(v["consortium"])


def prove_split(raised: Raised, consortium: bytes, public: bytes, on_chain: Iterable[Head] = ()) -> None:
    """Two histories, each in the city's own words or the chain's: raises `VerificationError` SPLIT_VIEW_UNPROVEN else.

    `public`: the city's `head` key; `on_chain`: heads of this log that the chain confirms.
    """
    confirmed = set(on_chain)
    for seen in (raised.first, raised.second):
        _vouched(seen, consortium, public, confirmed)
    first, second = raised.first.head, raised.second.head
    other = second.root if first.size == second.size else raised.root
    if other is None or other == first.root:
        raise VerificationError("SPLIT_VIEW_UNPROVEN", "both heads can be of one history")
    if first.size != second.size:
        merkle.verify_consistency(
            size1=first.size, size2=second.size, root1=other, root2=second.root, proof=raised.path
        )


def _vouched(seen: Seen, consortium: bytes, public: bytes, confirmed: set[Head]) -> None:
    """Said by the chain, or signed by the city."""
    if seen.note:
        name = checkpoint.origin(consortium, seen.log)
        if checkpoint.verify(seen.note, name=name, public=public) == seen.head:
            return
    elif seen.head in confirmed:
        return
    raise VerificationError("SPLIT_VIEW_UNPROVEN", "nobody vouches for one of the heads")


def _json(seen: Seen) -> dict[str, Json]:
    head: dict[str, Json] = {"size": seen.head.size, "root": seen.head.root.hex()}
    return {"source": seen.source, **head, "at": seen.at, "note": seen.note, "block": seen.block}


def _seen(log: LogName, v: Any) -> Seen:
    return Seen(log, Head(v["size"], bytes.fromhex(v["root"])), v["source"], v["at"], v["note"], v["block"])
