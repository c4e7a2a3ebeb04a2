"""The contracts under fuzzing, invariants, coverage and static analysis: the figures of `make contracts`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from command_line import ROOT
from evidence import Shown

FULL = os.environ.get("CERTLEDGER_SHOWN") == "1"
HANG_SECONDS = 1800
FLOOR = 95.0
INVARIANTS = {
    "size monotone": "LogAnchorInvariants.invariant_theNewestHeadIsTheLargestAccepted",
    "root immutable per size": "LogAnchorInvariants.invariant_aSizeHasOneRoot",
    "epochs: what was a head stays one": "LogAnchorInvariants.invariant_whatWasAHeadStaysOne",
    "final statuses are final": "StatusInvariants.invariant_nothingFollowsAFinalStatus",
    "records are only added": "StatusInvariants.invariant_recordsAreOnlyAdded",
    "membership by decision only": "DecisionsInvariants.invariant_aCityIsActiveAsItWasDecided",
}


@pytest.fixture(scope="module")
def said() -> str:
    """At a tenth few draws and no slither, which CI runs at full size just before."""
    size = [] if FULL else ["--quick"]
    script = str(ROOT / "scripts" / "contract_security.py")
    ran = subprocess.run(
        [sys.executable, script, *size], capture_output=True, text=True, check=False, timeout=HANG_SECONDS
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def found(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text, re.MULTILINE)
    assert match, f"{pattern} in {text}"
    return match.groups()


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_fuzzing_and_invariants(said: str, shown: Shown) -> None:
    tests, fuzzed, draws = map(number, found(r"^tests .* ([\d,]+) passed; ([\d,]+) fuzzed, ([\d,]+) draws", said))
    seed = found(r"seed (\d+)$", said)[0]
    shown("forge tests passed", f"{tests}, of which {fuzzed} fuzzed with {draws:,} draws, seed {seed}")
    assert tests >= 80 and draws >= fuzzed * (128 if FULL else 8)
    calls = {name: number(count) for name, count in re.findall(r"^  (\S+): ([\d,]+) calls$", said, re.MULTILINE)}
    for name, count in calls.items():
        shown(f"invariant {name.partition('.invariant_')[2]}", f"held after each of {count:,} random calls")
    assert set(INVARIANTS.values()) <= calls.keys()
    assert min(calls.values()) >= (640 if FULL else 80)


def test_coverage(said: str, shown: Shown) -> None:
    branches, of, lines = found(r"^coverage .* ([\d.]+) % of ([\d,]+) branches, ([\d.]+) % of", said)
    shown("branch coverage of the contracts", f"{branches} % of {of} branches, {lines} % of lines; aim {FLOOR:g} %")
    assert float(branches) >= FLOOR


def test_static_analysis(said: str, shown: Shown) -> None:
    accepted = json.loads((ROOT / "contracts" / "slither.config.json").read_text(encoding="utf-8"))["accepted"]
    assert all(row["reason"] for row in accepted)
    if not FULL:
        shown("slither", f"{len(accepted)} accepted rows, each with its reason; analysed by `make contracts`")
        return
    analysed, ours, findings = found(
        r"^slither .* (\d+) contracts \((\d+) ours\), .* (\d+) findings, all accepted", said
    )
    shown(
        "contracts analysed by slither", f"{analysed}, {ours} of them ours; {findings} findings, each accepted by a row"
    )
    assert int(ours) == len(declared())


def declared() -> set[str]:
    sources = [path for path in (ROOT / "contracts").rglob("*.sol") if "test" not in path.relative_to(ROOT).parts]
    kept = [path for path in sources if not {"out", "cache"} & set(path.relative_to(ROOT).parts)]
    pattern = re.compile(r"^(?:abstract )?(?:contract|interface|library) (\w+)", re.MULTILINE)
    return {name for path in kept for name in pattern.findall(path.read_text(encoding="utf-8"))}


def test_the_gas_of_later_heads(shown: Shown) -> None:
    """tests/contracts/test_gas.py measures it in every run; the whole table is shown in test_contract_refusals.py."""
    table: dict[str, int] = json.loads((ROOT / "tests" / "contracts" / "gas.json").read_text(encoding="utf-8"))
    later = {name: gas for name, gas in table.items() if name.startswith("publish, head of ")}
    dearest = max(later, key=lambda name: later[name])
    shown("dearest later head", f"{later[dearest]:,} gas of at most 100,000: {dearest}")
    assert later[dearest] <= 100_000
