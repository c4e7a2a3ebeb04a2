"""Runs the cases one after the other in a folder of its own, and puts the figures together."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api import devchain, members
from api.bench import cases, programs, readings, tree
from api.bench.cases import AGENCY, Case
from api.bench.reading_world import World
from api.bench.rounds import Absent, Measured, measure
from api.bench.tree import Tree
from api.initialise import initialise
from api.issue import issue_file
from api.messages import Words
from api.reading import bundle_of
from api.trusting import trust_of
from api.wiring import PROJECT, City
from certs import store
from certs.bundle import encode
from ledger.evm.engine import DevChain
from ledger.trust import Trust

SAMPLE = PROJECT / "samples" / "business_licence.csv"
Progress = Callable[[str, int, int], None]
"""Told (what is measured, done, in all)."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    rows: int
    callers: int
    each: int
    leaves: int
    asked: int
    bundles: int = 40
    records: int = 10_000
    """Of accesses, among which one person's are found."""


QUICK = Size(rounds=3, rows=200, callers=8, each=25, leaves=100_000, asked=500)
FULL = Size(rounds=7, rows=1_000, callers=64, each=50, leaves=10_000_000, asked=5_000, records=200_000)


@dataclass(frozen=True, slots=True)
class Figures:
    when: str
    python: str
    size: Size
    machine: dict[str, float]
    cases: dict[str, list[Measured]]
    absent: tuple[str, ...]
    """Peers that are not installed here."""
    proofs: Tree
    decision: dict[str, float]
    """Milliseconds p50 and p99 of one decision, recorded and durable."""
    peer_proofs: dict[str, float]
    """Milliseconds p50 and p99 of Go's tlog in a tree of as many leaves; empty if it is absent."""


def run(size: Size, told: Progress) -> Figures:
    """Everything, in a temporary folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="certledger-bench-") as name, ExitStack() as opened:
        folder = Path(name)
        bundles, trust = _bundles(folder, size.bundles)
        world = World(folder)
        todo = (
            cases.issue(SAMPLE, size.rows, opened),
            cases.sign_only(size.rows),
            cases.verify(bundles, trust, size.rows, opened),
            cases.verify_again(bundles[0], trust, size.rows),
            cases.append(folder, size.callers, size.each, opened),
            readings.recorded(world, folder, size.callers, size.each, opened),
            readings.traced(world, folder, size.records, opened),
        )
        measured = {case.name: _measured(case, size.rounds, told) for case in todo}
        return Figures(
            when=datetime.now(UTC).date().isoformat(),
            python=platform.python_version(),
            size=size,
            machine=cases.machine(folder),
            cases=measured,
            absent=tuple(dict.fromkeys(peer for case in todo for peer in case.absent)),
            proofs=tree.measure(folder, size.leaves, size.asked, lambda done, total: told("proofs", done, total)),
            decision=readings.latency(world, size.asked),
            peer_proofs=_peer_proofs(folder, size),
        )


def grow(leaves: int, asked: int, told: Progress) -> Tree:
    """The tree alone."""
    with tempfile.TemporaryDirectory(prefix="certledger-bench-") as name:
        return tree.measure(Path(name), leaves, asked, lambda done, total: told("proofs", done, total))


def _peer_proofs(folder: Path, size: Size) -> dict[str, float]:
    peer = programs.tlog("prove", folder)
    if isinstance(peer, Absent):
        return {}
    with peer:
        peer.ask(size.leaves)
        _, _, median, slowest = peer.ask(size.asked)
    return {"p50 ms": median * 1e3, "p99 ms": slowest * 1e3}


def _measured(case: Case, rounds: int, told: Progress) -> list[Measured]:
    total = (rounds + 1) * len(case.contenders)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        told(case.name, done, total)

    return measure(case.contenders, rounds, step)


def _bundles(folder: Path, number: int) -> tuple[list[bytes], Trust]:
    """Real bundles of a real city on a real chain."""
    chains: list[DevChain] = []

    def start(city: City) -> None:
        chains.append(devchain.start_inside(city))

    try:
        with initialise(folder / "city", city=1, division=330100, name="杭州市", start_chain=start) as city:
            members.add(city, members.Member(AGENCY, "演示", ("business_licence",)))
            rows = folder / "rows.csv"
            rows.write_text("".join(SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)[: number + 1]))
            issue_file(
                city, rows, type_id="business_licence", agency=AGENCY, words=Words("en"), progress=lambda *_: None
            )
            city.publisher.catch_up(60)
            with city.database.reading() as connection:
                issued = [each.identifier for each in store.newest(connection, number)]
            return [encode(bundle_of(city, each)) for each in issued], trust_of(city, days=1)
    finally:
        for chain in chains:
            chain.stop()
