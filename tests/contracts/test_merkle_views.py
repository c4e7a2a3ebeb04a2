"""verifyInclusion and verifyConsistency: vectors that others wrote, and an independent reference."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
import vectors
from consortium import Consortium
from hypothesis import given, settings
from hypothesis import strategies as st
from rfc9162_reference import consistency, inclusion, leaf, node, root

LEAVES = [leaf(i) for i in range(70)]
MAX_UINT64 = 2**64 - 1


def hashes(vector: dict[str, Any], *names: str) -> tuple[bytes, ...]:
    return tuple(b64decode(vector[name] or "") for name in names)


def split(kind: str, *names: str) -> tuple[list[Any], list[Any]]:
    """Those the ABI can express, and the rest: a value that is not 32 bytes long has no bytes32."""
    fit: list[Any] = []
    misfit: list[Any] = []
    for path in vectors.files(f"merkle/{kind}/**/*.json"):
        vector = vectors.load(path)
        proof = [b64decode(h or "") for h in vector["proof"] or []]
        whole = all(len(h) == 32 for h in (*hashes(vector, *names), *proof))
        (fit if whole else misfit).append((vectors.name(path), vector, proof))
    return fit, misfit


INCLUSION, INCLUSION_MISFIT = split("inclusion", "leafHash", "root")
CONSISTENCY, CONSISTENCY_MISFIT = split("consistency", "root1", "root2")


@vectors.needed
def test_how_many_vectors_ran() -> None:
    """The rest hold a hash of another length (empty, cut, padded), which no bytes32 can carry. All of them are bad but
    one, whose two equal roots are 12 letters long; test_every_pair_of_small_sizes has its like with real roots."""
    assert (len(INCLUSION), len(INCLUSION_MISFIT)) == (45, 20)
    assert (len(CONSISTENCY), len(CONSISTENCY_MISFIT)) == (38, 19)
    good = [name for name, vector, _ in (*INCLUSION_MISFIT, *CONSISTENCY_MISFIT) if not vector["wantErr"]]
    assert good == ["merkle/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"]


@vectors.needed
def test_every_inclusion_vector_agrees(consortium: Consortium) -> None:
    verify = consortium.anchor.functions.verifyInclusion
    disagree = []
    for name, v, proof in INCLUSION:
        leaf_hash, root_ = hashes(v, "leafHash", "root")
        if verify(leaf_hash, v["leafIdx"], v["treeSize"], proof, root_).call() is v["wantErr"]:
            disagree.append(name)
    assert not disagree


@vectors.needed
def test_every_consistency_vector_agrees(consortium: Consortium) -> None:
    verify = consortium.anchor.functions.verifyConsistency
    disagree = []
    for name, v, proof in CONSISTENCY:
        if verify(v["size1"], v["size2"], *hashes(v, "root1", "root2"), proof).call() is v["wantErr"]:
            disagree.append(name)
    assert not disagree


def test_every_pair_of_small_sizes(consortium: Consortium) -> None:
    """All 1 <= m <= n <= 17: the right proof is good, and not for another first size with the same old root."""
    verify = consortium.anchor.functions.verifyConsistency
    for n in range(1, 18):
        new = root(LEAVES[:n])
        for m in range(1, n + 1):
            old, proof = root(LEAVES[:m]), consistency(m, LEAVES[:n])
            assert verify(m, n, old, new, proof).call() is True, (m, n)
            assert verify(m + 1, n, old, new, proof).call() is False, (m, n)


def test_every_leaf_of_small_trees(consortium: Consortium) -> None:
    verify = consortium.anchor.functions.verifyInclusion
    for n in range(1, 18):
        for i in range(n):
            proof = inclusion(i, LEAVES[:n])
            assert verify(LEAVES[i], i, n, proof, root(LEAVES[:n])).call() is True, (i, n)
            assert verify(LEAVES[i], (i + 1) % n, n, proof, root(LEAVES[:n])).call() is (n == 1), (i, n)


@st.composite
def mutated(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """A proof that differs from `proof` in one hash flipped, dropped, added, doubled or moved."""
    other = list(proof)
    at = draw(st.integers(0, max(len(proof) - 1, 0)))
    kinds = ["add"] if not proof else ["add", "flip", "drop", "double"]
    match draw(st.sampled_from(kinds)):
        case "flip":
            byte = draw(st.integers(0, 31))
            other[at] = bytes(b ^ (1 << draw(st.integers(0, 7))) if i == byte else b for i, b in enumerate(other[at]))
        case "drop":
            del other[at]
        case "double":
            other.insert(at, other[at])
        case _:
            other.insert(draw(st.integers(0, len(proof))), draw(st.binary(min_size=32, max_size=32)))
    return other


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(given_=st.data())
def test_no_changed_consistency_proof_passes(deployed: Consortium, given_: st.DataObject) -> None:
    n = given_.draw(st.integers(2, 70))
    m = given_.draw(st.integers(1, n - 1))
    proof = given_.draw(mutated(consistency(m, LEAVES[:n])))
    verify = deployed.anchor.functions.verifyConsistency
    assert verify(m, n, root(LEAVES[:m]), root(LEAVES[:n]), proof).call() is False


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(given_=st.data())
def test_no_changed_inclusion_proof_passes(deployed: Consortium, given_: st.DataObject) -> None:
    n = given_.draw(st.integers(1, 70))
    i = given_.draw(st.integers(0, n - 1))
    proof = given_.draw(mutated(inclusion(i, LEAVES[:n])))
    assert deployed.anchor.functions.verifyInclusion(LEAVES[i], i, n, proof, root(LEAVES[:n])).call() is False


def test_a_node_is_never_taken_for_a_leaf_of_a_smaller_tree(consortium: Consortium) -> None:
    """An inner node with a shorter path must not pass as a leaf of the same tree."""
    verify = consortium.anchor.functions.verifyInclusion
    inner, proof = node(LEAVES[0], LEAVES[1]), inclusion(0, LEAVES[:4])[1:]
    assert verify(inner, 0, 2, proof, root(LEAVES[:4])).call() is True  # true of a tree of two leaves: sizes bind
    assert verify(inner, 0, 4, proof, root(LEAVES[:4])).call() is False


@pytest.mark.parametrize("size", [2**63, 2**63 + 1, MAX_UINT64 - 1, MAX_UINT64])
def test_the_largest_sizes_do_not_overflow(consortium: Consortium, size: int) -> None:
    """A tree too large to build, whose left spine is known: 2^63 leaves under `left`, the rest a lone right part."""
    views, left, right = consortium.anchor.functions, b"\x11" * 32, b"\x22" * 32
    grown = node(left, right)
    if size > 2**63:
        # From a whole left half the proof to any larger size is the right part alone.
        assert views.verifyConsistency(2**63, size, left, grown, [right]).call() is True
    assert views.verifyConsistency(size, size, left, left, []).call() is True
    assert views.verifyConsistency(size, size, left, right, []).call() is False
    assert views.verifyConsistency(MAX_UINT64, MAX_UINT64 - 1, left, left, []).call() is False
    assert views.verifyConsistency(1, size, left, grown, 64 * [right]).call() is False
    assert views.verifyInclusion(left, size, size, [], left).call() is False
    assert views.verifyInclusion(left, size - 1, size, 64 * [right], grown).call() is False


def test_the_last_leaf_of_the_largest_tree(consortium: Consortium) -> None:
    """2^64 - 1 leaves: 63 siblings, all on the left, one at every level but the lowest."""
    proof = [bytes([i]) * 32 for i in range(63)]
    expected = leaf(0)
    for sibling in proof:
        expected = node(sibling, expected)
    verify = consortium.anchor.functions.verifyInclusion
    assert verify(leaf(0), MAX_UINT64 - 1, MAX_UINT64, proof, expected).call() is True
    assert verify(leaf(0), MAX_UINT64 - 2, MAX_UINT64, proof, expected).call() is False


@pytest.mark.parametrize(("size1", "size2"), [(0, 0), (0, 1), (0, MAX_UINT64)])
def test_from_nothing_nothing_is_proven(consortium: Consortium, size1: int, size2: int) -> None:
    views = consortium.anchor.functions
    assert views.verifyConsistency(size1, size2, LEAVES[0], LEAVES[0], []).call() is False
    assert views.verifyInclusion(LEAVES[0], 0, 0, [], LEAVES[0]).call() is False
