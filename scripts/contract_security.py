"""Fuzz, cover and analyse the contracts; exit 1 naming what is wrong.

    python scripts/contract_security.py [--seed N] [--env DIR]   tests, coverage, slither: what `make contracts` runs
    python scripts/contract_security.py --full                   the same with four times the draws, five minutes
    python scripts/contract_security.py --quick                  tests with few draws, coverage, no slither

The tests are contracts/test, run by forge against the committed bytecode. slither gets an environment of its own, made
on first use in DIR: it needs a web3 older than ours. It reads what forge compiled; given the solc wrapper it would
analyse nothing and exit 0.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
LOCK = ROOT / "requirements" / "slither.txt"
CONFIG = CONTRACTS / "slither.config.json"
FLOOR = 95.0  # per cent of lines and of branches, over all contracts
HANG = 1200  # seconds; the slowest step takes a tenth of it
FEW = {"FOUNDRY_FUZZ_RUNS": "8", "FOUNDRY_INVARIANT_RUNS": "2"}
MANY = {"FOUNDRY_FUZZ_RUNS": "500", "FOUNDRY_INVARIANT_RUNS": "64"}  # contracts/foundry.toml has the usual number
DEPLOYED = {"ARTIFACTS": "ledger/evm/artifacts"}  # compiled with viaIR, which no coverage can be taken from
DECLARED = re.compile(r"^(?:abstract )?(?:contract|interface|library) (\w+)", re.MULTILINE)
ANALYSED = re.compile(r"\((\d+) contracts with (\d+) detectors\)")


class Failed(Exception):
    """What is wrong, as the lines to print."""


@dataclass(frozen=True, slots=True)
class Options:
    seed: int
    env: Path
    scratch: Path
    draws: dict[str, str]


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz, cover and analyse the contracts.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="few draws, no slither")
    size.add_argument("--full", action="store_true", help="many draws")
    parser.add_argument("--seed", type=int, default=1, help="of all random draws (default: 1)")
    parser.add_argument("--env", type=Path, default=ROOT / ".venv" / "slither", metavar="DIR", help="of slither")
    given = parser.parse_args()
    draws = FEW if given.quick else MANY if given.full else {}
    steps: list[tuple[str, Callable[[Options], str]]] = [("tests", tests), ("coverage", coverage)]
    if not given.quick:
        steps.append(("slither", slither))
    with tempfile.TemporaryDirectory() as scratch:
        return report(steps, Options(given.seed, given.env.resolve(), Path(scratch), draws))


def report(steps: list[tuple[str, Callable[[Options], str]]], options: Options) -> int:
    """Run every step, whatever the others say, and print what each found."""
    failures: list[str] = []
    for name, step in steps:
        begun = time.monotonic()
        try:
            words = step(options)
        except Failed as failed:
            failures += [f"{name}: {line}" for line in str(failed).splitlines()]
            words = "FAILED"
        print(f"{name:<10} {time.monotonic() - begun:6.1f} s  {words}", flush=True)
    print(*failures, sep="\n", file=sys.stderr, end="\n" if failures else "")
    return 1 if failures else 0


# --------------------------------------------------------------------- forge


def tests(options: Options) -> str:
    answer = forge(options, options.draws | DEPLOYED, "test", "--json")
    try:
        suites = json.loads(answer.stdout)
    except json.JSONDecodeError:
        raise Failed(answer.stdout + answer.stderr) from None
    failed = [
        f"{suite} {name}: {result['reason']} {result['counterexample'] or ''}"
        for suite, ran in suites.items()
        for name, result in ran["test_results"].items()
        if result["status"] != "Success"
    ]
    missing = {str(path.relative_to(ROOT)) for path in CONTRACTS.glob("test/*.t.sol")} - {
        s.split(":")[0] for s in suites
    }
    failed += [f"{path}: no test ran" for path in sorted(missing)]
    if failed or answer.returncode:
        raise Failed("\n".join(failed) or answer.stderr)
    kinds = {
        f"{suite.split(':')[1]}.{name.partition('(')[0]}": result["kind"]
        for suite, ran in suites.items()
        for name, result in ran["test_results"].items()
    }
    return tally(kinds, options.seed)


def tally(kinds: dict[str, dict[str, Any]], seed: int) -> str:
    """How much was tried. Acts that no sequence ever called would make a property hold of nothing."""
    fuzz = [kind["Fuzz"]["runs"] for kind in kinds.values() if "Fuzz" in kind]
    sequences = {name: kind["Invariant"] for name, kind in kinds.items() if "Invariant" in kind}
    acts: Counter[str] = Counter()
    for sequence in sequences.values():
        acts.update({act: called["calls"] for act, called in sequence["metrics"].items()})
    idle = sorted(act for act, calls in acts.items() if not calls)
    if idle or not fuzz or not acts:
        raise Failed(f"never called: {', '.join(idle) or 'anything'}")
    calls = sum(sequence["calls"] for sequence in sequences.values())
    summary = (
        f"{len(kinds)} passed; {len(fuzz)} fuzzed, {sum(fuzz):,} draws; {len(sequences)} invariants, "
        f"{calls:,} calls of {len(acts)} acts; seed {seed}"
    )
    return "\n".join([summary, *(f"  {name}: {s['calls']:,} calls" for name, s in sorted(sequences.items()))])


def coverage(options: Options) -> str:
    trace = options.scratch / "lcov.info"
    answer = forge(
        options, FEW, "coverage", "--exclude-tests", "--report", "lcov", "--report-file", str(trace), "--color", "never"
    )
    if answer.returncode:
        raise Failed("\n".join(line for line in answer.stdout.splitlines() if "FAIL" in line) or answer.stderr)
    files = lcov(trace.read_text(encoding="utf-8"))
    with_code = {str(path.relative_to(ROOT)) for path in sources() if path.parent.name != "interfaces"}
    if missing := with_code - files.keys():
        raise Failed(f"not traced: {', '.join(sorted(missing))}")
    return share(files, "branches", "BRH", "BRF") + ", " + share(files, "lines", "LH", "LF")


def sources() -> list[Path]:
    """Our contracts: neither the tests nor what forge left beside them."""
    others = {"test", "out", "cache"}
    return [path for path in CONTRACTS.rglob("*.sol") if not others & set(path.relative_to(CONTRACTS).parts)]


def lcov(text: str) -> dict[str, Counter[str]]:
    """Found and hit counts (LF, LH, BRF, BRH) by source file; format: geninfo(1)."""
    files: dict[str, Counter[str]] = {}
    current: Counter[str] = Counter()
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == "SF":
            current = files.setdefault(value, Counter())
        elif key in {"LF", "LH", "BRF", "BRH"}:
            current[key] += int(value)
    return files


def share(files: dict[str, Counter[str]], what: str, hit: str, found: str) -> str:
    reached, there = (sum(counts[key] for counts in files.values()) for key in (hit, found))
    if there == 0 or 100 * reached / there < FLOOR:
        poor = [f"{name}: {c[hit]} of {c[found]} {what}" for name, c in files.items() if c[hit] < c[found]]
        raise Failed("\n".join([f"{reached} of {there} {what} are less than {FLOOR:g} %", *poor]))
    return f"{100 * reached / there:.2f} % of {there} {what}"


def forge(options: Options, settings: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "FOUNDRY_CONFIG": str(CONTRACTS / "foundry.toml"),
        "FOUNDRY_PROFILE": "traced",
        "FOUNDRY_FUZZ_SEED": hex(options.seed),
        **settings,
    }
    binary = ROOT / "node_modules" / ".bin" / "forge"
    if not binary.exists():
        raise Failed("no forge in node_modules: run `npm ci`")
    return run([str(binary), *command, "--root", "."], environment)


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    # forge starts scripts/solc, and slither starts forge; node may live only in the virtual environment.
    path = [str(ROOT / "node_modules" / ".bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    everything = {**os.environ, "PATH": os.pathsep.join(path), **environment}
    try:
        return subprocess.run(
            command, cwd=ROOT, env=everything, capture_output=True, text=True, check=False, timeout=HANG
        )
    except subprocess.TimeoutExpired as hung:
        raise Failed(f"{command[0]} {command[1]}: no end after {HANG} s") from hung


# ------------------------------------------------------------------- slither


def slither(options: Options) -> str:
    ready(options.env)
    compiled, found = options.scratch / "out", options.scratch / "slither.json"
    built = forge(
        options, {}, "build", "--build-info", "--skip", "./contracts/test/**",
        "--out", str(compiled), "--cache-path", str(options.scratch / "cache"),
    )  # fmt: skip
    if built.returncode:
        raise Failed(built.stderr)
    arguments = ["--json", str(found), "--fail-none", "--disable-color", "--foundry-ignore-compile"]
    arguments += ["--foundry-build-info-directory", str(compiled / "build-info")]
    answer = run(
        [str(options.env / "bin" / "slither"), "contracts", *arguments],
        {"FOUNDRY_CONFIG": str(CONTRACTS / "foundry.toml")},
    )
    if answer.returncode or not found.exists():
        raise Failed(answer.stderr)
    counts = analysed(answer.stdout + answer.stderr, compiled)
    return counts + ", " + judge(json.loads(found.read_text(encoding="utf-8")))


def ready(env: Path) -> None:
    """Make the environment unless it was made from this very lock."""
    stamp, lock = env / "lock.sha256", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == lock:
        return
    python = str(env / "bin" / "python")
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(env)],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--only-binary", ":all:", "--require-hashes", "-r", str(LOCK)],
    ):  # fmt: skip
        made = run(command, {})
        if made.returncode:
            raise Failed(made.stdout + made.stderr)
    stamp.write_text(lock, encoding="utf-8")


def analysed(said: str, compiled: Path) -> str:
    """Every contract that forge compiled, all of ours among them, must have been looked at."""
    names = {path.stem for path in compiled.glob("*.sol/*.json")}
    ours = {name for path in sources() for name in DECLARED.findall(path.read_text(encoding="utf-8"))}
    counted = ANALYSED.search(said)
    if counted is None or int(counted[1]) != len(names) or not ours <= names or not ours:
        raise Failed(f"analysed {counted and counted[1]} of {len(names)} contracts; not compiled: {ours - names}")
    return f"{counted[1]} contracts ({len(ours)} ours), {counted[2]} detectors"


def judge(result: dict[str, Any]) -> str:
    """Each finding must be accepted by a row with a reason, and each row must still accept one."""
    if not result["success"]:
        raise Failed(str(result["error"]))
    findings = result["results"].get("detectors", [])
    rows = json.loads(CONFIG.read_text(encoding="utf-8"))["accepted"]
    accepted = {(row["check"], row["where"]) for row in rows if row["reason"].strip()}
    seen = {(finding["check"], where(finding)): finding for finding in findings}
    wrong = [f"{f['impact']} {f['check']} at {place}: {f['description']}" for (_, place), f in seen.items()
             if (f["check"], place) not in accepted]  # fmt: skip
    wrong += [f"accepted but not found (remove the row): {check} at {place}" for check, place in accepted - seen.keys()]
    if wrong or len(accepted) != len(rows):
        raise Failed("\n".join(wrong) or "a row of slither.config.json is doubled or has no reason")
    return f"{len(findings)} findings, all accepted by {len(rows)} rows"


def where(finding: dict[str, Any]) -> str:
    """`Contract.function` or `Contract.function.variable`; the file if it is not ours, or nothing smaller."""
    element = finding["elements"][0]
    path = str(element["source_mapping"]["filename_relative"])
    names = []
    while element and element["type"] in {"variable", "function", "contract"}:
        names.append(element["name"])
        element = element.get("type_specific_fields", {}).get("parent")
    return ".".join(reversed(names)) if names and path.startswith("contracts/") else path


if __name__ == "__main__":
    raise SystemExit(main())
