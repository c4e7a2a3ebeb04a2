"""How fast, how flat, beside whom: printed, never judged. What is judged is memory, and that every case ran.

Full size: 100,000 certificates in one file, `certledger bench` as `make bench` runs it, a tree of 10,000,000 leaves.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import prepared_city as homes
from command_line import FULL, certledger, rpc, transactions, watched
from evidence import Shown
from prepared_city import Make

ROWS = 100_000 if FULL else 10_000
LEAVES = 10_000_000 if FULL else 500_000
HOUR = 3600.0
"""A hang guard: far above what the slowest machine needs."""
FLATNESS = 1.2
CASES = {"issue", "sd-jwt", "verify", "verify-again", "append", "access", "trace"}


def file_of(rows: int, path: Path) -> Path:
    """Licences of the sample under numbers of their own."""
    header, *good = homes.licences()
    lines = (
        homes.changed(
            good[number % len(good)], header, 证照编号=f"速{number // len(good)}{good[number % len(good)][0]}"
        )
        for number in range(rows)
    )
    return homes.write(path, [header, *lines])


def test_many_certificates_in_one_file(apart: Make, tmp_path: Path, shown: Shown) -> None:
    peaks = {}
    for rows in (ROWS // 10, ROWS):
        file, report = file_of(rows, tmp_path / f"{rows}.csv"), tmp_path / f"{rows}.json"
        home = apart()
        url = home.up()
        before = len(transactions(url))
        ran = home.issue(file, "--json", env=watched(report), guard=HOUR)
        assert ran.json["issued"] == rows and home.anchored_size() == homes.FIRST_ROWS + rows
        peaks[rows] = json.loads(report.read_text())["peak_kib"]
        new = transactions(url)[before:]
        gas = sum(int(rpc(url, "eth_getTransactionReceipt", each["hash"])["gasUsed"], 16) for each in new)
        shown(
            f"{rows:,} certificates in one file",
            f"{rows / ran.seconds:,.0f}/s in {ran.seconds:.1f} s, start of the command and anchoring included; "
            f"peak {peaks[rows]:,} KiB; transactions {len(new)}, gas {gas:,}",
        )
        home.down()
    ratio = peaks[ROWS] / peaks[ROWS // 10]
    shown("peak memory at ten times the rows", f"{ratio:.3f}")
    assert ratio <= FLATNESS


def test_beside_the_peers(shown: Shown) -> None:
    figures = certledger("bench", "--json", *(() if FULL else ("--quick",)), guard=HOUR).json
    assert figures["cases"].keys() == CASES
    peers = set()
    for case in figures["cases"].values():
        ours, *others = case
        assert all(rate > 0 for each in case for rate in each["rates"])
        assert all(len(each["rates"]) == figures["size"]["rounds"] for each in case)
        for other in others:
            assert any(character.isdigit() for character in other["name"]), "without its version"
            peers.add(other["name"].split()[0])
            ratio = median(ours) / median(other)
            shown(ours["name"], f"{median(ours):,.0f}/s; {other['name']} {median(other):,.0f}/s; ratio {ratio:.2f}")
    assert {"sd-jwt", "pymerkle"} <= peers
    shown("not installed here", ", ".join(figures["absent"]) or "none")
    assert all(rate > 0 for rate in figures["machine"].values())
    shown("this machine at the same time", ", ".join(f"{k} {v:,.0f}/s" for k, v in figures["machine"].items()))
    assert all(value > 0 for value in figures["decision"].values())
    shown("one decision, recorded and durable", ", ".join(f"{k} {v:.2f}" for k, v in figures["decision"].items()))
    shown("proofs of Go's tlog", ", ".join(f"{k} {v:.3f}" for k, v in figures["peer_proofs"].items()) or "absent")


def median(measured: dict[str, Any]) -> float:
    ordered = sorted(measured["rates"])
    return float(ordered[len(ordered) // 2])


def test_many_leaves(tmp_path: Path, shown: Shown) -> None:
    peaks = {}
    for leaves in (LEAVES // 10, LEAVES):
        report = tmp_path / f"{leaves}.json"
        asked = ("bench", "--leaves", leaves, "--quick", "--json")
        tree = certledger(*asked, env=watched(report), guard=HOUR).json
        peaks[leaves] = json.loads(report.read_text())["peak_kib"]
        root = bytes.fromhex(tree["root"])
        for proof in tree["proofs"]:
            path = [bytes.fromhex(node) for node in proof["path"]]
            assert root_by(path, leaf(proof["index"]), proof["index"], leaves) == root
        assert len(tree["proofs"]) == 20
        shown(
            f"{leaves:,} leaves in the store",
            f"appended at {tree['appended']:,.0f}/s; {tree['asked']:,} proofs p50 {tree['p50_ms']:.2f} ms, "
            f"p99 {tree['p99_ms']:.2f} ms; {len(tree['proofs'])} verified by the recursion of RFC 9162; "
            f"peak {peaks[leaves]:,} KiB",
        )
    ratio = peaks[LEAVES] / peaks[LEAVES // 10]
    shown("peak memory at ten times the leaves", f"{ratio:.3f}")
    assert ratio <= FLATNESS


def leaf(index: int) -> bytes:
    return sha256(b"leaf %d" % index).digest()


def root_by(path: list[bytes], leaf_hash: bytes, index: int, size: int) -> bytes:
    """PATH(m, D_n) of RFC 9162 §2.1.3.1 read backwards: shares no line with the product's verifier."""
    if size == 1:
        assert not path
        return leaf_hash
    split = max(2**i for i in range(64) if 2**i < size)
    *below, last = path
    if index < split:
        return sha256(b"\x01" + root_by(below, leaf_hash, index, split) + last).digest()
    return sha256(b"\x01" + last + root_by(below, leaf_hash, index - split, size - split)).digest()
