"""LogAnchor: a head replaces another only if it provably extends it."""

from __future__ import annotations

from typing import Any

import pytest
from consortium import CHANGSHA, CONSORTIUM, HANGZHOU, MIN_INTERVAL, Consortium
from eth_abi import encode
from eth_utils import keccak
from evm_chain import FOREVER, Chain, code, events
from rfc9162_reference import consistency, inclusion, leaf, root

LEAVES = [leaf(i) for i in range(100)]
CERTIFICATE, ACCESS = code("certificate"), code("access")
EMPTY, PROOF_LENGTH, STALE, EQUIVOCATION, TOO_LARGE, FIRST_WITH_PROOF, TOO_SOON, BAD_PROOF = range(1, 9)
NOT_A_ROOT = b"\x99" * 32


def log_id(city: int, stream: bytes) -> bytes:
    return keccak(encode(["uint32", "bytes32", "uint32"], [city, stream, 0]))


def publish(c: Consortium, size: int, before: int = 0, stream: bytes = CERTIFICATE) -> Any:
    """A good head of `size` leaves after one of `before`."""
    proof = consistency(before, LEAVES[:size]) if before else []
    return c.anchor.functions.publish(stream, size, root(LEAVES[:size]), proof)


def started(chain: Chain, c: Consortium, size: int = 40) -> int:
    """A log whose newest head has `size` leaves and is old enough; the time of the next block."""
    chain.send(publish(c, size), c.hot[HANGZHOU])
    return chain.time + MIN_INTERVAL


def test_first_and_later_heads(chain: Chain, consortium: Consortium) -> None:
    anchor, sender, log = consortium.anchor, consortium.hot[HANGZHOU], log_id(HANGZHOU, CERTIFICATE)
    assert anchor.functions.head(log).call() == (0, bytes(32), 0, 0, 0)
    first = chain.send(publish(consortium, 40), sender)
    first_time = chain.time
    assert events(anchor, first) == [
        ("HeadPublished", log, HANGZHOU, CERTIFICATE, 0, 40, root(LEAVES[:40]), 0, first_time)
    ]
    later = chain.send(publish(consortium, 100, 40), sender, at=first_time + MIN_INTERVAL)
    later_time = chain.time
    assert events(anchor, later) == [
        ("HeadPublished", log, HANGZHOU, CERTIFICATE, 0, 100, root(LEAVES), 40, later_time)
    ]
    assert anchor.functions.head(log).call() == (100, root(LEAVES), 40, later["blockNumber"], later_time)
    known = [
        (log, 40, root(LEAVES[:40]), 0, first["blockNumber"], first_time),
        (log, 100, root(LEAVES), 40, later["blockNumber"], later_time),
    ]
    assert all(anchor.functions.isHead(*values).call() for values in known)


@pytest.mark.parametrize("changed", range(6))
def test_a_head_with_one_value_changed_never_was(chain: Chain, consortium: Consortium, changed: int) -> None:
    receipt = chain.send(publish(consortium, 40), consortium.hot[HANGZHOU])
    values: list[Any] = [log_id(HANGZHOU, CERTIFICATE), 40, root(LEAVES[:40]), 0, receipt["blockNumber"], chain.time]
    assert consortium.anchor.functions.isHead(*values).call() is True
    values[changed] = values[changed] + 1 if isinstance(values[changed], int) else NOT_A_ROOT
    assert consortium.anchor.functions.isHead(*values).call() is False


def test_what_was_never_published_is_no_head(consortium: Consortium) -> None:
    assert consortium.anchor.functions.isHead(log_id(HANGZHOU, ACCESS), 0, bytes(32), 0, 0, 0).call() is False


def test_a_published_head_proves_a_leaf(chain: Chain, consortium: Consortium) -> None:
    chain.send(publish(consortium, 40), consortium.hot[HANGZHOU])
    size, root_, *_ = consortium.anchor.functions.head(log_id(HANGZHOU, CERTIFICATE)).call()
    verify, proof = consortium.anchor.functions.verifyInclusion, inclusion(17, LEAVES[:40])
    assert verify(LEAVES[17], 17, size, proof, root_).call() is True
    assert verify(leaf(999), 17, size, proof, root_).call() is False


def changed_leaf(size: int) -> bytes:
    return root([leaf(999), *LEAVES[1:size]])


REFUSED: list[tuple[str, int, bytes, list[bytes], int]] = [
    ("empty tree", 0, bytes(32), [], EMPTY),
    ("empty tree with the newest root", 0, root(LEAVES[:40]), [], EMPTY),
    ("65 hashes", 50, root(LEAVES[:50]), 65 * [LEAVES[0]], PROOF_LENGTH),
    ("shorter tree", 39, root(LEAVES[:39]), [], STALE),
    ("shorter tree with a proof", 39, root(LEAVES[:39]), consistency(39, LEAVES[:40]), STALE),
    ("known size, another root", 40, changed_leaf(40), [], EQUIVOCATION),
    ("known size, zero root", 40, bytes(32), [], EQUIVOCATION),
    ("2^32 + 1 more", 40 + 2**32 + 1, NOT_A_ROOT, [], TOO_LARGE),
    ("2^63", 2**63, NOT_A_ROOT, [], TOO_LARGE),
    ("2^64 - 1", FOREVER, NOT_A_ROOT, [], TOO_LARGE),
    ("2^32 more, no proof", 40 + 2**32, NOT_A_ROOT, [], BAD_PROOF),
    ("no proof", 50, root(LEAVES[:50]), [], BAD_PROOF),
    ("changed leaf", 50, changed_leaf(50), consistency(40, [leaf(999), *LEAVES[1:50]]), BAD_PROOF),
    ("one hash missing", 50, root(LEAVES[:50]), consistency(40, LEAVES[:50])[:-1], BAD_PROOF),
    ("one hash too many", 50, root(LEAVES[:50]), [*consistency(40, LEAVES[:50]), LEAVES[0]], BAD_PROOF),
    ("64 hashes", 50, root(LEAVES[:50]), 64 * [LEAVES[0]], BAD_PROOF),
    ("proof from another size", 50, root(LEAVES[:50]), consistency(39, LEAVES[:50]), BAD_PROOF),
]


@pytest.mark.parametrize(("size", "root_", "proof", "refusal"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_bad_head_is_refused_and_changes_nothing(
    chain: Chain, consortium: Consortium, size: int, root_: bytes, proof: list[bytes], refusal: int
) -> None:
    anchor, log = consortium.anchor, log_id(HANGZHOU, CERTIFICATE)
    at = started(chain, consortium)
    before = anchor.functions.head(log).call()
    call = anchor.functions.publish(CERTIFICATE, size, root_, proof)
    receipt = chain.send(call, consortium.hot[HANGZHOU], at=at)
    assert events(anchor, receipt) == [("HeadRefused", log, size, root_, refusal)]
    assert anchor.functions.head(log).call() == before
    assert anchor.functions.isHead(log, size, root_, 40, receipt["blockNumber"], at).call() is False


@pytest.mark.parametrize(
    ("size", "proof", "refusal"),
    [
        (0, [], EMPTY),
        (5, 65 * [NOT_A_ROOT], PROOF_LENGTH),
        (2**32 + 1, [], TOO_LARGE),
        (5, [NOT_A_ROOT], FIRST_WITH_PROOF),
    ],
)
def test_a_bad_first_head(chain: Chain, consortium: Consortium, size: int, proof: list[bytes], refusal: int) -> None:
    anchor = consortium.anchor
    call = anchor.functions.publish(ACCESS, size, NOT_A_ROOT, proof)
    receipt = chain.send(call, consortium.hot[HANGZHOU])
    assert events(anchor, receipt) == [("HeadRefused", log_id(HANGZHOU, ACCESS), size, NOT_A_ROOT, refusal)]


def test_a_first_head_may_have_2_to_the_32_leaves(chain: Chain, consortium: Consortium) -> None:
    receipt = chain.send(consortium.anchor.functions.publish(ACCESS, 2**32, NOT_A_ROOT, []), consortium.hot[HANGZHOU])
    assert [e[0] for e in events(consortium.anchor, receipt)] == ["HeadPublished"]


def test_the_interval_is_kept_to_the_second_and_per_log(chain: Chain, consortium: Consortium) -> None:
    anchor, sender = consortium.anchor, consortium.hot[HANGZHOU]
    earliest = started(chain, consortium)
    early = chain.send(publish(consortium, 50, 40), sender, at=earliest - 1)
    assert [e[-1] for e in events(anchor, early)] == [TOO_SOON]
    other_log = chain.send(publish(consortium, 5, stream=ACCESS), sender, at=earliest - 1)
    assert [e[0] for e in events(anchor, other_log)] == ["HeadPublished"]
    due = chain.send(publish(consortium, 50, 40), sender, at=earliest)
    assert [e[0] for e in events(anchor, due)] == ["HeadPublished"]


def test_a_repeat_changes_nothing_and_says_nothing(chain: Chain, consortium: Consortium) -> None:
    anchor, sender, log = consortium.anchor, consortium.hot[HANGZHOU], log_id(HANGZHOU, CERTIFICATE)
    started(chain, consortium)
    before = anchor.functions.head(log).call()
    for proof in ([], [NOT_A_ROOT], 65 * [NOT_A_ROOT]):  # the newest head is known whatever comes with it
        again = anchor.functions.publish(CERTIFICATE, 40, root(LEAVES[:40]), proof)
        assert events(anchor, chain.send(again, sender)) == []
    assert anchor.functions.head(log).call() == before


def test_an_older_head_sent_again_is_stale(chain: Chain, consortium: Consortium) -> None:
    anchor, sender = consortium.anchor, consortium.hot[HANGZHOU]
    at = started(chain, consortium)
    chain.send(publish(consortium, 50, 40), sender, at=at)
    receipt = chain.send(publish(consortium, 40), sender, at=at + MIN_INTERVAL)
    assert [e[-1] for e in events(anchor, receipt)] == [STALE]
    assert anchor.functions.head(log_id(HANGZHOU, CERTIFICATE)).call()[0] == 50


def test_who_may_not_publish_reverts(chain: Chain, consortium: Consortium) -> None:
    governor, status_only = consortium.governor[HANGZHOU], consortium.spare[0]
    add = consortium.registry.functions.addAccount(status_only, bytes(32), 2, 0, FOREVER)
    chain.send(add, governor)
    for sender in (consortium.stranger, consortium.deployer, governor, status_only):
        assert chain.refused(publish(consortium, 5), sender) == ("Unregistered", sender)
        many = consortium.anchor.functions.publishMany([])
        assert chain.refused(many, sender) == ("Unregistered", sender)


def test_an_account_that_ended_publishes_no_more(chain: Chain, consortium: Consortium) -> None:
    hot = consortium.hot[HANGZHOU]
    chain.send(consortium.registry.functions.endAccount(hot, 0), consortium.governor[HANGZHOU])
    assert chain.refused(publish(consortium, 5), hot) == ("Unregistered", hot)


def test_a_city_reaches_only_its_own_logs(chain: Chain, consortium: Consortium) -> None:
    """Same stream, same calldata: the log is the sender's city's, so another city's cannot even be named."""
    started(chain, consortium)
    ours = consortium.anchor.functions.head(log_id(HANGZHOU, CERTIFICATE))
    before = ours.call()
    receipt = chain.send(publish(consortium, 50), consortium.hot[CHANGSHA])
    [event] = events(consortium.anchor, receipt)
    assert event[:4] == ("HeadPublished", log_id(CHANGSHA, CERTIFICATE), CHANGSHA, CERTIFICATE)
    assert ours.call() == before


def test_many_heads_do_not_hinder_each_other(chain: Chain, consortium: Consortium) -> None:
    anchor, sender = consortium.anchor, consortium.hot[HANGZHOU]
    started(chain, consortium)
    five = root(LEAVES[:5])
    items = [
        (CERTIFICATE, 40, root(LEAVES[:40]), []),  # known: silent
        (CERTIFICATE, 39, root(LEAVES[:39]), []),
        (ACCESS, 5, five, []),
        (ACCESS, 5, five, []),  # known by now: silent
        (ACCESS, 6, root(LEAVES[:6]), consistency(5, LEAVES[:6])),
        (code("case"), 5, five, []),
    ]
    receipt = chain.send(anchor.functions.publishMany(items), sender)
    assert [(e[0], e[1], e[-1]) for e in events(anchor, receipt)] == [
        ("HeadRefused", log_id(HANGZHOU, CERTIFICATE), STALE),
        ("HeadPublished", log_id(HANGZHOU, ACCESS), chain.time),
        ("HeadRefused", log_id(HANGZHOU, ACCESS), TOO_SOON),
        ("HeadPublished", log_id(HANGZHOU, code("case")), chain.time),
    ]


def test_64_heads_fit_and_65_do_not(chain: Chain, consortium: Consortium) -> None:
    sender, publish_many = consortium.hot[HANGZHOU], consortium.anchor.functions.publishMany
    items = [(code(f"s{i}"), 5, root(LEAVES[:5]), []) for i in range(65)]
    assert chain.refused(publish_many(items), sender) == ("TooManyItems", 65, 64)
    receipt = chain.send(publish_many(items[:64]), sender)
    assert len(events(consortium.anchor, receipt)) == 64
    assert events(consortium.anchor, chain.send(publish_many([]), sender)) == []


def test_the_anchor_names_its_deployment_and_its_logs(consortium: Consortium) -> None:
    read = consortium.anchor.functions
    assert read.consortiumId().call() == CONSORTIUM
    assert read.registry().call() == consortium.registry.address
    assert read.minInterval().call() == MIN_INTERVAL
    assert read.logId(HANGZHOU, CERTIFICATE, 0).call() == log_id(HANGZHOU, CERTIFICATE)
    assert read.logId(HANGZHOU, CERTIFICATE, 1).call() != log_id(HANGZHOU, CERTIFICATE)
    assert read.currentEpoch(HANGZHOU, CERTIFICATE).call() == 0


def test_the_largest_interval_does_not_overflow(chain: Chain, consortium: Consortium) -> None:
    anchor = chain.deploy("LogAnchor", consortium.registry.address, FOREVER)
    sender = consortium.hot[HANGZHOU]
    chain.send(anchor.functions.publish(ACCESS, 1, LEAVES[0], []), sender)
    later = anchor.functions.publish(ACCESS, 2, root(LEAVES[:2]), consistency(1, LEAVES[:2]))
    receipt = chain.send(later, sender, at=chain.time + 10**9)
    assert [e[-1] for e in events(anchor, receipt)] == [TOO_SOON]
