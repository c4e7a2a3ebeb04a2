"""Edits of a city's database with plain sqlite3: which row, which column, and where a check has to find it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Place = tuple[str, int | None, str, str]
"""(stream, index, table, column) as a check names it; index None: any."""

WIDTH = 256
ELSEWHERE = 10**7
"""Places from here on stand beside no entry."""
TEXTS = {
    "certificate": ("identifier", "issuer", "type_code"),
    "authorization": ("kind", "grantee"),
    "access": ("asker", "matter"),
    "rules": ("origin",),
    "correction": ("resource", "field", "agency", "opened", "due"),
}
BYTES = {
    "certificate": ("replaces",),
    "authorization": ("subject_ref", "mandate", "sealed"),
    "mandate": ("principal_ref", "agent_ref", "sealed"),
    "holder_key": ("subject_ref",),
    "access": ("request", "subject_ref", "item", "authorization", "operator_key", "case_key"),
    "rules": ("content",),
}
NUMBERS = {
    "certificate": ("version", "status"),
    "authorization": ("not_before", "not_after", "review_by", "reviewed", "status", "uses", "day", "uses_today"),
    "mandate": ("not_before", "not_after", "status"),
    "holder_key": ("not_after",),
    "access": ("step", "at", "code"),
    "rules": ("adopted_at",),
}
KEYS = {
    "certificate": "digest",
    "authorization": "id",
    "mandate": "id",
    "holder_key": "kid",
    "rules": "version",
    "correction": "id",
}
STREAMS = {
    "certificate": "certificate",
    "authorization": "authorization",
    "mandate": "authorization",
    "holder_key": "authorization",
    "access": "access",
    "rules": "policy",
    "correction": "policy",
}


SUMS = {
    ("certificate", "status"): "certificate",
    ("authorization", "status"): "authorization",
    ("authorization", "reviewed"): "authorization",
    ("mandate", "status"): "authorization",
    ("authorization", "uses"): "access",
    ("authorization", "day"): "access",
    ("authorization", "uses_today"): "access",
}
"""Columns that follow from all entries of a stream: where one of those is unreadable, nobody can say what they ought
to be, and the check does not. So one copy has the one kind of edit or the other."""


@dataclass
class Editor:
    """Edits one copy; no entry of a log is touched twice, so that each edit can be told from the others."""

    database: sqlite3.Connection
    rng: random.Random
    expected: list[list[Place]] = field(default_factory=list)
    """Of each edit, the places of which one has to be named first, and all of which may be."""
    _taken: set[tuple[int, int]] = field(default_factory=set)
    _unreadable: set[str] = field(default_factory=set)
    """Streams of which an entry was damaged."""
    _summed: set[str] = field(default_factory=set)
    """Streams of which a column was edited that follows from all entries."""

    def edit(self) -> None:
        """One more; a kind for which nothing untouched is left is passed over for another."""
        while True:
            kind = self.rng.choice(KINDS)
            places = kind(self)
            if places:
                self.expected.append(places)
                return

    def ask(self, query: str, *values: object) -> list[tuple[object, ...]]:
        return self.database.execute(query, values).fetchall()

    def damages(self, stream: str) -> bool:
        """Whether an entry of the stream may be damaged in this copy; from then on one is."""
        if stream in self._summed:
            return False
        self._unreadable.add(stream)
        return True

    def sums(self, stream: str | None) -> bool:
        """Whether a column that follows from all entries of a stream may be edited; from then on one is."""
        if stream is None:
            return True
        if stream in self._unreadable:
            return False
        self._summed.add(stream)
        return True

    def free(self, stream: str) -> tuple[int, int] | None:
        """(log number, index) of an entry nobody touched."""
        ((no, size),) = self.ask("SELECT no, size FROM log WHERE stream = ?", stream)
        return self.take(int(str(no)), self.rng.randrange(int(str(size))))

    def take(self, no: int, index: int) -> tuple[int, int] | None:
        if (no, index) in self._taken:
            return None
        self._taken.add((no, index))
        return no, index

    def row(self, table: str) -> tuple[int, int, int] | None:
        """(rowid, log number, index) of a row that derives from an entry nobody touched."""
        rows = self.ask(f"SELECT rowid, log_no, log_index FROM {table} WHERE log_index < {ELSEWHERE}")
        if not rows:
            return None
        rowid, no, index = (int(str(value)) for value in self.rng.choice(rows))
        return (rowid, no, index) if self.take(no, index) else None

    def damaged(self, value: bytes) -> bytes:
        """Other bytes: some flipped, cut short, lengthened or emptied."""
        at = self.rng.randrange(len(value))
        flipped = value[:at] + bytes([value[at] ^ self.rng.randrange(1, 256)]) + value[at + 1 :]
        return self.rng.choice([flipped, flipped, flipped, value[:at], value + b"\x00", bytes(len(value))])


def entry_sealed(e: Editor) -> list[Place]:
    stream = e.rng.choice(sorted(set(STREAMS.values())))
    if not e.damages(stream) or (at := e.free(stream)) is None:
        return []
    ((sealed,),) = e.ask("SELECT sealed FROM entry WHERE log_no = ? AND idx = ?", *at)
    assert isinstance(sealed, bytes)
    e.ask("UPDATE entry SET sealed = ? WHERE log_no = ? AND idx = ?", _other(e, sealed), *at)
    return [(stream, at[1], "entry", "sealed")]


def entries_swapped(e: Editor) -> list[Place]:
    one, two = e.free("access"), e.free("access")
    if one is None or two is None or not e.damages("access"):
        return []
    ((first,),) = e.ask("SELECT sealed FROM entry WHERE log_no = ? AND idx = ?", *one)
    ((second,),) = e.ask("SELECT sealed FROM entry WHERE log_no = ? AND idx = ?", *two)
    e.ask("UPDATE entry SET sealed = ? WHERE log_no = ? AND idx = ?", second, *one)
    e.ask("UPDATE entry SET sealed = ? WHERE log_no = ? AND idx = ?", first, *two)
    return [("access", one[1], "entry", "sealed"), ("access", two[1], "entry", "sealed")]


def entry_gone(e: Editor) -> list[Place]:
    stream = e.rng.choice(sorted(set(STREAMS.values())))
    if not e.damages(stream) or (at := e.free(stream)) is None:
        return []
    there = ELSEWHERE + e.rng.randrange(ELSEWHERE)
    if e.rng.random() < 0.5:
        e.ask("DELETE FROM entry WHERE log_no = ? AND idx = ?", *at)
        return [(stream, at[1], "entry", "idx")]
    e.ask("UPDATE entry SET idx = ? WHERE log_no = ? AND idx = ?", there, *at)
    return [(stream, at[1], "entry", "idx"), (stream, there, "entry", "idx")]


def leaf_in_a_tile(e: Editor) -> list[Place]:
    stream = e.rng.choice(sorted(set(STREAMS.values())))
    if (at := e.free(stream)) is None:
        return []
    tile, offset = divmod(at[1], WIDTH)
    ((hashes,),) = e.ask("SELECT hashes FROM tile WHERE log_no = ? AND level = 0 AND idx = ?", at[0], tile)
    assert isinstance(hashes, bytes)
    place = offset * 32 + e.rng.randrange(32)
    other = hashes[:place] + bytes([hashes[place] ^ e.rng.randrange(1, 256)]) + hashes[place + 1 :]
    e.ask("UPDATE tile SET hashes = ? WHERE log_no = ? AND level = 0 AND idx = ?", other, at[0], tile)
    return [(stream, at[1], "tile", "hashes")]


def opening_edited(e: Editor) -> list[Place]:
    stream = e.rng.choice(["access", "authorization"])
    if (at := e.free(stream)) is None:
        return []
    ((sealed,),) = e.ask("SELECT sealed FROM opening WHERE log_no = ? AND log_index = ?", *at)
    assert isinstance(sealed, bytes)
    if e.rng.random() < 0.3:
        there = ELSEWHERE + e.rng.randrange(ELSEWHERE)
        e.ask("UPDATE opening SET log_index = ? WHERE log_no = ? AND log_index = ?", there, *at)
        return [(stream, at[1], "opening", "log_index"), ("", there, "opening", "log_index")]
    if e.rng.random() < 0.3:
        e.ask("DELETE FROM opening WHERE log_no = ? AND log_index = ?", *at)
        return [(stream, at[1], "opening", "log_index")]
    e.ask("UPDATE opening SET sealed = ? WHERE log_no = ? AND log_index = ?", _other(e, sealed), *at)
    return [(stream, at[1], "opening", "sealed")]


def row_gone(e: Editor) -> list[Place]:
    table = e.rng.choice(sorted(STREAMS))
    if (found := e.row(table)) is None:
        return []
    e.ask(f"DELETE FROM {table} WHERE rowid = ?", found[0])
    return [(STREAMS[table], found[2], table, KEYS.get(table, "log_index"))]


def row_moved(e: Editor) -> list[Place]:
    table = e.rng.choice(sorted(STREAMS))
    if (found := e.row(table)) is None:
        return []
    there = ELSEWHERE + e.rng.randrange(ELSEWHERE)
    e.ask(f"UPDATE {table} SET log_index = ? WHERE rowid = ?", there, found[0])
    return [(STREAMS[table], found[2], table, "log_index"), ("", there, table, "log_index")]


def id_edited(e: Editor) -> list[Place]:
    table = e.rng.choice(sorted(KEYS))
    if (found := e.row(table)) is None:
        return []
    column = KEYS[table]
    ((old,),) = e.ask(f"SELECT {column} FROM {table} WHERE rowid = ?", found[0])
    new = e.rng.randbytes(32) if isinstance(old, bytes) else str(old)[::-1]
    e.ask(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", new, found[0])
    return [(STREAMS[table], found[2], table, column)]


def key_of_a_person(e: Editor) -> list[Place]:
    if (found := e.row("holder_key")) is None:
        return []
    column = e.rng.choice(["x", "y"])
    ((old,),) = e.ask(f"SELECT {column} FROM holder_key WHERE rowid = ?", found[0])
    assert isinstance(old, bytes)
    e.ask(f"UPDATE holder_key SET {column} = ? WHERE rowid = ?", e.damaged(old), found[0])
    return [("authorization", found[2], "holder_key", "x")]


def text_edited(e: Editor) -> list[Place]:
    return _column(e, TEXTS, lambda old: str(old or "")[:-1] + e.rng.choice("QVZ"))


def bytes_edited(e: Editor) -> list[Place]:
    return _column(e, BYTES, lambda old: e.damaged(old) if isinstance(old, bytes) else e.rng.randbytes(32))


def number_edited(e: Editor) -> list[Place]:
    return _column(e, NUMBERS, lambda old: 3 if old in (None, 0) else int(str(old)) - 1)


def content_edited(e: Editor) -> list[Place]:
    if (found := e.row("certificate")) is None:
        return []
    ((sealed,),) = e.ask("SELECT sealed FROM certificate WHERE rowid = ?", found[0])
    assert isinstance(sealed, bytes)
    # Behind the key's id: with another id it is the key that is missing.
    e.ask("UPDATE certificate SET sealed = ? WHERE rowid = ?", sealed[:40] + e.damaged(sealed[40:]), found[0])
    return [("certificate", found[2], "certificate", "sealed")]


def anchor_edited(e: Editor) -> list[Place]:
    ((no, size, stream, root),) = e.ask(
        "SELECT log_no, anchor.size, stream, anchor.root FROM anchor JOIN log ON no = log_no ORDER BY random() LIMIT 1"
    )
    if e.take(-int(str(no)), int(str(size))) is None:
        return []
    assert isinstance(root, bytes)
    column, new = e.rng.choice(
        [("root", e.damaged(root)), ("prev_size", 10**6), ("block", 10**6), ("time", 1), ("size", int(str(size)) + 7)]
    )
    e.ask(f"UPDATE anchor SET {column} = ? WHERE log_no = ? AND size = ?", new, no, size)
    places = [(str(stream), int(str(size)) - 1, "anchor", column)]
    e.take(-int(str(no)), int(str(size)) + 7)
    return [*places, (str(stream), int(str(size)) + 6, "anchor", column)] if column == "size" else places


def _column(e: Editor, columns: dict[str, tuple[str, ...]], other: Callable[[object], object]) -> list[Place]:
    table = e.rng.choice(sorted(columns))
    if (found := e.row(table)) is None:
        return []
    column = e.rng.choice(columns[table])
    if not e.sums(SUMS.get((table, column))):
        return []
    ((old,),) = e.ask(f"SELECT {column} FROM {table} WHERE rowid = ?", found[0])
    e.ask(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", other(old), found[0])
    return [(STREAMS[table], found[2], table, column)]


def _other(e: Editor, sealed: bytes) -> bytes:
    new = e.damaged(sealed)
    return new if new != sealed else sealed[:-1]


KINDS: list[Callable[[Editor], list[Place]]] = [
    *(entry_sealed, entries_swapped, entry_gone, leaf_in_a_tile, opening_edited),
    *(
        row_gone,
        row_moved,
        id_edited,
        key_of_a_person,
        text_edited,
        bytes_edited,
        number_edited,
        anchor_edited,
        content_edited,
    ),
]


def misnamed(expected: list[list[Place]], named: set[Place]) -> Iterator[str]:
    """What was edited and not named, and what was named and not edited."""
    for places in expected:
        if not any(_same(place, each) for place in places[:1] for each in named):
            yield f"not named: {places[0]}"
    every = [place for places in expected for place in places]
    for each in sorted(named, key=str):
        # A leaf that was rewritten leads to other roots above it.
        if each[2:] != ("tile", "hashes") and not any(_same(place, each) for place in every):
            yield f"named for nothing: {each}"


def _same(place: Place, named: Place) -> bool:
    at_once = place[0] in ("", named[0]) or named[0] == ""
    return at_once and place[1] in (None, named[1]) and place[2] == named[2] and place[3] == named[3]
