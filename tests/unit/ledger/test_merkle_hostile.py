"""Every change to a proof is refused, except one that says the same thing in other numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import rfc9162
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle
from ledger.errors import VerificationError

LEAVES = [merkle.leaf_hash(bytes([i])) for i in range(200)]
ROOTS = [merkle.tree_root(LEAVES[:size]) for size in range(201)]
STRANGE = merkle.leaf_hash(b"in no tree")
sizes = st.integers(1, 200)


def included(index: int, size: int, proof: list[bytes], *, leaf: bytes, root: bytes) -> None:
    merkle.verify_inclusion(leaf_hash=leaf, index=index, size=size, proof=proof, root=root)


def consistent(size1: int, size2: int, proof: list[bytes], *, root1: bytes, root2: bytes) -> None:
    merkle.verify_consistency(size1=size1, size2=size2, root1=root1, root2=root2, proof=proof)


def rearranged(proof: list[bytes]) -> Iterator[list[bytes]]:
    """Every element dropped, doubled or replaced, any two swapped, one more anywhere, none left."""
    for i in range(len(proof)):
        yield proof[:i] + proof[i + 1 :]
        yield proof[: i + 1] + proof[i:]
        yield [*proof[:i], STRANGE, *proof[i + 1 :]]
        yield from (
            [*proof[:i], proof[j], *proof[i + 1 : j], proof[i], *proof[j + 1 :]] for j in range(i + 1, len(proof))
        )
    yield from ([*proof[:i], STRANGE, *proof[i:]] for i in range(len(proof) + 1))
    if proof:
        yield []
        yield proof[::-1] if len(proof) > 1 else [STRANGE]


def flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(len(value), "big")


@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65, 200])
def test_no_rearranged_inclusion_proof_holds(size: int) -> None:
    for index in range(size):
        for proof in rearranged(merkle.prove_inclusion(LEAVES, index, size)):
            with pytest.raises(VerificationError):
                included(index, size, proof, leaf=LEAVES[index], root=ROOTS[size])


@pytest.mark.parametrize("size2", [*range(1, 34), 63, 64, 65, 200])
def test_no_rearranged_consistency_proof_holds(size2: int) -> None:
    for size1 in range(1, size2 + 1):
        for proof in rearranged(merkle.prove_consistency(LEAVES, size1, size2)):
            with pytest.raises(VerificationError):
                consistent(size1, size2, proof, root1=ROOTS[size1], root2=ROOTS[size2])


@given(st.data(), sizes, st.integers(0, 255))
def test_no_bit_of_an_inclusion_proof_can_change(data: st.DataObject, size: int, bit: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    parts = [LEAVES[index], ROOTS[size], *merkle.prove_inclusion(LEAVES, index, size)]
    for i in range(len(parts)):
        leaf, root, *proof = [*parts[:i], flipped(parts[i], bit), *parts[i + 1 :]]
        with pytest.raises(VerificationError, match="another root"):
            included(index, size, proof, leaf=leaf, root=root)


@given(st.data(), sizes, st.integers(0, 255))
def test_no_bit_of_a_consistency_proof_can_change(data: st.DataObject, size2: int, bit: int) -> None:
    size1 = data.draw(st.integers(1, size2))
    parts = [ROOTS[size1], ROOTS[size2], *merkle.prove_consistency(LEAVES, size1, size2)]
    for i in range(len(parts)):
        root1, root2, *proof = [*parts[:i], flipped(parts[i], bit), *parts[i + 1 :]]
        with pytest.raises(VerificationError):
            consistent(size1, size2, proof, root1=root1, root2=root2)


def test_a_proof_holds_for_no_other_index_and_only_for_sizes_that_say_the_same() -> None:
    """RFC 9162 hashes no size: a proof cannot tell (leaf 0 of 3) from (leaf 0 of 4). The head binds size to root."""
    for size in range(1, 34):
        for index in range(size):
            proof = merkle.prove_inclusion(LEAVES, index, size)
            said = rfc9162.inclusion_expression(index, size)
            for other in (n for n in range(1, 40) if n != size and index < n):
                same = rfc9162.inclusion_expression(index, other) == said
                assert accepts(included, index, other, proof, leaf=LEAVES[index], root=ROOTS[size]) == same
            for other in (i for i in range(size) if i != index):
                assert not accepts(included, other, size, proof, leaf=LEAVES[index], root=ROOTS[size])


def test_a_consistency_proof_holds_only_for_sizes_that_say_the_same() -> None:
    for size2 in range(2, 18):
        for size1 in range(1, size2):
            proof = merkle.prove_consistency(LEAVES, size1, size2)
            said = rfc9162.consistency_expression(size1, size2)
            for other1, other2 in ((m, n) for n in range(1, 26) for m in range(1, n + 1)):
                held = accepts(consistent, other1, other2, proof, root1=ROOTS[size1], root2=ROOTS[size2])
                assert held == (rfc9162.consistency_expression(other1, other2) == said), (size1, size2, other1, other2)


def accepts(check: object, *arguments: object, **named: object) -> bool:
    try:
        check(*arguments, **named)  # type: ignore[operator]
    except VerificationError:
        return False
    return True


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (5, 4), (0, 0), (0, -1), (0, 2**63 + 1)])
def test_an_index_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(VerificationError) as refused:
        included(index, size, [], leaf=LEAVES[0], root=LEAVES[0])
    assert refused.value.code == "PROOF_RANGE"
    with pytest.raises(VerificationError):
        merkle.prove_inclusion(LEAVES, index, size)


@pytest.mark.parametrize(("size1", "size2"), [(0, 0), (0, 1), (-1, 1), (2, 1), (1, 2**63 + 1)])
def test_sizes_out_of_order_are_refused(size1: int, size2: int) -> None:
    with pytest.raises(VerificationError) as refused:
        consistent(size1, size2, [], root1=LEAVES[0], root2=LEAVES[0])
    assert refused.value.code == "PROOF_RANGE"


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64])
def test_a_hash_of_another_length_is_refused_wherever_it_stands(size: int) -> None:
    wrong = bytes(size)
    for leaf, root, sibling in (
        (wrong, ROOTS[2], LEAVES[1]),
        (LEAVES[0], wrong, LEAVES[1]),
        (LEAVES[0], ROOTS[2], wrong),
    ):
        with pytest.raises(VerificationError) as refused:
            included(0, 2, [sibling], leaf=leaf, root=root)
        assert refused.value.code == "HASH_LENGTH"


def test_no_proof_for_more_leaves_than_there_are() -> None:
    with pytest.raises(VerificationError):
        merkle.prove_inclusion(LEAVES[:3], 0, 4)
    with pytest.raises(VerificationError):
        merkle.prove_consistency(LEAVES[:3], 1, 4)
