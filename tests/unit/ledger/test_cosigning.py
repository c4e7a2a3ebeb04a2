"""Cosigning: signed only after the own node said the same; every fact counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from facts_strategies import CITY_KEYS, DEPLOYMENT, facts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import accreditation as rules
from ledger import cosigning, snapshot
from ledger.cosigning import Cosigner
from ledger.errors import ChainUnavailable, LedgerError, VerificationError
from ledger.facts import City, Facts, Key, Question, Term
from ledger.snapshot import Snapshot

ALWAYS = (Term(0, None, 0, 0),)
OURS, THEIRS = CITY_KEYS[1], CITY_KEYS[0]


@dataclass
class Node:
    """A chain that says these facts, whatever is asked; and that this city's witness key is in force."""

    said: Facts
    final: int = 2**53
    member: bool = True
    deployment: Any = DEPLOYMENT

    def final_height(self) -> int:
        return self.final

    def facts(self, question: Question, block: int | None = None) -> Facts:
        if block is not None:
            assert block == self.said.block
            return self.said
        terms = ALWAYS if self.member else ()
        key = Key(OURS.kid, 2, "", rules.P256, rules.WITNESS, OURS.x, OURS.y, ALWAYS, ())
        return replace(self.said, time=2**40, keys=(key,), cities=(City(2, 330200, terms),))


def cosigner(node: Node) -> Cosigner:
    return Cosigner(node, 2, OURS)  # type: ignore[arg-type]


def asked(read: Facts) -> Snapshot:
    return snapshot.sign(read, THEIRS)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(facts)
def test_the_same_facts_are_signed_and_once(read: Facts) -> None:
    signed = cosigner(Node(read)).cosign(asked(read))
    assert snapshot.signers(signed) == [THEIRS.kid, OURS.kid]
    assert cosigner(Node(read)).cosign(signed) == signed


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(facts, st.data())
def test_any_other_fact_is_refused_and_named(read: Facts, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["block_hash", "time", "cities", "keys", "heads", "statuses", "closings"]))
    other = data.draw(facts.filter(lambda each: getattr(each, name) != getattr(read, name)))
    lying = replace(read, **{name: getattr(other, name)})
    with pytest.raises(VerificationError) as refused:
        cosigner(Node(read)).cosign(asked(lying))
    assert refused.value.code == "SNAPSHOT_DIFFERS"
    assert all(place.startswith(name) for place in refused.value.params["facts"].split())


@settings(max_examples=5, deadline=None)
@given(facts)
def test_what_is_not_ours_to_sign(read: Facts) -> None:
    with pytest.raises(ChainUnavailable) as late:
        cosigner(Node(read, final=read.block - 1)).cosign(asked(read))
    assert late.value.code == "SNAPSHOT_TOO_NEW"
    with pytest.raises(LedgerError) as outsider:
        cosigner(Node(read, member=False)).cosign(asked(read))
    assert outsider.value.code == "NOT_A_WITNESS"
    with pytest.raises(VerificationError) as foreign:
        cosigner(Node(read)).cosign(asked(replace(read, chain_id=read.chain_id + 1)))
    assert foreign.value.code == "SNAPSHOT_CONSORTIUM"


@settings(max_examples=5, deadline=None)
@given(facts)
def test_joining_takes_each_signature_once_and_one_payload_only(read: Facts) -> None:
    mine = asked(read)
    both = cosigner(Node(read)).cosign(mine)
    assert cosigning.join(mine, both, both) == cosigning.join(both, mine) == both
    with pytest.raises(VerificationError) as other:
        cosigning.join(mine, asked(replace(read, time=read.time ^ 1)))
    assert other.value.code == "SNAPSHOT_OTHER"
