"""RFC 9162 §2.1 read off its recursive definitions: the referee of `ledger.merkle`, sharing no line with it.

The `*_expression` functions do the same with names instead of hashes: what a verifier must compute from which part
of a proof. Two claims with one expression are one claim to SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import count
from typing import TypeAlias

Hashes: TypeAlias = Sequence[bytes]
Expression: TypeAlias = "str | int | tuple[Expression, Expression]"


def split(n: int) -> int:
    """The k of RFC 9162: the largest power of two smaller than n."""
    return max(2**i for i in range(64) if 2**i < n)


def root(d: Hashes) -> bytes:
    """MTH(D_n), over leaf hashes."""
    if len(d) < 2:
        return d[0] if d else sha256().digest()
    k = split(len(d))
    return sha256(b"\x01" + root(d[:k]) + root(d[k:])).digest()


def path(m: int, d: Hashes) -> list[bytes]:
    """PATH(m, D_n)."""
    if len(d) == 1:
        return []
    k = split(len(d))
    return [*path(m, d[:k]), root(d[k:])] if m < k else [*path(m - k, d[k:]), root(d[:k])]


def proof(m: int, d: Hashes, whole: bool = True) -> list[bytes]:
    """PROOF(m, D_n) = SUBPROOF(m, D_n, true)."""
    if m == len(d):
        return [] if whole else [root(d)]
    k = split(len(d))
    return [*proof(m, d[:k], whole), root(d[k:])] if m <= k else [*proof(m - k, d[k:], False), root(d[:k])]


def inclusion_expression(m: int, n: int, part: Iterator[int] | None = None) -> Expression:
    """The root of n leaves from leaf m and the parts 0, 1, … of its path."""
    if n == 1:
        return "leaf"
    k, part = split(n), part or count()
    if m < k:
        below = inclusion_expression(m, k, part)
        return (below, next(part))
    below = inclusion_expression(m - k, n - k, part)
    return (next(part), below)


def consistency_expression(
    m: int, n: int, part: Iterator[int] | None = None, whole: bool = True
) -> tuple[Expression, Expression]:
    """(old root, new root) from the parts 0, 1, … of a consistency proof, "old" being the old root itself."""
    part = part or count()
    if m == n:
        known: Expression = "old" if whole else next(part)
        return known, known
    k = split(n)
    if m <= k:
        old, new = consistency_expression(m, k, part, whole)
        return old, (new, next(part))
    old, new = consistency_expression(m - k, n - k, part, False)
    left = next(part)
    return (left, old), (left, new)
