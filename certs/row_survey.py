"""The first pass over a file of rows: is it text, in which encoding, and how many rows has it?

One pass over the bytes, a line at a time, so that a file that cannot be read to its end is refused before the
first certificate is issued, and so that a progress bar knows where it ends. The count
includes rows that will be rejected; it is exact unless quotes are misplaced.

Codes of `RowFileError` (parameters): FILE_EMPTY; FILE_NUL_BYTE (line), also what UTF-16 looks like;
FILE_LINE_TOO_LONG (line, limit in bytes), also for a quoted row of many lines; FILE_ENCODING (line) neither
UTF-8 nor GB 18030; FILE_QUOTE_UNCLOSED (line) a quote opened in this row closes nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

from certs.errors import RowFileError

MAX_LINE: Final = 1 << 20
"""Bytes of one row."""

Encoding = Literal["utf-8", "gb18030"]
_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = b' \t\r\n,;"'
_FIRST_CJK: Final = "\u0800"
"""From here on UTF-8 takes three bytes."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first pass found. `header_line`: the first line that is not blank, from 1."""

    encoding: Encoding
    rows: int
    header: bytes
    header_line: int


def survey(source: BinaryIO, delimiter_of: Callable[[bytes], bytes] | None) -> Survey:
    """Read `source` from its start to its end.

    `delimiter_of` tells the delimiter from the first line that is not blank; None for files whose rows are
    lines whatever their quotes (JSON Lines). Raises `RowFileError`.
    """
    source.seek(0)
    encodings, quotes, rows = _Encodings(), _Quotes(), 0
    header, header_line, number = b"", 0, 0
    while line := source.readline(MAX_LINE + 1):
        number += 1
        _check_line(line, number)
        encodings.see(line, number)
        if number == 1:
            line = line.removeprefix(_BOM)
        blank = not line.strip(_BLANK)
        if not header and not blank:
            header, header_line = line, number
            quotes.delimiter = delimiter_of(line) if delimiter_of else b""
        begins = quotes.begins_row(line, number)
        rows += begins and (not blank or quotes.inside)
    if not header:
        raise RowFileError("FILE_EMPTY", "the file has no rows")
    quotes.check_closed()
    return Survey(encodings.verdict(), rows, header, header_line)


def _check_line(line: bytes, number: int) -> None:
    if len(line) > MAX_LINE:
        raise _too_long(number)
    if b"\0" in line:
        raise RowFileError("FILE_NUL_BYTE", f"a NUL byte in line {number}", line=number)


def _too_long(number: int) -> RowFileError:
    message = f"the row in line {number} is over {MAX_LINE} bytes"
    return RowFileError("FILE_LINE_TOO_LONG", message, line=number, limit=MAX_LINE)


@dataclass(slots=True)
class _Encodings:
    """UTF-8 if every line is; else GB 18030, unless a line in it is Chinese in UTF-8.

    A damaged UTF-8 file often decodes as GB 18030 too, to other characters: nobody would notice that the names
    are wrong. So one line of Chinese in UTF-8 settles it, and the line that is not is named.
    """

    chinese_in_utf8: bool = False
    first_not_utf8: int = 0

    def see(self, line: bytes, number: int) -> None:
        if line.isascii():
            return
        try:
            text = line.decode()
        except UnicodeDecodeError:
            self.first_not_utf8 = self.first_not_utf8 or number
            self._see_gb18030(line, number)
        else:
            bom = number == 1 and line.startswith(_BOM)
            self.chinese_in_utf8 = self.chinese_in_utf8 or bom or max(text) >= _FIRST_CJK

    def _see_gb18030(self, line: bytes, number: int) -> None:
        try:
            line.decode("gb18030")
        except UnicodeDecodeError:
            raise _not_text(number) from None

    def verdict(self) -> Encoding:
        if self.first_not_utf8 and self.chinese_in_utf8:
            raise _not_text(self.first_not_utf8)
        return "gb18030" if self.first_not_utf8 else "utf-8"


def _not_text(number: int) -> RowFileError:
    return RowFileError("FILE_ENCODING", f"line {number} is neither UTF-8 nor GB 18030", line=number)


@dataclass(slots=True)
class _Quotes:
    """Which lines continue a quoted cell of the row before (RFC 4180 §2.6), as Python's csv module sees it."""

    delimiter: bytes = b""
    """Empty before the header is known, and where quotes mean nothing."""
    inside: bool = False
    row_line: int = 0
    row_bytes: int = 0

    def begins_row(self, line: bytes, number: int) -> bool:
        begins = not self.inside
        if begins:
            self.row_line, self.row_bytes = number, 0
        self.row_bytes += len(line)
        if self.row_bytes > MAX_LINE:
            raise _too_long(self.row_line)
        if self.delimiter and b'"' in line:
            self.inside = self._open_at_end(line)
        return begins

    def _open_at_end(self, line: bytes) -> bool:
        """A quote opens at the start of a cell only, and closes where no second one follows."""
        inside, at = self.inside, 0
        while (at := line.find(b'"', at)) >= 0:
            if not inside:
                inside = at == 0 or line[at - 1 : at] == self.delimiter
                at += 1
            elif line[at + 1 : at + 2] == b'"':
                at += 2
            else:
                inside = False
                at += 1
        return inside

    def check_closed(self) -> None:
        if self.inside:
            message = f"a quote opened in the row of line {self.row_line} is never closed"
            raise RowFileError("FILE_QUOTE_UNCLOSED", message, line=self.row_line)
