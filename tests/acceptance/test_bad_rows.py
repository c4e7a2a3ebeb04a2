"""Bad files and bad rows: what is wrong is said, with line and column; nothing is issued by half, nothing twice."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import prepared_city as homes
import pytest
from command_line import FULL, Ran
from evidence import Shown
from prepared_city import CONSTRUCTION, IDENTITY, LICENCE, MARKET, POLICE, Home, Rows

HEADER, *GOOD = homes.licences()
UNTOUCHED = GOOD[homes.FIRST_ROWS + 100 :]
"""Rows no other test issues; every test takes its own slice."""


def rejects(file: Path) -> list[dict[str, str]]:
    path = file.with_name(f"{file.stem}.rejects.csv")
    with path.open(encoding="utf-8-sig", newline="") as source:
        return list(csv.DictReader(source))


def refused_whole(city: Home, file: Path, *more: object, code: str, expect: int = 3, **whose: str) -> Ran:
    """The file is refused in words before anything is issued."""
    size, before = city.size(), sorted(path.name for path in file.parent.iterdir())
    ran = city.issue(file, "--no-anchor", *more, expect=expect, **whose)
    assert ran.plain and ran.err.startswith(f"{code}:") and "→" in ran.err and ran.out == ""
    assert city.size() == size
    assert sorted(path.name for path in file.parent.iterdir()) == before
    return ran


def test_same_row_again_is_already_issued_and_another_value_needs_renewal(
    city: Home, tmp_path: Path, shown: Shown
) -> None:
    row, other = UNTOUCHED[0], UNTOUCHED[1]
    first = homes.write(tmp_path / "first.csv", [HEADER, row])
    assert city.issue(first, "--no-anchor", "--json").json["issued"] == 1
    again = city.issue(first, "--no-anchor", "--json").json
    assert (again["issued"], again["already"], again["rejected"]) == (0, 1, 0)
    shown("same key, same attributes", "already issued, exit 0")

    moved = homes.changed(row, HEADER, 住所或经营场所="杭州市西湖区演示二路1号")
    second = homes.write(tmp_path / "second.csv", [HEADER, moved, other])
    for lang in ("zh", "en"):
        report = city.issue(second, "--no-anchor", "--lang", lang, "--json", expect=1).json
        assert report["issued"] == (1 if lang == "zh" else 0)
        (reject,) = rejects(second)
        assert reject["rule"] == "ALREADY_ISSUED_OTHERWISE" and "cert renew" in reject["problem"]
        shown(f"same key, other attributes ({lang})", f"exit 1, line {reject['line']}: {reject['problem']}")
    renewal = homes.write(tmp_path / "renewal.csv", [HEADER, moved])
    renew = ("cert", "renew", renewal, "--type", LICENCE, "--agency", MARKET, "--no-anchor", "--json")
    renewed, again = city.run(*renew).json, city.run(*renew).json
    assert (renewed["renewed"], again["renewed"], again["already"]) == (1, 0, 1)
    assert renewed["last"].split(".")[-2] == "002"
    shown("certledger cert renew", f"{renewed['last']}; again: already issued")


def test_duplicate_rows_in_one_file(city: Home, tmp_path: Path, shown: Shown) -> None:
    twice, differing = UNTOUCHED[2], UNTOUCHED[3]
    other = homes.changed(differing, HEADER, 经营范围="食品销售")
    file = homes.write(tmp_path / "twice.csv", [HEADER, twice, differing, twice, other])
    report = city.issue(file, "--no-anchor", "--json", expect=1).json
    assert (report["issued"], report["already"], report["rejected"]) == (2, 1, 1)
    assert report["rules"] == {"ALREADY_ISSUED_OTHERWISE": 1} and rejects(file)[0]["line"] == "5"
    shown("duplicate rows in one file", "equal: issued once; differing: line 5 rejected")


BAD_CELLS: dict[str, tuple[dict[str, str], str]] = {
    "impossible date": ({"颁发日期": "2025-02-30"}, "颁发日期"),
    "impossible date without dashes": ({"成立日期": "20251301"}, "成立日期"),
    "not a date": ({"颁发日期": "昨天"}, "颁发日期"),
    "date in the future": ({"颁发日期": "2999-01-01"}, "颁发日期"),
    "validity reversed": ({"有效期起始": "2030-01-01", "有效期截止": "2029-12-31"}, "有效期截止"),
    "wrong check character": ({"持证主体代码": "91330102XXXX100141"}, "持证主体代码"),
    "letter I in a USCC": ({"持证主体代码": "91330102XXXX1001IY"}, "持证主体代码"),
    "holder type of persons": ({"持证主体代码类型": "111"}, "持证主体代码类型"),
    "unknown holder type": ({"持证主体代码类型": "007"}, "持证主体代码类型"),
    "empty name": ({"持证主体": ""}, "持证主体"),
}


def test_every_bad_cell_is_named_by_line_column_and_rule(city: Home, tmp_path: Path, shown: Shown) -> None:
    """One good row first and last: a bad neighbour takes nobody along."""
    rows = UNTOUCHED[10 : 10 + len(BAD_CELLS)]
    bad = [homes.changed(row, HEADER, **cells) for row, (cells, _) in zip(rows, BAD_CELLS.values(), strict=True)]
    file = homes.write(tmp_path / "cells.csv", [HEADER, UNTOUCHED[30], *bad, UNTOUCHED[31]])
    size = city.size()
    report = city.issue(file, "--no-anchor", "--json", expect=1).json
    assert (report["issued"], report["rejected"], city.size() - size) == (2, len(bad), 2)
    found = rejects(file)
    for line, ((name, (_, column)), reject) in enumerate(zip(BAD_CELLS.items(), found, strict=True), 3):
        assert (int(reject["line"]), reject["column"]) == (line, column), (name, reject)
        assert reject["problem"] and reject["rule"] not in reject["problem"]
        shown(f"bad row: {name}", f"line {line}, {column}, {reject['rule']}: {reject['problem']}")


def test_ragged_and_broken_rows(city: Home, tmp_path: Path) -> None:
    file = homes.write(tmp_path / "ragged.csv", [HEADER, UNTOUCHED[32][:-3], UNTOUCHED[33]])
    with file.open("a", encoding="utf-8") as target:
        target.write('a"b,"c"d\n')
    report = city.issue(file, "--no-anchor", "--json", expect=1).json
    assert (report["issued"], report["rejected"]) == (1, 2)
    assert {reject["rule"] for reject in rejects(file)} <= {"ROW_RAGGED", "ROW_MALFORMED"}


def test_a_gbk_file_is_read(city: Home, tmp_path: Path, shown: Shown) -> None:
    file = homes.write(tmp_path / "gbk.csv", [HEADER, *UNTOUCHED[34:37]], encoding="gbk")
    report = city.issue(file, "--no-anchor", "--json").json
    assert report["issued"] == 3
    shown("GBK file", f"{report['issued']} issued, exit 0")


def as_utf16(path: Path, rows: Rows) -> Path:
    return homes.write(path, rows, encoding="utf-16")


def as_neither(path: Path, rows: Rows) -> Path:
    homes.write(path, rows)
    path.write_bytes(path.read_bytes() + b"\xff\xff\xff\n")
    return path


def without(column: str) -> Callable[[Path, Rows], Path]:
    def make(path: Path, rows: Rows) -> Path:
        at = HEADER.index(column)
        return homes.write(path, [row[:at] + row[at + 1 :] for row in rows])

    return make


def renamed(path: Path, rows: Rows) -> Path:
    return homes.write(path, [[f"{name}{'?' * (name == '名称')}" for name in rows[0]], *rows[1:]])


def doubled(path: Path, rows: Rows) -> Path:
    return homes.write(path, [[*row, row[1]] for row in rows])


def headless(path: Path, rows: Rows) -> Path:
    return homes.write(path, rows[1:])


def empty(path: Path, _: Rows) -> Path:
    path.write_bytes(b"")
    return path


def unclosed(path: Path, rows: Rows) -> Path:
    homes.write(path, rows)
    path.write_text(path.read_text(encoding="utf-8") + 'x,"y\n', encoding="utf-8")
    return path


BAD_FILES: list[tuple[Callable[[Path, Rows], Path], str, str]] = [
    (as_utf16, "FILE_NUL_BYTE", "zh"),
    (without("持证主体"), "HEADER_REFUSED", "en"),
    (headless, "HEADER_NOT_FOUND", "zh"),
    (unclosed, "FILE_QUOTE_UNCLOSED", "en"),
    (as_neither, "FILE_ENCODING", "zh"),
    (renamed, "HEADER_REFUSED", "en"),
    (doubled, "HEADER_REFUSED", "zh"),
    (empty, "FILE_EMPTY", "en"),
]


@pytest.mark.parametrize(("make", "code", "lang"), BAD_FILES if FULL else BAD_FILES[:4])
def test_a_file_that_cannot_be_read_is_refused_whole(
    city: Home, tmp_path: Path, make: Callable[[Path, Rows], Path], code: str, lang: str, shown: Shown
) -> None:
    file = make(tmp_path / "bad.csv", [HEADER, *UNTOUCHED[40:43]])
    ran = refused_whole(city, file, "--lang", lang, code=code)
    shown("bad file", f"exit 3, {ran.err.splitlines()[0]}")


def test_who_may_not_issue_issues_nothing(city: Home, tmp_path: Path, shown: Shown) -> None:
    licences = homes.write(tmp_path / "licences.csv", [HEADER, UNTOUCHED[43]])
    for name, agency, kind, code, lang in (
        ("type not accredited", POLICE, LICENCE, "AGENCY_NOT_ACCREDITED", "zh"),
        ("type not accredited", MARKET, IDENTITY, "AGENCY_NOT_ACCREDITED", "en"),
        ("agency unknown", CONSTRUCTION, LICENCE, "AGENCY_UNKNOWN", "zh"),
    ):
        ran = refused_whole(city, licences, "--lang", lang, code=code, expect=1, agency=agency, kind=kind)
        shown(f"issuer: {name}", f"exit 1, {ran.err.splitlines()[0]}")
    refused_whole(city, licences, code="TYPE_UNKNOWN", kind="no_such_type")
    refused_whole(city, tmp_path / "absent.csv", code="FILE_UNREADABLE")
