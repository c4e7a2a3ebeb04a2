"""Rules by the command: imported after a comparison, refused whole with line and column, kept in every version."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import prepared_city as homes
import pytest
from command_line import ROOT, certledger
from evidence import Shown
from prepared_city import MARKET, Home

SAMPLES = ROOT / "samples" / "policy"
CATALOGUE, MATTERS, LISTS = (SAMPLES / name for name in ("catalogue.csv", "matters.yaml", "lists.yaml"))
WHOLE = ("--catalogue", CATALOGUE, "--matters", MATTERS, "--lists", LISTS, "--agency", MARKET)


@pytest.fixture
def steward(template: Home, tmp_path: Path) -> Iterator[Home]:
    home = homes.copied(template, tmp_path)
    try:
        home.up()
        yield home
    finally:
        home.down()


def table() -> homes.Rows:
    with CATALOGUE.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def book(path: Path, rows: homes.Rows) -> Path:
    made = openpyxl.Workbook()
    for row in rows:
        made.worksheets[0].append(row)
    made.save(path)
    return path


def test_rules_are_compared_adopted_and_kept(steward: Home, tmp_path: Path, shown: Shown) -> None:
    run = steward.run
    assert run("policy", "show", expect=1).err.startswith("RULES_MISSING")
    looked = run("policy", "import", *WHOLE, "--lang", "en")
    assert "Nothing was adopted" in looked.err and "营业执照" in looked.out
    assert run("policy", "history", "--json").json["versions"] == []

    first = run("policy", "import", *WHOLE, "--yes", "--json").json
    assert first["adopted"] and first["contested"] == {}
    again = run("policy", "import", *WHOLE, "--yes", "--json").json
    assert not again["adopted"] and again["version"] == first["version"] and again["differences"] == []

    rows = table()
    at = {name: place for place, name in enumerate(rows[0])}
    row = next(row for row in rows if row[at["信息资源名称"]] == "营业执照")
    row[at["更新周期"]] = "每日"
    row[at["信息项"]] = row[at["信息项"]].replace("注册资本(registered_capital)", "认缴资本(registered_capital)")
    changed = book(tmp_path / "changed.xlsx", rows)
    second = run("policy", "import", "--catalogue", changed, "--agency", MARKET, "--yes", "--json").json
    told = {(d["member"], d["old"], d["new"]) for d in second["differences"]}
    assert told == {("cycle", "实时", "每日"), ("registered_capital", "注册资本", "认缴资本")}
    versions = run("policy", "history", "--json").json["versions"]
    assert [each["version"] for each in versions] == [first["version"], second["version"]]
    assert versions[1]["previous"] == first["version"] and all(each["anchored"] for each in versions)
    past = run("policy", "show", "--version", first["version"][:12], "--json").json
    assert next(r for r in past["catalogue"] if r["name"] == "营业执照")["cycle"] == "实时"
    assert run("policy", "show", "--json").json["matters"] == past["matters"] != []
    assert run("policy", "show", "--version", "00000000", expect=1).err.startswith("RULES_UNKNOWN")
    assert run("check").code == 0
    shown(
        "catalogue imported from CSV, then from XLSX with two cells changed",
        f"{len(told)} differences shown, 2 versions",
    )


def test_a_bad_row_is_named_and_nothing_is_adopted(steward: Home, tmp_path: Path, shown: Shown) -> None:
    rows = table()
    at = {name: place for place, name in enumerate(rows[0])}
    rows[1][at["共享类型"]], rows[3][at["更新周期"]], rows[4][at["共享条件"]] = "9", "常常", ""
    bad = homes.write(tmp_path / "bad.csv", rows, "gb18030")
    wanted = [(2, "共享类型"), (4, "更新周期"), (5, "共享条件")]
    ran = steward.run("policy", "import", "--catalogue", bad, "--agency", MARKET, "--yes", "--json", expect=1)
    assert [(each["line"], each["column"]) for each in ran.json["rejected"]] == wanted
    said = steward.run("policy", "import", "--catalogue", bad, "--agency", MARKET, "--yes", expect=1)
    assert said.err.startswith("CATALOGUE_ROWS_REFUSED") and all(column in said.out for _, column in wanted)
    assert steward.run("policy", "history", "--json").json["versions"] == []
    shown("three bad rows of a catalogue", "exit 1, line and column of each, nothing adopted")


def test_files_that_cannot_be_rules_are_refused_in_words(steward: Home, tmp_path: Path) -> None:
    lists = tmp_path / "lists.yaml"
    lists.write_text(LISTS.read_text("utf-8").replace("field: ethnicity", "field: ethnicitty"), "utf-8")
    given = ("--matters", MATTERS, "--lists", lists, "--agency", MARKET, "--yes")
    assert steward.run("policy", "import", "--catalogue", CATALOGUE, *given, expect=1).err.startswith(
        "LIST_FIELD_UNKNOWN"
    )
    zipped = tmp_path / "x.xlsx"
    zipped.write_bytes(b"PK\x03\x04nothing")
    for file, code, expect in ((zipped, "WORKBOOK_DAMAGED", 3), (tmp_path / "none", "FILE_UNREADABLE", 3)):
        ran = steward.run("policy", "import", "--catalogue", file, "--agency", MARKET, "--yes", expect=expect)
        assert ran.plain and ran.err.startswith(code)
    ran = certledger("policy", "import", "--catalogue", CATALOGUE, "--yes", "--home", steward.path, expect=3)
    assert ran.err.startswith("STEWARD_MISSING")


def test_a_correction_by_the_command(steward: Home, tmp_path: Path, shown: Shown) -> None:
    run = steward.run
    run("policy", "import", *WHOLE, "--yes")
    report = tmp_path / "report.txt"
    report.write_text("住址登记有误", "utf-8")
    given = ("--resource", "11100000MB0143028R001", "--field", "registered_address", "--agency", MARKET)
    opened = run("policy", "correct", "open", *given, "--report", report, "--json").json
    assert run("policy", "correct", "open", *given[:3], "nobody", *given[4:], expect=1).err.startswith(
        "CORRECTION_PLACE"
    )
    settle = ("policy", "correct", "close", opened["correction"], "--outcome", "corrected", "--agency", MARKET)
    assert run(*settle, "--json").json["late"] is False
    assert run(*settle, expect=1).err.startswith("CORRECTION_CLOSED")
    (row,) = run("policy", "correct", "list", "--json").json["corrections"]
    assert row["due"] == opened["due"] and row["closed"] == row["opened"] and not row["late"]
    assert run("policy", "findings", "--json").json["findings"] == []
    shown("a correction opened and settled", f"opened {row['opened']}, due {row['due']}")
