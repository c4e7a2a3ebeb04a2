"""Readings: decisions recorded for many callers at once, one decision at a time, and one person's among all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from api.bench import peers, programs
from api.bench.cases import Case, case_of, started
from api.bench.reading_world import PERSONS, World
from api.bench.rounds import Absent, Contender, percentile
from audit.reading import Records, city_keys
from audit.store import accesses
from audit.store.accesses import Wanted
from ledger import tile
from ledger.store import logs

PERSON = 7


def recorded(world: World, folder: Path, threads: int, each: int, opened: ExitStack) -> Case:
    """Requests of many callers: decided under the authorization's lock, counted, recorded with openings and index,
    sealed, hashed, committed, guarded; then answered."""

    def caller() -> None:
        for _ in range(each):
            world.read()

    def work() -> int:
        running = [threading.Thread(target=caller) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return threads * each

    return case_of(
        "access",
        Contender(f"certledger: {threads} callers, decided and recorded", work),
        peers.pymerkle_append(folder, max(threads * each // 10, 1), "access"),
        started(opened, programs.tlog("append", folder, str(threads)), "and fsync", threads * each),
    )


def traced(world: World, folder: Path, records: int, opened: ExitStack) -> Case:
    """All readings of one person: found, opened, decoded, each with its inclusion proof. Peers only prove as many."""
    world.fill(records)
    lines = records // PERSONS

    def work() -> int:
        with world.database.reading() as connection:
            row = logs.find(connection, world.log.id)
            assert row is not None  # noqa: S101  # it was just filled
            places = accesses.find(connection, Wanted(subject_refs=(world.ref(PERSON),)), b"", limit=records)
            reader = Records(connection, row, city_keys(connection, world.city_key, world.day_keys))
            tiles = logs.tile_reader(connection, row.no)
            for place in places:
                reader.one(place.log_index)
                tile.prove_inclusion(tiles, place.log_index, row.head.size)
        assert len(places) >= lines  # noqa: S101  # what is not found is not measured
        return len(places)

    return case_of(
        "trace",
        Contender(f"certledger: lines of one person among {records:,}, with proofs", work),
        peers.pymerkle_prove(folder, lines),
        _tlog_proofs(folder, records, lines, opened),
    )


def latency(world: World, times: int) -> dict[str, float]:
    """Milliseconds of a decision of a caller who is alone: judged, recorded, durable."""
    seconds = [_seconds(world.read) for _ in range(times)]
    return {"p50 ms": percentile(seconds, 0.5) * 1e3, "p99 ms": percentile(seconds, 0.99) * 1e3}


def _tlog_proofs(folder: Path, leaves: int, lines: int, opened: ExitStack) -> Contender | Absent:
    peer = programs.tlog("prove", folder)
    if isinstance(peer, Absent):
        return peer
    opened.enter_context(peer)
    peer.ask(leaves)
    return peer.contender(f"proofs among {leaves:,}", lines)


def _seconds(once: Callable[[], object]) -> float:
    begun = time.perf_counter()
    once()
    return time.perf_counter() - begun
