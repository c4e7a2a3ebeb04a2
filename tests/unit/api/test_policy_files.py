"""Files of rules as offices send them, and those that nobody should read: refused with a code, never half."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from api import policy_files
from api.errors import ApiError
from audit.errors import AuditError
from certs.errors import CertsError
from ledger.errors import LedgerError

SAMPLES = Path(__file__).resolve().parents[3] / "samples" / "policy"
TEXT = (SAMPLES / "catalogue.csv").read_text("utf-8-sig")
ROWS = list(csv.reader(io.StringIO(TEXT)))


def code(act: Callable[[], object]) -> str:
    with pytest.raises((ApiError, AuditError, LedgerError, CertsError)) as refused:
        act()
    return str(refused.value.code)


def workbook(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_one_catalogue_in_every_way_offices_save_it(tmp_path: Path) -> None:
    digest = policy_files.read_catalogue(SAMPLES / "catalogue.csv").catalogue.digest
    tabs = io.StringIO()
    csv.writer(tabs, delimiter="\t").writerows([*ROWS, [], ["", ""]])
    numbers: list[list[object]] = [[int(cell) if cell == "2" else cell for cell in row] + [None] for row in ROWS]
    ways = [
        written(tmp_path / "plain.csv", TEXT),
        written(tmp_path / "gb.csv", TEXT.encode("gb18030")),
        written(tmp_path / "tabs.csv", tabs.getvalue()),
        workbook(tmp_path / "book.xlsx", numbers),
    ]
    for path in ways:
        read = policy_files.read_catalogue(path)
        assert read.faults == () and read.catalogue.digest == digest, path.name


def test_bad_rows_are_named_by_line_and_column(tmp_path: Path) -> None:
    at = {heading: place for place, heading in enumerate(ROWS[0])}
    rows: list[list[object]] = [list(row) for row in ROWS]
    rows[1][at["共享类型"]] = "5"
    rows[2][at["信息资源名称"]] = "=1+1"
    rows[3] = [*rows[3], "多出的"]
    rows[4][at["更新周期"]] = "=NOW()"
    rows[5][at["信息资源代码"]] = ROWS[1][at["信息资源代码"]] + " x"
    wanted = [
        (2, "共享类型", "RESOURCE_ROW"),
        (3, "信息资源名称", "RESOURCE_ROW"),
        (4, "", "RESOURCE_COLUMNS"),
        (5, "更新周期", "RESOURCE_ROW"),
        (6, "信息资源代码", "RESOURCE_FORM"),
    ]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    for path in (workbook(tmp_path / "bad.xlsx", rows), written(tmp_path / "bad.csv", text.getvalue())):
        faults = policy_files.read_catalogue(path).faults
        assert [(fault.line, fault.column, fault.code) for fault in faults] == wanted


def test_files_that_are_no_catalogue(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(policy_files.MAX_UNPACKED + 1))
    cases = {
        "TABLE_HEADER": [
            b"",
            b"a,b\n1,2\n",
            TEXT.replace("更新周期", "周期", 1),
            TEXT.replace("信息项", "共享类型", 1),
        ],
        "TABLE_ENCODING": [b"\xff\xfe\x00"],
        "TABLE_QUOTES": [TEXT + '"open'],
        "WORKBOOK_DAMAGED": [b"PK", b"PK\x03\x04" + bytes(100), (bomb.getvalue()[:100])],
        "TABLE_TOO_LARGE": [bomb.getvalue(), bytes(policy_files.MAX_BYTES + 1)],
        "TABLE_TOO_LONG": [TEXT + ",\n" * 3 + ",".join(["x"] * 13 + ["\n"]) * (policy_files.MAX_ROWS + 1)],
    }
    for wanted, contents in cases.items():
        for content in contents:
            path = written(tmp_path / "file", content)
            assert code(lambda path=path: policy_files.read_catalogue(path)) == wanted  # type: ignore[misc]
    assert code(lambda: policy_files.read_catalogue(tmp_path / "nowhere")) == "FILE_UNREADABLE"


LISTS = (SAMPLES / "lists.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("wanted", "content"),
    [
        ("YAML_FORM", "a: [1"),
        ("YAML_FORM", "- a"),
        ("YAML_FORM", "x: &a [1]\nnegative: *a\n"),
        ("YAML_FORM", "negative: []\nnegative: []\nresponsibility: []"),
        ("YAML_FORM", "negative: 2026-01-01\nresponsibility: []"),
        ("YAML_FORM", "negative: []\nresponsibility: []\nagencies: [a]"),
        ("YAML_FORM", "negative: []\nresponsibility: []\nagencies: {a: 1}"),
        ("YAML_FORM", "negative: []\nresponsibility: []\nunknown: 1"),
        ("YAML_FORM", "negative: !!python/object/apply:os.system [id]\nresponsibility: []"),
        ("YAML_FORM", "[" * 5000),
        ("LISTS_FORM", "negative: []"),
        ("LISTS_FORM", LISTS.replace("daily_limit: 200", "daily_limit: 0", 1)),
        ("LISTS_FORM", LISTS.replace("act: correct", "act: forget")),
        ("LIST_UNKNOWN_NAME", LISTS.replace("resource: business_licence", "resource: passport")),
        ("LIST_UNKNOWN_NAME", LISTS.replace("grantee: 南京市市场", "grantee: 东京市市场", 1)),
    ],
)
def test_lists_that_are_not_of_the_form(tmp_path: Path, wanted: str, content: str) -> None:
    path = written(tmp_path / "lists.yaml", content)
    assert code(lambda: policy_files.read_lists_file(path)) == wanted


@pytest.mark.parametrize(
    ("wanted", "content"),
    [
        ("YAML_FORM", "{}"),
        ("YAML_FORM", "matters: 1"),
        ("MATTER_FORM", "matters: [1]"),
        ("MATTER_FORM", "matters: [{}]"),
    ],
)
def test_matters_that_are_not_of_the_form(tmp_path: Path, wanted: str, content: str) -> None:
    path = written(tmp_path / "matters.yaml", content)
    assert code(lambda: policy_files.read_matters_file(path)) == wanted
