"""Gas of every act, compared exactly with gas.json. UPDATE_GAS=1 rewrites the file.

On an anvil of its own, so that addresses, nonces and times, and with them calldata, are the same in every run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from consortium import AGENCY, CHANGSHA, HANGZHOU, MIN_INTERVAL, TYPE_A, Consortium, deploy_consortium
from decisions import admission, governors
from evm_chain import FOREVER, Chain, code, events, running_anvil
from rfc9162_reference import consistency, leaf, root
from web3 import HTTPProvider, Web3

GAS_FILE = Path(__file__).with_name("gas.json")
SIZES = (1_001, 65_537, 131_071, 199_999, 200_000)
CEILING = 100_000  # what the consortium budgets for a later head
LEAVES = [leaf(i) for i in range(max(SIZES))]


@pytest.fixture(scope="module")
def fresh() -> Iterator[Chain]:
    with running_anvil() as address:
        yield Chain(Web3(HTTPProvider(address)))


def hashing_steps(m: int, n: int) -> int:
    """Gas model of a consistency proof from m to n leaves: calldata of each hash, and the hashes to compute."""
    fn, sn, gas = m - 1, n - 1, 0
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    gas += 512 if fn else 0
    while sn:
        if fn & 1 or fn == sn:
            gas += 512 + 2 * 400
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            gas += 512 + 400
        fn, sn = fn >> 1, sn >> 1
    return gas


def dearest_previous(n: int) -> int:
    """The earlier size from which a proof to n leaves costs most."""
    return max(range(1, n), key=lambda m: hashing_steps(m, n))


def publish_gas(chain: Chain, c: Consortium, stream: str, first: int, then: int) -> tuple[int, int]:
    """Gas of a first head of `first` leaves and of a later head of `then` leaves, in a new log."""
    sender = c.hot[HANGZHOU]
    head = c.anchor.functions.publish(code(stream), first, root(LEAVES[:first]), [])
    first_gas = chain.send(head, sender)["gasUsed"]
    proof = consistency(first, LEAVES[:then])
    head = c.anchor.functions.publish(code(stream), then, root(LEAVES[:then]), proof)
    receipt = chain.send(head, sender, at=chain.time + MIN_INTERVAL)
    assert c.anchor.functions.head(c.anchor.functions.logId(HANGZHOU, code(stream), 0).call()).call()[0] == then
    return first_gas, receipt["gasUsed"]


def publish_many_gas(chain: Chain, c: Consortium, first: int, then: int, count: int) -> int:
    sender = c.hot[HANGZHOU]
    streams = [code(f"many-{i}") for i in range(count)]
    old, new, proof = root(LEAVES[:first]), root(LEAVES[:then]), consistency(first, LEAVES[:then])
    chain.send(c.anchor.functions.publishMany([(s, first, old, []) for s in streams]), sender)
    many = c.anchor.functions.publishMany([(s, then, new, proof) for s in streams])
    receipt = chain.send(many, sender, at=chain.time + MIN_INTERVAL)
    assert len(receipt["logs"]) == count
    return int(receipt["gasUsed"]) // count


def status_gas(chain: Chain, c: Consortium, count: int) -> dict[str, int]:
    sender, one = c.hot[HANGZHOU], c.status.functions

    def change(i: int) -> tuple[object, ...]:
        return AGENCY, leaf(i), 3, 4, 0, bytes(32), bytes(32)

    single = chain.send(one.setStatus(change(0)), sender)
    many = chain.send(one.setStatusMany([change(i) for i in range(1, count + 1)]), sender)
    assert len(many["logs"]) == count
    return {
        "setStatus": single["gasUsed"],
        f"setStatusMany of {count}, per change": many["gasUsed"] // count,
    }


def inherited_gas(chain: Chain, c: Consortium) -> int:
    """A status set under an agency by the last of the four that succeed each other from it."""
    registry, governor, heir = c.registry.functions, c.governor[HANGZHOU], c.governor[CHANGSHA]
    row = [code(f"1133010000000{i:04}X") for i in range(5)]
    for agency in row[:4]:
        chain.send(registry.addAgency(agency, 0, FOREVER), governor)
    chain.send(registry.addAgency(row[4], 0, FOREVER), heir)
    for agency, successor in pairwise(row):
        chain.send(registry.nameSuccessor(agency, successor), governor)
        chain.send(registry.acceptSuccession(agency, successor), heir if successor == row[4] else governor)
    change = (row[0], leaf(0), 3, 4, 0, bytes(32), bytes(32))
    receipt = chain.send(c.status.functions.setStatus(change), c.hot[CHANGSHA])
    assert len(events(c.status, receipt)) == 1
    assert c.status.functions.records(row[0], leaf(0)).call() != []
    return int(receipt["gasUsed"])


def governance_gas(chain: Chain, c: Consortium) -> dict[str, int]:
    """Admitting a fourth city with one type and one hot account, and closing an epoch."""
    registry, (first, second, _) = c.registry.functions, governors(c)
    wanted = admission(c, types=[TYPE_A], hot=[c.spare[1]], endpoint="https://suzhou.example")
    made = chain.send(registry.propose(wanted), first)
    [proposal] = [registry.proposalIdAt(i).call() for i in range(registry.proposalCount().call())]
    approved = chain.send(registry.approve(proposal), second)
    executed = chain.send(registry.execute(proposal), first)
    closed = chain.send(c.anchor.functions.closeEpoch(code("many-0"), 1), first)
    continued = chain.send(c.anchor.functions.publish(code("many-0"), 1, LEAVES[0], []), c.hot[HANGZHOU])
    return {
        "propose an admission": made["gasUsed"],
        "approve": approved["gasUsed"],
        "execute an admission": executed["gasUsed"],
        "closeEpoch": closed["gasUsed"],
        "publish, first head of the next epoch": continued["gasUsed"],
    }


def deployment_gas(chain: Chain) -> dict[str, int]:
    receipts = [
        chain.w3.eth.get_transaction_receipt(transaction)
        for number in range(1, chain.block + 1)
        for transaction in chain.w3.eth.get_block(number)["transactions"]
    ]
    names = ("MemberRegistry, 3 founders", "LogAnchor", "StatusRegistry")
    return {f"deploy {name}": r["gasUsed"] for name, r in zip(names, receipts, strict=True)}


def test_gas_is_what_the_file_says(fresh: Chain) -> None:
    consortium = deploy_consortium(fresh)
    measured = deployment_gas(fresh)
    registry, governor = consortium.registry.functions, consortium.governor[HANGZHOU]
    measured["addAgency"] = fresh.send(registry.addAgency(AGENCY, 0, FOREVER), governor)["gasUsed"]
    for size in SIZES:
        first, later = publish_gas(fresh, consortium, f"by-one-{size}", size - 1, size)
        measured["publish, first head"] = max(first, measured.get("publish, first head", 0))
        measured[f"publish, head of {size:,} after {size - 1:,} leaves"] = later
        worst = dearest_previous(size)
        _, later = publish_gas(fresh, consortium, f"worst-{size}", worst, size)
        measured[f"publish, head of {size:,} after {worst:,} leaves (dearest)"] = later
    measured["publishMany of 8, per head of 200,000 after 199,999 leaves"] = publish_many_gas(
        fresh, consortium, 199_999, 200_000, 8
    )
    measured |= status_gas(fresh, consortium, 100)
    measured["setStatus, by the last of 4 successors"] = inherited_gas(fresh, consortium)
    measured |= governance_gas(fresh, consortium)

    over = {row: gas for row, gas in measured.items() if " after " in row and gas > CEILING}
    assert not over, f"dearer than {CEILING}: {over}"
    if os.environ.get("UPDATE_GAS"):
        GAS_FILE.write_text(json.dumps(measured, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert measured == json.loads(GAS_FILE.read_text(encoding="utf-8")), "UPDATE_GAS=1 shows a diff to judge"
