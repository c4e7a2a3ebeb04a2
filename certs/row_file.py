"""Files of rows: CSV or JSON Lines, in; the file of rejected rows, out.

`open_rows` streams: memory stays flat however long the file is. A first pass (`certs.row_survey`) refuses what
cannot be read to its end, and the header is judged, before the first row is handed out.

Codes of `RowFileError` beside those of `certs.row_survey` and `certs.rows`: FILE_UNREADABLE (path, reason);
FILE_NOT_JSON (line) the first line of a .jsonl file is not an object.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Final, NoReturn, Self

from certs.cells import Cell
from certs.certificate_type import CertificateType
from certs.errors import RowFileError
from certs.row_survey import MAX_LINE, Survey, survey
from certs.rows import Columns, RawRow, Reject, clean_heading, headings_of, resolve_columns
from ledger.canonical import bound_depth
from ledger.errors import CanonicalError

DELIMITERS: Final = ",;\t"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class RowFile:
    """An open file of rows: iterate it once. `columns` aligns the cells; `rows` is how many will come."""

    def __init__(
        self, source: BinaryIO, found: Survey, certificate_type: CertificateType, lines: bool, existing: bool
    ) -> None:
        self._source = source
        self.encoding = found.encoding
        self._header_line = found.header_line
        if lines:
            self.rows = found.rows
            self.columns = _json_columns(certificate_type, found, existing)
        else:
            self.rows = found.rows - 1
            self._delimiter, header = _csv_header(certificate_type, found)
            self.columns = resolve_columns(certificate_type, header, existing=existing)
        self._lines = lines

    def __iter__(self) -> Iterator[RawRow]:
        return self._json_rows() if self._lines else self._csv_rows()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.close()

    def _csv_rows(self) -> Iterator[RawRow]:
        # The survey has bounded every row; csv's own limit of 128 KiB a cell would only cut rows in two.
        csv.field_size_limit(MAX_LINE + 1)
        width = len(self.columns.fields)
        text = _Lines(self._source, self.encoding, self._header_line)
        reader = csv.reader(text, delimiter=self._delimiter, strict=True)
        while True:
            line = text.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield RawRow(line, (text.last,), "ROW_MALFORMED")
                continue
            while len(cells) > width and not cells[-1].strip():  # spreadsheet programs add empty columns
                cells.pop()
            if any(cell and not cell.isspace() for cell in cells):
                yield RawRow(line, cells)

    def _json_rows(self) -> Iterator[RawRow]:
        slots = {heading: at for at, heading in enumerate(self.columns.headings)}
        for at, field in enumerate(self.columns.fields):
            slots |= {field.zh: at, field.code: at, field.name: at}
        text = _Lines(self._source, self.encoding, 0)
        for line in text:
            if line and not line.isspace():
                yield _json_row(line, text.number, slots)


class _Lines:
    """Decoded lines that know their number. Lines end at \\n alone: csv and JSON see the rest as it is."""

    def __init__(self, source: BinaryIO, encoding: str, skip: int) -> None:
        source.seek(0)
        self._source = source
        self._encoding = encoding
        self.number = 0
        self.last = ""
        while self.number < skip:
            next(self)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._source.readline(MAX_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        try:
            self.last = line.decode(self._encoding)
        except UnicodeDecodeError:  # the file changed after the survey
            message = f"line {self.number} is not {self._encoding}"
            raise RowFileError("FILE_ENCODING", message, line=self.number) from None
        return self.last


def open_rows(path: Path, certificate_type: CertificateType, *, existing: bool = False) -> RowFile:
    """Open a .jsonl file as JSON Lines, any other as CSV. Raises `RowFileError`: nothing of it is issued then.

    `existing`: its rows are certificates that exist already, and bring their identifiers.
    The file must be one that can be read twice; it is closed when the context ends.
    """
    lines = path.suffix.lower() == ".jsonl"
    try:
        source = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        found = survey(source, None if lines else partial(_delimiter_byte, certificate_type))
        return RowFile(source, found, certificate_type, lines, existing)
    except OSError as error:
        source.close()
        raise _unreadable(path, error) from error
    except BaseException:
        source.close()
        raise


def _unreadable(path: Path, error: OSError) -> RowFileError:
    reason = error.strerror or type(error).__name__
    return RowFileError("FILE_UNREADABLE", f"the file cannot be read: {reason}", path=path, reason=reason)


def _csv_header(certificate_type: CertificateType, found: Survey) -> tuple[str, list[str]]:
    """The delimiter, and the headings without empty ones at the end."""
    line = found.header.decode(found.encoding)
    delimiter = _delimiter(certificate_type, line)
    header = _cells(line, delimiter)
    while header and not header[-1]:
        header.pop()
    return delimiter, header


def _delimiter(certificate_type: CertificateType, line: str) -> str:
    """The one under which most headings are known; a comma if none is."""
    known = headings_of(certificate_type)
    return max(DELIMITERS, key=lambda each: sum(cell in known for cell in _cells(line, each)))


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [clean_heading(cell) for cell in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:
        return []


def _delimiter_byte(certificate_type: CertificateType, line: bytes) -> bytes:
    """As `_delimiter`, while the encoding of the file is not settled: that of its first line is enough."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode("gb18030", errors="replace")
    return _delimiter(certificate_type, text).encode()


def _json_columns(certificate_type: CertificateType, found: Survey, existing: bool) -> Columns:
    """The first object's keys are the header; what it leaves out may come in later lines."""
    try:
        pairs = _pairs(found.header.decode(found.encoding))
    except ValueError:
        message = f"line {found.header_line} is not a JSON object"
        raise RowFileError("FILE_NOT_JSON", message, line=found.header_line) from None
    header = resolve_columns(certificate_type, [key for key, _ in pairs], existing=existing)
    rest = [field for field in certificate_type.fields if field not in header.fields]
    return Columns((*header.fields, *rest), (*header.headings, *(field.name for field in rest)))


class _Object(list[tuple[str, Cell]]):
    """A JSON object as its members in order, so that a key written twice is seen."""


def _pairs(line: str) -> _Object:
    """The members of the object in a line. Raises ValueError.

    Numbers with a fraction stay text: 89.50 must not pass through a float.
    """
    try:
        bound_depth(line)
        value = json.loads(
            line.removeprefix("\ufeff"), object_pairs_hook=_Object, parse_float=str, parse_constant=_no_constant
        )
    except CanonicalError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, _Object):
        raise ValueError("not an object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _json_row(line: str, number: int, slots: dict[str, int]) -> RawRow:
    broken = RawRow(number, (line.strip(),), "ROW_MALFORMED")
    try:
        pairs = _pairs(line)
    except ValueError:
        return broken
    cells: list[Cell] = [None] * (max(slots.values()) + 1)
    seen = set()
    for key, value in pairs:
        slot = slots.get(clean_heading(key))
        if slot is None:
            return replace(broken, fault="ROW_UNKNOWN_COLUMN")
        if slot in seen:
            return replace(broken, fault="ROW_DUPLICATE_COLUMN")
        seen.add(slot)
        cells[slot] = {} if isinstance(value, _Object) else value
    return RawRow(number, cells)


class RejectFile:
    """`<name>.rejects.csv` beside the source: one line for each row that was not issued, with its cells.

    Created at the first reject, for the owner alone: the cells are personal data. UTF-8 with a byte order mark,
    so that spreadsheet programs open it. Each line is flushed: after a crash the file is short by nothing that
    was reported.
    """

    def __init__(self, source: Path, columns: Columns, words: Callable[[Reject], str]) -> None:
        """`words` puts a reject into a sentence for people."""
        self.path = source.with_name(f"{source.stem}.rejects.csv")
        self.count = 0
        self._columns = columns
        self._words = words
        self._file: IO[str] | None = None

    def write(self, reject: Reject, cells: Sequence[Cell]) -> None:
        """Append one reject. Raises OSError as the file system does."""
        if self._file is None:
            self._file = self._create()
            self._write_line(("line", "column", "rule", "problem", *self._columns.headings))
        self._write_line((str(reject.line), reject.column, reject.rule, self._words(reject), *map(_original, cells)))
        self._file.flush()
        self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def _create(self) -> IO[str]:
        """A file of an earlier run is replaced, not reused: it may be readable by others, or a link."""
        self.path.unlink(missing_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="", errors="backslashreplace")

    def _write_line(self, cells: Sequence[str]) -> None:
        csv.writer(self._file).writerow([_neutral(cell) for cell in cells])  # type: ignore[arg-type]


def _original(cell: Cell) -> str:
    if cell is None:
        return ""
    return "、".join(map(str, cell)) if isinstance(cell, list) else str(cell)


def _neutral(cell: str) -> str:
    """A spreadsheet program would run it as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
