"""Receipts: kept, not due, or broken; a city that drops what it acknowledged is convicted by its own signature."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from command_line import FULL, certledger
from evidence import Shown
from prepared_city import FIRST_ROWS, Make, licences, write

MANY = 20_000 if FULL else 2_000


def test_a_city_that_drops_an_acknowledged_entry_is_convicted(apart: Make, tmp_path: Path, shown: Shown) -> None:
    home = apart()
    home.up()
    header, *rows = licences()
    begin = FIRST_ROWS
    promised = write(tmp_path / "promised.csv", [header, *rows[begin : begin + 3]])
    copies = {name: shutil.copy(home.path / name, tmp_path / name) for name in ("ledger.sqlite", "guard.sqlite")}
    file = tmp_path / "receipts.jsonl"
    home.issue(promised, "--no-anchor", "--receipts", file)
    check = ("receipt", "check", file, "--trust", home.trust, "--json")
    assert certledger(*check).json["counts"] == {"not-due": 3}
    shown("receipts of three, not anchored yet", "not due: 3, exit 0")

    # The city puts database and guard back together, as if the three had never been, and goes on with others.
    for name, copy in copies.items():
        for beside in home.path.glob(f"{name}-*"):
            beside.unlink()
        shutil.copy(copy, home.path / name)
    home.issue(write(tmp_path / "others.csv", [header, *rows[begin + 10 : begin + 15]]))
    home.run("check")  # nothing in the city itself shows it
    assert certledger(*check, expect=2).json["counts"] == {"unproven": 3}
    log = tmp_path / "log"
    home.run("log", "export", "--out", log)
    convicted = certledger(*check, "--log", log, expect=1).json
    assert convicted["counts"] == {"other-entry": 3}
    assert [row["index"] for row in convicted["wanting"]] == [begin, begin + 1, begin + 2]

    # A third party needs no node: the receipt, a cosigned snapshot, the city's own published log.
    snapshot = tmp_path / "evidence.json"
    home.run("receipt", "evidence", file, "--out", snapshot)
    home.down()
    offline = certledger(*check, "--log", log, "--snapshot", snapshot, expect=1).json
    assert offline["counts"] == {"other-entry": 3}
    shown("an acknowledged entry dropped, offline", "BROKEN: other-entry 3, exit 1; certledger check finds nothing")


def test_kept_and_cheap_for_many(apart: Make, tmp_path: Path, shown: Shown) -> None:
    home = apart()
    home.up()
    header, *rows = licences()
    sample = rows[FIRST_ROWS : FIRST_ROWS + min(MANY, 9_000)]
    file = tmp_path / "receipts.jsonl"
    issued = home.issue(write(tmp_path / "rows.csv", [header, *sample]), "--receipts", file, "--json").json["issued"]
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert sum(len(line["entries"]) for line in lines) == issued == len(sample)
    log = tmp_path / "log"
    home.run("log", "export", "--out", log)
    found = certledger("receipt", "check", file, "--trust", home.trust, "--log", log, "--json").json
    assert found["counts"] == {"kept": issued}
    shown("receipts of a batch", f"{issued} kept, {len(lines)} signatures, {file.stat().st_size // issued} bytes each")
    again = tmp_path / "again.jsonl"
    home.issue(tmp_path / "rows.csv", "--receipts", again)
    assert again.read_text() == ""  # nothing recorded, nothing promised
