"""The rules in Python and in Solidity give the same answer for the same rows: random histories on a real chain."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from api import wiring
from certs.certificate_type import load_catalogue
from ledger import accreditation as rules
from ledger.evm.account import Account
from ledger.evm.anvil import CHAIN_ID, Anvil, find_engine
from ledger.evm.client import EvmChain
from ledger.evm.contracts import log_anchor, member_registry, status_registry
from ledger.evm.contracts.codec import OPEN_ENDED, codec
from ledger.evm.contracts.member_registry import Founder
from ledger.evm.rpc import Rpc
from ledger.facts import Facts, Question
from ledger.jws import b64url
from ledger.logid import ascii32, from_ascii32
from ledger.ports import Call, StatusChange
from ledger.status import history, status_at
from ledger.trust import Contract, Deployment

GENESIS = 1_800_000_000
CITIES = (1, 2)
AGENCIES = ("11330100XXXX33013C", "11330100XXXX330217")
TYPES = tuple(each.code for each in load_catalogue().values())[:2]
KIDS = tuple(sha256(b"key %d" % n).digest() for n in range(3))
DIGESTS = tuple(sha256(b"certificate %d" % n).digest() for n in range(3))
GAS, DEPLOY_GAS = 2_000_000, 12_000_000
HISTORIES, BLOCKS, CALLS = 3, 25, 4
SEED = 12


@dataclass
class Engine:
    """An anvil that mines when told, with accounts that sign without asking it for nonces."""

    rpc: Rpc
    time: int = GENESIS
    nonces: dict[str, int] = field(default_factory=dict)

    def send(self, account: Account, call: Call) -> bytes:
        nonce = self.nonces.get(account.address, 0)
        self.nonces[account.address] = nonce + 1
        signed = account.sign(
            call, nonce=nonce, gas=GAS * 5 if call.to is None else GAS, gas_price=0, chain_id=CHAIN_ID
        )
        self.rpc.call("eth_sendRawTransaction", "0x" + signed.raw.hex())
        return signed.hash

    def mine(self, seconds: int) -> None:
        self.time += seconds
        self.rpc.call("evm_setNextBlockTimestamp", self.time)
        self.rpc.call("evm_mine")

    def created(self, transaction: bytes) -> str:
        answer: Any = self.rpc.call("eth_getTransactionReceipt", "0x" + transaction.hex())
        assert answer["status"] == "0x1"
        return str(to_checksum_address(answer["contractAddress"]))

    def succeeded(self, transactions: list[bytes]) -> int:
        answers: list[Any] = self.rpc.batch([("eth_getTransactionReceipt", "0x" + each.hex()) for each in transactions])
        return sum(answer["status"] == "0x1" for answer in answers)


@dataclass(frozen=True)
class World:
    """Two cities in one registry, whose governors and hot accounts are ours."""

    engine: Engine
    chain: EvmChain
    governors: tuple[Account, ...]
    hot: tuple[Account, ...]

    def to(self, contract: str, call: bytes) -> Call:
        return Call(getattr(self.chain.deployment, contract).address, call)


@pytest.fixture(scope="module")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    engine = Anvil(find_engine(None, wiring.PROJECT), Path(tmp_path_factory.mktemp("anvil")), GENESIS)
    yield engine
    engine.kill()


def founded(engine: Engine, history_no: int) -> World:
    accounts = [Account(sha256(b"%d/%d" % (history_no, n)).digest()) for n in range(5)]
    deployer, governors, hot = accounts[0], tuple(accounts[1:3]), tuple(accounts[3:5])
    founders = [
        Founder(city, 330100 + city, governors[i].address, (hot[i].address,), TYPES[: 2 - i])
        for i, city in enumerate(CITIES)
    ]
    consortium = sha256(b"consortium").digest()
    registry = engine.send(deployer, Call(None, member_registry.creation(consortium, founders, production=False)))
    engine.mine(1)
    at = engine.created(registry)
    others = [engine.send(deployer, Call(None, log_anchor.creation(at, 1)))]
    others.append(engine.send(deployer, Call(None, status_registry.creation(at))))
    engine.mine(1)
    addresses = [at, *map(engine.created, others)]
    codes: list[Any] = engine.rpc.batch([("eth_getCode", address, "latest") for address in addresses])
    contracts = [Contract(a, bytes(keccak(bytes.fromhex(c[2:])))) for a, c in zip(addresses, codes, strict=True)]
    deployment = Deployment(consortium, CHAIN_ID, *contracts)
    chain = EvmChain(engine.rpc, deployment, final=lambda newest: newest)
    chain.confirm()
    return World(engine, chain, governors, hot)


def random_call(rng: random.Random, world: World) -> tuple[Account, Call]:
    """Something a governor or hot account might do now; many are refused, as they should be."""
    which = rng.randrange(2)
    city, now = CITIES[which], world.engine.time
    agency, type_code, kid = rng.choice(AGENCIES), rng.choice(TYPES), rng.choice(KIDS)
    start = rng.choice([0, 0, now + rng.randrange(10, 400)])
    end = rng.choice([OPEN_ENDED, OPEN_ENDED, max(start, now) + rng.randrange(20, 600)])
    stop = rng.choice([0, now + rng.randrange(10, 400)])
    key = (kid, city, ascii32(agency), rules.P256, rules.CERT, kid, sha256(kid).digest())
    acts: list[tuple[str, tuple[object, ...]]] = [
        ("addAgency", (ascii32(agency), start, end)),
        ("addAgency", (ascii32(agency), 0, OPEN_ENDED)),
        ("endAgency", (ascii32(agency), stop)),
        ("accredit", (ascii32(agency), ascii32(type_code), start, end)),
        ("accredit", (ascii32(agency), ascii32(type_code), 0, OPEN_ENDED)),
        ("endAccreditation", (ascii32(agency), ascii32(type_code), stop)),
        ("addKey", (key, start, end)),
        ("endKey", (kid, stop)),
        ("compromiseKey", (kid, now - rng.randrange(0, 600))),
    ]
    if rng.random() < 0.3:
        change = StatusChange(
            agency,
            rng.choice(DIGESTS),
            rng.randrange(6),
            rng.choice([0, 1, 3, 3, 4]),
            rng.choice([0, 0, now - rng.randrange(500)]),
            *(rng.choice([("", bytes(32)), (agency, DIGESTS[0])])),
        )
        return world.hot[which], world.to("status_registry", status_registry.set_status_many([change]))
    act, arguments = rng.choice(acts)
    return world.governors[which], world.to("member_registry", codec("MemberRegistry").encode(act, *arguments))


def everything(world: World) -> Facts:
    return world.chain.facts(
        Question(
            kids=tuple(map(b64url, KIDS)),
            cities=CITIES,
            agencies=tuple((agency, city) for agency in AGENCIES for city in CITIES),
            accreditations=tuple((a, c, t) for a in AGENCIES for c in CITIES for t in TYPES),
            statuses=tuple((agency, digest) for agency in AGENCIES for digest in DIGESTS),
        )
    )


def moments(facts: Facts) -> list[int]:
    """Every second at which an answer may change, and its neighbours."""
    rows = [*facts.cities, *facts.agencies, *facts.accreditations, *facts.keys]
    edges = {edge for row in rows for term in row.terms for edge in (term.start, term.end) if edge is not None}
    edges |= {report.since for key in facts.keys for report in key.compromises}
    edges |= {record.effective_from for row in facts.statuses for record in row.records}
    return sorted({near for edge in edges for near in (edge - 1, edge, edge + 1)})


@pytest.mark.parametrize("history_no", range(HISTORIES))
def test_python_and_solidity_agree_on_random_histories(anvil: Anvil, history_no: int) -> None:
    rng = random.Random(SEED + history_no)
    genesis: Any = anvil.rpc.call("eth_getBlockByNumber", "latest", False)
    engine = Engine(anvil.rpc, int(genesis["timestamp"], 16))
    world = founded(engine, history_no)
    sent: list[bytes] = []
    for _ in range(BLOCKS):
        sent += [engine.send(*random_call(rng, world)) for _ in range(CALLS)]
        engine.mine(rng.randrange(1, 120))
    facts = everything(world)
    points = [
        (time, rng.choice([facts.block, rng.randrange(max(facts.block - BLOCKS - 2, 0), facts.block + 1)]))
        for time in rng.choices(moments(facts), k=80)
    ]
    differing = [difference for point in points for difference in compared(world, facts, *point)]
    held = sum(rules.accredited(facts, a, t, time) for time, _ in points for a in AGENCIES for t in TYPES)
    took = engine.succeeded(sent)
    print(f"seed {SEED + history_no}: {took} of {len(sent)} acts took, {len(points)} moments, accredited {held} times")
    assert not differing
    assert took > 20 and held > 0


def compared(world: World, facts: Facts, time: int, as_of: int) -> list[tuple[Any, ...]]:
    """Every question at (time, block), asked of the contracts and of Python: where the answers differ."""
    known = replace(facts, block=as_of)
    registry, statuses = codec("MemberRegistry"), codec("StatusRegistry")
    to, status_to = world.chain.deployment.member_registry.address, world.chain.deployment.status_registry.address
    asked: list[tuple[str, Any, str, bytes, Any]] = []
    for city in CITIES:
        call = registry.encode("cityActive", city, time, as_of)
        covered = any(r.city == city and rules.covers(r.terms, time, as_of) for r in facts.cities)
        asked.append(("cityActive", registry, to, call, covered))
    for agency in AGENCIES:
        call = registry.encode("cityOfAgency", ascii32(agency), time, as_of)
        asked.append(("cityOfAgency", registry, to, call, rules.city_of(known, agency, time) or 0))
        for code in TYPES:
            call = registry.encode("accredited", ascii32(agency), ascii32(code), time, as_of)
            asked.append(("accredited", registry, to, call, rules.accredited(known, agency, code, time)))
        for digest in DIGESTS:
            call = statuses.encode("statusAt", ascii32(agency), digest, time, as_of)
            asked.append(("statusAt", statuses, status_to, call, said(known, agency, digest, time)))
    for kid in KIDS:
        key = rules.find_key(known, b64url(kid))
        call = registry.encode("keyValid", kid, time, as_of)
        asked.append(("keyValid", registry, to, call, key is not None and rules.key_valid(key, time, as_of)))
    answers: list[Any] = world.chain._calls([(address, call) for _, _, address, call, _ in asked], "latest")
    found = [
        (name, plain(name, abi.decode(name, answer)), ours)
        for (name, abi, _, _, ours), answer in zip(asked, answers, strict=True)
    ]
    return [(name, time, as_of, theirs, ours) for name, theirs, ours in found if theirs != ours]


def plain(name: str, answer: Any) -> Any:
    """A record of StatusRegistry as Python has it: without the account that wrote it."""
    if name != "statusAt":
        return answer
    status, reason, effective_from, issuer, digest, _, recorded, at = answer
    return status, reason, effective_from, from_ascii32(issuer), digest, recorded, at


def said(facts: Facts, agency: str, digest: bytes, time: int) -> tuple[Any, ...]:
    row = history(facts, agency, digest)
    assert row is not None
    record = status_at(row, time, facts.block)
    if record is None:
        return 0, 0, 0, "", bytes(32), 0, 0
    r = record
    return r.status, r.reason, r.effective_from, r.next_issuer, r.next_digest, r.recorded, r.time
