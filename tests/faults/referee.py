"""Judges a city after a fault, from the outside: its database by plain SQL, its chain by raw JSON-RPC.

Nothing of the product is asked but its own Merkle code, and that only to be compared with another one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc9162
from command_line import rpc, transactions

from ledger import canonical, merkle, trust
from ledger.evm.contracts.codec import codec
from ledger.trust import Deployment
from ledger.types import LogName

SMALL = 2_000
"""Up to here the referee's tree is itself compared with the recursive definition, which is slow."""
Head = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Found:
    """What there is, once everything has been found to fit."""

    entries: int
    certificates: int
    heads: tuple[Head, ...]
    """Every (size, root) on the chain, oldest first."""
    transactions: int
    """Transactions of the publisher that the chain has."""
    waiting: int
    """Items of the outbox that are not done."""


def judge(folder: Path, url: str, city: int = 1) -> Found:
    """Raises AssertionError where the city is not whole."""
    with closing(sqlite3.connect(folder / "ledger.sqlite", timeout=60)) as database:
        no, log_id, size, root = database.execute(
            "SELECT no, log_id, size, root FROM log WHERE stream = 'certificate'"
        ).fetchone() or (0, LogName(city, "certificate").id, 0, sha256().digest())
        contiguous(database, no, size)
        certificates = each_once(database)
        leaves = leaves_of(database, no, size)
        senders = dict(database.execute("SELECT sender, count(*) FROM chain_transaction GROUP BY sender"))
        publisher = database.execute("SELECT sender FROM chain_transaction WHERE label IN ('publish', 'status')")
        waiting = database.execute("SELECT count(*) FROM outbox WHERE state != 'done'").fetchone()[0]
        sender = (publisher.fetchone() or [None])[0]
        kept = "SELECT size, root, prev_size, block, time FROM anchor WHERE log_no = ? ORDER BY size"
        anchors = database.execute(kept, (no,)).fetchall()
    heads = published(url, deployment_of(folder), log_id)
    one_history(leaves, [*heads, (size, root)])
    assert len({each for each, _ in heads}) == len(heads), "a size was anchored twice"
    if not waiting:
        assert [(each[0], each[1]) for each in anchors] == heads, "the anchors kept are not the chain's"
        # Every nonce that the chain has counted is one stored transaction: nothing was sent behind its back.
        for each, number in senders.items():
            assert int(rpc(url, "eth_getTransactionCount", each, "latest"), 16) == number, each
    sent = int(rpc(url, "eth_getTransactionCount", sender, "latest"), 16) if sender else 0
    return Found(size, certificates, tuple(heads), sent, waiting)


def deployment_of(folder: Path) -> Deployment:
    return trust.deployment_from(canonical.loads((folder / "deployment.json").read_bytes(), max_bytes=trust.MAX_BYTES))


def contiguous(database: sqlite3.Connection, no: int, size: int) -> None:
    number, first, last = database.execute(
        "SELECT count(*), min(idx), max(idx) FROM entry WHERE log_no = ?", (no,)
    ).fetchone()
    assert (number, first, last) == ((size, 0, size - 1) if size else (0, None, None)), "indices are not contiguous"


def each_once(database: sqlite3.Connection) -> int:
    """How many certificates: no identifier, digest, number with version, place or entry serves two of them."""
    columns = "count(*), count(DISTINCT identifier), count(DISTINCT digest), count(DISTINCT status_place)"
    columns += ", count(DISTINCT log_index), count(DISTINCT row_key || '/' || version)"
    number, *distinct = database.execute(f"SELECT {columns} FROM certificate").fetchone()
    assert distinct == [number] * len(distinct), "something was issued twice"
    both = "FROM certificate c JOIN entry e ON e.log_no = c.log_no AND e.idx = c.log_index"
    assert database.execute(f"SELECT count(*) {both}").fetchone()[0] == number, "a certificate without its entry"
    return int(number)


def leaves_of(database: sqlite3.Connection, no: int, size: int) -> list[bytes]:
    rows = database.execute("SELECT hashes FROM tile WHERE log_no = ? AND level = 0 ORDER BY idx", (no,))
    hashes = b"".join(row[0] for row in rows)
    assert len(hashes) >= 32 * size, "leaves are missing"
    return [hashes[32 * i : 32 * i + 32] for i in range(size)]


def published(url: str, deployment: Deployment, log: bytes) -> list[Head]:
    """Every head of the log that the chain has an event of, in the chain's order."""
    topics = ["0x" + codec("LogAnchor").topic("HeadPublished").hex(), "0x" + log.hex()]
    asked = {"fromBlock": "0x0", "toBlock": "latest", "address": deployment.log_anchor.address, "topics": topics}
    return [head_in(event) for event in rpc(url, "eth_getLogs", asked)]


def head_in(event: dict[str, Any]) -> Head:
    topics = [bytes.fromhex(topic[2:]) for topic in event["topics"]]
    found = codec("LogAnchor").event(topics, bytes.fromhex(event["data"][2:]))
    assert found is not None and found[0] == "HeadPublished"
    return found[1]["size"], found[1]["root"]


def one_history(leaves: Sequence[bytes], heads: Sequence[Head]) -> None:
    """Every head is the root of a prefix of these leaves, by our Merkle code and by another one; sizes only rise."""
    sizes = [size for size, _ in heads]
    assert sizes == sorted(sizes), "a head is older than the one before"
    others = dict(zip(sorted(set(sizes)), roots(leaves, sorted(set(sizes))), strict=True))
    for size, root in heads:
        assert root == merkle.tree_root(leaves[:size]) == others[size], f"the head of {size} is another history"
        assert size > SMALL or root == rfc9162.root(leaves[:size])


def roots(leaves: Sequence[bytes], sizes: Sequence[int]) -> Iterator[bytes]:
    """MTH of the prefixes of these sizes (rising), in one walk: the perfect subtrees that a size is the sum of."""
    stack: list[tuple[int, bytes]] = []
    done = 0
    for size in sizes:
        for leaf in leaves[done:size]:
            width, value = 1, leaf
            while stack and stack[-1][0] == width:
                value = sha256(b"\x01" + stack.pop()[1] + value).digest()
                width *= 2
            stack.append((width, value))
        done = size
        whole = stack[-1][1] if stack else sha256().digest()
        for _, left in reversed(stack[:-1]):
            whole = sha256(b"\x01" + left + whole).digest()
        yield whole


def kept(folder: Path, told: Sequence[str]) -> None:
    """Everything that was acknowledged is there."""
    with closing(sqlite3.connect(folder / "ledger.sqlite", timeout=60)) as database:
        there = {row[0] for row in database.execute("SELECT identifier FROM certificate")}
    assert set(told) <= there, f"{len(set(told) - there)} acknowledged certificates are missing"


def sent_by(url: str, address: str, after: int) -> int:
    """Transactions of an account in the blocks above `after`."""
    return sum(each["from"].lower() == address.lower() for each in transactions(url, after))
