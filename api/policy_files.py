"""Files of rules: a resource catalogue as CSV or XLSX; matters and lists as YAML. Bounded, and nothing in them runs."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from api import input_file
from api.errors import ApiError
from audit.list_file import read_lists
from audit.lists import Lists
from audit.matter import Matters, read_matters
from audit.resource import Resource, ResourceCatalogue
from audit.resource_rows import COLUMNS, RowFault, survey
from certs.certificate_type import StrictLoader, load_catalogue
from certs.errors import CatalogueError
from ledger import canonical
from ledger.errors import CanonicalError

MAX_BYTES = 16 * 1024 * 1024
MAX_UNPACKED = 64 * 1024 * 1024
"""Of a workbook, which is a compressed archive."""
MAX_ROWS = 20_000
_MAX_COLUMNS = 64
_ENCODINGS = ("utf-8-sig", "gb18030")
_DELIMITERS = ",;\t"
_SECTIONS = {"agencies", "resources", "counters"}
"""Names that a file explains beside what it says: display name → USCC, id → code, USCCs of the counters."""

Rows = Iterator[tuple[int, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """What was read; good only without faults."""

    resources: tuple[Resource, ...]
    faults: tuple[RowFault, ...]

    @property
    def catalogue(self) -> ResourceCatalogue:
        return ResourceCatalogue(self.resources)


def read_catalogue(path: Path) -> CatalogueFile:
    """Raises `ApiError` FILE_UNREADABLE, TABLE_TOO_LARGE, TABLE_TOO_LONG, TABLE_ENCODING, TABLE_HEADER, TABLE_QUOTES,
    WORKBOOK_DAMAGED."""
    content = _content(path)
    rows = _workbook_rows(content) if content[:2] == b"PK" else _csv_rows(content)
    resources, faults = survey(rows)
    return CatalogueFile(tuple(resources), tuple(faults))


def read_matters_file(path: Path) -> Matters:
    """Raises `ApiError` FILE_UNREADABLE, YAML_FORM; `VerificationError`, `PolicyError` for what stands in it."""
    v, names = _yaml(path, {"matters"})
    matters = v.get("matters")
    if not isinstance(matters, list):
        raise ApiError("YAML_FORM", "matters are a list", path=path, place="matters")
    return read_matters(matters, resources=_resources(names), agencies=names["agencies"], counters=names["counters"])


def read_lists_file(path: Path) -> Lists:
    """Raises as `read_matters_file`."""
    v, names = _yaml(path, {"negative", "responsibility", "clocks"})
    return read_lists(v, resources=_resources(names), agencies=names["agencies"])


def _content(path: Path) -> bytes:
    content = input_file.read(path, MAX_BYTES)
    if len(content) > MAX_BYTES:
        raise ApiError("TABLE_TOO_LARGE", "the file is too long", path=path, limit=MAX_BYTES)
    return content


def _csv_rows(content: bytes) -> Rows:
    text = _text(content)
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        _check_header(header)
        for number, cells in enumerate(iter(lambda: next(reader, None), None), 1):
            _bound_rows(number)
            if any(cell.strip() for cell in cells):
                yield reader.line_num, _by_heading(header, cells)
    except csv.Error:
        raise ApiError("TABLE_QUOTES", "a quote is not closed", line=reader.line_num) from None


def _text(content: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
    raise ApiError("TABLE_ENCODING", "neither UTF-8 nor GB 18030", line=line)


def _workbook_rows(content: bytes) -> Rows:
    """The first sheet. A formula is shown as it is written and so refused by its cell's form; nothing is computed."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    _bound_archive(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that are not read anyway
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its size is not believed
            grid = sheet.iter_rows(max_row=MAX_ROWS + 2, max_col=_MAX_COLUMNS, values_only=True)
            cells = [[_cell(value) for value in row] for row in grid]
    except (InvalidFileException, KeyError, ValueError, IndexError, TypeError, OSError, zipfile.BadZipFile) as error:
        raise ApiError("WORKBOOK_DAMAGED", "not a workbook", reason=type(error).__name__) from None
    header = _without_empty_end(cells[0] if cells else [])
    _check_header(header)
    for line, row in enumerate(cells[1:], 2):
        _bound_rows(line - 1)
        if any(row):
            yield line, _by_heading(header, row)


def _bound_archive(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(each.file_size for each in archive.infolist())
    except zipfile.BadZipFile:
        raise ApiError("WORKBOOK_DAMAGED", "not a workbook", reason="zip") from None
    if unpacked > MAX_UNPACKED:
        raise ApiError("TABLE_TOO_LARGE", "the workbook is too long", path="", limit=MAX_UNPACKED)


def _bound_rows(number: int) -> None:
    if number > MAX_ROWS:
        raise ApiError("TABLE_TOO_LONG", "too many rows", limit=MAX_ROWS)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _check_header(header: Sequence[str]) -> None:
    missing = [column for column in COLUMNS if column not in header]
    unknown = [column for column in header if column not in COLUMNS or header.count(column) > 1]
    if missing or unknown:
        lacking, odd = ("、".join(dict.fromkeys(each)) or "–" for each in (missing, unknown))
        raise ApiError("TABLE_HEADER", "not the columns of a resource catalogue", missing=lacking, unknown=odd)


def _by_heading(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """Cells that have no heading make the row one of unknown columns; those that are missing too."""
    row = _without_empty_end(cells)
    padded = [*row, *([""] * (len(header) - len(row)))]
    named = dict(zip(header, padded, strict=False))
    return named | {f"#{at}": text for at, text in enumerate(padded[len(header) :], len(header))}


def _without_empty_end(cells: Sequence[str]) -> list[str]:
    kept = list(cells)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _yaml(path: Path, members: set[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what the file says, the names it explains)."""
    text = _text(_content(path))
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise ApiError("YAML_FORM", "references can blow a short file up", path=path, place="*")
        v = yaml.load(text, Loader=StrictLoader)  # noqa: S506  # a SafeLoader of ours
        canonical.dumps(v)  # no dates, no fractions: everything in it can be signed
    except (yaml.YAMLError, CatalogueError, CanonicalError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else "-"
        raise ApiError("YAML_FORM", "not YAML of the expected form", path=path, place=place) from None
    if not isinstance(v, dict) or not set(v) <= members | _SECTIONS:
        raise ApiError("YAML_FORM", "unexpected members", path=path, place="(top)")
    names = {"agencies": v.pop("agencies", {}), "resources": v.pop("resources", {}), "counters": v.pop("counters", [])}
    for section, value in names.items():
        texts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [None]
        if isinstance(value, list) is not (section == "counters") or not all(isinstance(each, str) for each in texts):
            raise ApiError("YAML_FORM", "names are texts", path=path, place=section)
    return v, names


def _resources(names: Mapping[str, Any]) -> dict[str, str]:
    """Every certificate type by its id, and what the file names itself."""
    types = {each.id: each.code for each in load_catalogue().values()}
    return {**types, **names["resources"]}
