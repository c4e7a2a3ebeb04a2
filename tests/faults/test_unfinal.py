"""What a node may still do with a transaction that is not final: lose it, replace it, take its block back.

A real engine without its supervisor, so that blocks come and go when the test says; a block is final with one on top.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import HANG_SECONDS, Home

from api import wiring
from api.wiring import PUBLISHER
from certs.lifecycle import Change
from ledger.evm import history
from ledger.evm.account import Account
from ledger.evm.anvil import Anvil, find_engine
from ledger.evm.client import EvmChain
from ledger.evm.journal import Journal
from ledger.ports import Call
from ledger.publisher import Publisher
from ledger.store import outbox
from ledger.transactor import Transactor


class Bare:
    """The city's chain, and a publisher on it."""

    def __init__(self, home: Home, engine: Anvil) -> None:
        self.home, self.rpc = home, engine.rpc
        self._now = int(time.time()) + 10
        self.chain = EvmChain(engine.rpc, home.city.deployment, final=lambda newest: newest - 1)
        self.sender = Account(home.city.keystore.account_secret(PUBLISHER))
        self.publisher = Publisher(
            home.city.database, self.chain, Transactor(home.city.database, self.chain, self.sender)
        )

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self._now += 1
            history.mine(self.rpc, self._now)

    def send(self) -> outbox.StoredTransaction:
        """A head on its way: stored, sent, not mined."""
        self.publisher.step()
        return self.home.transactions("publish")[-1]

    def converges(self) -> None:
        """Pass after pass, a block each, until nothing is left; what is final then stays."""
        for _ in range(20):
            if self.publisher.step().idle:
                break
            self.mine()
        else:
            raise AssertionError("it does not come to an end")
        (head,) = self.chain.heads([self.home.city.log.id])
        assert head is not None and head.size == self.home.size()
        newest = self.home.ask("SELECT size, block, time FROM anchor ORDER BY size DESC LIMIT 1")
        assert newest == [(head.size, head.block, head.time)] and head.block <= self.chain.final_height()
        sizes = [each.size for each in self.chain.history(self.home.city.log.id)]
        assert sizes == sorted({*sizes})

    def never_called_final(self) -> None:
        assert {each.state for each in self.home.transactions("publish")} == {outbox.SIGNED}
        assert not self.home.ask("SELECT * FROM anchor")


@pytest.fixture
def bare(home: Home, tmp_path: Path) -> Iterator[Bare]:
    home.chain.stop()
    journal = Journal(home.city.chain_folder)
    engine = Anvil(find_engine(home.city.settings.engine or None, wiring.PROJECT), tmp_path, journal.genesis.time)
    try:
        history.rebuild(engine.rpc, journal)
        yield Bare(home, engine)
    finally:
        engine.kill()
        journal.close()


def test_a_dropped_transaction_is_sent_again(bare: Bare) -> None:
    bare.home.issued(5)
    sent = bare.send()
    bare.rpc.call("anvil_dropTransaction", "0x" + sent.hash.hex())
    bare.mine(3)
    assert bare.chain.receipt(sent.hash) is None
    bare.never_called_final()
    bare.converges()
    assert [each.hash for each in bare.home.transactions("publish")] == [sent.hash]


def test_the_block_of_an_unfinal_transaction_is_taken_back(bare: Bare) -> None:
    bare.home.issued(5)
    sent = bare.send()
    bare.mine()
    lost = bare.chain.receipt(sent.hash)
    assert lost is not None
    bare.publisher.step()
    bare.never_called_final()
    bare.rpc.call("anvil_reorg", 1, [])
    bare.publisher.step()
    bare.never_called_final()
    bare.mine(2)
    bare.converges()
    assert [each.hash for each in bare.home.transactions("publish")] == [sent.hash]


def test_a_transaction_that_was_replaced_had_no_effect_and_its_items_go_with_the_next(bare: Bare) -> None:
    """The same account sends something else under the same nonce from elsewhere, and a block takes that."""
    first, *_ = bare.home.issued(5)
    bare.home.change(first.identifier, Change.SUSPEND)
    bare.publisher.step()
    sent = [*bare.home.transactions("publish"), *bare.home.transactions("status")]
    assert len(sent) == 2
    for each in sent:
        bare.rpc.call("anvil_dropTransaction", "0x" + each.hash.hex())
        other = bare.sender.sign(
            Call(bare.sender.address, b""), nonce=each.nonce, gas=30_000, gas_price=0, chain_id=bare.chain.chain_id
        )
        bare.chain.send(other.raw)
    bare.mine()
    bare.publisher.step()
    bare.never_called_final()  # nor called replaced before it is so for good
    bare.mine()
    bare.converges()
    states = [each.state for label in ("publish", "status") for each in bare.home.transactions(label)]
    assert sorted(states) == [outbox.FINAL, outbox.FINAL, outbox.REVERTED, outbox.REVERTED]
    assert bare.home.outbox()["status", "done"] == 1


def test_a_gap_before_the_nonce_is_filled_by_what_is_stored(bare: Bare) -> None:
    """Two under way; the node has forgotten the first and holds back the second."""
    first, *_ = bare.home.issued(5)
    bare.home.change(first.identifier, Change.SUSPEND)
    bare.publisher.step()
    (head,), (status,) = bare.home.transactions("publish"), bare.home.transactions("status")
    assert status.nonce == head.nonce + 1
    bare.rpc.call("anvil_dropTransaction", "0x" + head.hash.hex())
    bare.mine()
    assert bare.chain.receipt(status.hash) is None
    bare.never_called_final()
    bare.converges()
    assert {each.state for label in ("publish", "status") for each in bare.home.transactions(label)} == {outbox.FINAL}


def test_a_nonce_that_jumped_on_the_chain(bare: Bare) -> None:
    """Whatever used the numbers in between: what is stored under one of them can never be mined."""
    bare.home.issued(5)
    sent = bare.send()
    bare.rpc.call("anvil_dropTransaction", "0x" + sent.hash.hex())
    bare.rpc.call("anvil_setNonce", bare.sender.address, hex(sent.nonce + 3))
    bare.mine(2)
    deadline = time.monotonic() + HANG_SECONDS
    while bare.home.transactions("publish")[0].state == outbox.SIGNED:
        assert time.monotonic() < deadline
        bare.publisher.step()
        bare.mine()
    bare.converges()
    assert [each.nonce for each in bare.home.transactions("publish")] == [sent.nonce, sent.nonce + 3]
