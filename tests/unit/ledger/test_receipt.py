"""Receipts: a promise, and what is on chain, judged by somebody who trusts neither the city nor its word."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from facts_strategies import CONSORTIUM

from ledger import accreditation as rules
from ledger import merkle, receipt
from ledger.errors import VerificationError
from ledger.facts import Compromise, EpochClosing, Facts, Key, PublishedHead, Term
from ledger.keys.p256 import P256Signer
from ledger.receipt import BROKEN, Kept, Receipt, Shown
from ledger.types import LogName

SIGNER = P256Signer(sha256(b"receipts").digest())
LOG = LogName(1, "certificate")
LEAVES = tuple(merkle.leaf_hash(b"%d" % n) for n in range(10))
AT, AT_SECONDS, LAG = "2026-11-24T04:00:00.500Z", 1_795_492_800, 3_600
PROMISE = Receipt(LOG, 4, LEAVES[4:7], AT, AT_SECONDS + LAG)
HEADS = (
    PublishedHead(LOG.id, 4, merkle.tree_root(LEAVES[:4]), 0, 2, AT_SECONDS - 60),
    PublishedHead(LOG.id, 8, merkle.tree_root(LEAVES[:8]), 4, 3, AT_SECONDS + 60),
    PublishedHead(LOG.id, 10, merkle.tree_root(LEAVES), 8, 4, AT_SECONDS + 120),
)
KEY = Key(SIGNER.kid, 1, "", rules.P256, rules.RECEIPT, SIGNER.x, SIGNER.y, (Term(0, None, 1, 0),), ())


def facts(*heads: PublishedHead, after: int = LAG + 1, **changes: object) -> Facts:
    base = Facts(CONSORTIUM, 31337, 9, bytes(32), AT_SECONDS + after, keys=(KEY,), heads=heads)
    return replace(base, **changes)  # type: ignore[arg-type]


def shown(index: int, leaves: tuple[bytes, ...] = LEAVES[:8]) -> Shown:
    return Shown(leaves[index], tuple(merkle.prove_inclusion(leaves, index, len(leaves))))


def test_a_promise_is_read_as_it_was_signed() -> None:
    assert receipt.verify(PROMISE.sign(SIGNER), facts()) == PROMISE
    assert receipt.kid(PROMISE.sign(SIGNER)) == SIGNER.kid


@pytest.mark.parametrize("index", [4, 5, 6])
def test_kept(index: int) -> None:
    assert receipt.judge(PROMISE, index, facts(*HEADS), shown(index)) is Kept.KEPT


def test_not_due_until_the_chains_own_clock_says_so() -> None:
    assert receipt.judge(PROMISE, 5, facts(HEADS[0], after=LAG), None) is Kept.NOT_DUE
    assert receipt.judge(PROMISE, 5, facts(HEADS[0], after=LAG + 1), None) is Kept.NOT_ANCHORED
    assert receipt.judge(PROMISE, 5, facts(), None) is Kept.NOT_ANCHORED


def test_anchored_too_late() -> None:
    late = replace(HEADS[1], time=PROMISE.anchor_by + 1)
    assert receipt.judge(PROMISE, 5, facts(HEADS[0], late), shown(5)) is Kept.LATE
    on_time = replace(HEADS[1], time=PROMISE.anchor_by)
    assert receipt.judge(PROMISE, 5, facts(HEADS[0], on_time), shown(5)) is Kept.KEPT


def test_another_entry_in_its_place_convicts_the_city() -> None:
    others = (*LEAVES[:5], merkle.leaf_hash(b"dropped and replaced"), *LEAVES[6:8])
    published = replace(HEADS[1], root=merkle.tree_root(others))
    assert receipt.judge(PROMISE, 5, facts(published), shown(5, others)) is Kept.OTHER_ENTRY
    assert Kept.OTHER_ENTRY in BROKEN


def test_what_is_not_shown_or_does_not_lead_to_the_head_proves_nothing_against_anybody() -> None:
    assert receipt.judge(PROMISE, 5, facts(*HEADS), None) is Kept.UNPROVEN
    invented = shown(5, (*LEAVES[:5], bytes(32), *LEAVES[6:8]))
    assert receipt.judge(PROMISE, 5, facts(*HEADS), invented) is Kept.UNPROVEN
    assert receipt.judge(PROMISE, 5, facts(HEADS[2]), shown(5)) is Kept.UNPROVEN  # not the first that covers it
    assert Kept.UNPROVEN not in BROKEN


@pytest.mark.parametrize(("good", "outcome"), [(4, Kept.DISOWNED), (5, Kept.DISOWNED), (8, Kept.KEPT)])
def test_a_closed_log(good: int, outcome: Kept) -> None:
    end = (EpochClosing(LOG.id, good, 8, AT_SECONDS + 300),)
    assert receipt.judge(PROMISE, 5, facts(*HEADS, closings=end), shown(5)) is outcome


@pytest.mark.parametrize(
    "key",
    [
        replace(KEY, use=rules.WITNESS),
        replace(KEY, city=2),
        replace(KEY, agency="11330100XXXX33013C"),
        replace(KEY, terms=(Term(AT_SECONDS + 1, None, 1, 0),)),
        replace(KEY, compromises=(Compromise(AT_SECONDS - 1, 5),)),
        replace(KEY, kid="A" * 43),
    ],
)
def test_no_promise_of_that_city(key: Key) -> None:
    with pytest.raises(VerificationError) as refused:
        receipt.verify(PROMISE.sign(SIGNER), facts(keys=(key,)))
    assert refused.value.code == "RECEIPT_KEY"


def test_a_key_stolen_later_leaves_the_promise() -> None:
    later = replace(KEY, compromises=(Compromise(AT_SECONDS + 1, 5),))
    assert receipt.verify(PROMISE.sign(SIGNER), facts(keys=(later,))) == PROMISE


def test_a_changed_promise_is_none() -> None:
    head, payload, signature = PROMISE.sign(SIGNER).split(".")
    other = replace(PROMISE, anchor_by=PROMISE.anchor_by + 1).sign(SIGNER).split(".")[1]
    with pytest.raises(VerificationError) as refused:
        receipt.verify(f"{head}.{other}.{signature}", facts())
    assert refused.value.code == "SIGNATURE"
    with pytest.raises(VerificationError):
        receipt.verify(f"{head}.{payload}.{signature[:-2]}AA", facts())
