"""A second city on the same chain, whose publisher enters whatever the attacker likes in its own log."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from raw_chain import RawChain

from api.wiring import GOVERNOR as GOVERNOR_ACCOUNT
from attacks.present import Present
from attacks.three_cities import GOVERNOR, HOT, NANJING
from ledger import merkle
from ledger.canonical import dumps
from ledger.commitment import statement_leaf
from ledger.evm.account import Account
from ledger.evm.contracts import governance, log_anchor
from ledger.facts import PublishedHead, published_head_json
from ledger.governance import Action, Kind
from ledger.logid import CERTIFICATE, log_id
from ledger.ports import HeadItem

OWN, OTHER = log_id(1, CERTIFICATE), log_id(NANJING, CERTIFICATE)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A statement with its proof, as the members of a bundle."""

    members: dict[str, Any]


def recorded(present: Present, *statements: dict[str, Any]) -> list[Recorded]:
    """Admits the city, which then publishes one head over these statements."""
    chain = _chain(present)
    _admit(present, chain)
    salts = [os.urandom(32) for _ in statements]
    leaves = [statement_leaf(dumps(each), salt) for each, salt in zip(statements, salts, strict=True)]
    item = HeadItem(CERTIFICATE, len(leaves), merkle.tree_root(leaves), ())
    receipt = chain.send(HOT[NANJING], log_anchor.publish_many([item]), chain.contracts["LogAnchor"])
    size, root, prev_size, block, time = chain.read("LogAnchor", "head", OTHER)
    assert (int(receipt["status"], 16), size, root) == (1, item.size, item.root)
    head = PublishedHead(OTHER, size, root, prev_size, block, time)
    found = []
    for index, (statement, salt) in enumerate(zip(statements, salts, strict=True)):
        proof = [node.hex() for node in merkle.prove_inclusion(leaves, index, size)]
        inclusion = {"index": index, "proof": proof}
        more = {"inclusion": inclusion, "head": published_head_json(head)}
        found.append(Recorded({"statement": statement, "salt": salt.hex(), **more}))
    return found


def _chain(present: Present) -> RawChain:
    deployment = present.story.past.city.deployment
    contracts = {
        "MemberRegistry": deployment.member_registry.address,
        "LogAnchor": deployment.log_anchor.address,
    }
    return RawChain(present.story.past.url, contracts)


def _admit(present: Present, chain: RawChain) -> None:
    """The first city alone decides: of one voter one is needed."""
    governor = Account(present.story.past.city.keystore.account_secret(GOVERNOR_ACCOUNT))
    hot = (HOT[NANJING].address,)
    admission = Action(Kind.ADMIT, NANJING, division=320100, account=GOVERNOR[NANJING].address, hot=hot)
    for data in (lambda: governance.propose(admission), lambda: governance.execute(_newest(chain))):
        receipt = chain.send(governor, data(), chain.contracts["MemberRegistry"])
        assert int(receipt["status"], 16) == 1


def _newest(chain: RawChain) -> bytes:
    number = chain.read("MemberRegistry", "proposalCount") - 1
    return bytes(chain.read("MemberRegistry", "proposalIdAt", number))
