"""A real anvil on loopback whose clock the tests set, and contracts deployed from the committed artifacts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from eth_abi import decode
from eth_utils import keccak, to_checksum_address
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.exceptions import ContractCustomError

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "ledger" / "evm" / "artifacts"
GENESIS = 1_800_000_000  # Unix seconds; fixed, so that gas is the same in every run
FOREVER = 2**64 - 1
GAS = 15_000_000


def artifact(name: str) -> dict[str, Any]:
    return dict(json.loads((ARTIFACTS / f"{name}.json").read_text(encoding="utf-8")))


def anvil_binary() -> str:
    """Setting, then node_modules, then PATH."""
    local = ROOT / "node_modules" / ".bin" / "anvil"
    found = os.environ.get("CERTLEDGER_ANVIL") or (str(local) if local.exists() else shutil.which("anvil"))
    assert found, "no anvil: run `make` once, or put anvil on PATH"
    return found


@contextmanager
def running_anvil() -> Iterator[str]:
    """Address of a fresh anvil; port 0 lets the system choose, so two runs never meet."""
    command = [anvil_binary(), "--host", "127.0.0.1", "--port", "0", "--timestamp", str(GENESIS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        try:
            listening = next(m for line in engine.stdout if (m := re.search(r"Listening on (\S+)", line)))
            # anvil writes a line per request and stops once the pipe is full.
            Thread(target=deque, args=(engine.stdout, 0), daemon=True).start()
            yield f"http://{listening[1]}"
        finally:
            engine.terminate()
            engine.wait()


@dataclass(slots=True)
class Chain:
    """Sends, calls and names what came back. A transaction is a block, one second after the last unless `at`."""

    w3: Web3
    errors: dict[bytes, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def rpc(self, method: str, *params: Any) -> Any:
        return self.w3.provider.make_request(method, list(params))["result"]  # type: ignore[arg-type]

    @property
    def time(self) -> int:
        return int(self.w3.eth.get_block("latest")["timestamp"])

    @property
    def block(self) -> int:
        return int(self.w3.eth.block_number)

    def next_block_at(self, time: int) -> None:
        self.rpc("evm_setNextBlockTimestamp", time)

    def pass_to(self, time: int) -> None:
        """Mine one empty block at `time`."""
        self.next_block_at(time)
        self.rpc("evm_mine")

    def constructor(self, name: str, *arguments: Any) -> Any:
        """A deployment, ready to be sent or refused."""
        made = artifact(name)
        for entry in made["abi"]:
            if entry["type"] == "error":
                types = tuple(part["type"] for part in entry["inputs"])
                selector = keccak(text=f"{entry['name']}({','.join(types)})")[:4]
                self.errors[selector] = (entry["name"], types)
        factory = self.w3.eth.contract(abi=made["abi"], bytecode=made["bytecode"])
        return factory.constructor(*arguments)

    def deploy(self, name: str, *arguments: Any) -> Contract:
        receipt = self.send(self.constructor(name, *arguments), self.w3.eth.accounts[0])
        return self.w3.eth.contract(address=receipt["contractAddress"], abi=artifact(name)["abi"])

    def send(self, call: Any, sender: str, at: int | None = None) -> Any:
        """Receipt of a transaction that must succeed."""
        self.next_block_at(self.time + 1 if at is None else at)
        sent = call.transact({"from": sender, "gas": GAS})
        receipt = self.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.002)
        assert receipt["status"] == 1, f"{call} reverted"
        return receipt

    def refused(self, call: Any, sender: str, at: int | None = None) -> tuple[Any, ...]:
        """Name and arguments of the custom error with which the next block would refuse this transaction."""
        self.next_block_at(self.time + 1 if at is None else at)
        transaction = {"from": sender, "gas": GAS}
        try:
            if isinstance(call, ContractFunction):
                call.call(transaction, block_identifier="pending")
            else:
                self.w3.eth.call(call.build_transaction(transaction), "pending")
        except ContractCustomError as error:
            raw = bytes.fromhex(str(error.data)[2:])
            name, types = self.errors[raw[:4]]
            return (
                name,
                *(
                    to_checksum_address(v) if t == "address" else v
                    for t, v in zip(types, decode(types, raw[4:]), strict=True)
                ),
            )
        raise AssertionError(f"{call} was not refused")


def plain(types: tuple[str, ...], encoded: bytes) -> Iterator[Any]:
    """ABI-encoded values, addresses written as web3 writes them."""
    for kind, value in zip(types, decode(types, encoded), strict=True):
        yield to_checksum_address(value) if kind == "address" else value


def events(contract: Contract, receipt: Any) -> list[tuple[Any, ...]]:
    """(name, argument, …) of every event in order; each log must decode with the contract's own ABI."""
    by_topic = {event.topic: event for event in contract.events}
    decoded = [by_topic[log["topics"][0].to_0x_hex()]().process_log(log) for log in receipt["logs"]]
    names = {e["name"]: [i["name"] for i in e["inputs"]] for e in contract.abi if e["type"] == "event"}
    return [(e["event"], *(e["args"][name] for name in names[e["event"]])) for e in decoded]


def code(text: str) -> bytes:
    """ASCII, left-aligned, zero-padded: agency, certificate type, stream."""
    return text.encode("ascii").ljust(32, b"\0")
