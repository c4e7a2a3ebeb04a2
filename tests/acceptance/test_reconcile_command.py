"""Two cities' books side by side: exactly what was seeded is listed, in their homes and from exports elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import seeded_logs as seeded
from command_line import COMMAND, Ran, certledger, environment
from evidence import Shown
from prepared_city import MARKET
from several_cities import AGENCIES, Consortium, founded

from audit.finding import FindingCode as F
from ledger import canonical, merkle
from ledger.commitment import statement_leaf

LATER = timedelta(hours=3)
PASSWORD = "office password"  # of a keystore that this test makes
SINGLE = {F.PERMIT_UNCLOSED, F.RECEIPT_BROKEN, F.BULK_READS, F.READS_WITHOUT_CASE}
SINGLE |= {F.SOURCE_CONTESTED, F.ENTRY_STALE, F.VALUES_CONFLICT, F.CORRECTION_OVERDUE}
"""What one city's log, its rules or a receipt shows by itself."""


class Elsewhere:
    """The audit office's machine: an empty folder, an empty HOME, the installed command and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "home").mkdir(parents=True)

    def run(self, *arguments: object, expect: int = 0) -> Ran:
        env = {"HOME": str(self.folder / "home"), "PATH": os.defpath, "CERTLEDGER_PASSWORD": PASSWORD}
        done = subprocess.run(
            [COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=env,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=300,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode(), 0)
        assert ran.plain and ran.code == expect, ran.said
        return ran


def steward(home: Path, agency: str) -> None:
    settings = home / "certledger.toml"
    settings.write_text(settings.read_text("utf-8").replace('steward = ""', f'steward = "{agency}"'), "utf-8")


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two cities that recorded readings of each other's, anchored; the second lied about some, and so did the first."""
    with founded(tmp_path_factory.mktemp("cities")) as made:
        made.admit(2, 1)
        made.issuing(1)
        steward(made[1].home.path, MARKET)
        steward(made[2].home.path, AGENCIES[4])
        yield made


@pytest.fixture(scope="module")
def begun(cities: Consortium) -> int:
    """When the readings began, seconds."""
    now = int(datetime.now(UTC).timestamp())
    seeded.write(cities[1].home.path, cities[2].home.path, now)
    for number in (1, 2):
        cities[number].home.run("anchor", "submit")
    return now


@pytest.fixture(scope="module")
def office(cities: Consortium, begun: int, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    """The audit office with both cities' exports and a trust file, carried there as files."""
    there = Elsewhere(tmp_path_factory.mktemp("office"))
    there.run("audit", "office-key")
    key = there.folder / "audit-office.jwk"
    for number in (1, 2):
        home = cities[number].home
        shared = home.run("audit", "office-set", key, "--json").json
        assert shared["days"] >= 1
        home.run("audit", "export", "--out", there.folder / f"books-{number}", "--json")
    cities[1].home.run("trust", "export", "--k", 1, "--out", there.folder / "trust.json")
    return there


OPENED = ("--keystore", "audit-office/keystore.json", "--trust", "trust.json")


def as_of(begun: int) -> tuple[str, str]:
    moment = datetime.fromtimestamp(begun, UTC) + LATER
    return "--as-of", moment.strftime("%Y-%m-%dT%H:%M:%S+0000")


def found(ran: Ran) -> list[tuple[str, str]]:
    return sorted((each["code"], each["request"]) for each in ran.json["findings"])


def test_every_kind_that_concerns_a_pair_is_seeded(begun: int) -> None:
    assert {code for code, _ in seeded.wanted(begun)} == {code.value for code in set(F) - SINGLE}


def test_reconcile_lists_exactly_what_was_seeded(cities: Consortium, begun: int, shown: Shown) -> None:
    homes = [cities[number].home.path for number in (1, 2)]
    told = certledger("audit", "reconcile", *homes, *as_of(begun), "--json", expect=1)
    assert found(told) == seeded.wanted(begun)
    words = certledger("audit", "reconcile", *homes, *as_of(begun), expect=1, env=environment(CERTLEDGER_LANG="en"))
    assert all(code in words.out for code, _ in seeded.wanted(begun))
    kinds = len({code for code, _ in seeded.wanted(begun)})
    shown(
        "Two cities' logs with seeded omissions and alterations of every kind: exactly those",
        f"{told.json['records']} records, {len(seeded.wanted(begun))} findings of {kinds} kinds, all as seeded",
    )


def test_exports_give_the_same_findings_elsewhere(
    cities: Consortium, office: Elsewhere, begun: int, shown: Shown
) -> None:
    for number in (1, 2):
        checked = office.run("audit", "check-export", f"books-{number}", *OPENED, "--json")
        assert {line["outcome"] for line in checked.json["checks"]} == {"ok"}
    told = office.run("audit", "reconcile", "books-1", "books-2", *OPENED, *as_of(begun), "--json", expect=1)
    assert found(told) == seeded.wanted(begun)
    mixed = office.run("audit", "reconcile", "books-1", cities[2].home.path, *OPENED, *as_of(begun), "--json", expect=1)
    assert mixed.json == told.json
    shown(
        "An export checked in an empty folder by the installed command alone: the same findings",
        f"{len(found(told))} findings from two exports, and from an export beside a home",
    )


def edit(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as raw, raw:
        assert raw.execute(statement).rowcount == 1


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE entry SET sealed = zeroblob(200) WHERE rowid = (SELECT max(rowid) FROM entry)", "ENTRY_ALTERED"),
        ("DELETE FROM entry WHERE rowid = (SELECT max(rowid) FROM entry)", "ENTRY_MISSING"),
        ("UPDATE anchor SET time = time + 1 WHERE rowid = (SELECT max(rowid) FROM anchor)", "ROW_DIFFERS"),
        ("UPDATE opening SET sealed = (SELECT sealed FROM opening LIMIT 1) WHERE log_index = 3", "OPENING_ALTERED"),
    ],
)
def test_an_altered_export_is_named(office: Elsewhere, tmp_path: Path, statement: str, told: str) -> None:
    copy = Path(shutil.copytree(office.folder / "books-2", tmp_path / "books"))
    edit(copy, statement)
    ran = office.run("audit", "check-export", copy, *OPENED, "--json", expect=1)
    codes = {line.get("code") for line in ran.json["checks"]}
    assert {told, "EXPORT_FILE_DIFFERS"} <= codes


def test_nobody_else_opens_an_export(office: Elsewhere, tmp_path: Path) -> None:
    stranger = Elsewhere(tmp_path / "stranger")
    stranger.run("audit", "office-key")
    arguments = (office.folder / "books-1", "--keystore", "audit-office/keystore.json")
    ran = stranger.run("audit", "check-export", *arguments, "--trust", office.folder / "trust.json", "--json", expect=1)
    assert any(line["outcome"] == "wrong" for line in ran.json["checks"])


def test_the_export_itself_is_on_record(cities: Consortium, office: Elsewhere) -> None:
    manifest = json.loads((office.folder / "books-1" / "manifest.json").read_text("utf-8"))
    assert {part["stream"] for part in manifest["parts"]} >= {"access", "authorization", "policy", "audit"}
    cities[1].home.run("audit", "export", "--out", office.folder / "again", "--stream", "audit", "--json")
    again = json.loads((office.folder / "again" / "manifest.json").read_text("utf-8"))
    before = next(part for part in manifest["parts"] if part["stream"] == "audit")
    assert again["parts"][0]["size"] == before["size"] + 1


@pytest.mark.parametrize("form", ["html", "pdf", "csv"])
def test_a_report_lists_the_findings_in_every_form(office: Elsewhere, begun: int, form: str, shown: Shown) -> None:
    reported = seeded.wanted(begun)[0]
    office.folder.joinpath("self.txt").write_text(reported[1] + "\n")
    arguments = ("books-1", "books-2", *OPENED, *as_of(begun), "--self-reported", "self.txt")
    ran = office.run("audit", "report", *arguments, "--out", f"report.{form}", "--json")
    made = office.folder / f"report.{form}"
    assert ran.json["findings"] == len(seeded.wanted(begun))
    if form == "pdf":
        assert made.read_bytes().startswith(b"%PDF-") and b"/FontFile2" in made.read_bytes()
    else:
        text = made.read_text("utf-8")
        assert all(word in text for word in ("审计取证单", "严重", "自查", "REQUEST_DIFFERS"))
        assert "<script" not in text and "http" not in text.replace("http-equiv", "")
    shown(f"A report as {form}", f"{ran.json['findings']} audit forms over {ran.json['records']} records")


def test_a_sample_is_the_same_for_everybody(cities: Consortium, office: Elsewhere) -> None:
    arguments = ("--seed", "公开抽签 2026-11-24", "--size", 5, "--json")
    here = certledger("audit", "sample", cities[1].home.path, *arguments).json
    there = office.run("audit", "sample", "books-1", *OPENED, *arguments).json
    assert here == there and len(here["entries"]) == 5
    for each in here["entries"]:
        path = [bytes.fromhex(hash_) for hash_ in each["path"]]
        leaf = statement_leaf(canonical.dumps(each["statement"]), bytes.fromhex(each["salt"]))
        assert leaf.hex() == each["leaf"]
        root = bytes.fromhex(here["root"])
        merkle.verify_inclusion(leaf_hash=leaf, index=each["index"], size=here["size"], proof=path, root=root)


def test_a_trace_in_an_export_shows_the_same_lines(cities: Consortium, office: Elsewhere) -> None:
    asked = ("--case", "320100202611240017", "--limit", 1000, "--json")
    here = cities[1].home.run("audit", "trace", *asked).json
    there = office.run("audit", "trace", "--export", "books-1", *OPENED, *asked).json
    assert there == here and len(here["lines"]) > seeded.HONEST
    refused = office.run("audit", "trace", "--export", "books-1", *OPENED, "--holder", expect=3)
    assert "USAGE" in refused.err
