"""LogAnchor: an epoch that was closed is frozen, and the next one begins as a log of its own."""

from __future__ import annotations

from typing import Any

import pytest
from consortium import CHANGSHA, HANGZHOU, MIN_INTERVAL, NANJING, Consortium
from decisions import CLOSE_EPOCH, LIFETIME, REMOVE, action, approve, decide, execute, governors, propose
from eth_abi import encode
from eth_utils import keccak
from evm_chain import Chain, code, events
from rfc9162_reference import consistency, leaf, root

from ledger.evm.contracts import log_anchor
from ledger.facts import EpochClosing, PublishedHead
from ledger.logid import log_id as python_log_id

LEAVES = [leaf(i) for i in range(100)]
OTHERS = [leaf(1000 + i) for i in range(100)]
CERTIFICATE, ACCESS = code("certificate"), code("access")
STALE, BAD_PROOF, EPOCH_CLOSED = 3, 8, 9


def log_id(epoch: int, city: int = HANGZHOU, stream: bytes = CERTIFICATE) -> bytes:
    return keccak(encode(["uint32", "bytes32", "uint32"], [city, stream, epoch]))


def publish(chain: Chain, c: Consortium, leaves: list[bytes], before: int = 0, city: int = HANGZHOU) -> Any:
    """Events of a head over `leaves` after one of `before`, sent when the interval has passed."""
    proof = consistency(before, leaves) if before else []
    call = c.anchor.functions.publish(CERTIFICATE, len(leaves), root(leaves), proof)
    return events(c.anchor, chain.send(call, c.hot[city], at=chain.time + MIN_INTERVAL))


def grown(chain: Chain, c: Consortium, *sizes: int) -> list[tuple[Any, ...]]:
    """Values of `isHead` of each head of HANGZHOU's certificate log in epoch 0."""
    heads, before = [], 0
    for size in sizes:
        publish(chain, c, LEAVES[:size], before)
        heads.append((log_id(0), size, root(LEAVES[:size]), before, chain.block, chain.time))
        before = size
    return heads


def close(chain: Chain, c: Consortium, size: int) -> list[tuple[Any, ...]]:
    call = c.anchor.functions.closeEpoch(CERTIFICATE, size)
    return events(c.anchor, chain.send(call, c.governor[HANGZHOU]))


def test_an_open_epoch_has_no_end(chain: Chain, consortium: Consortium) -> None:
    grown(chain, consortium, 40)
    assert consortium.anchor.functions.epochClosedAt(log_id(0)).call() == (False, 0, 0, 0)
    assert consortium.anchor.functions.epochClosedAt(log_id(1)).call() == (False, 0, 0, 0)


def test_a_governor_closes_an_epoch(chain: Chain, consortium: Consortium) -> None:
    anchor = consortium.anchor.functions
    heads = grown(chain, consortium, 40, 60)
    frozen = anchor.head(log_id(0)).call()
    seen = close(chain, consortium, 40)
    now = chain.time
    assert seen == [("EpochClosed", log_id(0), HANGZHOU, CERTIFICATE, 0, 40, 60, now, bytes(32))]
    assert anchor.currentEpoch(HANGZHOU, CERTIFICATE).call() == 1
    assert anchor.epochClosedAt(log_id(0)).call() == (True, 40, chain.block, now)
    assert anchor.head(log_id(0)).call() == frozen
    assert anchor.head(log_id(1)).call() == (0, bytes(32), 0, 0, 0)
    assert all(anchor.isHead(*head).call() for head in heads)  # history, also of the void one
    assert anchor.currentEpoch(HANGZHOU, ACCESS).call() == 0
    assert anchor.currentEpoch(CHANGSHA, CERTIFICATE).call() == 0


def test_the_next_epoch_begins_without_a_proof_and_grows(chain: Chain, consortium: Consortium) -> None:
    anchor = consortium.anchor.functions
    grown(chain, consortium, 40)
    close(chain, consortium, 40)
    [event] = publish(chain, consortium, OTHERS[:1])
    first = chain.time
    assert event == ("HeadPublished", log_id(1), HANGZHOU, CERTIFICATE, 1, 1, OTHERS[0], 0, first)
    assert anchor.isHead(log_id(1), 1, OTHERS[0], 0, chain.block, first).call() is True
    [event] = publish(chain, consortium, OTHERS[:9], 1)
    assert event == ("HeadPublished", log_id(1), HANGZHOU, CERTIFICATE, 1, 9, root(OTHERS[:9]), 1, chain.time)
    assert anchor.head(log_id(1)).call() == (9, root(OTHERS[:9]), 1, chain.block, chain.time)
    assert anchor.head(log_id(0)).call()[0] == 40
    [event] = publish(chain, consortium, [leaf(7), *OTHERS[1:12]], 9)
    assert (event[0], event[1], event[-1]) == ("HeadRefused", log_id(1), BAD_PROOF)


def test_a_frozen_epoch_takes_no_head(chain: Chain, consortium: Consortium) -> None:
    """Its newest head again, an earlier one, a good continuation: nothing lands, in neither log."""
    anchor = consortium.anchor.functions
    grown(chain, consortium, 40)
    close(chain, consortium, 40)
    for leaves, before in ((LEAVES[:50], 40), (LEAVES[:40], 0), (LEAVES[:40], 20)):
        [event] = publish(chain, consortium, leaves, before)
        assert event == ("HeadRefused", log_id(1), len(leaves), root(leaves), EPOCH_CLOSED)
    assert anchor.head(log_id(0)).call()[0] == 40
    assert anchor.head(log_id(1)).call()[0] == 0
    publish(chain, consortium, OTHERS[:60])
    for leaves, before, code_ in ((LEAVES[:50], 40, STALE), (LEAVES[:70], 40, BAD_PROOF), (LEAVES[:70], 60, BAD_PROOF)):
        [event] = publish(chain, consortium, leaves, before)
        assert event == ("HeadRefused", log_id(1), len(leaves), root(leaves), code_)
    assert anchor.head(log_id(0)).call()[0] == 40


def test_epochs_follow_each_other(chain: Chain, consortium: Consortium) -> None:
    anchor = consortium.anchor.functions
    for epoch in range(3):
        publish(chain, consortium, [leaf(100 * epoch + i) for i in range(epoch + 2)])
        [event] = close(chain, consortium, epoch)
        assert event[1] == log_id(epoch)
        assert event[4:7] == (epoch, epoch, epoch + 2)
    assert anchor.currentEpoch(HANGZHOU, CERTIFICATE).call() == 3
    assert [anchor.head(log_id(e)).call()[0] for e in range(4)] == [2, 3, 4, 0]
    assert [anchor.epochClosedAt(log_id(e)).call()[:2] for e in range(4)] == [
        (True, 0),
        (True, 1),
        (True, 2),
        (False, 0),
    ]


def test_what_cannot_be_closed(chain: Chain, consortium: Consortium) -> None:
    call, governor = consortium.anchor.functions.closeEpoch, consortium.governor[HANGZHOU]
    assert chain.refused(call(CERTIFICATE, 0), governor) == ("NothingToClose", log_id(0))
    grown(chain, consortium, 40)
    assert chain.refused(call(CERTIFICATE, 41), governor) == ("BadLastGoodSize", 41, 40)
    assert chain.refused(call(ACCESS, 0), governor) == ("NothingToClose", log_id(0, stream=ACCESS))
    close(chain, consortium, 0)
    assert chain.refused(call(CERTIFICATE, 0), governor) == ("NothingToClose", log_id(1))


def test_nobody_else_closes_a_citys_epoch(chain: Chain, consortium: Consortium) -> None:
    """A hot account may not; another governor's call reaches its own log, where nothing is."""
    grown(chain, consortium, 40)
    call = consortium.anchor.functions.closeEpoch(CERTIFICATE, 40)
    for sender in (consortium.hot[HANGZHOU], consortium.stranger, consortium.deployer):
        assert chain.refused(call, sender) == ("NotGovernor", sender)
    other = consortium.governor[CHANGSHA]
    assert chain.refused(call, other) == ("NothingToClose", log_id(0, CHANGSHA))
    first, second, _ = governors(consortium)
    decide(chain, consortium, action(REMOVE, NANJING), first, second)
    gone = consortium.governor[NANJING]
    assert chain.refused(call, gone) == ("NotGovernor", gone)


# ----------------------------------------------------------- decided by the cities


def closing(c: Consortium, size: int, epoch: int = 0, anchor: str = "") -> tuple[Any, ...]:
    account = anchor or c.anchor.address
    return action(CLOSE_EPOCH, HANGZHOU, account=account, epoch=epoch, size=size, stream=CERTIFICATE)


def test_a_majority_closes_another_citys_epoch(chain: Chain, consortium: Consortium) -> None:
    grown(chain, consortium, 40, 60)
    _, first, second = governors(consortium)
    proposal = propose(chain, consortium, closing(consortium, 40), first)
    carry_out = consortium.anchor.functions.closeEpochDecided(proposal)
    assert chain.refused(carry_out, first) == ("NotDecided", proposal)
    approve(chain, consortium, proposal, second)
    assert chain.refused(carry_out, first) == ("NotDecided", proposal)
    assert execute(chain, consortium, proposal, first) == [("ProposalExecuted", proposal, 2, 2)]
    seen = events(consortium.anchor, chain.send(carry_out, consortium.stranger))
    assert seen == [("EpochClosed", log_id(0), HANGZHOU, CERTIFICATE, 0, 40, 60, chain.time, proposal)]
    assert chain.refused(carry_out, first) == ("NotCurrentEpoch", 0, 1)
    publish(chain, consortium, OTHERS[:5])
    assert chain.refused(carry_out, first) == ("NotCurrentEpoch", 0, 1)


def test_a_decision_is_about_one_anchor_and_one_epoch(chain: Chain, consortium: Consortium) -> None:
    grown(chain, consortium, 40)
    _, first, second = governors(consortium)
    carry_out = consortium.anchor.functions.closeEpochDecided
    elsewhere = decide(chain, consortium, closing(consortium, 40, anchor=consortium.status.address), first, second)
    assert chain.refused(carry_out(elsewhere), first) == ("NotDecided", elsewhere)
    removal = decide(chain, consortium, action(REMOVE, NANJING), consortium.governor[HANGZHOU], first)
    assert chain.refused(carry_out(removal), first) == ("NotDecided", removal)
    assert chain.refused(carry_out(b"\1" * 32), first) == ("NotDecided", b"\1" * 32)
    later = decide(chain, consortium, closing(consortium, 40, epoch=1), first)
    assert chain.refused(carry_out(later), first) == ("NotCurrentEpoch", 1, 0)
    much = decide(chain, consortium, closing(consortium, 41), first)
    assert chain.refused(carry_out(much), first) == ("BadLastGoodSize", 41, 40)


def test_a_decision_is_carried_out_before_it_expires(chain: Chain, consortium: Consortium) -> None:
    grown(chain, consortium, 40)
    _, first, second = governors(consortium)
    proposal = propose(chain, consortium, closing(consortium, 40), first)
    expires = chain.time + LIFETIME
    approve(chain, consortium, proposal, second)
    execute(chain, consortium, proposal, first)
    carry_out = consortium.anchor.functions.closeEpochDecided(proposal)
    assert chain.refused(carry_out, first, at=expires) == ("NotDecided", proposal)
    chain.send(carry_out, first, at=expires - 1)


def test_epochs_of_a_removed_city_can_still_be_closed(chain: Chain, consortium: Consortium) -> None:
    grown(chain, consortium, 40)
    _, first, second = governors(consortium)
    decide(chain, consortium, action(REMOVE, HANGZHOU), first, second)
    proposal = decide(chain, consortium, closing(consortium, 10), first, second)
    chain.send(consortium.anchor.functions.closeEpochDecided(proposal), first)
    assert consortium.anchor.functions.epochClosedAt(log_id(0)).call()[:2] == (True, 10)


# ------------------------------------------------------------------------ off chain


@pytest.mark.parametrize("last_good", [0, 39, 40, 59, 60])
def test_what_a_verifier_must_check(chain: Chain, consortium: Consortium, last_good: int) -> None:
    """Python's reading of the interface: a head counts if it was accepted and is not above the last good size."""
    heads = [PublishedHead(h[0], h[1], h[2], h[3], h[4], h[5]) for h in grown(chain, consortium, 40, 60)]
    to = consortium.anchor.address

    def ask(call: bytes) -> bytes:
        return bytes(chain.w3.eth.call({"to": to, "data": call}))

    assert log_anchor.closing(heads[0].log, ask(log_anchor.closing_call(heads[0].log))) is None
    [event] = events(
        consortium.anchor,
        chain.w3.eth.wait_for_transaction_receipt(
            chain.w3.eth.send_transaction(
                {
                    "from": consortium.governor[HANGZHOU],
                    "to": to,
                    "data": log_anchor.close_epoch("certificate", last_good),
                }
            )
        ),
    )
    assert event[0] == "EpochClosed"
    end = log_anchor.closing(heads[0].log, ask(log_anchor.closing_call(heads[0].log)))
    assert end == EpochClosing(heads[0].log, last_good, chain.block, chain.time)
    assert all(log_anchor.is_head(ask(log_anchor.is_head_call(head))) for head in heads)
    assert [log_anchor.counts(head, end) for head in heads] == [last_good >= 40, last_good >= 60]
    assert log_anchor.current_epoch(ask(log_anchor.current_epoch_call(HANGZHOU, "certificate"))) == 1
    assert python_log_id(HANGZHOU, "certificate", 1) == log_id(1)
