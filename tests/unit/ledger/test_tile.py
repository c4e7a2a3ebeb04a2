"""Trees in tiles tell what trees in memory tell, however they grew; a tile that lacks something is an error."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle, tile
from ledger.errors import LedgerError
from ledger.merkle import leaf_hash
from ledger.tile import Coordinate

LEAVES = [leaf_hash(i.to_bytes(8, "big")) for i in range(70_000)]


class Tiles:
    """Tiles in memory, and what was written last."""

    def __init__(self) -> None:
        self.stored: dict[Coordinate, bytes] = {}
        self.size = 0

    def read(self, level: int, index: int) -> bytes:
        return self.stored.get((level, index), b"")

    def grow(self, leaves: Iterable[bytes]) -> dict[Coordinate, bytes]:
        leaves = list(leaves)
        changed = tile.extend(self.read, self.size, leaves)
        self.stored |= changed
        self.size += len(leaves)
        return changed


def grown(size: int) -> Tiles:
    tiles = Tiles()
    tiles.grow(LEAVES[:size])
    return tiles


def test_no_leaves_change_no_tile() -> None:
    assert tile.extend(Tiles().read, 0, []) == {}
    assert tile.root(Tiles().read, 0) == merkle.EMPTY_ROOT


@given(st.lists(st.integers(0, 600), max_size=6), st.data())
def test_however_a_tree_grew_its_tiles_tell_the_same(batches: list[int], data: st.DataObject) -> None:
    tiles = Tiles()
    for batch in batches:
        tiles.grow(LEAVES[tiles.size : tiles.size + batch])
    assert tiles.stored == grown(tiles.size).stored
    size = data.draw(st.integers(0, tiles.size))
    assert tile.root(tiles.read, size) == merkle.tree_root(LEAVES[:size])
    start = data.draw(st.integers(0, size))
    assert tile.leaves(tiles.read, start, size) == LEAVES[start:size]


@given(st.data())
def test_proofs_from_tiles_equal_those_in_memory(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 1100))
    tiles = grown(size)
    past = data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, past - 1))
    assert tile.prove_inclusion(tiles.read, index, past) == merkle.prove_inclusion(LEAVES, index, past)
    assert tile.prove_consistency(tiles.read, past, size) == merkle.prove_consistency(LEAVES, past, size)


def test_three_levels_of_tiles_tell_the_same() -> None:
    """Beyond 256² leaves; the batches end on, before and after every boundary."""
    tiles = Tiles()
    for size in (1, 255, 256, 257, 511, 512, 30_000, 65_535, 65_536, 65_537, 65_792, 69_999):
        tiles.grow(LEAVES[tiles.size : size])
        assert tile.root(tiles.read, size) == merkle.tree_root(LEAVES[:size])
    assert tiles.stored == grown(69_999).stored
    assert {level for level, _ in tiles.stored} == {0, 1, 2}
    chosen = random.Random(9162)
    for _ in range(20):
        index, size = sorted(chosen.sample(range(1, 70_000), 2))
        assert tile.prove_inclusion(tiles.read, index, size) == merkle.prove_inclusion(LEAVES, index, size)
        assert tile.prove_consistency(tiles.read, index, size) == merkle.prove_consistency(LEAVES, index, size)


def test_a_full_tile_never_changes_again() -> None:
    tiles = Tiles()
    for batch in (200, 100, 300, 1, 255, 256, 700):
        before = dict(tiles.stored)
        changed = tiles.grow(LEAVES[tiles.size : tiles.size + batch])
        for coordinate in changed.keys() & before.keys():
            assert changed[coordinate].startswith(before[coordinate])
            assert len(before[coordinate]) < tile.WIDTH * merkle.HASH_BYTES


def test_what_lies_in_a_tile_beyond_the_size_is_not_read() -> None:
    """Left by a writer that was rolled back elsewhere: the size decides, and growing writes over it."""
    tiles, clean = grown(300), grown(300)
    tiles.stored[0, 1] += leaf_hash(b"left over")
    assert tile.root(tiles.read, 300) == merkle.tree_root(LEAVES[:300])
    assert tile.leaves(tiles.read, 290, 300) == LEAVES[290:300]
    tiles.grow(LEAVES[300:310])
    clean.grow(LEAVES[300:310])
    assert tiles.stored == clean.stored


SHORT = [(0, 0, 5), (0, 0, 256), (0, 1, 300), (0, 2, 513), (1, 0, 256), (1, 0, 600), (1, 0, 65_535), (2, 0, 65_537)]


@pytest.mark.parametrize(("level", "index", "size"), SHORT)
@pytest.mark.parametrize("cut", [1, 32, 10**6])
def test_a_tile_too_short_for_the_size_is_an_error(level: int, index: int, size: int, cut: int) -> None:
    tiles = grown(size)
    tiles.stored[level, index] = tiles.stored[level, index][:-cut]
    with pytest.raises((LookupError, LedgerError)):
        # A root reads what is complete from the highest level, the proof of the last leaf what lies below.
        tile.root(tiles.read, size)
        for leaf in range(0, size, 256):
            tile.prove_inclusion(tiles.read, leaf, size)
        tile.prove_inclusion(tiles.read, size - 1, size)


@pytest.mark.parametrize("cut", [1, 32])
def test_leaves_that_a_tile_lacks_are_an_error(cut: int) -> None:
    tiles = grown(300)
    tiles.stored[0, 0] = tiles.stored[0, 0][:-cut]
    with pytest.raises((LookupError, LedgerError)):
        tile.leaves(tiles.read, 0, 300)


@pytest.mark.parametrize("cut", [1, 32])
@pytest.mark.parametrize(("level", "size", "more"), [(0, 300, 1), (1, 600, 300)])
def test_a_tree_does_not_grow_on_a_tile_too_short(level: int, size: int, more: int, cut: int) -> None:
    """Growing on it would write a tile whose hashes all stand in the wrong place."""
    tiles = grown(size)
    newest = max(index for at, index in tiles.stored if at == level)
    tiles.stored[level, newest] = tiles.stored[level, newest][:-cut]
    with pytest.raises((LookupError, LedgerError)):
        tiles.grow(LEAVES[size : size + more])
