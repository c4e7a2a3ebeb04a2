"""The journal alone: what it keeps, what it drops, what it refuses. Files are real, nothing listens."""

from __future__ import annotations

import hashlib
import resource
from pathlib import Path

import pytest

from ledger.errors import EngineError
from ledger.evm.journal import HEIGHT, JOURNAL, BlockRun, Genesis, Journal, exists, journaled_height

GENESIS = Genesis(chain_id=31337, time=1_700_000_000, hash="0x" + "00" * 32, engine="anvil/v1.7.1")


def block_hash(number: int) -> str:
    return "0x" + hashlib.sha256(b"%d" % number).hexdigest()


def one(number: int, *transactions: str) -> BlockRun:
    return BlockRun(number, GENESIS.time + 10 * number, block_hash(number), transactions)


RUNS = [
    one(1, "0x01", "0x0203"),
    one(2),
    BlockRun(5, GENESIS.time + 50, block_hash(5), count=3, step=10),
    one(6, "0xffee"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    journal = Journal.create(tmp_path, GENESIS)
    for run in RUNS:
        journal.append(run)
    journal.close()
    return tmp_path


def reopened(folder: Path) -> list[BlockRun]:
    journal = Journal(folder)
    try:
        assert journal.height == journaled_height(folder)
        return list(journal.runs())
    finally:
        journal.close()


def refused(folder: Path) -> str:
    before = (folder / JOURNAL).read_bytes() if (folder / JOURNAL).exists() else None
    with pytest.raises(EngineError) as refusal:
        Journal(folder)
    after = (folder / JOURNAL).read_bytes() if (folder / JOURNAL).exists() else None
    assert before == after, "a refused journal was touched"
    return refusal.value.code


def test_what_was_appended_comes_back(folder: Path) -> None:
    assert reopened(folder) == RUNS
    journal = Journal(folder)
    assert (journal.genesis, journal.height, journal.time, journal.hash) == (
        GENESIS,
        6,
        RUNS[-1].time,
        block_hash(6),
    )
    journal.append(one(7))
    journal.close()
    assert reopened(folder) == [*RUNS, one(7)]


def test_an_empty_journal_is_at_height_zero(tmp_path: Path) -> None:
    Journal.create(tmp_path, GENESIS).close()
    assert (reopened(tmp_path), journaled_height(tmp_path)) == ([], 0)
    with pytest.raises(EngineError, match="has a journal"):
        Journal.create(tmp_path, GENESIS)


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(one(6), id="the same number again"),
        pytest.param(one(8), id="a gap"),
        pytest.param(BlockRun(7, RUNS[-1].time, block_hash(7)), id="a time that stands still"),
        pytest.param(
            BlockRun(9, RUNS[-1].time + 20, block_hash(9), count=3, step=10), id="a run that begins too early"
        ),
    ],
)
def test_only_the_next_block_is_taken(folder: Path, run: BlockRun) -> None:
    journal = Journal(folder)
    with pytest.raises(ValueError, match="does not follow"):
        journal.append(run)
    journal.close()
    assert reopened(folder) == RUNS


@pytest.mark.parametrize(
    "fields",
    [
        (0, 1, block_hash(0)),
        (1, 1, "0x00"),
        (1, 1, block_hash(1), ("01",)),
        (1, 1, block_hash(1), ("0x0",)),
        (2, 20, block_hash(2), ("0x01",), 2, 1),
        (2, 20, block_hash(2), (), 2, 0),
        (2, 20, block_hash(2), (), 3, 1),
        (3, 20, block_hash(3), (), 3, 10),
    ],
)
def test_a_run_is_checked_when_made(fields: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="not a block"):
        BlockRun(*fields)  # type: ignore[arg-type]


def test_every_flipped_byte_is_refused(folder: Path) -> None:
    whole = (folder / JOURNAL).read_bytes()
    codes: dict[str, int] = {}
    for place in range(len(whole)):
        (folder / JOURNAL).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        code = refused(folder)
        codes[code] = codes.get(code, 0) + 1
    print(f"{len(whole)} bytes flipped one by one: {codes}")
    # The last newline gone looks like a torn tail, and only the promised height tells that it is not.
    assert codes == {"JOURNAL_DAMAGED": len(whole) - 1, "JOURNAL_BEHIND": 1}


def test_every_cut_below_the_promised_height_is_refused(folder: Path) -> None:
    whole = (folder / JOURNAL).read_bytes()
    for size in range(len(whole)):
        (folder / JOURNAL).write_bytes(whole[:size])
        assert refused(folder) in {"JOURNAL_DAMAGED", "JOURNAL_BEHIND"}


def test_a_torn_tail_that_was_never_promised_is_dropped_at_every_length(folder: Path) -> None:
    whole = (folder / JOURNAL).read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for size in range(last, len(whole)):
        (folder / JOURNAL).write_bytes(whole[:size])
        (folder / HEIGHT).write_bytes(b"5\n")
        assert reopened(folder) == RUNS[:-1]
        assert (folder / JOURNAL).read_bytes() == whole[:last]
    print(f"{len(whole) - last} torn tails dropped")


def test_zeros_that_a_power_cut_left_behind_are_a_torn_tail(folder: Path) -> None:
    with (folder / JOURNAL).open("ab") as file:
        file.write(bytes(4096))
    assert reopened(folder) == RUNS


def test_a_whole_line_that_nobody_was_told_of_is_kept(folder: Path) -> None:
    (folder / HEIGHT).write_bytes(b"5\n")
    assert reopened(folder) == RUNS
    assert journaled_height(folder) == 6


@pytest.mark.parametrize("change", ["lost", "doubled", "swapped", "inserted"])
def test_moved_lines_are_refused(folder: Path, change: str) -> None:
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    changed = {
        "lost": lines[:2] + lines[3:],
        "doubled": [*lines[:3], lines[2], *lines[3:]],
        "swapped": [*lines[:2], lines[3], lines[2], *lines[4:]],
        "inserted": [*lines[:2], b"\n", *lines[2:]],
    }[change]
    (folder / JOURNAL).write_bytes(b"".join(changed))
    assert refused(folder) == "JOURNAL_DAMAGED"


def test_a_height_without_its_journal_is_no_new_folder(folder: Path) -> None:
    (folder / JOURNAL).unlink()
    with pytest.raises(EngineError) as refusal:
        exists(folder)
    assert refusal.value.code == "JOURNAL_MISSING"


def test_the_height_is_asked_without_guessing(folder: Path, tmp_path: Path) -> None:
    assert journaled_height(folder) == 6
    (folder / HEIGHT).write_bytes(b"")
    with pytest.raises(EngineError) as refusal:
        journaled_height(folder)
    assert refusal.value.code == "JOURNAL_HEIGHT_UNREADABLE"
    assert reopened(folder) == RUNS
    with pytest.raises(EngineError) as refusal:
        journaled_height(tmp_path / "never")
    assert refusal.value.code == "JOURNAL_MISSING"


def test_a_full_disk_promises_nothing_and_the_same_append_works_later(folder: Path) -> None:
    # A file size limit fails a write in the middle of a line, as a full disk does.
    journal = Journal(folder)
    size = (folder / JOURNAL).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, hard))
    try:
        with pytest.raises(EngineError) as refusal:
            journal.append(one(7, "0x" + "ab" * 500))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert refusal.value.code == "JOURNAL_WRITE_FAILED"
    assert (journaled_height(folder), (folder / JOURNAL).stat().st_size) == (6, size)
    journal.append(one(7, "0x" + "ab" * 500))
    journal.close()
    assert reopened(folder) == [*RUNS, one(7, "0x" + "ab" * 500)]
