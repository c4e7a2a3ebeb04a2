"""What the ledger needs of any engine, asked of each in the same words. Nothing here is skipped for one of them."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from hashlib import sha256

import pytest
from engines import CITIES, SETTLE, TYPE, Ledger, account

from ledger import merkle
from ledger.errors import ChainMismatch, ChainUnavailable, LedgerError
from ledger.evm import client, node
from ledger.evm.client import EvmChain, EvmWire
from ledger.evm.contracts import governance, log_anchor, member_registry, status_registry
from ledger.evm.contracts.codec import codec
from ledger.evm.rpc import RpcError
from ledger.facts import PublishedHead, Question
from ledger.governance import Action, Kind, State
from ledger.logid import ascii32, log_id
from ledger.ports import Call, HeadItem, Receipt, StatusChange
from ledger.status import Reason, Status
from ledger.store import outbox
from ledger.transactor import Transactor

AGENCY = "11330105002500287C"
LEAVES = [sha256(bytes([number])).digest() for number in range(64)]


def root(size: int) -> bytes:
    return merkle.tree_root(LEAVES[:size])


def head(stream: str, size: int, before: int = 0) -> HeadItem:
    proof = merkle.prove_consistency(LEAVES, before, size) if before else []
    return HeadItem(stream, size, root(size), tuple(proof))


def publish(ledger: Ledger, *items: HeadItem, city: int = 1) -> Receipt:
    """One transaction of a city's hot account, at least a second after the last: the contract's interval."""
    time.sleep(1.1)
    return ledger.act(ledger.hot[city - 1], ledger.chain.publish(items))


def newest(ledger: Ledger, stream: str, city: int = 1) -> PublishedHead | None:
    return ledger.chain.heads([log_id(city, stream)])[0]


# ------------------------------------------------------------------------------ the deployment


def test_it_is_deployed_once_and_recognised(ledger: Ledger) -> None:
    assert ledger.deploy() == ledger.deployment
    ledger.chain.confirm()
    facts = ledger.chain.facts(Question(cities=CITIES))
    assert [len(city.terms) for city in facts.cities] == [1, 1, 1] and facts.consortium == ledger.consortium
    deployed = ledger.chain.deployment
    for other, code in (
        (replace(deployed, consortium=bytes(32)), "CHAIN_CONSORTIUM"),
        (replace(deployed, chain_id=deployed.chain_id + 1), "CHAIN_ID"),
        (replace(deployed, log_anchor=replace(deployed.log_anchor, code_hash=bytes(32))), "CHAIN_CODE"),
    ):
        with pytest.raises(ChainMismatch) as refused:
            EvmChain(ledger.rpc, other, final=ledger.engine.final).confirm()
        assert refused.value.code == code


# ------------------------------------------------------------------------------ heads


def test_heads_grow_in_one_transaction_for_many_logs(ledger: Ledger, stream: str) -> None:
    names = [f"{stream}-{number}" for number in range(8)]
    assert [each.size for each in publish(ledger, *(head(name, 3) for name in names)).published] == [3] * 8
    grown = publish(ledger, *(head(name, 40, 3) for name in names))
    assert not grown.refusals and {each.prev_size for each in grown.published} == {3}
    assert {each.root for each in ledger.chain.heads([log_id(1, name) for name in names]) if each} == {root(40)}


def test_bad_heads_are_refused_by_name_and_their_neighbours_stand(ledger: Ledger, stream: str) -> None:
    names = {name: f"{stream}-{name}" for name in ("good", "again", "equivocates", "shrinks", "unproven", "long")}
    publish(ledger, *(head(name, 5) for name in names.values()))
    found = publish(
        ledger,
        head(names["again"], 5),
        HeadItem(names["equivocates"], 5, root(6), ()),
        HeadItem(names["shrinks"], 4, root(4), ()),
        replace(head(names["unproven"], 9, 5), root=root(10)),
        HeadItem(names["long"], 9, root(9), (bytes(32),) * 65),
        HeadItem(f"{stream}-first", 2, root(2), (bytes(32),)),
        HeadItem(f"{stream}-empty", 0, bytes(32), ()),
        head(names["good"], 9, 5),
    )
    assert [(each.log, each.size) for each in found.published] == [(log_id(1, names["good"]), 9)]
    said = [refusal.split()[0] for refusal in found.refusals]
    assert said == ["EQUIVOCATION", "STALE", "BAD_PROOF", "PROOF_LENGTH", "FIRST_WITH_PROOF", "EMPTY"]
    assert found.succeeded
    kept = [newest(ledger, names[name]) for name in names if name != "good"]
    assert [each.size for each in kept if each] == [5] * 5


def test_a_stranger_is_refused_with_the_contracts_own_error(ledger: Ledger, stream: str) -> None:
    stranger = account()
    ledger.fund([stranger])
    call = ledger.chain.publish([head(stream, 1)])
    revert = ledger.chain.rehearse(stranger.address, call)
    assert revert is not None
    decoded = codec(log_anchor.NAME).error(revert) or codec(member_registry.NAME).error(revert)
    assert decoded is not None and decoded[0] == "Unregistered"
    assert [str(value).lower() for value in decoded[1].values()] == [stranger.address.lower()]
    receipt = ledger.act(stranger, call)
    assert not receipt.succeeded and not receipt.published and newest(ledger, stream) is None


# ------------------------------------------------------------------------------ statuses


@pytest.fixture
def agency(ledger: Ledger) -> str:
    calls = [member_registry.add_agency(AGENCY), member_registry.accredit(AGENCY, TYPE)]
    registry = ledger.chain.deployment.member_registry.address
    receipt = ledger.act(ledger.governors[0], Call(registry, member_registry.multicall(calls)), "agency")
    assert receipt.succeeded
    return AGENCY


def test_statuses_change_and_what_is_final_stays(ledger: Ledger, agency: str, stream: str) -> None:
    digest = sha256(stream.encode()).digest()

    def change(status: Status, reason: Reason, issuer: str = agency, city: int = 1) -> list[str]:
        call = ledger.chain.set_status([StatusChange(issuer, digest, status, reason, 0)])
        return [refusal.split()[0] for refusal in ledger.act(ledger.hot[city - 1], call).refusals]

    assert change(Status.SUSPENDED, Reason.SUSPENDED) == []
    assert change(Status.ACTIVE, Reason.REINSTATED) == []
    assert change(Status.REVOKED, Reason.PENALTY) == []
    assert change(Status.ACTIVE, Reason.REINSTATED) == ["BAD_TRANSITION"]
    assert change(Status.REVOKED, Reason.PENALTY, city=2) == ["NOT_ENTITLED"]
    (history,) = ledger.chain.facts(Question(statuses=((agency, digest),))).statuses
    assert [row.status for row in history.records] == [Status.SUSPENDED, Status.ACTIVE, Status.REVOKED]

    # As of an older block: by the contract's own memory, and by the node's state of then.
    registry, end = ledger.chain.deployment.status_registry.address, history.records[-1]
    asked = [
        codec(status_registry.NAME).encode("statusAt", ascii32(agency), digest, row.time, row.recorded)
        for row in history.records
    ]
    answers = ledger.chain.ask([(registry, each) for each in asked])
    decoded = [codec(status_registry.NAME).decode("statusAt", answer)[0] for answer in answers]
    assert decoded == [Status.SUSPENDED, Status.ACTIVE, Status.REVOKED]
    call = {"to": registry, "data": "0x" + status_registry.records_call(agency, digest).hex()}
    then = ledger.rpc.call("eth_call", call, hex(end.recorded - 1))
    assert isinstance(then, str)
    before = status_registry.records(agency, digest, bytes.fromhex(then[2:]))
    assert before.records == history.records[:-1]


# ------------------------------------------------------------------------------ decisions


def test_cities_decide_by_majority(ledger: Ledger) -> None:
    registry = ledger.chain.deployment.member_registry.address

    def act(city: int, data: bytes) -> Receipt:
        return ledger.act(ledger.governors[city - 1], Call(registry, data))

    def refused(city: int, data: bytes) -> str:
        revert = ledger.chain.rehearse(ledger.governors[city - 1].address, Call(registry, data))
        found = codec(member_registry.NAME).error(revert or b"")
        assert found is not None
        return found[0]

    (count,) = ledger.chain.ask([(registry, governance.count_call())])
    named = (ledger.chain.deployment.consortium, ledger.engine.chain_id, registry)
    action = Action(Kind.SUSPEND, 3)
    assert act(1, governance.propose(action)).succeeded
    proposal = governance.proposal_id(*named, governance.count(count), action)
    assert refused(1, governance.execute(proposal)) == "NotEnoughApprovals"
    assert refused(3, governance.approve(proposal)) == "NoVoteOnOneself"
    assert act(2, governance.approve(proposal)).succeeded
    assert act(1, governance.execute(proposal)).succeeded
    assert refused(1, governance.execute(proposal)) == "ProposalOver"
    (row,) = ledger.chain.ask([(registry, governance.proposal_call(proposal))])
    found = governance.proposal(proposal, row)
    assert found is not None and found.state == State.EXECUTED
    assert ledger.chain.facts(Question(cities=(3,))).cities[0].terms[-1].end is not None
    reinstate = Action(Kind.REINSTATE, 3)
    assert act(1, governance.propose(reinstate)).succeeded
    again = governance.proposal_id(*named, governance.count(count) + 1, reinstate)
    assert act(2, governance.approve(again)).succeeded and act(2, governance.execute(again)).succeeded


# ------------------------------------------------------------------------------ reading


def test_events_are_found_across_windows(ledger: Ledger, stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [3, 8, 21]
    for before, size in zip([0, *sizes], sizes, strict=False):
        publish(ledger, head(stream, size, before))
    at_once = ledger.chain.history(log_id(1, stream))
    monkeypatch.setattr(client, "HISTORY_WINDOW", 2)
    by_twos = ledger.chain.history(log_id(1, stream))
    assert at_once == by_twos and [each.size for each in by_twos] == sizes
    assert len({each.block for each in by_twos}) == 3
    assert ledger.chain.facts(Question(heads=tuple(by_twos))).heads == tuple(by_twos)
    # A head as it was: the state of the block in which the second one stood.
    call = {"to": ledger.chain.deployment.log_anchor.address, "data": "0x" + log_anchor.head_call(by_twos[1].log).hex()}
    then = ledger.rpc.call("eth_call", call, hex(by_twos[1].block))
    assert isinstance(then, str) and log_anchor.head(by_twos[1].log, bytes.fromhex(then[2:])) == by_twos[1]


def test_batches_keep_their_order_and_their_refusals(ledger: Ledger) -> None:
    outcomes = ledger.rpc.batch_each([("eth_chainId",), ("eth_nonsense",), ("eth_blockNumber",)])
    assert outcomes[0] == hex(ledger.engine.chain_id) and isinstance(outcomes[2], str)
    assert isinstance(outcomes[1], RpcError)
    many = ledger.rpc.batch([("eth_getBlockByNumber", hex(number % 3), False) for number in range(1_000)])
    numbers = [int(str(block["number"]), 16) for block in many if isinstance(block, dict)]
    assert numbers == [number % 3 for number in range(1_000)]
    with pytest.raises(ChainUnavailable) as refused:
        ledger.chain.ask([("no address", b"")])
    assert refused.value.code == "CHAIN_REFUSED"


# ------------------------------------------------------------------------------ transactions


def test_prices_are_looked_at_before_anything_is_signed(ledger: Ledger) -> None:
    found = node.look(ledger.rpc)
    price, chain_id = ledger.engine.gas_price, ledger.engine.chain_id
    node.demand(found, chain_id=chain_id, gas_price=price, gas=9_000_000)
    assert found.engine and found.height > 0
    for other, arguments, code in (
        (found, {"chain_id": chain_id + 1}, "CHAIN_ID"),
        (replace(found, base_fee=price + 1), {}, "GAS_PRICE_TOO_LOW"),
        (found, {"gas": found.gas_limit + 1}, "BLOCK_TOO_SMALL"),
    ):
        with pytest.raises(LedgerError) as refused:
            node.demand(other, **{"chain_id": chain_id, "gas_price": price, "gas": 9_000_000} | arguments)
        assert refused.value.code == code
    poor = account()
    assert node.balances(ledger.rpc, [poor.address]) == [0]


@pytest.mark.parametrize("first", [True, False])
def test_the_same_bytes_count_once_however_often_they_are_sent(ledger: Ledger, first: bool) -> None:
    """A sender's very first transaction too: nonce 0, which one engine takes for none."""
    sender = account()
    ledger.fund([sender])
    transactor = ledger.transactor(sender)
    if not first:
        ledger.act(sender, Call(account().address, b"", 21_000))
    (signed,) = transactor.sign([Call(account().address, b"", 21_000)])
    for _ in range(3):
        ledger.wire.send(signed.raw)
    wait_for(ledger, signed.hash)
    for _ in range(3):
        ledger.wire.send(signed.raw)
    ledger.act(ledger.hot[1], Call(account().address, b"", 21_000))  # one more block
    assert ledger.wire.next_nonce(sender.address) == signed.nonce + 1


def test_a_transaction_behind_a_gap_is_waited_for_and_kept(ledger: Ledger) -> None:
    sender = account()
    ledger.fund([sender])
    transactor = ledger.transactor(sender)
    first, second = transactor.sign([Call(account().address, b"", 21_000), Call(account().address, b"", 21_000)])
    with ledger.database.writing() as connection:
        transactor.store(connection, second, "second")
    with pytest.raises(ChainUnavailable) as slow:
        transactor.settle_all(2.5)
    assert slow.value.code == "CHAIN_SLOW" and ledger.wire.receipt(second.hash) is None
    with ledger.database.writing() as connection:
        transactor.store(connection, first, "first")
    transactor.settle_all(SETTLE)
    with ledger.database.reading() as connection:
        states = {t.label: t.state for t in outbox.transactions(connection, sender=sender.address)}
    assert states == {"first": outbox.FINAL, "second": outbox.FINAL}


def test_nothing_is_final_before_its_confirmations(ledger: Ledger) -> None:
    """The rule of `confirmations`, whatever the engine's own: two more blocks."""
    sender, e = account(), ledger.engine
    ledger.fund([sender])
    wire = EvmWire(ledger.rpc, chain_id=e.chain_id, final=lambda newest: newest - 2, gas_price=e.gas_price)
    transactor = Transactor(ledger.database, wire, sender)
    sent = transactor.once("confirmed", lambda: Call(account().address, b"", 21_000))
    block = wait_for(ledger, sent.hash).block
    while wire.newest() < block + 2:
        height = wire.newest()
        under_way = [each.hash for each in transactor.settle()]
        assert under_way == [sent.hash] or wire.newest() >= block + 2, height
        ledger.act(ledger.hot[1], Call(account().address, b"", 21_000))
        time.sleep(1.1)
    assert transactor.settle() == []


def wait_for(ledger: Ledger, transaction: bytes) -> Receipt:
    deadline = time.monotonic() + SETTLE
    while (receipt := ledger.wire.receipt(transaction)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return receipt


# ------------------------------------------------------------------------------ loss


def test_a_killed_engine_comes_back_with_everything_final(ledger: Ledger, stream: str) -> None:
    """SIGKILL in the middle of publishing, three times; whoever runs the named node kills it without us."""
    size, seed = 1, random.randrange(2**32)
    publish(ledger, head(stream, size))
    for _ in range(3 if ledger.engine.lose else 0):
        before = newest(ledger, stream)
        call = ledger.chain.publish([head(stream, size + 7, size)])
        transactor = ledger.transactor(ledger.hot[0])
        time.sleep(1.1)
        sent = transactor.once(f"killed/{stream}/{size}", lambda: call)  # noqa: B023  # called at once
        time.sleep(random.Random(seed + size).random() * 0.5)
        assert ledger.engine.lose is not None and ledger.engine.lose() == -9
        ledger.chain.confirm()
        assert newest(ledger, stream) in (before, after_of(ledger, sent.hash, stream)), f"seed {seed}"
        transactor.settle_all(SETTLE)
        size += 7
        found = newest(ledger, stream)
        assert found is not None and (found.size, found.root) == (size, root(size)), f"seed {seed}"
    publish(ledger, head(stream, size + 3, size))
    assert [each.size for each in ledger.chain.history(log_id(1, stream))] == [*range(1, size + 1, 7), size + 3]


def after_of(ledger: Ledger, transaction: bytes, stream: str) -> PublishedHead | None:
    """The head that this transaction published, if it is mined."""
    receipt = ledger.wire.receipt(transaction)
    return next((each for each in receipt.published if each.log == log_id(1, stream)), None) if receipt else None
