"""Every edit of a committed column below the anchored size is found by `check`, and named."""

from __future__ import annotations

import multiprocessing
import random
import resource
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from homes import Home, copied, licences

from api import checking
from api.checking import Checked, Outcome
from api.wiring import City
from ledger import merkle, tile
from ledger.store import logs

FRESH = multiprocessing.get_context("forkserver")
ROWS = 600
"""Two full tiles and a part of a third; level 1 holds two hashes."""
SEED, EDITS = 21, 12
HANG_SECONDS = 120
LOG = "stream = 'certificate'"
IN_LOG = f"log_no = (SELECT no FROM log WHERE {LOG})"
"""The log that is edited; the city has others beside it."""


@pytest.fixture(scope="module")
def anchored(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Six hundred leaves under several heads; each test leaves the files as it found them."""
    with copied(founded, tmp_path_factory.mktemp("anchored")) as home:
        for start in (1, 301):
            home.issue(licences(home.folder / f"{start}.csv", ROWS // 2, start=start))
            home.publish()
        assert home.contiguous() == ROWS and not home.wrong()
        yield home
        assert not home.wrong()


@dataclass(frozen=True)
class Edit:
    """One statement, how to undo it, and the place that `check` has to name."""

    do: tuple[str, tuple[Any, ...]]
    undo: tuple[str, tuple[Any, ...]]
    column: str
    indices: range
    """Which index may be named; empty: any."""


def flipped(rng: random.Random, value: bytes) -> bytes:
    at = rng.randrange(len(value))
    return value[:at] + bytes([value[at] ^ rng.randrange(1, 256)]) + value[at + 1 :]


def damaged(rng: random.Random, value: bytes) -> bytes:
    ways: list[Callable[[], bytes]] = [
        lambda: flipped(rng, value),
        lambda: flipped(rng, value),
        lambda: flipped(rng, value),
        lambda: value[: rng.randrange(len(value))],
        lambda: bytes(len(value)),
    ]
    return rng.choice(ways)()


def sealed_edit(home: Home, rng: random.Random) -> Edit:
    index = rng.randrange(ROWS)
    ((old,),) = home.ask(f"SELECT sealed FROM entry WHERE {IN_LOG} AND idx = ?", index)
    ((other,),) = home.ask(f"SELECT sealed FROM entry WHERE {IN_LOG} AND idx = ?", (index + 1) % ROWS)
    new = rng.choice([damaged(rng, old), other])
    put = f"UPDATE entry SET sealed = ? WHERE {IN_LOG} AND idx = ?"
    return Edit((put, (new, index)), (put, (old, index)), "entry.sealed", range(index, index + 1))


def idx_edit(home: Home, rng: random.Random) -> Edit:
    index, there = rng.randrange(ROWS), ROWS + rng.randrange(10**6)
    move = f"UPDATE entry SET idx = ? WHERE {IN_LOG} AND idx = ?"
    return Edit((move, (there, index)), (move, (index, there)), "entry.idx", range(index, index + 1))


def tile_edit(home: Home, rng: random.Random) -> Edit:
    level, at, old = rng.choice(home.ask(f"SELECT level, idx, hashes FROM tile WHERE {IN_LOG} ORDER BY level, idx"))
    put = f"UPDATE tile SET hashes = ? WHERE {IN_LOG} AND level = ? AND idx = ?"
    return Edit((put, (damaged(rng, old), level, at)), (put, (old, level, at)), "tile.hashes", range(0))


def size_edit(home: Home, rng: random.Random) -> Edit:
    size = rng.choice([0, ROWS - 1, ROWS + 1, ROWS // 2, rng.randrange(ROWS), ROWS + rng.randrange(1, 5000)])
    put = f"UPDATE log SET size = ? WHERE {LOG}"
    return Edit((put, (size,)), (put, (ROWS,)), "log.size", range(0))


def root_edit(home: Home, rng: random.Random) -> Edit:
    ((old,),) = home.ask(f"SELECT root FROM log WHERE {LOG}")
    ((before,),) = home.ask(f"SELECT root FROM anchor WHERE {IN_LOG} ORDER BY size LIMIT 1")
    put = f"UPDATE log SET root = ? WHERE {LOG}"
    return Edit((put, (rng.choice([flipped(rng, old), before]),)), (put, (old,)), "log.root", range(0))


COLUMNS: dict[str, Callable[[Home, random.Random], Edit]] = {
    "entry.sealed": sealed_edit,
    "entry.idx": idx_edit,
    "tile.hashes": tile_edit,
    "log.size": size_edit,
    "log.root": root_edit,
}


def found_after(home: Home, edit: Edit) -> list[Checked]:
    assert home.edit(edit.do[0], *edit.do[1]) == 1
    try:
        return home.wrong()
    finally:
        assert home.edit(edit.undo[0], *edit.undo[1]) == 1


def edits(home: Home, column: str) -> Iterator[tuple[Edit, list[Checked]]]:
    rng = random.Random(f"{SEED} {column}")
    for _ in range(EDITS):
        edit = COLUMNS[column](home, rng)
        yield edit, found_after(home, edit)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_edit_is_found(anchored: Home, column: str) -> None:
    found = [bool(wrong) for _, wrong in edits(anchored, column)]
    print(f"{column}: {sum(found)} of {len(found)} random edits found, seed {SEED}")
    assert all(found)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_edit_is_named(anchored: Home, column: str) -> None:
    """Who is called at night must know which row of which table to look at, and not suspect another."""
    misnamed = []
    for edit, wrong in edits(anchored, column):
        named = [line.difference for line in wrong if line.difference is not None]
        fits = [d for d in named if f"{d.table}.{d.column}" == edit.column]
        fits = [d for d in fits if not edit.indices or d.index in edit.indices]
        assert all(d.log.name.stream == "certificate" for d in named)
        if not fits:
            misnamed.append((edit.do[0], [f"{d.code} #{d.index} {d.table}.{d.column}" for d in named]))
    print(f"{column}: {EDITS - len(misnamed)} of {EDITS} named, seed {SEED}")
    assert not misnamed


def test_the_report_says_log_index_table_and_column(anchored: Home) -> None:
    put = f"UPDATE entry SET sealed = ? WHERE {IN_LOG} AND idx = 300"
    ((old,),) = anchored.ask(f"SELECT sealed FROM entry WHERE {IN_LOG} AND idx = 300")
    (line,) = found_after(anchored, Edit((put, (old[:-1],)), (put, (old,)), "", range(0)))
    assert (line.check, line.outcome) == ("leaves", Outcome.WRONG)
    assert "ENTRY_ALTERED certificate #300 entry.sealed" in line.detail


def test_two_entries_swapped(anchored: Home) -> None:
    """Each opens only in its own place: both are named."""
    for first, second in ((10, -1), (11, 10), (-1, 11)):
        anchored.edit(f"UPDATE entry SET idx = ? WHERE {IN_LOG} AND idx = ?", second, first)
    wrong = anchored.wrong()
    for first, second in ((10, -1), (11, 10), (-1, 11)):
        anchored.edit(f"UPDATE entry SET idx = ? WHERE {IN_LOG} AND idx = ?", second, first)
    assert [line.check for line in wrong] == ["leaves"] and wrong[0].difference is not None
    assert wrong[0].difference.index == 10 and "(+1)" in wrong[0].detail


def test_an_entry_deleted(anchored: Home) -> None:
    ((no, sealed),) = anchored.ask(f"SELECT log_no, sealed FROM entry WHERE {IN_LOG} AND idx = 599")
    undo = "INSERT INTO entry (log_no, idx, sealed) VALUES (?, 599, ?)"
    edit = Edit((f"DELETE FROM entry WHERE {IN_LOG} AND idx = 599", ()), (undo, (no, sealed)), "", range(0))
    (line,) = found_after(anchored, edit)
    assert line.difference is not None
    assert (line.difference.code, line.difference.index) == ("ENTRY_MISSING", 599)


def test_a_size_that_cannot_be_is_told_without_counting_up_to_it(anchored: Home) -> None:
    """One number in one row must not be able to take the checking machine's memory."""
    anchored.edit(f"UPDATE log SET size = ? WHERE {LOG}", 2**40)
    try:
        child = FRESH.Process(target=check_with_little_memory, args=(str(anchored.folder),))
        child.start()
        child.join(HANG_SECONDS)
        assert child.exitcode == 0
    finally:
        anchored.edit(f"UPDATE log SET size = ? WHERE {LOG}", ROWS)


def check_with_little_memory(folder: str) -> None:
    with City(Path(folder)) as city:
        assert city.keystore and city.chain
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20, used + 300 * 2**20))
        found = list(checking.run(city, leaves=checking.NEWEST_LEAVES, progress=lambda _: None))
    assert next(line.check for line in found if line.outcome is Outcome.WRONG) == "heads"


# ------------------------------------------------- edits that agree with themselves


def cut_back(home: Home, size: int) -> None:
    """A database rewritten consistently to an earlier size, as by someone who knows the tables."""
    with home.city.database.writing() as connection:
        row = logs.lock(connection, home.city.log)
        leaves = tile.leaves(logs.tile_reader(connection, row.no), 0, size)
    home.edit(f"DELETE FROM entry WHERE {IN_LOG} AND idx >= ?", size)
    home.edit(f"DELETE FROM tile WHERE {IN_LOG}")
    with home.city.database.writing() as connection:
        logs.write_tiles(connection, row.no, tile.extend(lambda level, index: b"", 0, leaves))
    home.edit(f"UPDATE log SET size = ?, root = ? WHERE {LOG}", size, merkle.tree_root(leaves))


def test_a_log_cut_back_is_seen_by_guard_and_chain(home: Home) -> None:
    home.issued(10)
    home.publish()
    cut_back(home, 7)
    (line,) = home.wrong()
    assert line.difference is not None
    assert (line.difference.code, line.difference.column) == ("DATABASE_BEHIND_GUARD", "size")
    home.city.close()
    (home.folder / "guard.sqlite").unlink()
    home.reopen()
    (line,) = home.wrong()
    assert line.difference is not None
    assert (line.difference.code, line.difference.column) == ("DATABASE_BEHIND_CHAIN", "size")


def test_an_unanchored_tail_cut_off_is_seen_by_the_guard(home: Home) -> None:
    home.issued(10)
    home.publish()
    home.issued(3, start=11)
    cut_back(home, 10)
    (line,) = home.wrong()
    assert line.difference is not None and line.difference.code == "DATABASE_BEHIND_GUARD"


def test_a_log_rewritten_with_other_leaves_is_seen_by_guard_and_chain(home: Home) -> None:
    """Somebody with the city's key issues another history in a second database of the same size."""
    home.issued(10)
    home.publish()
    with home.city.database.reading() as connection:
        row = logs.lock(connection, home.city.log)
        leaves = tile.leaves(logs.tile_reader(connection, row.no), 0, 10)
    leaves[4] = bytes(32)
    home.edit(f"DELETE FROM tile WHERE {IN_LOG}")
    with home.city.database.writing() as connection:
        logs.write_tiles(connection, row.no, tile.extend(lambda level, index: b"", 0, leaves))
    home.edit(f"UPDATE log SET root = ? WHERE {LOG}", merkle.tree_root(leaves))
    heads, leaf = home.wrong()
    assert (heads.check, leaf.check) == ("heads", "leaves")
    assert leaf.difference is not None and leaf.difference.index == 4


def test_with_the_chain_away_the_guard_still_tells(home: Home) -> None:
    home.issued(10)
    home.publish()
    cut_back(home, 7)
    home.chain.stop()
    home.reopen()
    checks = {line.check: line.outcome for line in home.wrong()}
    assert checks == {"chain": Outcome.UNKNOWN, "heads": Outcome.WRONG}
