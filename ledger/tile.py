"""Trees stored as tiles: 256 hashes wide, eight levels high (C2SP tlog-tiles).

Tile (level, index) holds the hashes of up to 256 complete subtrees of 256^level leaves each. A full tile never
changes again; of each level only the last one grows. Every proof for every past size comes from these tiles, so
proofs need neither the leaves nor memory proportional to the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ledger.errors import VerificationError
from ledger.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    consistency_ranges,
    inclusion_ranges,
    joined_root,
    node_hash,
    split,
)

HEIGHT = 8
WIDTH = 1 << HEIGHT
TILE_BYTES = WIDTH * HASH_BYTES

Coordinate = tuple[int, int]
"""(level, index) of a tile."""

ReadTile = Callable[[int, int], bytes]
"""Concatenated hashes of tile (level, index) as far as it is filled; b"" if it does not exist."""


def extend(read: ReadTile, size: int, leaf_hashes: Iterable[bytes]) -> dict[Coordinate, bytes]:
    """The tiles that change when `leaf_hashes` follow the first `size` leaves, with their new content."""
    changed: dict[Coordinate, bytes] = {}
    level, rising = 0, b"".join(leaf_hashes)
    while rising:
        completed: list[bytes] = []
        index, offset = divmod(size >> HEIGHT * level, WIDTH)
        start = -offset * HASH_BYTES
        while start < len(rising):
            end = start + TILE_BYTES
            tile = _filled(read, level, index, offset) + rising[max(start, 0) : end]
            changed[level, index] = tile
            if len(tile) == TILE_BYTES:
                completed.append(joined_root(tile))
            index, offset, start = index + 1, 0, end
        level, rising = level + 1, b"".join(completed)
    return changed


def root(read: ReadTile, size: int) -> bytes:
    """Root of the first `size` leaves."""
    return _range_root(read, 0, size) if size else EMPTY_ROOT


def uneven(read: ReadTile, size: int, start: int) -> Iterator[Coordinate]:
    """Full tiles from leaf `start` on whose root is not the hash that stands for them one level up."""
    level = 0
    while size >> HEIGHT * (level + 1):
        first, last = start >> HEIGHT * (level + 1), size >> HEIGHT * (level + 1)
        for index in range(first, last):
            above = _filled(read, level + 1, index // WIDTH, index % WIDTH + 1)[-HASH_BYTES:]
            if joined_root(_filled(read, level, index, WIDTH)) != above:
                yield level, index
        level += 1


def leaves(read: ReadTile, start: int, end: int) -> list[bytes]:
    """Leaf hashes [start, end)."""
    hashes: list[bytes] = []
    for index in range(start // WIDTH, -(-end // WIDTH)):
        first, last = max(start - index * WIDTH, 0), min(end - index * WIDTH, WIDTH)
        hashes += _split_hashes(_filled(read, 0, index, last)[first * HASH_BYTES :])
    return hashes


def prove_inclusion(read: ReadTile, index: int, size: int) -> list[bytes]:
    """Audit path of leaf `index` in the tree of the first `size` leaves, from tiles."""
    return [_range_root(read, start, end) for start, end in inclusion_ranges(index, size)]


def prove_consistency(read: ReadTile, size1: int, size2: int) -> list[bytes]:
    """Proof that the first `size1` leaves are a prefix of the first `size2`, from tiles."""
    return [_range_root(read, start, end) for start, end in consistency_ranges(size1, size2)]


def _range_root(read: ReadTile, start: int, end: int) -> bytes:
    """Root over leaves [start, end), a range as RFC 9162 cuts them: only its right side may be ragged."""
    width = end - start
    if width & (width - 1) == 0:
        return _subtree(read, width.bit_length() - 1, start // width)
    middle = start + split(width)
    return node_hash(_range_root(read, start, middle), _range_root(read, middle, end))


def _subtree(read: ReadTile, height: int, index: int) -> bytes:
    """Hash of the complete subtree of 2^height leaves at `index`: at most 128 hashes of one tile below it."""
    level, rise = divmod(height, HEIGHT)
    tile, offset = divmod(index << rise, WIDTH)
    hashes = _filled(read, level, tile, offset + (1 << rise))
    return joined_root(hashes[offset * HASH_BYTES :])


def _filled(read: ReadTile, level: int, index: int, number: int) -> bytes:
    """The first `number` hashes of a tile. Raises `VerificationError` if it holds fewer: the store is damaged."""
    hashes = read(level, index)[: number * HASH_BYTES]
    if len(hashes) != number * HASH_BYTES:
        raise VerificationError("TILE_SHORT", "a tile is shorter than its tree", level=level, index=index)
    return hashes


def _split_hashes(tile: bytes) -> list[bytes]:
    return [tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]
