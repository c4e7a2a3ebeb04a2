"""The development chain's journal: what makes a block of an engine without durable storage *final*.

An append-only file of blocks, fsynced before a block is called final, and beside it the height that was so called.

One line per block, or per run of empty blocks:  `<32 hex> <JSON>\\n`, where the hex digits are the first half of
SHA-256(previous digits ‖ JSON). The chained digits find an edited, lost, doubled or moved line. The first line
names the chain. The order of writes, and what a crash after each leaves:

1. line written       an unterminated or a whole line that no one was told about: the first is dropped at the next
                      start, the second is kept (the block was mined, so keeping it is as right as losing it)
2. file fsynced       the block survives power loss; no one was told
3. height replaced    the block is final for every process that asks

So the published height is never above what is durable, and a journal that ends below it has lost something that was
promised: that is refused. What an attacker with the folder can do is not this file's business; see the threat model.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import orjson

from ledger.errors import EngineError

FORMAT = "certledger-devnet-journal/1"
JOURNAL = "journal.jsonl"
HEIGHT = "journal.height"

_DIGITS = 32
_SEED = b"certledger/devnet-journal/v1"
_LINE_LIMIT = 256 * 1024 * 1024
_HASH = re.compile(r"0x[0-9a-f]{64}")
_RAW = re.compile(r"0x(?:[0-9a-f]{2})+")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Genesis:
    """What block 0 is made of, besides the flags every engine is started with."""

    chain_id: int
    time: int
    """Unix seconds."""
    hash: str
    engine: str
    """The version that began the journal; another one may rebuild it as long as every hash comes out the same."""

    def __post_init__(self) -> None:
        if self.chain_id < 1 or self.time < 1 or not _HASH.fullmatch(self.hash):
            raise ValueError("a genesis has a chain id, a time and a hash")


@dataclass(frozen=True, slots=True)
class BlockRun:
    """One block with its transactions, or `count` empty blocks in a row, `step` seconds apart."""

    number: int
    """Number of the run's last block, from 1."""
    time: int
    """Its time, Unix seconds."""
    hash: str
    """Its hash: covers parent, state, receipts, so a rebuilt run is compared by this one value."""
    transactions: tuple[str, ...] = ()
    """Raw signed transactions, 0x-hex, in block order."""
    count: int = 1
    step: int = 0

    def __post_init__(self) -> None:
        whole = 1 <= self.count <= self.number and self.first_time > 0 and _HASH.fullmatch(self.hash)
        many = self.count == 1 or (self.step >= 1 and not self.transactions)
        if not (whole and many and all(map(_RAW.fullmatch, self.transactions))):
            raise ValueError("not a block or a run of empty blocks")

    @property
    def first_time(self) -> int:
        """Time of the run's first block, Unix seconds."""
        return self.time - (self.count - 1) * self.step


class Journal:
    """The one writer's view. Whoever opens it holds the folder's lock (`ledger.evm.engine`)."""

    def __init__(self, folder: Path) -> None:
        """Verify the whole file and drop a torn tail. Raises EngineError JOURNAL_{DAMAGED,BEHIND,FOREIGN,MISSING}."""
        self._folder = folder
        self._path = folder / JOURNAL
        self._published = _published(folder) or 0
        self._uncertain = True
        self.height, self.time = 0, 0
        with _opened(self._path) as file:
            lines = _lines(file, self._path)
            self._end, self._digits, body = _first(lines, self._path)
            self.genesis = _genesis(body, self._path)
            self.time, self.hash = self.genesis.time, self.genesis.hash
            for end, digits, record in lines:
                self._follow(_run(record, end, self._path), end, digits)
        if self.height < self._published:
            raise EngineError(
                "JOURNAL_BEHIND",
                f"{self._path} ends at block {self.height}, but block {self._published} was called final",
                path=self._path,
                height=self.height,
                published=self._published,
            )
        self._fd = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._settle()
            # The tail may have been written by a supervisor killed before its fsync: make it durable before
            # the height promises it.
            os.fsync(self._fd)
            self.publish()
        except BaseException:
            os.close(self._fd)
            raise

    @classmethod
    def create(cls, folder: Path, genesis: Genesis) -> Journal:
        """Begin an empty journal. The file appears whole or not at all, so a torn first line is always damage."""
        if exists(folder):
            raise EngineError("JOURNAL_EXISTS", f"{folder} has a journal", folder=folder)
        body = {"format": FORMAT, "chain_id": genesis.chain_id, "time": genesis.time}
        line, _ = _sealed(_SEED, body | {"hash": genesis.hash, "engine": genesis.engine})
        _replace(folder / JOURNAL, line, durable=True)
        return cls(folder)

    def append(self, run: BlockRun) -> None:
        """On return `run` is durable and final. Raises EngineError JOURNAL_WRITE_FAILED: then it is neither, and
        the same call may be repeated. Raises ValueError when the run does not follow the last one.
        """
        self._must_follow(run)
        line, digits = _sealed(self._digits, _body(run))
        try:
            self._settle()
            self._uncertain = True
            _write_all(self._fd, line, self._end)
            # After a failed fsync the kernel may have thrown the pages away and call the next fsync a success, so
            # nothing is ever only fsynced again: the line is cut off and written anew.
            os.fsync(self._fd)
            self._uncertain = False
        except OSError as error:
            with contextlib.suppress(OSError):
                self._settle()
            raise self._unwritable(error) from error
        self._follow(run, self._end + len(line), digits)
        self.publish()

    def publish(self) -> None:
        """Tell every process the durable height. Does nothing when that is done. Raises JOURNAL_WRITE_FAILED."""
        if self._published == self.height and (self._folder / HEIGHT).exists():
            return
        try:
            _replace(self._folder / HEIGHT, b"%d\n" % self.height, durable=False)
        except OSError as error:
            raise self._unwritable(error) from error
        self._published = self.height

    def runs(self) -> Iterator[BlockRun]:
        """Every run in order, read and checked again, one at a time."""
        with _opened(self._path) as file:
            lines = _lines(file, self._path)
            _first(lines, self._path)
            for end, _, record in lines:
                yield _run(record, end, self._path)
                if end == self._end:
                    return

    def close(self) -> None:
        """Give the file back; nothing is left to write."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _settle(self) -> None:
        if self._uncertain:
            os.ftruncate(self._fd, self._end)
            self._uncertain = False

    def _must_follow(self, run: BlockRun) -> None:
        if run.number != self.height + run.count or run.first_time <= self.time:
            raise ValueError(f"block {run.number} does not follow block {self.height}")

    def _follow(self, run: BlockRun, end: int, digits: bytes) -> None:
        try:
            self._must_follow(run)
        except ValueError as error:
            raise _damaged(self._path, end, str(error)) from error
        self.height, self.time, self.hash = run.number, run.time, run.hash
        self._end, self._digits = end, digits

    def _unwritable(self, error: OSError) -> EngineError:
        return EngineError(
            "JOURNAL_WRITE_FAILED", f"{self._path}: {error.strerror}", path=self._path, reason=error.strerror
        )


def exists(folder: Path) -> bool:
    """Whether a chain was begun here. A height without its journal is a loss, not a new folder: JOURNAL_MISSING."""
    if (folder / JOURNAL).exists():
        return True
    if (folder / HEIGHT).exists():
        raise EngineError("JOURNAL_MISSING", f"{folder} has a final height but no journal", folder=folder)
    return False


def journaled_height(folder: Path) -> int:
    """The height up to which blocks are final, for any process, whether the chain runs or not.

    To call a transaction final, ask **this first** and then the chain for its receipt, and compare the receipt's
    block with the earlier height. The other way round, an engine may die between the two questions and another
    block of the same number be journaled. Raises EngineError JOURNAL_MISSING or JOURNAL_HEIGHT_UNREADABLE.
    """
    height = _published(folder)
    if height is not None:
        return height
    if (folder / JOURNAL).exists():
        raise EngineError(
            "JOURNAL_HEIGHT_UNREADABLE", "start the chain once to learn its height again", folder=folder
        )
    raise EngineError("JOURNAL_MISSING", f"no development chain was ever started in {folder}", folder=folder)


def _published(folder: Path) -> int | None:
    """None when absent or unreadable: a machine that lost power may leave an empty file after a rename."""
    try:
        text = (folder / HEIGHT).read_bytes()
    except FileNotFoundError:
        return None
    return int(text) if re.fullmatch(rb"[0-9]{1,18}\n", text) else None


def _body(run: BlockRun) -> dict[str, object]:
    body: dict[str, object] = {"number": run.number, "time": run.time, "hash": run.hash}
    if run.count > 1:
        return body | {"count": run.count, "step": run.step}
    return body | {"transactions": run.transactions} if run.transactions else body


def _sealed(previous: bytes, body: dict[str, object]) -> tuple[bytes, bytes]:
    text = orjson.dumps(body)
    digits = _digest(previous, text)
    return digits + b" " + text + b"\n", digits


def _digest(previous: bytes, text: bytes) -> bytes:
    return hashlib.sha256(previous + text).hexdigest()[:_DIGITS].encode()


def _lines(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes, dict[str, object]]]:
    """(offset after the line, its digits, its JSON) of each whole line; a tail without a newline ends the walk.

    Dropping that tail is safe: a line is written in full before it is fsynced, and fsynced before its block is
    called final, so a line cut short was never promised. Where a promise was made the height file has it and
    the caller compares. Everything else that is not as it was written raises JOURNAL_DAMAGED.
    """
    previous, end = _SEED, 0
    while (line := file.readline(_LINE_LIMIT)).endswith(b"\n"):
        digits, text = line[:_DIGITS], line[_DIGITS + 1 : -1]
        if line[_DIGITS : _DIGITS + 1] != b" " or digits != _digest(previous, text):
            raise _damaged(path, end, "a line is not the one that was written")
        end += len(line)
        previous = digits
        yield end, digits, _object(text, path, end)


def _object(text: bytes, path: Path, end: int) -> dict[str, object]:
    body = orjson.loads(text)
    if not isinstance(body, dict):
        raise _damaged(path, end, "a line is no object")
    return body


def _first(lines: Iterator[tuple[int, bytes, T]], path: Path) -> tuple[int, bytes, T]:
    for found in lines:
        return found
    raise _damaged(path, 0, "the first line is missing or cut short")


def _genesis(body: dict[str, object], path: Path) -> Genesis:
    if body.pop("format", None) != FORMAT:
        raise EngineError("JOURNAL_FOREIGN", f"{path} is not in the format {FORMAT}", path=path)
    try:
        return Genesis(**body)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise _damaged(path, 0, "the first line names no chain") from error


def _run(body: dict[str, object], end: int, path: Path) -> BlockRun:
    try:
        return BlockRun(**body | {"transactions": tuple(body.get("transactions", ()))})  # type: ignore[arg-type, call-overload]
    except (TypeError, ValueError) as error:
        raise _damaged(path, end, "a line is no block") from error


def _damaged(path: Path, offset: int, why: str) -> EngineError:
    return EngineError("JOURNAL_DAMAGED", f"{path} near byte {offset}: {why}", path=path, offset=offset, reason=why)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise EngineError("JOURNAL_MISSING", f"no journal in {path.parent}", folder=path.parent) from error


def _write_all(fd: int, line: bytes, offset: int) -> None:
    done = 0
    while done < len(line):
        done += os.pwrite(fd, line[done:], offset + done)


def _replace(path: Path, content: bytes, *, durable: bool) -> None:
    """Readers see the old file or the new one, never half of it."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)
    if durable:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
