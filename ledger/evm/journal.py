"""The development chain's journal: what makes a block of an engine without durable storage *final*.

An append-only file of blocks (`ledger.evm.journal_format`), fsynced before a block is called final, and beside it
the height that was so called. The order of writes, and what a crash after each leaves:

1. line written       an unterminated or a whole line that no one was told about: the first is dropped at the next
                      start, the second is kept (the block was mined, so keeping it is as right as losing it)
2. file fsynced       the block survives power loss; no one was told
3. height replaced    the block is final for every process that asks

So the published height is never above what is durable, and a journal that ends below it has lost something that
was promised: that is refused. Against someone who rewrites the folder on purpose nothing here helps, nor is it
meant to: the chain is a development one.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ledger.errors import EngineError
from ledger.evm.journal_format import (
    SEED,
    BlockRun,
    Genesis,
    body_of,
    damaged,
    first,
    first_body,
    genesis_in,
    lines,
    run_in,
    sealed,
)

__all__ = ["HEIGHT", "JOURNAL", "BlockRun", "Genesis", "Journal", "exists", "journaled_height"]

JOURNAL = "journal.jsonl"
HEIGHT = "journal.height"


class Journal:
    """The one writer's view. Whoever opens it holds the folder's lock (`ledger.evm.engine`)."""

    def __init__(self, folder: Path) -> None:
        """Verify the whole file and drop a torn tail. Raises EngineError JOURNAL_DAMAGED, _BEHIND, …"""
        self._folder = folder
        self._path = folder / JOURNAL
        self._published = _published(folder) or 0
        self._uncertain = True
        self.height, self.time = 0, 0
        with _opened(self._path) as file:
            walk = lines(file, self._path)
            self._end, self._digits, body = first(walk, self._path)
            self.genesis = genesis_in(body, self._path)
            self.time, self.hash = self.genesis.time, self.genesis.hash
            for end, digits, record in walk:
                self._follow(run_in(record, end, self._path), end, digits)
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
        line, _ = sealed(SEED, first_body(genesis))
        _replace(folder / JOURNAL, line, durable=True)
        return cls(folder)

    def append(self, run: BlockRun) -> None:
        """On return `run` is durable and final. Raises EngineError JOURNAL_WRITE_FAILED: then it is neither, and
        the same call may be repeated. Raises ValueError when the run does not follow the last one.
        """
        self._must_follow(run)
        line, digits = sealed(self._digits, body_of(run))
        try:
            self._settle()
            self._uncertain = True
            _write_all(self._fd, line, self._end)
            # Crash journal/written: step 1.
            # After a failed fsync the kernel may have thrown the pages away and call the next fsync a success, so
            # nothing is ever only fsynced again: the line is cut off and written anew.
            os.fsync(self._fd)
            self._uncertain = False
            # Crash journal/synced: step 2.
        except OSError as error:
            with contextlib.suppress(OSError):
                self._settle()
            raise self._unwritable(error) from error
        self._follow(run, self._end + len(line), digits)
        self.publish()
        # Crash journal/published: step 3.

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
            walk = lines(file, self._path)
            first(walk, self._path)
            for end, _, record in walk:
                yield run_in(record, end, self._path)
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
            raise damaged(self._path, end, str(error)) from error
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
        raise EngineError("JOURNAL_HEIGHT_UNREADABLE", "start the chain once to learn its height again", folder=folder)
    raise EngineError("JOURNAL_MISSING", f"no development chain was ever started in {folder}", folder=folder)


def _published(folder: Path) -> int | None:
    """None when absent or unreadable: a machine that lost power may leave an empty file after a rename."""
    try:
        text = (folder / HEIGHT).read_bytes()
    except FileNotFoundError:
        return None
    return int(text) if re.fullmatch(rb"[0-9]{1,18}\n", text) else None


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
