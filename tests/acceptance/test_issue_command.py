"""Issuing a whole file: a progress bar, one anchoring transaction, rejects that say why, and nothing twice."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from pathlib import Path

import prepared_city as homes
import pytest
from command_line import COMMAND, FULL, GUARD, environment, in_terminal, rpc, transactions, watched
from evidence import Shown
from prepared_city import LICENCE, MARKET, Home, Make, Rows

ROWS = 10_000 if FULL else 1_000
RULES = {
    "USCC_CHECK": "统一社会信用代码",
    "DATE_IMPOSSIBLE": "成立日期",
    "VALUE_MISSING": "名称",
}
"""The three rows of the sample that are bad on purpose, and the column of each."""
FLATNESS = 1.2
_BAR = re.compile(r"━[^\r\n]*? (\d+)/(\d+)")


def file_of(rows: int, path: Path, prefix: str) -> Path:
    """Good licences under numbers of their own, the three bad ones among them."""
    header, *good = homes.licences()
    lines = [homes.changed(row, header, 证照编号=prefix + row[0]) for row in good[:rows]]
    for at, bad in zip((rows // 4, rows // 2, rows * 3 // 4), homes.bad_licences(), strict=True):
        lines.insert(at, bad)
    return homes.write(path, [header, *lines])


def lines_of(file: Path, rules: Rows) -> dict[str, int]:
    """At which line of the file each of the bad rows stands."""
    numbers = {tuple(row): line for line, row in enumerate(homes.table(file), 1)}
    return {rule: numbers[tuple(row)] for rule, row in zip(RULES, rules, strict=True)}


@pytest.fixture(scope="module")
def licences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return file_of(ROWS, tmp_path_factory.mktemp("many") / "licences.csv", "甲")


def issue_in_terminal(home: Home, file: Path, expect: int = 0) -> str:
    asked = ("cert", "issue", file, "--agency", MARKET, "--type", LICENCE, "--home", home.path, "--lang", "en")
    ran = in_terminal(*asked, expect=expect)
    return f"{ran.said}\n{ran.seconds:.1f}"


def test_many_licences_one_transaction_and_nothing_twice(apart: Make, licences: Path, shown: Shown) -> None:
    home = apart()
    url = home.up()
    before, size = len(transactions(url)), home.size()

    said, seconds = issue_in_terminal(home, licences, expect=1).rsplit("\n", 1)  # 1: the three rows are rejected
    bar = [(int(done), int(rows)) for done, rows in _BAR.findall(said)]
    assert len(bar) >= (10 if FULL else 2) and bar[-1] == (ROWS + 3, ROWS + 3) and bar == sorted(bar)
    assert home.size() - size == ROWS
    new = transactions(url)[before:]
    assert len(new) == 1
    shown("licences from one CSV", f"{ROWS:,} issued, bar drawn {len(bar)} times to {bar[-1]}, {seconds} s")
    shown("anchoring transactions", f"{len(new)}, gas {receipt_gas(url, new[0]['hash']):,}")

    again = home.issue(licences, "--json", expect=1).json
    assert (again["issued"], again["already"], again["rejected"]) == (0, ROWS, 3)
    assert home.size() - size == ROWS and len(transactions(url)) == before + 1
    shown("the same file again", f"issued {again['issued']}, already issued {again['already']:,}")

    rejects_tell_line_column_rule_and_words(licences, shown)

    checked = home.run("check", "--all", "--json").json["checks"]
    assert {line["outcome"] for line in checked} == {"ok"}
    shown("certledger check --all", "; ".join(f"{line['check']} {line['outcome']}" for line in checked))


def receipt_gas(url: str, transaction: str) -> int:
    return int(rpc(url, "eth_getTransactionReceipt", transaction)["gasUsed"], 16)


def rejects_tell_line_column_rule_and_words(file: Path, shown: Shown) -> None:
    path = file.with_name(f"{file.stem}.rejects.csv")
    assert path.stat().st_mode & 0o777 == 0o600  # the cells are personal data
    with path.open(encoding="utf-8-sig", newline="") as source:
        rows = list(csv.DictReader(source))
    source_lines = homes.table(file)
    at = lines_of(file, homes.bad_licences())
    assert [(row["rule"], int(row["line"]), row["column"]) for row in rows] == [
        (rule, at[rule], column) for rule, column in RULES.items()
    ]
    for row in rows:
        assert row["problem"] and row["problem"] != row["rule"]
        assert [row[name] for name in source_lines[0]] == source_lines[int(row["line"]) - 1]
        shown("a reject", f"line {row['line']}, {row['column']}, {row['rule']}: {row['problem']}")


def test_two_runs_at_once_issue_nothing_twice(apart: Make, tmp_path: Path, shown: Shown) -> None:
    home, size = apart(), homes.FIRST_ROWS
    rows = ROWS // 10
    file = file_of(rows, tmp_path / "raced.csv", "乙")
    (tmp_path / "other").mkdir()
    copy = tmp_path / "other" / file.name
    copy.write_bytes(file.read_bytes())
    asked = ["--agency", MARKET, "--type", LICENCE, "--no-anchor", "--json", "--home", home.path]
    running = [
        subprocess.Popen([COMMAND, "cert", "issue", each, *asked], stdout=subprocess.PIPE, env=environment())
        for each in (file, copy)
    ]
    reports = [json.loads(process.communicate(timeout=GUARD)[0]) for process in running]
    assert home.size() - size == rows
    assert sum(report["issued"] for report in reports) == rows
    assert all(report["issued"] + report["already"] == rows for report in reports)
    shown("the same file by two commands at once", ", ".join(f"{r['issued']} + {r['already']}" for r in reports))


def test_memory_is_flat(apart: Make, tmp_path: Path, shown: Shown) -> None:
    """Two cities, so that neither database is the larger one for what the other has issued."""
    peaks = {}
    for rows in (ROWS // 10, ROWS):
        file, report = file_of(rows, tmp_path / f"{rows}.csv", "丙"), tmp_path / f"{rows}.json"
        home = apart()
        home.issue(file, "--no-anchor", expect=1, env=watched(report))
        assert home.size() == homes.FIRST_ROWS + rows
        peaks[rows] = json.loads(report.read_text())["peak_kib"]
    ratio = peaks[ROWS] / peaks[ROWS // 10]
    shown(
        "peak memory at ten times the rows",
        f"{ROWS:,} rows {peaks[ROWS]:,} KiB / {ROWS // 10:,} rows {peaks[ROWS // 10]:,} KiB = {ratio:.3f}",
    )
    assert ratio <= FLATNESS
