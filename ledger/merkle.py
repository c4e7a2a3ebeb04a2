"""RFC 9162 §2.1 Merkle trees over leaf hashes: roots, proofs and their verification. SHA-256 throughout.

A proof is a list of *ranges* of leaves whose subtree roots the verifier lacks. The two `*_ranges` functions
name them; where the hashes come from (a list here, stored tiles in `ledger.tile`) is someone else's matter.
Verification never trusts a length: surplus and missing hashes are refused as loudly as wrong ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NoReturn

from ledger.errors import VerificationError

HASH_BYTES = 32
MAX_SIZE = 2**63
EMPTY_ROOT = sha256(b"").digest()

Range = tuple[int, int]
"""Leaves [start, end)."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data): 32 bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right): 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


def tree_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162 §2.1.1 over leaf hashes."""
    return joined_root(b"".join(leaf_hashes))


def joined_root(level: bytes) -> bytes:
    """The same over leaf hashes one behind the other, level by level: an odd last node rises unchanged.

    Two neighbours are then one slice. All trees here are made of this loop, so it is written for speed.
    """
    if not level:
        return EMPTY_ROOT
    while len(level) > HASH_BYTES:
        pairs = range(0, len(level) - HASH_BYTES, 2 * HASH_BYTES)
        above = [sha256(b"\x01" + level[i : i + 2 * HASH_BYTES]).digest() for i in pairs]
        level = b"".join(above) + level[len(above) * 2 * HASH_BYTES :]
    return level


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The subtrees of the audit path of leaf `index` in a tree of `size`, from the leaf up (§2.1.3.1)."""
    if not 0 <= index < size <= MAX_SIZE:
        _refuse("PROOF_RANGE", "leaf index outside the tree", index=index, size=size)
    ranges: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(size1: int, size2: int) -> list[Range]:
    """The subtrees that prove a tree of `size1` to be a prefix of one of `size2` (§2.1.4.1)."""
    if not 0 < size1 <= size2 <= MAX_SIZE:
        _refuse("PROOF_RANGE", "sizes must satisfy 0 < size1 <= size2", size1=size1, size2=size2)
    ranges: list[Range] = []
    start, end = 0, size2
    while size1 != end:
        middle = start + split(end - start)
        if size1 <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    # The verifier holds the old root itself; only a right-hand remainder has to be sent.
    return ([(start, end)] if start else []) + ranges[::-1]


def prove_inclusion(leaf_hashes: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """Audit path of leaf `index` in the tree of the first `size` leaves."""
    _enough(leaf_hashes, size)
    return [tree_root(leaf_hashes[start:end]) for start, end in inclusion_ranges(index, size)]


def prove_consistency(leaf_hashes: Sequence[bytes], size1: int, size2: int) -> list[bytes]:
    """Proof that the first `size1` leaves are a prefix of the first `size2`."""
    _enough(leaf_hashes, size2)
    return [tree_root(leaf_hashes[start:end]) for start, end in consistency_ranges(size1, size2)]


def verify_inclusion(*, leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 §2.1.3.2. Returns None or raises `VerificationError`."""
    _hashes(leaf_hash, root, *proof)
    if not 0 <= index < size <= MAX_SIZE:
        _refuse("PROOF_RANGE", "leaf index outside the tree", index=index, size=size)
    fn, sn, calculated = index, size - 1, leaf_hash
    for sibling in proof:
        if sn == 0:
            _refuse("PROOF_LENGTH", "proof is too long")
        if fn & 1 or fn == sn:
            calculated = node_hash(sibling, calculated)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            calculated = node_hash(calculated, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        _refuse("PROOF_LENGTH", "proof is too short")
    if calculated != root:
        _refuse("ROOT_MISMATCH", "proof leads to another root")


def verify_consistency(*, size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """RFC 9162 §2.1.4.2. An empty old tree proves nothing and is refused. None or `VerificationError`."""
    _hashes(root1, root2, *proof)
    if not 0 < size1 <= size2 <= MAX_SIZE:
        _refuse("PROOF_RANGE", "sizes must satisfy 0 < size1 <= size2", size1=size1, size2=size2)
    if size1 == size2:
        if proof:
            _refuse("PROOF_LENGTH", "proof is too long")
        if root1 != root2:
            _refuse("ROOT_MISMATCH", "one size with two roots")
        return
    path = list(proof) if size1 & (size1 - 1) else [root1, *proof]
    if not path:
        _refuse("PROOF_LENGTH", "proof is too short")
    _walk_consistency(size1 - 1, size2 - 1, path, root1, root2)


def _walk_consistency(fn: int, sn: int, path: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if sn == 0:
            _refuse("PROOF_LENGTH", "proof is too long")
        if fn & 1 or fn == sn:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        _refuse("PROOF_LENGTH", "proof is too short")
    if old != root1 or new != root2:
        _refuse("ROOT_MISMATCH", "proof leads to other roots")


def split(size: int) -> int:
    """The largest power of two smaller than `size` (size > 1)."""
    return 1 << (size - 1).bit_length() - 1


def _enough(leaf_hashes: Sequence[bytes], size: int) -> None:
    if size > len(leaf_hashes):
        _refuse("PROOF_RANGE", "fewer leaves than the tree has", leaves=len(leaf_hashes), size=size)


def _hashes(*values: bytes) -> None:
    if any(len(value) != HASH_BYTES for value in values):
        _refuse("HASH_LENGTH", "a hash is not 32 bytes long")


def _refuse(code: str, message: str, **params: object) -> NoReturn:
    raise VerificationError(code, message, **params)
