"""Three cities on a chain, as the contracts of one source tree make them: what the attacks on contracts play on."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from command_line import ROOT, rpc
from eth_utils.abi import event_abi_to_log_topic
from raw_chain import CHAIN_ID, GAS, RawChain, events

from attacks import engine
from attacks.weakening import ARTIFACTS, Target
from ledger import merkle
from ledger.evm.account import Account
from ledger.evm.contracts import log_anchor, member_registry, status_registry
from ledger.evm.contracts.codec import OPEN_ENDED, codec
from ledger.evm.contracts.member_registry import ROLE_STATUS, Founder
from ledger.logid import ascii32, log_id
from ledger.ports import Call, HeadItem

HANGZHOU, NANJING, CHANGSHA, SUZHOU, HEFEI = 1, 2, 3, 4, 5
TYPE = "11100000MB0143028R001"
X, Y, Z = "11330100XXXX33013C", "11330100XXXX330217", "11320100XXXX32010P"
"""Two agencies of Hangzhou and one of Nanjing. Y has an account of its own."""
STREAM = "certificate"
LEAVES = [merkle.leaf_hash(sha256(f"leaf {i}".encode()).digest()) for i in range(8)]


def account(name: str) -> Account:
    return Account(sha256(f"an account of the attacks: {name}".encode()).digest())


GOVERNOR = {city: account(f"governor {city}") for city in (HANGZHOU, NANJING, CHANGSHA, SUZHOU, HEFEI)}
HOT = {city: account(f"hot {city}") for city in (HANGZHOU, NANJING, CHANGSHA)}
OF_Y, STRANGER, DEPLOYER = account("agency Y"), account("stranger"), account("deployer")


@dataclass(frozen=True, slots=True)
class Ground:
    """A running chain on which every attack deploys contracts of its own."""

    url: str

    def deploy(self, target: Target, named: bytes = b"three cities") -> Cities:
        """Fresh contracts of this tree, of the consortium `named`; three founders; agencies X, Y and Z."""
        chain = RawChain(self.url)
        founders = [Founder(city, 330000 + city, GOVERNOR[city].address, (HOT[city].address,), (TYPE,)) for city in HOT]
        consortium = sha256(named).digest()
        registry = member_registry.creation(consortium, founders, production=False)
        chain.deploy(DEPLOYER, "MemberRegistry", _creation(target, "MemberRegistry", registry))
        at = chain.contracts["MemberRegistry"]
        chain.deploy(DEPLOYER, "LogAnchor", _creation(target, "LogAnchor", log_anchor.creation(at, 1)))
        chain.deploy(DEPLOYER, "StatusRegistry", _creation(target, "StatusRegistry", status_registry.creation(at)))
        cities = Cities(chain)
        for city, agency in ((HANGZHOU, X), (HANGZHOU, Y), (NANJING, Z)):
            chain.act(GOVERNOR[city], "MemberRegistry", member_registry.add_agency(agency))
        cities.call(GOVERNOR[HANGZHOU], "addAccount", OF_Y.address, ascii32(Y), ROLE_STATUS, 0, OPEN_ENDED)
        return cities


def _creation(target: Target, name: str, ours: bytes) -> bytes:
    """The tree's own code with the constructor arguments of `ours`."""
    return target.bytecode(name) + ours.removeprefix(codec(name).bytecode)


@dataclass(frozen=True, slots=True)
class Cities:
    """The contracts, and raw transactions to them."""

    chain: RawChain

    def call(self, who: Account, function: str, *arguments: object) -> str:
        """A transaction to MemberRegistry: see `attempt`."""
        return self.attempt(who, "MemberRegistry", codec("MemberRegistry").encode(function, *arguments))

    def attempt(self, who: Account, name: str, data: bytes) -> str:
        """Really sent. Its events in words, or the error it reverted with."""
        error = self._error(who, name, data)
        receipt = self.chain.send(who, data, self.chain.contracts[name])
        if int(receipt["status"], 16) == 0:
            return f"reverted: {error}"
        return ", ".join(_word(name, log) for log in receipt["logs"]) or "no event"

    def publish(self, who: Account, *items: HeadItem) -> str:
        return self.attempt(who, "LogAnchor", log_anchor.publish_many(items))

    def grown(self, who: Account, size: int, old: int = 0, leaves: Sequence[bytes] = LEAVES) -> str:
        """Publish the first `size` leaves honestly."""
        proof = tuple(merkle.prove_consistency(leaves[:size], old, size)) if old else ()
        return self.publish(who, HeadItem(STREAM, size, merkle.tree_root(leaves[:size]), proof))

    def raw(self, who: Account, name: str, data: bytes) -> str:
        """The signed bytes of the account's next transaction, as anybody can read them off a chain; hexadecimal."""
        nonce = int(rpc(self.chain.url, "eth_getTransactionCount", who.address, "latest"), 16)
        call = Call(self.chain.contracts[name], data)
        return "0x" + who.sign(call, nonce=nonce, gas=GAS, gas_price=0, chain_id=CHAIN_ID).raw.hex()

    def replayed(self, raw: str) -> str:
        """Somebody else's signed bytes, sent to this chain. Its events in words, or that it reverted."""
        receipt = rpc(self.chain.url, "eth_getTransactionReceipt", rpc(self.chain.url, "eth_sendRawTransaction", raw))
        if int(receipt["status"], 16) == 0:
            return "reverted"
        return ", ".join(_word("MemberRegistry", log) for log in receipt["logs"]) or "no event"

    def head(self, city: int) -> tuple[int, bytes]:
        """(size, root) of the newest head of a city's log."""
        size, root, *_ = self.chain.read("LogAnchor", "head", log_id(city, STREAM))
        return size, root

    def statuses(self, issuer: str, digest: bytes) -> list[int]:
        return [row[0] for row in self.chain.read("StatusRegistry", "records", ascii32(issuer), digest)]

    def wait(self, seconds: int = 2) -> None:
        engine.wait(self.chain.url, seconds)

    def now(self) -> int:
        return engine.now(self.chain.url)

    def active(self, city: int) -> bool:
        return bool(self.chain.read("MemberRegistry", "cityActive", city, self.now(), 2**64 - 1))

    def _error(self, who: Account, name: str, data: bytes) -> str:
        """Name of the custom error the node answers a rehearsal with; empty if there is none."""
        call = {"from": who.address, "to": self.chain.contracts[name], "data": "0x" + data.hex()}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [call, "latest"]}).encode()
        request = urllib.request.Request(self.chain.url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            said: Any = json.loads(answer.read())
        revert = bytes.fromhex(str(said.get("error", {}).get("data", "0x"))[2:])
        # The registry's own errors pass through the other contracts.
        named = codec(name).error(revert) or codec("MemberRegistry").error(revert)
        return named[0] if named else ""


def _word(contract: str, log: dict[str, Any]) -> str:
    """The event's name, of a refusal its code."""
    name = _names(contract)[bytes.fromhex(log["topics"][0][2:])]
    if name in ("HeadRefused", "StatusRefused"):
        ((_, values),) = events(contract, {"logs": [log]})
        return (log_anchor if name == "HeadRefused" else status_registry).REFUSALS[values["code"]]
    return name


@cache
def _names(contract: str) -> dict[bytes, str]:
    abi = json.loads((ROOT / ARTIFACTS / f"{contract}.json").read_text(encoding="utf-8"))["abi"]
    return {event_abi_to_log_topic(each): each["name"] for each in abi if each["type"] == "event"}
