"""The product with exactly one defence taken away: a copy of its source, a few lines changed, contracts recompiled.

A line that is not found exactly once in its file ends the test: a refactor must not hollow an attack out.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import solcx
from command_line import COMMAND, GUARD, ROOT, Ran, environment

PACKAGES = ("ledger", "audit", "certs", "api", "contracts", "scripts")
ARTIFACTS = Path("ledger", "evm", "artifacts")
# Not the product's settings: those take 25 s for a MemberRegistry, these 3, and a weakened contract is run and thrown
# away. The control of each attack is compiled the same way, so what differs is the weakened line alone.
SETTINGS: dict[str, Any] = {
    "evmVersion": "paris",
    "metadata": {"bytecodeHash": "none"},
    "optimizer": {"enabled": False},
    "viaIR": False,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the defence, and what stands there without it."""

    file: str
    original: str
    weakened: str

    def found(self, root: Path) -> str:
        """The text of the file, in which the defence stands exactly once."""
        text = (root / self.file).read_text(encoding="utf-8")
        times = text.count(self.original)
        assert times == 1, f"{self.file}: the defence is found {times} times: {self.original!r}"
        return text

    def apply(self, root: Path) -> None:
        text = self.found(root)
        (root / self.file).write_text(text.replace(self.original, self.weakened), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Target:
    """A source tree that is attacked: the product, or a weakened copy."""

    root: Path

    def run(self, *arguments: object, expect: int | None = None) -> Ran:
        """The command `certledger` of this tree."""
        product = self.root == ROOT
        command = [COMMAND] if product else [sys.executable, "-m", "api.cli"]
        env = environment() if product else environment(PYTHONPATH=str(self.root))
        done = subprocess.run(
            [*command, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GUARD,
            cwd=self.root,
            env=env,
            check=False,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode(), 0.0)
        assert ran.plain and expect in (None, ran.code), f"{arguments}: exit {ran.code}\n{ran.said}"
        return ran

    def bytecode(self, contract: str) -> bytes:
        """Creation code, without constructor arguments."""
        artifact = json.loads((self.root / ARTIFACTS / f"{contract}.json").read_text(encoding="utf-8"))
        return bytes.fromhex(artifact["bytecode"].removeprefix("0x"))


PRODUCT = Target(ROOT)


class Weakener:
    """Makes weakened copies, two at a time and each once."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self._folder, self._cache = folder, cache
        self._pool = ThreadPoolExecutor(2)
        self._made: dict[tuple[Change, ...], Future[Target]] = {}

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, *changes: Change) -> Future[Target]:
        """The copy with these changes, in the background."""
        if changes not in self._made:
            root = self._folder / f"copy{len(self._made)}"
            self._made[changes] = self._pool.submit(self._make, root, changes)
        return self._made[changes]

    def control(self, contracts: Sequence[str]) -> Target:
        """Nothing weakened; the contracts that these files belong to recompiled as a weakened one is."""
        return self.begin(*(Change(file, "pragma solidity", "pragma solidity") for file in contracts)).result(GUARD)

    def _make(self, root: Path, changes: Sequence[Change]) -> Target:
        for package in PACKAGES:
            # With its __pycache__ and times: only what is changed is compiled again.
            shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("out", "cache"))
        (root / "node_modules").symlink_to(ROOT / "node_modules")
        for change in changes:
            change.apply(root)
        solidity = {change.file.removeprefix("contracts/") for change in changes if change.file.endswith(".sol")}
        if solidity:
            self._compile(root, solidity)
        return Target(root)

    def _compile(self, root: Path, changed: set[str]) -> None:
        """Replace the artifacts of every deployed contract that reaches a changed file."""
        compiler = _compiler(root)
        for name in compiler.DEPLOYED:
            given = compiler.sources(name)
            if changed & given.keys():
                path = root / ARTIFACTS / f"{name}.json"
                path.write_text(self._artifact(compiler, name, given), encoding="utf-8")

    def _artifact(self, compiler: ModuleType, name: str, given: dict[str, str]) -> str:
        """Kept from run to run: the same sources give the same bytes."""
        key = hashlib.sha256(json.dumps([name, given, SETTINGS]).encode()).hexdigest()
        kept = self._cache / f"{key}.json"
        if not kept.exists():
            beside = kept.with_suffix(f".{os.getpid()}")
            beside.write_text(_compiled(compiler, name, given), encoding="utf-8")
            beside.replace(kept)
        return kept.read_text(encoding="utf-8")


def _compiler(root: Path) -> ModuleType:
    """scripts/compile_contracts.py of the copy, whose paths are the copy's."""
    spec = importlib.util.spec_from_file_location("compile_contracts", root / "scripts" / "compile_contracts.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compiled(compiler: ModuleType, name: str, given: dict[str, str]) -> str:
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    # Warnings (a parameter that nobody reads any more, code beyond 24,576 bytes) are what weakening does.
    compiled = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {source: {"content": text} for source, text in given.items()},
            "settings": {**SETTINGS, "outputSelection": {f"{name}.sol": {name: compiler.OUTPUT}}},
        },
        solc_binary=compiler.SOLC,
    )
    output = compiled["contracts"][f"{name}.sol"][name]
    made = compiler.artifact(name, output, "", compiler.source_hash(given), SETTINGS)
    committed = json.loads((ROOT / ARTIFACTS / f"{name}.json").read_text(encoding="utf-8"))
    assert made["abi"] == committed["abi"], f"{name}: a weakened contract must be spoken to as the product is"
    return str(compiler.render(made))
