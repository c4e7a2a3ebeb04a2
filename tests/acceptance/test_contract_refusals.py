"""Two cities in one registry: what the contracts refuse, whoever asks; and what a transaction costs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from command_line import ROOT
from evidence import Shown
from pymerkle import InmemoryTree
from raw_chain import RawChain

from ledger import merkle
from ledger.evm.account import Account
from ledger.evm.contracts import log_anchor, member_registry, status_registry
from ledger.evm.contracts.member_registry import Founder
from ledger.evm.engine import DevChain, find_engine
from ledger.logid import log_id
from ledger.ports import HeadItem, StatusChange

HANGZHOU, NANJING = 1, 2
STREAM = "certificate"
AGENCY = {HANGZHOU: "11330100XXXX33013C", NANJING: "11320100XXXX32010P"}
TYPE = "11100000MB0143028R001"
LEAVES = [merkle.leaf_hash(sha256(f"leaf {i}".encode()).digest()) for i in range(40)]
CHANGED = [*LEAVES[:3], merkle.leaf_hash(b"changed"), *LEAVES[4:]]
SUSPENDED, REVOKED = 1, 3
SIZES = ("1,001", "65,537", "131,071", "199,999", "200,000")


def account(name: str) -> Account:
    return Account(sha256(f"account of this test: {name}".encode()).digest())


GOVERNOR = {city: account(f"governor {city}") for city in AGENCY}
HOT = {city: account(f"hot {city}") for city in AGENCY}
STRANGER, DEPLOYER = account("stranger"), account("deployer")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawChain]:
    """A development chain with the contracts, two founder cities and an agency in each."""
    with DevChain(tmp_path_factory.mktemp("two-cities"), find_engine(None, ROOT)) as running:
        made = RawChain(running.url)
        founders = [
            Founder(city, division, GOVERNOR[city].address, (HOT[city].address,), (TYPE,))
            for city, division in ((HANGZHOU, 330100), (NANJING, 320100))
        ]
        registry = member_registry.creation(sha256(b"two cities").digest(), founders, production=False)
        made.deploy(DEPLOYER, "MemberRegistry", registry)
        at = made.contracts["MemberRegistry"]
        made.deploy(DEPLOYER, "LogAnchor", log_anchor.creation(at, 1))
        made.deploy(DEPLOYER, "StatusRegistry", status_registry.creation(at))
        for city, agency in AGENCY.items():
            made.act(GOVERNOR[city], "MemberRegistry", member_registry.add_agency(agency))
        yield made


def head(size: int, old: int, leaves: list[bytes]) -> bytes:
    """The call that publishes the first `size` of `leaves`, with the proof from `old`."""
    proof = tuple(merkle.prove_consistency(leaves[:size], old, size)) if old else ()
    return log_anchor.publish_many([HeadItem(STREAM, size, merkle.tree_root(leaves[:size]), proof)])


def refusal(events: list[tuple[str, dict[str, Any]]]) -> str:
    """The one event, a refusal, in words."""
    ((name, values),) = events
    assert name == "HeadRefused"
    return log_anchor.REFUSALS[values["code"]]


def newest(chain: RawChain, city: int) -> tuple[int, bytes]:
    size, root, *_ = chain.read("LogAnchor", "head", log_id(city, STREAM))
    return size, root


def test_what_a_log_refuses(chain: RawChain, shown: Shown) -> None:
    publish = HOT[HANGZHOU]
    ((first, _),) = chain.act(publish, "LogAnchor", head(20, 0, LEAVES))
    time.sleep(1.1)  # the shortest interval between two heads of a log
    ((second, _),) = chain.act(publish, "LogAnchor", head(30, 20, LEAVES))
    assert (first, second) == ("HeadPublished", "HeadPublished")
    tree = InmemoryTree(algorithm="sha256")
    for i in range(30):
        tree.append_entry(sha256(f"leaf {i}".encode()).digest())
    assert newest(chain, HANGZHOU) == (30, tree.get_root())

    time.sleep(1.1)
    refused = {
        "a shorter tree": refusal(chain.act(publish, "LogAnchor", head(20, 0, LEAVES))),
        "a changed leaf": refusal(chain.act(publish, "LogAnchor", head(40, 30, CHANGED))),
        "a known size with another root": refusal(chain.act(publish, "LogAnchor", head(30, 0, CHANGED))),
        "nothing": refusal(chain.act(publish, "LogAnchor", head(0, 0, LEAVES))),
    }
    for what, code in refused.items():
        shown(f"the contract refuses {what}", code)
    assert list(refused.values()) == ["STALE", "BAD_PROOF", "EQUIVOCATION", "EMPTY"]
    assert chain.act(publish, "LogAnchor", head(30, 0, LEAVES)) == []
    assert newest(chain, HANGZHOU) == (30, tree.get_root())
    shown("a repeated head", "no event, no revert, head unchanged")


def test_strangers_revert(chain: RawChain, shown: Shown) -> None:
    before = newest(chain, HANGZHOU)
    change = StatusChange(AGENCY[HANGZHOU], b"\1" * 32, SUSPENDED, 1, 0)
    for who in (STRANGER, DEPLOYER):
        assert chain.reverts(who, "LogAnchor", head(31, 30, LEAVES))
        assert chain.reverts(who, "StatusRegistry", status_registry.set_status_many([change]))
        assert chain.reverts(who, "MemberRegistry", member_registry.add_agency("11330100XXXX33064L"))
    assert newest(chain, HANGZHOU) == before
    assert chain.read("StatusRegistry", "records", AGENCY[HANGZHOU].encode().ljust(32, b"\0"), b"\1" * 32) == ()
    shown("a stranger, and the deployer", "reverted: head, status, agency")


def test_another_citys_log_cannot_even_be_named(chain: RawChain, shown: Shown) -> None:
    """`publish` takes no city: the contract derives the log from the sender."""
    before = newest(chain, HANGZHOU)
    ((name, values),) = chain.act(HOT[NANJING], "LogAnchor", head(40, 0, CHANGED))
    assert name == "HeadPublished" and values["city"] == NANJING and values["logId"] == log_id(NANJING, STREAM)
    assert newest(chain, HANGZHOU) == before and newest(chain, NANJING)[0] == 40
    shown("Nanjing publishes a head of the same stream", "it lands in Nanjing's log; Hangzhou's is unchanged")


def test_another_issuers_status_cannot_be_touched(chain: RawChain, shown: Shown) -> None:
    digest = sha256(b"a certificate of Hangzhou").digest()
    change = StatusChange(AGENCY[HANGZHOU], digest, REVOKED, 4, 0)
    ((name, values),) = chain.act(HOT[NANJING], "StatusRegistry", status_registry.set_status_many([change]))
    assert name == "StatusRefused" and status_registry.REFUSALS[values["code"]] == "NOT_ENTITLED"
    assert statuses(chain, HANGZHOU, digest) == []
    # What another issuer writes under its own name about the same digest says nothing about this certificate.
    chain.act(HOT[NANJING], "StatusRegistry", status_registry.set_status_many([own(change)]))
    assert statuses(chain, NANJING, digest) == [REVOKED] and statuses(chain, HANGZHOU, digest) == []
    suspended = StatusChange(AGENCY[HANGZHOU], digest, SUSPENDED, 1, 0)
    assert len(chain.act(HOT[HANGZHOU], "StatusRegistry", status_registry.set_status_many([suspended]))) == 1
    assert chain.act(HOT[HANGZHOU], "StatusRegistry", status_registry.set_status_many([suspended])) == []
    assert statuses(chain, HANGZHOU, digest) == [SUSPENDED]
    shown("Nanjing revokes a certificate of Hangzhou", "NOT_ENTITLED, no record; repeats of the issuer: no event")


def own(change: StatusChange) -> StatusChange:
    return StatusChange(AGENCY[NANJING], change.digest, change.status, change.reason, 0)


def statuses(chain: RawChain, city: int, digest: bytes) -> list[int]:
    records = chain.read("StatusRegistry", "records", AGENCY[city].encode().ljust(32, b"\0"), digest)
    return [record[0] for record in records]


def test_the_gas_table(shown: Shown) -> None:
    """tests/contracts/test_gas.py measures it and compares every run; here it is shown, against the aim."""
    table: dict[str, int] = json.loads((ROOT / "tests" / "contracts" / "gas.json").read_text())
    for name, gas in table.items():
        shown(f"gas: {name}", f"{gas:,}")
    later = {name: gas for name, gas in table.items() if name.startswith("publish, head of ")}
    assert all(any(f"head of {size}" in name for name in later) for size in SIZES)
    assert max(later.values()) <= 100_000
    many = [gas for name, gas in table.items() if name.startswith("publishMany")]
    assert many and max(many) < min(later.values())
