"""Compile the contracts into the artifacts that the package carries.

    python scripts/compile_contracts.py          write ledger/evm/artifacts/*.json
    python scripts/compile_contracts.py --check  compile, compare, exit 1 naming what differs

Running certledger needs no compiler: the artifacts are committed, and a test runs the check. The same sources
give the same bytes everywhere: the compiler is npm's solc at a locked version, paths are relative to contracts/,
and the bytecode carries no metadata hash, so a comment does not change a deployment's code hash.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import solcx
from solcx.wrapper import get_version_str_from_solc_binary

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
ARTIFACTS = ROOT / "ledger" / "evm" / "artifacts"
SOLC = ROOT / "scripts" / "solc"
DEPLOYED = ("LogAnchor", "MemberRegistry", "StatusRegistry")

# Paris: the newest EVM that every engine we name runs (no PUSH0). contracts/foundry.toml repeats these for forge.
# Measured on the dearest head: viaIR saves 2 % and a fifth of the bytecode; 1,000 runs save 15 gas over 500 and take
# 1.2 KB more of MemberRegistry, which has to stay below 24,576 bytes.
SETTINGS: dict[str, Any] = {
    "evmVersion": "paris",
    "metadata": {"bytecodeHash": "none"},
    "optimizer": {"enabled": True, "runs": 500},
    "viaIR": True,
}
OUTPUT = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]
IMPORT = re.compile(r'^import\s[^;]*?"([^"]+)";', re.MULTILINE)


def sources(contract: str) -> dict[str, str]:
    """All sources of a contract by the name an import resolves to: ours, and of OpenZeppelin only what ours reach."""
    found: dict[str, str] = {}
    waiting = [f"{contract}.sol"]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        base = ROOT / "node_modules" if name.startswith("@") else CONTRACTS
        found[name] = (base / name).read_text(encoding="utf-8")
        waiting.extend(resolve(name, imported) for imported in IMPORT.findall(found[name]))
    return dict(sorted(found.items()))


def resolve(importer: str, imported: str) -> str:
    """Name of an imported source; relative paths count from the importing file."""
    if not imported.startswith("."):
        return imported
    return os.path.normpath(os.path.join(os.path.dirname(importer), imported))  # noqa: PTH118, PTH120


def compile_all(settings: dict[str, Any] = SETTINGS) -> dict[str, str]:
    """The artifacts as JSON text, by contract name.

    Each is compiled alone: the optimizer's choices depend on how the compiler numbered all sources, so that an edit of
    LogAnchor's could move MemberRegistry's bytecode (by a kilobyte, once) and with it the code hash of deployments.
    """
    # The virtual environment brings node; without `activate` it is not on PATH.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    compiler = get_version_str_from_solc_binary(SOLC)
    return {name: compile_one(name, compiler, settings) for name in DEPLOYED}


def compile_one(name: str, compiler: str, settings: dict[str, Any]) -> str:
    given = sources(name)
    compiled = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in given.items()},
            "settings": {**settings, "outputSelection": {"*": {"*": OUTPUT}}},
        },
        solc_binary=SOLC,
    )
    warnings = [e["formattedMessage"] for e in compiled.get("errors", [])]
    if warnings:
        raise SystemExit("".join(warnings))
    output = compiled["contracts"][f"{name}.sol"][name]
    return render(artifact(name, output, compiler, source_hash(given), settings))


def artifact(name: str, output: dict[str, Any], compiler: str, digest: str, settings: dict[str, Any]) -> dict[str, Any]:
    """What deploying, calling and recognising one contract takes."""
    deployed = output["evm"]["deployedBytecode"]
    # solc names immutables by AST id, which shifts with every edit; only the places matter to who compares code.
    places = sorted((p["start"], p["length"]) for ps in deployed["immutableReferences"].values() for p in ps)
    return {
        "contractName": name,
        "abi": output["abi"],
        "bytecode": "0x" + output["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutableReferences": [{"start": start, "length": length} for start, length in places],
        "compiler": compiler,
        "settings": settings,
        "sourceHash": digest,
    }


def source_hash(given: dict[str, str]) -> str:
    """SHA-256 over names and texts of all sources, lengths first so that no two sets collide."""
    state = hashlib.sha256()
    for name, text in given.items():
        for part in (name.encode(), text.encode()):
            state.update(len(part).to_bytes(8, "big") + part)
    return state.hexdigest()


def render(value: dict[str, Any]) -> str:
    """One ABI entry a line, so that a change of the ABI shows in review; keys sorted."""
    fields = {key: compact(item) for key, item in sorted(value.items())}
    fields["abi"] = "[\n" + ",\n".join("    " + compact(entry) for entry in value["abi"]) + "\n  ]"
    return "{\n" + ",\n".join(f'  "{key}": {text}' for key, text in fields.items()) + "\n}\n"


def compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def differences(artifacts: dict[str, str]) -> list[str]:
    """Names of committed artifacts that are missing, differ, or belong to no contract."""
    committed = {path.stem: path.read_text(encoding="utf-8") for path in ARTIFACTS.glob("*.json")}
    return sorted(n for n in committed.keys() | artifacts.keys() if committed.get(n) != artifacts.get(n))


def main() -> int:
    parser = argparse.ArgumentParser(description="Compile the contracts into ledger/evm/artifacts.")
    parser.add_argument("--check", action="store_true", help="compare with the committed artifacts, write nothing")
    check = parser.parse_args().check
    artifacts = compile_all()
    differing = differences(artifacts)
    if check:
        for name in differing:
            print(f"{name}: artifact differs from its source; run scripts/compile_contracts.py", file=sys.stderr)
        return 1 if differing else 0
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for name, text in artifacts.items():
        (ARTIFACTS / f"{name}.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
