"""One pass over a file of rows: what becomes of each is somebody else's; order, rejects and progress are kept here."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from api.errors import ApiError
from api.messages import Words
from certs.cells import Cell
from certs.row_file import RejectFile, RowFile
from certs.rows import Columns, RawRow, Reject

Progress = Callable[[int, int], None]
"""Told (rows done, rows in all)."""


class Numbered(Protocol):
    """A row that knows its line in the file."""

    @property
    def line(self) -> int: ...


class Result(Numbered, Protocol):
    """What became of a row."""

    @property
    def reject(self) -> Reject | None: ...


Good = TypeVar("Good", bound=Numbered)
R = TypeVar("R", bound=Result)


class RowRun(Generic[Good]):
    """Hands out the good rows; rejects are written in the order of lines, whichever step found them."""

    def __init__(
        self,
        rows: RowFile,
        read: Callable[[RawRow], Good | Reject | None],
        rejects: RejectFile,
        progress: Progress,
    ) -> None:
        """`read` answers None for a row that is left out and no reject."""
        self._rows = rows
        self._read = read
        self._rejects = rejects
        self._progress = progress
        self._held: list[tuple[Reject, Sequence[Cell]]] = []
        self._cells: dict[int, Sequence[Cell]] = {}
        self.read = self.left_out = self.rejected = 0
        self.rules: Counter[str] = Counter()
        """How many rows each rule rejected."""

    def results(self, through: Callable[[Iterable[Good]], Iterable[R]]) -> Iterator[R]:
        """What `through` makes of the good rows, without its rejects."""
        for result in through(self._good()):
            cells = self._cells.pop(result.line)
            if result.reject is not None:
                self._held.append((result.reject, cells))
            else:
                yield result
        self._flush()
        self._progress(self._rows.rows, self._rows.rows)

    def _good(self) -> Iterator[Good]:
        """The rows that can go on; the others are held until their neighbours are decided."""
        for raw in self._rows:
            self.read += 1
            row = self._read(raw)
            if row is None:
                self.left_out += 1
                continue
            if isinstance(row, Reject):
                self._held.append((row, raw.cells))
                continue
            if not self._cells:  # the batch before is decided
                self._flush()
                self._progress(self.read, self._rows.rows)
            self._cells[row.line] = raw.cells
            yield row

    def _flush(self) -> None:
        for reject, cells in sorted(self._held, key=lambda held: held[0].line):
            self._rejects.write(reject, cells)
            self.rejected += 1
            self.rules[reject.rule] += 1
        self._held.clear()


@contextmanager
def rejects_beside(source: Path, columns: Columns, words: Words) -> Iterator[RejectFile]:
    """The list of rejects beside `source`. Raises `ApiError` FILE_UNWRITABLE, before anything is decided if it can."""
    with RejectFile(source, columns, lambda reject: words.rule(reject.rule, reject.params)) as rejects:
        try:
            _make_room(rejects.path)
            yield rejects
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ApiError("FILE_UNWRITABLE", str(error), path=rejects.path, reason=reason) from None


def _make_room(rejects: Path) -> None:
    """A list of an earlier run would read as this one's, and this one must be writable."""
    rejects.unlink(missing_ok=True)
    if not os.access(rejects.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
