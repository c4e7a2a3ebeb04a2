"""Change the contracts one place at a time, and see that a test fails: exit 1 naming the changes that none notices.

    python scripts/contract_mutations.py [NAME ...]     all rows of the table, or those whose name is given

Each mutant is a copy of the contracts, compiled and tested by forge: first the tests near the change, then, if none
failed, all. Ten seconds each on an idle machine; not part of CI. A mutant that does not compile is an error of the
table.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = Path(__file__).with_suffix(".toml")
HANG = 1200  # seconds
NEAR = {
    "Terms.sol": "TermsTest|AgenciesTest|GovernanceTest",
    "members/Agencies.sol": "AgenciesTest|GovernanceTest",
    "members/Accounts.sol": "MembersTest|GovernanceTest",
    "members/Cities.sol": "MembersTest|GovernanceTest",
    "members/Keys.sol": "KeysTest",
    "members/Successions.sol": "SuccessionsTest",
    "members/Governance.sol": "GovernanceTest",
    "LogAnchor.sol": "LogAnchor|EpochsTest",
    "StatusRegistry.sol": "Status|SuccessionsTest",
    "MerkleProof9162.sol": "MerkleProof",
}
"""Test contracts, as forge matches them, that are likely to notice a change of a file."""


@dataclass(frozen=True, slots=True)
class Mutation:
    name: str
    file: str
    """Under contracts/."""
    original: str
    """Stands there exactly once."""
    mutated: str
    why: str
    """What would go wrong."""


MUTATIONS = tuple(Mutation(**row) for row in tomllib.loads(TABLE.read_text(encoding="utf-8"))["mutation"])


def main() -> int:
    parser = argparse.ArgumentParser(description="Change the contracts one place at a time; a test must fail.")
    parser.add_argument("names", nargs="*", help="rows of the table (default: all)")
    names = parser.parse_args().names
    if unknown := set(names) - {m.name for m in MUTATIONS}:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    wrong = []
    for mutation in [m for m in MUTATIONS if not names or m.name in names]:
        begun = time.monotonic()
        killer = killed_by(mutation)
        print(
            f"{mutation.name:<32} {time.monotonic() - begun:6.1f} s  {killer or 'SURVIVED: ' + mutation.why}",
            flush=True,
        )
        wrong += [] if killer else [mutation.name]
    print(
        f"{len(MUTATIONS)} mutations in the table, {len(wrong)} of those tried survived: {', '.join(wrong) or 'none'}"
    )
    return 1 if wrong else 0


def killed_by(mutation: Mutation) -> str:
    """The first test that fails on the mutant; empty if none does."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "contracts", copy / "contracts", ignore=shutil.ignore_patterns("out", "cache"))
        (copy / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "solc", copy / "scripts" / "solc")
        (copy / "node_modules").symlink_to(ROOT / "node_modules")
        source = copy / "contracts" / mutation.file
        text = source.read_text(encoding="utf-8")
        if text.count(mutation.original) != 1:
            raise SystemExit(
                f"{mutation.name}: its text stands {text.count(mutation.original)} times in {mutation.file}"
            )
        source.write_text(text.replace(mutation.original, mutation.mutated), encoding="utf-8")
        for tests in (["--match-contract", NEAR[mutation.file]], []):
            ran = forge(copy, "test", "--fail-fast", *tests)
            failed = [line.strip() for line in ran.stdout.splitlines() if line.startswith("[FAIL")]
            if failed:
                return failed[0][:110]
            if ran.returncode:
                raise SystemExit(f"{mutation.name}: does not compile\n{ran.stdout[-2000:]}{ran.stderr}")
        return ""


def forge(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = [str(ROOT / "node_modules" / ".bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    environment = {
        "PATH": os.pathsep.join(path),
        "FOUNDRY_CONFIG": "contracts/foundry.toml",
        "FOUNDRY_PROFILE": "traced",
    }
    binary = str(ROOT / "node_modules" / ".bin" / "forge")
    return subprocess.run(
        [binary, *command, "--root", "."],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=HANG,
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
