"""`ledger.merkle` against vectors, programs and definitions that others wrote."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256
from typing import Any

import pytest
import rfc9162
import vectors
from pymerkle import InmemoryTree

from ledger import merkle
from ledger.errors import VerificationError

DEVIATIONS = {
    # Go compares any byte strings of equal length; here a hash is 32 bytes, and this file's "roots" are 11 bytes
    # of text. Refused before any comparison (HASH_LENGTH): stricter, on input that no tree produces.
    "merkle/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json": "HASH_LENGTH",
}
LEAVES = [merkle.leaf_hash(i.to_bytes(8, "big")) for i in range(2100)]


def check_inclusion(v: dict[str, Any]) -> None:
    merkle.verify_inclusion(
        leaf_hash=b64decode(v["leafHash"] or ""),
        index=v["leafIdx"],
        size=v["treeSize"],
        proof=[b64decode(part) for part in v["proof"] or ()],
        root=b64decode(v["root"] or ""),
    )


def check_consistency(v: dict[str, Any]) -> None:
    merkle.verify_consistency(
        size1=v["size1"],
        size2=v["size2"],
        root1=b64decode(v["root1"] or ""),
        root2=b64decode(v["root2"] or ""),
        proof=[b64decode(part) for part in v["proof"] or ()],
    )


@vectors.needed
@pytest.mark.parametrize(
    ("kind", "check", "count", "good"),
    [("inclusion", check_inclusion, 65, 4), ("consistency", check_consistency, 57, 4)],
)
def test_every_vector_is_judged_as_its_authors_judge_it(kind: str, check: Any, count: int, good: int) -> None:
    judged: dict[str, str] = {}
    wanted_errors = set()
    for file in vectors.files(f"merkle/{kind}/**/*.json"):
        vector = vectors.load(file)
        if vector["wantErr"]:
            wanted_errors.add(vectors.name(file))
        try:
            check(vector)
        except VerificationError as error:
            judged[vectors.name(file)] = error.code
        else:
            judged[vectors.name(file)] = ""
    differing = {name: code for name, code in judged.items() if bool(code) != (name in wanted_errors)}
    print(f"{kind}: {len(judged)} vectors, {len(judged) - len(wanted_errors)} good, differing: {differing}")
    assert len(judged) == count and count - len(wanted_errors) == good
    assert differing == {name: code for name, code in DEVIATIONS.items() if name in judged}


def test_roots_equal_pymerkle() -> None:
    tree = InmemoryTree(algorithm="sha256")
    for size in range(1, 301):
        tree.append_entry((size - 1).to_bytes(8, "big"))
        assert merkle.tree_root(LEAVES[:size]) == tree.get_root()
    for size in range(301, 2101):
        tree.append_entry((size - 1).to_bytes(8, "big"))
    for size in (511, 512, 513, 1023, 1024, 1025, 2047, 2048, 2049, 2100):
        assert merkle.tree_root(LEAVES[:size]) == tree.get_root(size)


def test_the_root_of_no_leaves_is_the_hash_of_nothing() -> None:
    assert merkle.tree_root([]) == merkle.EMPTY_ROOT == sha256(b"").digest() == rfc9162.root([])


@pytest.mark.parametrize("size", [*range(1, 40), 63, 64, 65, 100, 127, 128, 129])
def test_every_inclusion_proof_equals_the_definition_and_holds(size: int) -> None:
    root = rfc9162.root(LEAVES[:size])
    for index in range(size):
        proof = merkle.prove_inclusion(LEAVES, index, size)
        assert proof == rfc9162.path(index, LEAVES[:size])
        merkle.verify_inclusion(leaf_hash=LEAVES[index], index=index, size=size, proof=proof, root=root)


@pytest.mark.parametrize("size2", [*range(1, 40), 63, 64, 65, 100, 127, 128, 129])
def test_every_consistency_proof_equals_the_definition_and_holds(size2: int) -> None:
    root2 = rfc9162.root(LEAVES[:size2])
    for size1 in range(1, size2 + 1):
        proof = merkle.prove_consistency(LEAVES, size1, size2)
        assert proof == rfc9162.proof(size1, LEAVES[:size2])
        root1 = rfc9162.root(LEAVES[:size1])
        merkle.verify_consistency(size1=size1, size2=size2, root1=root1, root2=root2, proof=proof)
