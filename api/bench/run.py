"""Runs the cases one after the other in a folder of its own, and puts the figures together."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api import devchain, members
from api.bench import cases
from api.bench.cases import AGENCY, Case
from api.bench.rounds import Measured, measure
from api.initialise import initialise
from api.issue import issue_file
from api.messages import Words
from api.trusting import trust_of
from api.wiring import PROJECT, City
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


QUICK = Size(rounds=3, rows=200, callers=8, each=25, leaves=100_000, asked=500)
FULL = Size(rounds=7, rows=1_000, callers=64, each=50, leaves=10_000_000, asked=5_000)


@dataclass(frozen=True, slots=True)
class Figures:
    when: str
    python: str
    size: Size
    machine: dict[str, float]
    cases: dict[str, list[Measured]]
    proofs: dict[str, float]


def run(size: Size, told: Progress) -> Figures:
    """Everything, in a temporary folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="certledger-bench-") as name:
        folder = Path(name)
        bundle, trust = _bundle(folder)
        todo = (
            cases.issue(SAMPLE, size.rows),
            cases.sign_only(size.rows),
            cases.verify(bundle, trust, size.rows),
            cases.append(folder, size.callers, size.each),
        )
        measured = {case.name: _measured(case, size.rounds, told) for case in todo}
        return Figures(
            when=datetime.now(UTC).date().isoformat(),
            python=platform.python_version(),
            size=size,
            machine=cases.machine(folder),
            cases=measured,
            proofs=cases.proofs(size.leaves, size.asked, lambda done, total: told("proofs", done, total)),
        )


def _measured(case: Case, rounds: int, told: Progress) -> list[Measured]:
    total = (rounds + 1) * len(case.contenders)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        told(case.name, done, total)

    return measure(case.contenders, rounds, step)


def _bundle(folder: Path) -> tuple[bytes, Trust]:
    """A real bundle of a real city on a real chain."""
    chains: list[DevChain] = []

    def start(city: City) -> None:
        chains.append(devchain.start_inside(city))

    try:
        with initialise(folder / "city", city=1, division=330100, name="杭州市", start_chain=start) as city:
            members.add(city, members.Member(AGENCY, "演示", ("business_licence",)))
            rows = folder / "rows.csv"
            rows.write_text("".join(SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)[:6]))
            report = issue_file(
                city, rows, type_id="business_licence", agency=AGENCY, words=Words("en"), progress=lambda *_: None
            )
            city.publisher.catch_up(60)
            return encode(city.bundler.bundle(report.last)), trust_of(city, days=1)
    finally:
        for chain in chains:
            chain.stop()
