"""A chain spoken to by raw JSON-RPC: signed transactions in, receipts and calls out. Encoding is `ledger.evm`'s."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from command_line import GUARD, rpc
from eth_utils.address import to_checksum_address

from ledger.evm.account import Account
from ledger.evm.contracts.codec import codec
from ledger.ports import Call

GAS = 15_000_000
CHAIN_ID = 31337


@dataclass(slots=True)
class RawChain:
    """One node; transactions cost nothing on the development chain."""

    url: str
    contracts: dict[str, str] = field(default_factory=dict)
    """Addresses by name."""

    def send(self, sender: Account, data: bytes, to: str | None) -> dict[str, Any]:
        """The receipt of a transaction."""
        nonce = int(rpc(self.url, "eth_getTransactionCount", sender.address, "latest"), 16)
        signed = sender.sign(Call(to, data), nonce=nonce, gas=GAS, gas_price=0, chain_id=CHAIN_ID)
        sent = rpc(self.url, "eth_sendRawTransaction", "0x" + signed.raw.hex())
        deadline = time.monotonic() + GUARD
        while time.monotonic() < deadline:
            receipt = rpc(self.url, "eth_getTransactionReceipt", sent)
            if receipt is not None:
                return dict(receipt)
            time.sleep(0.05)
        raise AssertionError("never mined")

    def deploy(self, sender: Account, name: str, creation: bytes) -> None:
        receipt = self.send(sender, creation, None)
        assert int(receipt["status"], 16) == 1, name
        self.contracts[name] = to_checksum_address(receipt["contractAddress"])

    def act(self, sender: Account, name: str, data: bytes) -> list[tuple[str, dict[str, Any]]]:
        """A transaction to a contract that must not revert: its events."""
        receipt = self.send(sender, data, self.contracts[name])
        assert int(receipt["status"], 16) == 1, "reverted"
        return events(name, receipt)

    def reverts(self, sender: Account, name: str, data: bytes) -> bool:
        receipt = self.send(sender, data, self.contracts[name])
        assert receipt["logs"] == [] or int(receipt["status"], 16) == 1
        return int(receipt["status"], 16) == 0

    def read(self, name: str, function: str, *arguments: object) -> Any:
        call = {"to": self.contracts[name], "data": "0x" + codec(name).encode(function, *arguments).hex()}
        return codec(name).decode(function, bytes.fromhex(rpc(self.url, "eth_call", call, "latest")[2:]))


def events(name: str, receipt: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for log in receipt["logs"]:
        event = codec(name).event([bytes.fromhex(t[2:]) for t in log["topics"]], bytes.fromhex(log["data"][2:]))
        assert event is not None
        found.append(event)
    return found
