"""Files of rows as spreadsheet programs really write them, and the file of rejects."""

from __future__ import annotations

import csv
import json
import stat
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs.certificate_type import load_catalogue
from certs.errors import RowFileError
from certs.row_file import RejectFile, RowFile, open_rows
from certs.row_survey import MAX_LINE
from certs.rows import RawRow, Reject, headings_of

TYPE = load_catalogue()["remote_care_record"]
HEADINGS = "证照编号,持证主体,持证主体代码,颁发日期,参保地,就医地,备案类别,备案开始日期"
NAMES = [headings_of(TYPE)[heading].name for heading in HEADINGS.split(",")]
ROW = "YS-1,李秀英,330106195603129982,2026-01-15,330100,340100,2,2026-01-15"
INCH = '5" 管;"'
CELLS = ROW.split(",")


def file_of(folder: Path, content: str | bytes, name: str = "rows.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


def rows_of(path: Path) -> tuple[RowFile, list[RawRow]]:
    with open_rows(path, TYPE) as file:
        return file, [RawRow(row.line, list(row.cells), row.fault) for row in file]


def refused(path: Path) -> RowFileError:
    with pytest.raises(RowFileError) as error:
        open_rows(path, TYPE)
    return error.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_line_ends_and_delimiters(tmp_path: Path, encoding: str, end: str, delimiter: str) -> None:
    text = end.join([HEADINGS, ROW, ROW, ""]).replace(",", delimiter)
    file, rows = rows_of(file_of(tmp_path, text, encoding=encoding))
    assert rows == [RawRow(2, CELLS), RawRow(3, CELLS)]
    assert (file.rows, file.encoding) == (2, "gb18030" if encoding.startswith("gb") else "utf-8")
    assert file.columns.headings == tuple(HEADINGS.split(","))


def test_a_rare_name_outside_gbk_survives_gb18030(tmp_path: Path) -> None:
    text = f"{HEADINGS}\n{ROW.replace('李秀英', '李𬭎䶮')}\n"
    assert rows_of(file_of(tmp_path, text, encoding="gb18030"))[1][0].cells[1] == "李𬭎䶮"


def test_quoted_line_breaks_count_from_where_the_row_starts(tmp_path: Path) -> None:
    quoted = ROW.replace("李秀英", '"李\n\n""秀""\r\n,英"')
    file, rows = rows_of(file_of(tmp_path, f"\n{HEADINGS}\n\n{quoted}\n{ROW}\n\n , ,\n{ROW}"))
    assert [row.line for row in rows] == [4, 8, 11]
    assert rows[0].cells[1] == '李\n\n"秀"\r\n,英'
    assert file.rows == 3


def test_a_quote_inside_a_cell_is_only_a_quote(tmp_path: Path) -> None:
    file, rows = rows_of(file_of(tmp_path, f"{HEADINGS}\n{ROW.replace('李秀英', INCH)}\n{ROW}\n"))
    assert [row.line for row in rows] == [2, 3]
    assert (rows[0].cells[1], file.rows) == (INCH, 2)


def test_ragged_rows_are_handed_on_and_empty_columns_of_spreadsheets_are_not(tmp_path: Path) -> None:
    short = ROW.rsplit(",", 1)[0]
    _, rows = rows_of(file_of(tmp_path, f"{HEADINGS},,\n{ROW},,\n{short}\n{ROW},x\n"))
    assert [len(row.cells) for row in rows] == [8, 7, 9]
    assert all(not row.fault for row in rows)


def test_a_malformed_row_is_a_reject_and_the_next_one_is_read(tmp_path: Path) -> None:
    bad = ROW.replace("李秀英", '"李"秀英')
    _, rows = rows_of(file_of(tmp_path, f"{HEADINGS}\n{bad}\n{ROW}\n"))
    assert [(row.line, row.fault) for row in rows] == [(2, "ROW_MALFORMED"), (3, "")]
    assert "秀英" in str(rows[0].cells[0])


def test_a_long_cell_is_one_cell(tmp_path: Path) -> None:
    long = "范" * 200_000
    _, rows = rows_of(file_of(tmp_path, f"{HEADINGS}\n{ROW.replace('李秀英', long)}\n{ROW}\n"))
    assert [(row.line, len(str(row.cells[1]))) for row in rows] == [(2, 200_000), (3, 3)]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "FILE_EMPTY", ""),
        (b"\xef\xbb\xbf", "FILE_EMPTY", ""),
        (b"\n \r\n,,\n", "FILE_EMPTY", ""),
        (f"{HEADINGS}\n{ROW}\n".encode("utf-16"), "FILE_NUL_BYTE", "1"),
        (f"{HEADINGS}\n{ROW}\n\0".encode(), "FILE_NUL_BYTE", "3"),
        (f"{HEADINGS}\n".encode() + b"x" * (MAX_LINE + 1), "FILE_LINE_TOO_LONG", "2"),
        (f'{HEADINGS}\n"'.encode() + b"x\n" * (MAX_LINE // 2) + b'"', "FILE_LINE_TOO_LONG", "2"),
        (f"{HEADINGS}\n{ROW}\n".encode() + b"\xc3\xff\n", "FILE_ENCODING", "3"),
        (f"{HEADINGS}\n{ROW}\n".encode() + "李秀".encode("gbk"), "FILE_ENCODING", "3"),
        (f'{HEADINGS}\n{ROW}\n"{ROW}\n{ROW}\n'.encode(), "FILE_QUOTE_UNCLOSED", "3"),
        (f"{ROW}\n{ROW}\n".encode(), "HEADER_NOT_FOUND", ""),
        (f"{HEADINGS},备注\n{ROW},\n".encode(), "HEADER_REFUSED", ""),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end_is_refused_before_its_first_row(
    tmp_path: Path, content: bytes, code: str, line: str
) -> None:
    error = refused(file_of(tmp_path, content))
    assert (error.code, error.params.get("line", "")) == (code, line)


def test_damaged_utf8_is_never_taken_for_gb18030(tmp_path: Path) -> None:
    """Half of all damaged UTF-8 decodes as GB 18030, to names that nobody has. ASCII headings hide it."""
    damaged = ROW.encode().replace("英".encode(), "英".encode()[:2])
    damaged.decode("gb18030")
    content = ",".join(NAMES).encode() + b"\n" + ROW.encode() + b"\n" + damaged + b"\n"
    error = refused(file_of(tmp_path, content))
    assert (error.code, error.params) == ("FILE_ENCODING", {"line": "3"})


def test_a_missing_file_a_folder_and_a_locked_one_are_unreadable(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv").code == "FILE_UNREADABLE"
    assert refused(tmp_path).code == "FILE_UNREADABLE"


def test_json_lines_keep_numbers_exact_and_lists_lists(tmp_path: Path) -> None:
    first = dict(zip(NAMES, CELLS, strict=True)) | {"category": 2}
    lines = [json.dumps(first), "", '{"ZZBH": "YS-2", "有效期截止": 89.50, "holder_name": ["甲", "乙"]}']
    path = file_of(tmp_path, "\ufeff" + "\n".join(lines), "rows.jsonl")
    with open_rows(path, TYPE) as file:
        rows = [dict(zip(file.columns.headings, row.cells, strict=True)) for row in file]
    assert (file.rows, len(rows)) == (2, 2)
    assert [rows[0][name] for name in NAMES] == [*CELLS[:6], 2, CELLS[7]]
    assert rows[1]["certificate_number"] == "YS-2"
    assert (rows[1]["validity_end"], rows[1]["holder_name"], rows[1]["category"]) == ("89.50", ["甲", "乙"], None)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "ROW_MALFORMED"),
        ("[]", "ROW_MALFORMED"),
        ("3", "ROW_MALFORMED"),
        ('{"ZZBH": NaN}', "ROW_MALFORMED"),
        ('{"ZZBH": ' + "[" * 100_000, "ROW_MALFORMED"),
        ('{"ZZBH": ' + "9" * 10_000 + "}", "ROW_MALFORMED"),
        ('{"备注": 1}', "ROW_UNKNOWN_COLUMN"),
        ('{"ZZBH": "1", "ZZBH": "2"}', "ROW_DUPLICATE_COLUMN"),
        ('{"ZZBH": "1", "certificate_number": "2"}', "ROW_DUPLICATE_COLUMN"),
    ],
)
def test_a_bad_json_line_is_a_reject_and_the_next_one_is_read(tmp_path: Path, line: str, fault: str) -> None:
    first = json.dumps(dict(zip(NAMES, CELLS, strict=True)))
    _, rows = rows_of(file_of(tmp_path, f"{first}\n{line}\n{first}\n", "rows.jsonl"))
    assert [(row.line, row.fault) for row in rows] == [(1, ""), (2, fault), (3, "")]


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("证照编号", "FILE_NOT_JSON"),
        ("[]", "FILE_NOT_JSON"),
        ("{}", "HEADER_NOT_FOUND"),
        ('{"ZZBH": 1, "ZZBH": 1}', "HEADER_REFUSED"),
        ('{"ZZBH": 1}', "HEADER_REFUSED"),
    ],
)
def test_the_first_json_line_is_the_header(tmp_path: Path, first: str, code: str) -> None:
    assert refused(file_of(tmp_path, first + "\n", "rows.jsonl")).code == code


def test_memory_is_flat(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = file_of(tmp_path, f"{HEADINGS}\n" + f"{ROW}\n" * rows)
        tracemalloc.start()
        with open_rows(path, TYPE) as file:
            assert sum(1 for _ in file) == file.rows == rows
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(10)
    assert peak(10_000) < 1.2 * peak(1_000)


WRITTEN = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)


@settings(deadline=None)
@given(st.lists(st.lists(WRITTEN, min_size=8, max_size=8)))
def test_what_csv_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        out.write(HEADINGS + "\r\n")
        csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    read = rows_of(path)[1]
    assert [row.cells for row in read] == [row for row in rows if any(cell.strip() for cell in row)]
    assert all(not row.fault for row in read)


def rejects(folder: Path, *written: tuple[Reject, list[object]]) -> RejectFile:
    with (
        open_rows(file_of(folder, f"{HEADINGS}\n{ROW}\n"), TYPE) as file,
        RejectFile(folder / "rows.csv", file.columns, lambda reject: f"{reject.rule} 有误") as out,
    ):
        for reject, cells in written:
            out.write(reject, cells)  # type: ignore[arg-type]
    return out


def test_rejects_are_written_for_spreadsheets_and_for_the_owner_alone(tmp_path: Path) -> None:
    reject = Reject(2, "就医地", "DIVISION_FORMAT", {})
    out = rejects(tmp_path, (reject, list(CELLS)), (Reject(3, "", "ROW_RAGGED", {}), ["a", None, ["甲", "乙"], 3]))
    assert (out.path.name, out.count) == ("rows.rejects.csv", 2)
    assert stat.S_IMODE(out.path.stat().st_mode) == 0o600
    assert out.path.read_bytes().startswith(b"\xef\xbb\xbfline,column,rule,problem,")
    with out.path.open(encoding="utf-8-sig", newline="") as file:
        header, first, second = csv.reader(file)
    assert header == ["line", "column", "rule", "problem", *HEADINGS.split(",")]
    assert first == ["2", "就医地", "DIVISION_FORMAT", "DIVISION_FORMAT 有误", *CELLS]
    assert second == ["3", "", "ROW_RAGGED", "ROW_RAGGED 有误", "a", "", "甲、乙", "3"]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_formulas_are_neutralised(tmp_path: Path, cell: str) -> None:
    out = rejects(tmp_path, (Reject(2, cell, "R", {}), [cell, "1=1"]))
    with out.path.open(encoding="utf-8-sig", newline="") as file:
        row = list(csv.reader(file))[1]
    assert (row[1], row[4], row[5]) == (f"'{cell}", f"'{cell}", "1=1")


def test_no_reject_no_file_and_an_old_one_is_replaced_not_written_through(tmp_path: Path) -> None:
    assert not rejects(tmp_path).path.exists()
    other = file_of(tmp_path, "keep", "other.csv")
    (tmp_path / "rows.rejects.csv").symlink_to(other)
    out = rejects(tmp_path, (Reject(2, "", "R", {}), ["\ud800"]))
    assert other.read_text() == "keep"
    assert not out.path.is_symlink()
