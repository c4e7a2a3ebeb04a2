"""The containers of the development chain: closed where they must be, pinned, and with flags their engine knows."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from containers import program

from ledger.evm.anvil import CHAIN_ID, find_engine

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "hardhat-free-devnet"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]

every_service = pytest.mark.parametrize("name", SERVICES)


def test_both_engines_are_there() -> None:
    assert set(SERVICES) == {"anvil", "ganache"}


@every_service
def test_it_cannot_do_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), "root"
    assert "mem_limit" in service
    assert "pids_limit" in service
    wide_open = {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "userns_mode", "env_file"}
    assert not wide_open & set(service)


@every_service
def test_its_port_is_on_loopback_and_its_own(name: str) -> None:
    (port,) = SERVICES[name]["ports"]
    assert re.fullmatch(r"127\.0\.0\.1:\d+:8545", port)
    assert [port.split(":")[1] for other in SERVICES.values() for port in other["ports"]].count(port.split(":")[1]) == 1


@every_service
def test_its_chain_is_in_a_named_volume_of_its_own(name: str) -> None:
    (volume,) = SERVICES[name]["volumes"]
    source, target = volume.split(":")
    assert (target, source in COMPOSE["volumes"], source.startswith(name)) == ("/chain", True, True)
    assert any("=/chain" in flag for flag in SERVICES[name]["command"]), "the engine writes elsewhere"


@every_service
def test_every_version_is_pinned_and_one(name: str) -> None:
    service = SERVICES[name]
    recipe = service["build"]["dockerfile_inline"]
    (base,) = re.findall(r"^FROM (\S+)$", recipe, re.MULTILINE)
    assert re.fullmatch(r"node:\d+\.\d+\.\d+-bookworm-slim", base)
    (package,) = re.findall(r"(\S*(?:anvil|ganache)\S*@\S+)", recipe)
    version = package.rpartition("@")[2]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert service["image"].endswith(f":{version}")
    assert f"{name} {version}" in (FOLDER / "README.md").read_text()


def test_the_container_runs_the_anvil_of_package_json() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["optionalDependencies"]
    (name,) = wanted
    assert f"{name}@{wanted[name]}" in SERVICES["anvil"]["build"]["dockerfile_inline"]


@every_service
def test_its_health_is_that_of_our_chain(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][:3] == ["CMD", "node", "--eval"]
    assert "eth_chainId" in check["test"][3]
    assert f'"{hex(CHAIN_ID)}"' in check["test"][3]
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@every_service
def test_the_chain_is_the_same_in_both(name: str) -> None:
    flags = dict(flag.removeprefix("--").split("=", 1) for flag in SERVICES[name]["command"] if "=" in flag)
    chain_id = flags.get("chain-id") or flags["chain.chainId"]
    hardfork = flags.get("hardfork") or flags["chain.hardfork"]
    gas_limit = flags.get("gas-limit") or flags["miner.blockGasLimit"]
    assert (int(chain_id), hardfork, gas_limit) == (CHAIN_ID, "shanghai", "30000000")


def test_anvil_knows_every_flag_it_is_given() -> None:
    said = subprocess.run([find_engine(None, ROOT), "--help"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"--[a-z0-9-]+", said))
    given = {flag.split("=")[0] for flag in SERVICES["anvil"]["command"][1:]}
    assert given - known == set()


def test_ganache_knows_every_flag_it_is_given() -> None:
    said = subprocess.run([*program("ganache"), "--help"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"--[a-zA-Z.]+", said))
    given = {flag.split("=")[0] for flag in SERVICES["ganache"]["command"][1:]}
    assert len(given) > 8 and given - known == set()


def test_the_container_runs_the_ganache_of_package_json() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]["ganache"]
    assert f"ganache@{wanted}" in SERVICES["ganache"]["build"]["dockerfile_inline"]


def test_no_file_of_the_folder_names_a_registry() -> None:
    for file in FOLDER.rglob("*"):
        if file.is_file():
            assert not re.search(r"(ghcr|docker|quay|gcr|npmjs)\.(io|org|com)", file.read_text()), file
