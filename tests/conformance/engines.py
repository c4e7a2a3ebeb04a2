"""The engines that one list of tests runs on, and a ledger deployed on each through the product's own driver."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from containers import PRICE, Contained

from api.migrations import runner
from ledger.evm import node
from ledger.evm.account import Account
from ledger.evm.anvil import find_engine
from ledger.evm.client import EvmChain, EvmWire
from ledger.evm.contracts.member_registry import Founder
from ledger.evm.deploy import deploy
from ledger.evm.engine import DevChain, journaled_height
from ledger.evm.rpc import Rpc
from ledger.ports import Call, Receipt
from ledger.store.database import Database
from ledger.transactor import Transactor
from ledger.trust import Deployment

ROOT = Path(__file__).resolve().parents[2]
TYPE = "11100000000013338W011"
CITIES = (1, 2, 3)
SETTLE = 120.0
"""Seconds after which a transaction hangs."""
FUNDS_GAS = 2_000_000_000
ENGINES = ("anvil", "ganache", *(["named"] if os.environ.get("CERTLEDGER_RPC_URL") else []))
"""`named` is the node that CERTLEDGER_RPC_URL names."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A node, how it is paid, and when a block on it is final."""

    name: str
    url: str
    chain_id: int
    gas_price: int
    final: Callable[[int], int]
    lose: Callable[[], int] | None = None
    """Kill it with SIGKILL and bring it back; what it died of. None: somebody else's."""


@contextmanager
def running(name: str, folder: Path) -> Iterator[Engine]:
    if name == "anvil":
        with DevChain(folder, find_engine(None, ROOT)) as chain:
            final = lambda newest: min(newest, journaled_height(folder))  # noqa: E731
            yield Engine(name, chain.url, node.CHAIN_ID, 0, final, lambda: _lose_anvil(chain))
    elif name == "ganache":
        with Contained(name, folder) as ganache:
            final = lambda newest: newest  # noqa: E731
            yield Engine(name, ganache.url, node.CHAIN_ID, PRICE[name], final, lambda: _lose(ganache))
    else:
        price, back = (int(os.environ.get(f"CERTLEDGER_{n}", "0")) for n in ("GAS_PRICE", "CONFIRMATIONS"))
        chain_id = int(os.environ.get("CERTLEDGER_CHAIN_ID", node.CHAIN_ID))
        yield Engine(name, os.environ["CERTLEDGER_RPC_URL"], chain_id, price, lambda newest: newest - back)


def _lose(ganache: Contained) -> int:
    died_of = ganache.kill()
    ganache.start()
    return died_of


def _lose_anvil(chain: DevChain) -> int:
    """Its supervisor brings it back."""
    pid, before = chain.engine_pid, chain.restarts
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + SETTLE
    while chain.restarts == before or chain.engine_pid in (None, pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return -signal.SIGKILL


def account() -> Account:
    return Account(secrets.token_bytes(32))


@dataclass(slots=True)
class Ledger:
    """Three cities and their contracts on one engine; accounts that only this run knows."""

    engine: Engine
    rpc: Rpc
    database: Database
    deployer: Account = field(default_factory=account)
    governors: tuple[Account, ...] = field(default_factory=lambda: tuple(account() for _ in CITIES))
    hot: tuple[Account, ...] = field(default_factory=lambda: tuple(account() for _ in CITIES))
    consortium: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    deployment: Deployment | None = None

    @property
    def wire(self) -> EvmWire:
        e = self.engine
        return EvmWire(self.rpc, chain_id=e.chain_id, final=e.final, gas_price=e.gas_price)

    @property
    def chain(self) -> EvmChain:
        assert self.deployment is not None
        return EvmChain(self.rpc, self.deployment, final=self.engine.final, gas_price=self.engine.gas_price)

    def transactor(self, sender: Account, wire: EvmWire | None = None) -> Transactor:
        return Transactor(self.database, wire or self.wire, sender)

    def deploy(self) -> Deployment:
        founders = [
            Founder(city, 330000 + 100 * city, governor.address, (hot.address,), (TYPE,))
            for city, governor, hot in zip(CITIES, self.governors, self.hot, strict=True)
        ]
        transactor = self.transactor(self.deployer)
        return deploy(
            transactor, self.wire, consortium=self.consortium, founders=founders, production=True, min_interval=1
        )

    def act(self, sender: Account, call: Call, label: str = "") -> Receipt:
        """The final receipt of a transaction, carried as the product carries it."""
        transactor = self.transactor(sender)
        sent = transactor.once(label or secrets.token_hex(8), lambda: call)
        transactor.settle_all(SETTLE)
        receipt = self.wire.receipt(sent.hash)
        assert receipt is not None
        return receipt

    def fund(self, accounts: Sequence[Account]) -> None:
        """Gas money from the account that everybody knows, where gas costs anything."""
        if not self.engine.gas_price:
            return
        giver = Account(bytes.fromhex(node.FUNDING_KEY.removeprefix("0x")))
        transactor, wei = self.transactor(giver), FUNDS_GAS * self.engine.gas_price
        for each in accounts:
            transactor.once(f"fund/{each.address}", lambda to=each.address: Call(to, b"", 21_000, wei))  # type: ignore[misc]
        transactor.settle_all(SETTLE)


@contextmanager
def ledger_on(engine: Engine, folder: Path) -> Iterator[Ledger]:
    database = Database(f"sqlite:///{folder / 'ledger.sqlite'}")
    runner.upgrade(database)
    with Rpc(engine.url) as rpc:
        made = Ledger(engine, rpc, database)
        made.fund([made.deployer, *made.governors, *made.hot])
        made.deployment = made.deploy()
        yield made
    database.close()
