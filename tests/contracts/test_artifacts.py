"""The committed artifacts are what the sources compile to, and the tests name everything the ABI can say."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import Any

import pytest
from evm_chain import ARTIFACTS, ROOT, artifact
from web3 import Web3

NAMES = ("LogAnchor", "MemberRegistry", "StatusRegistry")
SCRIPT = ROOT / "scripts" / "compile_contracts.py"
MAX_CODE = 24_576  # bytes, EIP-170
# Thrown by OpenZeppelin's Address only for a target without code; multicall's target is the registry itself.
UNREACHABLE = {"AddressEmptyCode"}


def test_the_artifacts_are_compiled_from_the_sources() -> None:
    check = subprocess.run([sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False)
    assert (check.returncode, check.stderr) == (0, "")


def test_the_check_names_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import compile_contracts

    same = {path.stem: path.read_text(encoding="utf-8") for path in ARTIFACTS.glob("*.json")}
    assert compile_contracts.differences(same) == []
    changed = {**same, "LogAnchor": same["LogAnchor"].replace("0x60", "0x61", 1), "Extra": "{}"}
    del changed["StatusRegistry"]
    assert compile_contracts.differences(changed) == ["Extra", "LogAnchor", "StatusRegistry"]


@pytest.mark.parametrize("name", NAMES)
def test_an_artifact_holds_what_deploying_takes(name: str) -> None:
    made = artifact(name)
    assert set(made) == {
        "abi",
        "bytecode",
        "compiler",
        "contractName",
        "deployedBytecode",
        "immutableReferences",
        "settings",
        "sourceHash",
    }
    assert made["contractName"] == name
    assert made["compiler"].startswith("0.8.37+commit.")
    assert made["settings"]["evmVersion"] == "paris"
    code = bytes.fromhex(made["deployedBytecode"][2:])
    assert 0 < len(code) <= MAX_CODE
    # Immutables are zero in the artifact: that is how deployed code is compared with it.
    for place in made["immutableReferences"]:
        assert code[place["start"] : place["start"] + place["length"]] == bytes(32)


def test_deployed_code_is_the_artifact_with_its_immutables(consortium: Any) -> None:
    made = artifact("LogAnchor")
    deployed = bytearray(Web3.to_bytes(consortium.anchor.w3.eth.get_code(consortium.anchor.address)))
    for place in made["immutableReferences"]:
        deployed[place["start"] : place["start"] + place["length"]] = bytes(place["length"])
    assert deployed.hex() == made["deployedBytecode"][2:]


def test_forge_compiles_with_the_same_settings() -> None:
    forge = tomllib.loads((ROOT / "contracts" / "foundry.toml").read_text(encoding="utf-8"))["profile"]["default"]
    assert artifact("LogAnchor")["settings"] == {
        "evmVersion": forge["evm_version"],
        "metadata": {"bytecodeHash": forge["bytecode_hash"]},
        "optimizer": {"enabled": forge["optimizer"], "runs": forge["optimizer_runs"]},
        "viaIR": forge["via_ir"],
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_event_and_error_is_asserted_by_name(name: str) -> None:
    here = [p for p in ROOT.joinpath("tests", "contracts").glob("test_*.py") if p.name != "test_artifacts.py"]
    asserted = "".join(path.read_text(encoding="utf-8") for path in here)
    said = {e["name"] for e in artifact(name)["abi"] if e["type"] in {"event", "error"}} - UNREACHABLE
    assert said
    assert {word for word in said if f'"{word}"' not in asserted} == set()
