"""A tree of many leaves in the real store: how fast it grows, how long a proof takes, whether the proofs are right.

Leaves are made up; tiles, heads and transactions are the product's own. Nothing in memory grows with the tree.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from api.bench.rounds import percentile
from ledger import tile
from ledger.logid import ACCESS
from ledger.merkle import verify_inclusion
from ledger.store import logs, schema
from ledger.store.database import Database
from ledger.types import Head, LogName

LOG = LogName(1, ACCESS)
BATCH = 65_536
"""Leaves in one transaction."""
SHOWN = 20
"""Proofs handed out, for others to verify."""


@dataclass(frozen=True, slots=True)
class Proof:
    index: int
    leaf: str
    """Hexadecimal, like the rest."""
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """What was measured."""

    leaves: int
    root: str
    appended: float
    """Leaves a second, committed."""
    asked: int
    p50_ms: float
    p99_ms: float
    proofs: tuple[Proof, ...]


def leaf(index: int) -> bytes:
    return sha256(b"leaf %d" % index).digest()


def measure(folder: Path, leaves: int, asked: int, told: Callable[[int, int], None]) -> Tree:
    """Builds the tree in a database of its own, then asks for proofs at random places, each in its own transaction."""
    database = Database(f"sqlite:///{folder / 'tree.sqlite'}")
    schema.metadata.create_all(database.engine)
    try:
        started = time.perf_counter()
        while (size := _grow(database, leaves)) < leaves:
            told(size, leaves)
        appended = leaves / (time.perf_counter() - started)
        told(leaves, leaves)
        return _asked(database, leaves, asked, appended)
    finally:
        database.close()


def _grow(database: Database, leaves: int) -> int:
    """One more batch; the size afterwards."""
    with database.writing() as connection:
        row = logs.lock(connection, LOG)
        start, size = row.head.size, min(row.head.size + BATCH, leaves)
        read = logs.tile_reader(connection, row.no)
        logs.write_tiles(connection, row.no, tile.extend(read, start, map(leaf, range(start, size))))
        root = tile.root(logs.tile_reader(connection, row.no), size)
        logs.move_head(connection, row.no, Head(size, root), row.last_at)
    return size


def _asked(database: Database, leaves: int, asked: int, appended: float) -> Tree:
    chosen = random.Random(leaves)  # noqa: S311  # places to look at, no secret
    seconds: list[float] = []
    shown: list[Proof] = []
    head = Head(0, b"")
    for number in range(asked):
        index = chosen.randrange(leaves)
        started = time.perf_counter()
        with database.reading() as connection:
            row = logs.find(connection, LOG.id)
            assert row is not None  # noqa: S101
            head = row.head
            path = tile.prove_inclusion(logs.tile_reader(connection, row.no), index, head.size)
        seconds.append(time.perf_counter() - started)
        verify_inclusion(leaf_hash=leaf(index), index=index, size=head.size, proof=path, root=head.root)
        if number < SHOWN:
            shown.append(Proof(index, leaf(index).hex(), tuple(node.hex() for node in path)))
    p50, p99 = (percentile(seconds, share) * 1e3 for share in (0.5, 0.99))
    return Tree(leaves, head.root.hex(), appended, asked, p50, p99, tuple(shown))
