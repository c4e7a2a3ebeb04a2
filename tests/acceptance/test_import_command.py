"""`certledger cert import`: what a certificate database holds is registered once, and nothing slips in."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import random
import re
import secrets
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import existing_files as existing
import prepared_city as homes
import pytest
from command_line import COMMAND, FULL, GUARD, ROOT, certledger, environment, in_terminal, watched
from evidence import Shown
from existing_files import CHANGED, FILE, NAMED, NUMBER, STATE, TYPE, Row
from prepared_city import CONSTRUCTION, CONSTRUCTION_NAME, Home, Make

COUNT = 1_000 if FULL else 100
TOUCHED, UNTOUCHED = (40, 10) if FULL else (4, 2)
FLAT_ROWS = 100_000 if FULL else 6_000
FLATNESS = 1.2
_BAR = re.compile(r"(\d+)/(\d+)")


@pytest.fixture(scope="module")
def accredited(template: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The prepared city with an agency that may issue what is imported. To be copied, never changed."""
    home = homes.copied(template, tmp_path_factory.mktemp("accredited"))
    try:
        home.up()
        home.run("member", "add", "--agency", CONSTRUCTION, "--name", CONSTRUCTION_NAME, "--type", TYPE)
    finally:
        home.down()
    return home


@pytest.fixture
def importing(accredited: Home, tmp_path: Path) -> Iterator[Make]:
    """Makes copies of it; their chains are stopped at the end."""
    made: list[Home] = []

    def make() -> Home:
        folder = tmp_path / f"city{len(made)}"
        folder.mkdir()
        made.append(homes.copied(accredited, folder))
        return made[-1]

    yield make
    for home in made:
        home.down()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of synthetic files. Never changed itself."""
    return existing.made(tmp_path_factory.mktemp("existing") / "files", COUNT)


def imported(home: Home, path: Path, *more: object, kind: str = TYPE, **how: Any) -> Any:
    asked = ("--agency", CONSTRUCTION, "--type", kind, "--json", *more)
    return home.run("cert", "import", path, *asked, **how).json


def rejects(report: Any) -> list[Row]:
    with Path(report["rejects"]).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def copied(folder: Path, to: Path, rows: list[Row]) -> Path:
    """Some rows with their files, and an index of them."""
    to.mkdir()
    for row in rows:
        for name in existing.files(row):
            os.link(folder / name, to / name)
    existing.write(to / "index.csv", rows)
    return to


# ------------------------------------------------------------------------------ once


def test_files_are_registered_once_and_one_byte_changed_is_named(
    importing: Make, folder: Path, tmp_path: Path, shown: Shown
) -> None:
    home, size = importing(), homes.FIRST_ROWS
    home.up()
    home.run("trust", "export", "--out", home.trust)
    work = existing.made(tmp_path / "files", COUNT)
    rows = existing.read(work / "index.csv")
    ended = sum(row[STATE] != "01" for row in rows)
    first, again = imported(home, work), imported(home, work)
    assert (first["registered"], first["already"], first["rejected"]) == (COUNT, 0, 0)
    assert (again["registered"], again["already"], again["rejected"]) == (0, COUNT, 0)
    assert home.size() - size == COUNT + ended and first["state"] == "anchored"
    kinds = [Path(name).suffix for row in rows for name in existing.files(row)]
    shown(
        "existing OFD and PDF files imported twice",
        f"{kinds.count('.ofd'):,} OFD + {kinds.count('.pdf'):,} PDF of {COUNT:,} certificates: registered "
        f"{first['registered']:,}, again {again['registered']} ({again['already']:,} already); "
        f"kept as they are: {first['notes']}",
    )
    digests_are_those_of_another_sm3(home, work, rows, shown)

    seed = secrets.randbits(32)
    dice = random.Random(seed)
    chosen = dice.sample([row for row in rows if row[STATE] == "01"], TOUCHED + UNTOUCHED)
    touched, untouched = chosen[:TOUCHED], chosen[TOUCHED:]
    for row in touched:
        file = work / dice.choice(existing.files(row))
        existing.flipped(file, dice.randrange(file.stat().st_size))
        row["changed"] = file.name
    third = imported(home, work, expect=1)
    named = {line[NAMED]: line for line in rejects(third)}
    assert (third["registered"], third["already"], third["rejected"]) == (0, COUNT - TOUCHED, TOUCHED), f"seed {seed}"
    assert set(named) == {row[NAMED] for row in touched}, f"seed {seed}"
    for row in touched:
        line = named[row[NAMED]]
        assert row["changed"] in line[FILE] and line["problem"], f"seed {seed}"
        assert line["rule"] == "REGISTERED_OTHERWISE" or line["column"] == FILE, f"seed {seed}"
    for row, bundle in zip(chosen, home.export(*(row[NAMED] for row in chosen)), strict=True):
        name = row.get("changed") or existing.files(row)[0]
        ran = certledger(
            "verify", work / name, "--bundle", bundle, "--trust", home.trust, "--offline", "--json", expect=None
        )
        verdict, ours = ran.json, row in untouched
        assert (verdict["result"], ran.code) == (("VALID", 0) if ours else ("INVALID", 1)), f"seed {seed}"
        assert verdict["file"]["registered_by"] == (CONSTRUCTION if ours else None)
        failed = [step["code"] for step in verdict["steps"] if step["state"] == "FAIL"]
        assert failed == ([] if ours else [509]), f"seed {seed}"
    shown(
        f"one byte changed in {TOUCHED} of them",
        f"seed {seed}: import names {len(named)} of {TOUCHED} by file and identifier "
        f"({', '.join(sorted({line['rule'] for line in named.values()}))}), "
        f"verify FILE --bundle: {TOUCHED} INVALID (BINDING_FILE 509), {len(untouched)} untouched VALID",
    )


def digests_are_those_of_another_sm3(home: Home, work: Path, rows: list[Row], shown: Shown) -> None:
    """The system's own OpenSSL, which Python's hashlib uses, reads the files again; the product's is another build."""
    few = [row for row in rows if row[STATE] == "01"][: 20 if FULL else 2]
    for row, bundle in zip(few, home.export(*(row[NAMED] for row in few)), strict=True):
        claims = certledger("verify", bundle, "--trust", home.trust, "--offline", "--json").json["claims"]
        for algorithm in ("sm3", "sha256"):
            contents = [(work / name).read_bytes() for name in existing.files(row)]
            wanted = {hashlib.new(algorithm, content).hexdigest() for content in contents}
            assert {each[algorithm] for each in claims["source_files"]} == wanted
    shown("SM3 and SHA-256 of the files", f"{len(few)} certificates: as {ssl.OPENSSL_VERSION} computes them")


# ------------------------------------------------------------------------------ what comes every day


def test_daily_increments_states_and_tables(importing: Make, folder: Path, tmp_path: Path, shown: Shown) -> None:
    home, rows = importing(), existing.read(folder / "index.csv")[:40]
    day = "2026-03-01"
    work = copied(folder, tmp_path / "files", rows)
    newer = sum((row[CHANGED] or row["颁发日期"]) >= day for row in rows)
    since = imported(home, work, "--since", day, "--no-anchor")
    whole = imported(home, work, "--no-anchor")
    assert 0 < newer < 40
    assert (since["registered"], since["older"]) == (newer, 40 - newer)
    assert (whole["registered"], whole["already"]) == (40 - newer, newer)

    size = home.size()
    refused = imported(home, work, kind="business_licence", expect=1)["error"]
    assert refused["code"] == "STATE_TABLE_MISSING" and home.size() == size
    unclear = [rows[0] | {NAMED: existing.numbered(f"S{at}"), NUMBER: f"S{at}", FILE: "", STATE: state}
               for at, state in enumerate(["06", "99", "10", "1", ""])]  # fmt: skip
    report = imported(home, existing.write(tmp_path / "states.csv", unclear), "--no-anchor", expect=1)
    assert report["registered"] == 0 and home.size() == size
    said = [line["rule"] for line in rejects(report)]
    assert said[:2] == ["STATE_TRANSFERRING", "STATE_UNCLEAR"] and len(said) == 5
    shown(
        "daily increment and states",
        f"--since {day}: {newer} registered, {40 - newer} left out, then the rest; a type without a table of states: "
        f"{refused['code']}; states 06, 99, 10, 1 and none: {', '.join(said)}",
    )


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8-sig", False), ("gb18030", False), ("gb18030", True)])
def test_what_a_spreadsheet_writes(importing: Make, folder: Path, tmp_path: Path, encoding: str, mark: bool) -> None:
    rows = [row | {FILE: ""} for row in existing.read(folder / "index.csv")[:5]]
    rows[0]["持证主体"] = rows[0]["姓名"] = "㐂\U00020bb7田"  # beyond GBK
    index = existing.write(tmp_path / "rows.csv", rows, encoding)
    if mark:
        index.write_bytes("\ufeff".encode("gb18030") + index.read_bytes())
    assert imported(importing(), index, "--no-anchor")["registered"] == 5


# ------------------------------------------------------------------------------ what goes wrong


def test_hostile_files_are_refused_by_name_in_bounded_memory(
    importing: Make, folder: Path, tmp_path: Path, shown: Shown
) -> None:
    home = importing()
    attacks = existing.hostile()
    template = existing.read(folder / "index.csv")[0] | {STATE: "01"}
    work, rows = tmp_path / "files", []
    work.mkdir()
    for at, (content, _) in enumerate(attacks.values()):
        (work / f"{at}.ofd").write_bytes(content)
        rows.append(template | {NAMED: existing.numbered(f"H{at}"), NUMBER: f"H{at}", FILE: f"{at}.ofd"})
    good = [template | {NAMED: existing.numbered(f"G{at}"), NUMBER: f"G{at}", FILE: ""} for at in range(3)]
    plain, report = tmp_path / "plain.json", tmp_path / "hostile.json"
    imported(home, existing.write(tmp_path / "plain.csv", good), "--no-anchor", env=watched(plain))
    size = home.size()
    index = existing.write(work / "rows.csv", rows)
    found = imported(home, index, "--no-anchor", expect=1, env=watched(report))
    said = [line["rule"] for line in rejects(found)]
    assert dict(zip(attacks, said, strict=True)) == {name: rule for name, (_, rule) in attacks.items()}
    assert found["registered"] == 0 and home.size() == size
    peaks = [json.loads(path.read_text())["peak_kib"] for path in (plain, report)]
    shown(
        "hostile OFD files",
        f"{len(said)} refused by name ({', '.join(sorted(set(said)))}), nothing registered; "
        f"peak memory {peaks[1]:,} KiB, without them {peaks[0]:,} KiB = {peaks[1] / peaks[0]:.3f}",
    )
    assert peaks[1] <= peaks[0] + 64 * 1024


def test_odd_folders_and_rows(importing: Make, folder: Path, tmp_path: Path, shown: Shown) -> None:
    """A file that cannot be read, names in GBK, one identifier twice, region codes, check variants: one run of all."""
    home = importing()
    rows = [row | {STATE: "01"} for row in existing.read(folder / "index.csv")[:9]]
    work = copied(folder, tmp_path / "files", rows)
    locked = work / existing.files(rows[0])[0]
    content = locked.read_bytes()
    locked.unlink()
    locked.write_bytes(content)
    locked.chmod(0)
    chinese = "证照（扫描件）.pdf"
    (work / os.fsdecode(chinese.encode("gbk"))).write_bytes(b"%PDF-1.7 unpacked from a Windows zip")
    plain = rows[1] | {FILE: ""}
    rows[1][FILE] = chinese
    more = [
        plain | {NAMED: rows[2][NAMED]},
        plain | {NAMED: existing.numbered("R1", "330106"), NUMBER: "R1"},
        plain | {NAMED: existing.numbered("R2", "320106"), NUMBER: "R2"},
        plain | {NAMED: existing.numbered("R3", homes.MARKET), NUMBER: "R3"},
        plain | {NAMED: slipped(existing.numbered("R4")), NUMBER: "R4"},
    ]
    index = existing.write(work / "index.csv", [*rows, *more])
    report = imported(home, index, "--no-anchor", expect=1, bound=True)
    by_line = {int(line["line"]): line["rule"] for line in rejects(report)}
    assert by_line == {
        2: "FILE_MISSING",
        11: "REGISTERED_OTHERWISE",
        13: "IDENTIFIER_REGION_ELSEWHERE",
        14: "IDENTIFIER_ISSUER_DIFFERS",
        15: "IDENTIFIER_CHECK",
    }
    assert report["registered"] == 9 and report["notes"]["ISSUER_IS_REGION_CODE"] == 1
    locked.chmod(0o600)
    after = imported(home, index, "--no-anchor", expect=1, bound=True)
    assert (after["registered"], after["already"], after["rejected"]) == (1, 9, 4)
    shown("odd rows and files", f"9 of 14 registered, by rule {report['rules']}; the file made readable: 1 more")


def slipped(named: str) -> str:
    """Another check character."""
    return named[:-1] + ("0" if named[-1] != "0" else "1")


# ------------------------------------------------------------------------------ large, interrupted, twice at once


def many(path: Path, folder: Path, number: int) -> Path:
    """Rows without files, each under its own number."""
    template = existing.read(folder / "index.csv")[0] | {FILE: "", STATE: "01"}
    return existing.write(
        path, [template | {NAMED: existing.numbered(f"M{at}"), NUMBER: f"M{at}"} for at in range(number)]
    )


def test_memory_is_flat_and_a_bar_is_drawn(importing: Make, folder: Path, tmp_path: Path, shown: Shown) -> None:
    peaks = {}
    for number in (FLAT_ROWS // 10, FLAT_ROWS):
        home, report = importing(), tmp_path / f"{number}.json"
        index = many(tmp_path / f"{number}.csv", folder, number)
        asked = ("--agency", CONSTRUCTION, "--type", TYPE, "--no-anchor", "--home", home.path)
        ran = in_terminal("cert", "import", index, *asked, env=watched(report))
        assert home.size() == homes.FIRST_ROWS + number
        peaks[number] = json.loads(report.read_text())["peak_kib"]
        bar = [(int(done), int(rows)) for done, rows in _BAR.findall(ran.said) if int(rows) == number]
        assert bar and bar == sorted(bar) and bar[-1] == (number, number)
    ratio = peaks[FLAT_ROWS] / peaks[FLAT_ROWS // 10]
    shown(
        "import: peak memory at ten times the rows",
        f"{FLAT_ROWS:,} rows {peaks[FLAT_ROWS]:,} KiB / {FLAT_ROWS // 10:,} rows = {ratio:.3f}; "
        f"bar drawn {len(bar)} times, {ran.seconds:.1f} s",
    )
    assert ratio <= FLATNESS


def started(home: Home, path: Path) -> subprocess.Popen[bytes]:
    asked = ["--agency", CONSTRUCTION, "--type", TYPE, "--no-anchor", "--json", "--home", home.path]
    return subprocess.Popen(
        [COMMAND, "cert", "import", path, *asked],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
    )


def test_interrupted_and_run_again(importing: Make, folder: Path, tmp_path: Path, shown: Shown) -> None:
    home, number = importing(), FLAT_ROWS // 2
    index = many(tmp_path / "rows.csv", folder, number)
    left = []
    for ended_by in (signal.SIGINT, signal.SIGKILL):
        before = home.size()
        process = started(home, index)
        deadline = time.monotonic() + GUARD
        while home.size() == before and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(ended_by)
        _, said = process.communicate(timeout=GUARD)
        assert process.returncode in (130, -signal.SIGKILL) and b"Traceback" not in said
        left.append(homes.FIRST_ROWS + number - home.size())
        assert 0 < left[-1] < number, "it had finished, or not begun"
    report = imported(home, index, "--no-anchor")
    assert (report["registered"], report["already"]) == (left[-1], number - left[-1])
    assert home.size() == homes.FIRST_ROWS + number
    shown(
        "import interrupted and run again",
        f"Ctrl-C with {left[0]:,} of {number:,} rows left, SIGKILL with {left[1]:,}; then {report['registered']:,} "
        f"registered, {report['already']:,} already",
    )


def test_two_at_once(importing: Make, folder: Path, tmp_path: Path, shown: Shown) -> None:
    """The same file by two commands, beside their own lists of rejects and over one another's."""
    home, number = importing(), FLAT_ROWS // 6
    index = many(tmp_path / "rows.csv", folder, number)
    rows = existing.read(index)
    rows[number // 2][STATE] = "99"
    existing.write(index, rows)
    running = [started(home, index), started(home, index)]
    spoken = [process.communicate(timeout=GUARD) for process in running]
    reports = [json.loads(out) for out, _ in spoken]
    assert home.size() == homes.FIRST_ROWS + number - 1
    assert sum(report["registered"] for report in reports) == number - 1
    assert all(report["registered"] + report["already"] == number - 1 for report in reports)
    assert all((report["rejected"], len(rejects(report))) == (1, 1) for report in reports)
    shown("the same import by two commands at once", ", ".join(f"{r['registered']} + {r['already']}" for r in reports))
