"""RFC 9162 §2.1 read off its recursive definitions; shares no code with what is tested."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

Hashes = Sequence[bytes]


def leaf(index: int) -> bytes:
    return sha256(b"\x00" + index.to_bytes(8, "big")).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    return 1 << ((n - 1).bit_length() - 1)


def root(leaves: Hashes) -> bytes:
    """MTH, §2.1.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def inclusion(m: int, leaves: Hashes) -> list[bytes]:
    """PATH(m, D_n), §2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*inclusion(m, leaves[:k]), root(leaves[k:])]
    return [*inclusion(m - k, leaves[k:]), root(leaves[:k])]


def consistency(m: int, leaves: Hashes, whole: bool = True) -> list[bytes]:
    """PROOF(m, D_n) = SUBPROOF(m, D_n, true), §2.1.4.1."""
    if m == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*consistency(m, leaves[:k], whole), root(leaves[k:])]
    return [*consistency(m - k, leaves[k:], False), root(leaves[:k])]
