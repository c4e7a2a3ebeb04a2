"""A holder at a counter: who read what of mine, by the command, with a proof of each line that anybody can check."""

from __future__ import annotations

import json
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import readings
from access_records import FIELDS, STEWARD
from command_line import COMMAND, FULL, GUARD, ROOT, Ran, environment
from evidence import Shown
from prepared_city import Home, Make

from api.wiring import City
from audit.subject import Holder
from ledger import merkle
from ledger.canonical import dumps

READS = 100 if FULL else 10
NUMBER = "330106198506159972"
ORDERED = ("--basis", "刑事诉讼法", "--operator", "op-order-001", "--operator", "op-order-002")


def typed(home: Home, line: str, *arguments: object, expect: int = 0) -> Ran:
    """The command with one line on its standard input."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments), "--home", home.path],
        input=line.encode(),
        capture_output=True,
        timeout=GUARD,
        env=environment(CERTLEDGER_STEWARD=STEWARD),
        cwd=ROOT,
        check=False,
    )
    ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode(), 0.0)
    assert ran.plain and ran.code == expect, ran.said
    return ran


def history(home: Home, *arguments: object) -> Any:
    return typed(home, f"111 {NUMBER}\n", "holder", "history", "--json", *arguments).json


@pytest.fixture
def home(apart: Make, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A city in which one person was read, over-asked, and looked at by staff; as the real decision records it."""
    made = apart()
    made.up()
    monkeypatch.setattr(readings.access_records, "person", lambda _: Holder("111", NUMBER))
    monkeypatch.setattr(readings, "person", lambda _: Holder("111", NUMBER))
    with City(made.path) as city:
        readings.prepare(city)
        authorization = readings.grant(city, 0)
        for number in range(READS):
            readings.decide(city, f"read {number}", authorization)
        readings.decide(city, "too much", authorization, fields=(*FIELDS, "registered_capital"))
        readings.staff_read(city, "staff")
    made.run("anchor", "submit")
    return made


def proven(line: dict[str, Any]) -> bool:
    """From the words of the line to the root, by hashing alone; and whether it is what the line says."""
    text = dumps(line["statement"])
    commitment = sha256(b"certledger/v1\x00\x43" + bytes.fromhex(line["salt"]) + text).digest()
    merkle.verify_inclusion(
        leaf_hash=sha256(b"\x00" + commitment).digest(),
        index=line["index"],
        size=line["size"],
        proof=[bytes.fromhex(each) for each in line["path"]],
        root=bytes.fromhex(line["root"]),
    )
    for name, opened in line["openings"].items():
        value = dumps([name, opened["value"]])
        digest = sha256(b"certledger/field/v1\x00" + bytes.fromhex(opened["salt"]) + value).hexdigest()
        assert line["statement"]["body"]["private"][name] == digest
    return True


def test_who_read_what_of_mine(home: Home, tmp_path: Path, shown: Shown) -> None:
    proofs, paper = tmp_path / "proofs.json", tmp_path / "history.pdf"
    found = history(home, "--proofs", proofs, "--print", paper)
    outcomes = [line["outcome"] for line in found["lines"]]
    assert outcomes == ["released", "released", "refused", *["released"] * READS]
    assert [line["ground"] for line in found["lines"][:3]] == ["own_holder", "own_staff", "authorization"]
    assert found["lines"][2]["code"] == "FIELD_NOT_NEEDED"
    assert [each["uses"] for each in found["authorizations"]] == [READS]
    lines = json.loads(proofs.read_bytes())["lines"]
    assert sum(proven(line) for line in lines) == READS + 3
    anchored = sum(line["anchor"] is not None for line in lines)
    assert anchored == READS + 2 and lines[0]["anchor"] is None
    assert NUMBER not in proofs.read_text("utf-8") and paper.read_bytes().startswith(b"%PDF-")
    again = history(home)
    assert len(again["lines"]) == READS + 4, "the look is a line of its own"
    shown(
        "the holder's view, a proof per line", f"{READS + 3} lines, {READS + 3} proven by hashing, {anchored} anchored"
    )


def test_in_words_and_without_the_chain(home: Home) -> None:
    home.down()
    said = typed(home, f"111 {NUMBER}\n", "holder", "history").out
    assert "谁查询过我的信息" in said and "已拒绝" in said and "经营范围" in said and NUMBER not in said
    english = typed(home, f"111 {NUMBER}\n", "holder", "history", "--lang", "en").out
    assert "Who read what of mine" in english and "Outcome: refused" in english


def test_what_is_withheld_is_counted(home: Home, shown: Shown) -> None:
    request = history(home)["lines"][2]["request"]
    typed(home, "", "holder", "withhold", request, "--until", "2027-01-01", *ORDERED)
    found = history(home)
    assert request not in {line["request"] for line in found["lines"]}
    assert [each["lines"] for each in found["withheld"]] == [1]
    said = typed(home, f"111 {NUMBER}\n", "holder", "history").out
    assert "另有 1 条依法暂不告知，2027-01-01 00:00 起可以查看" in said
    shown("lawfully hidden lines stay counted", "1 withheld until 2027-01-01, counted, its record unchanged")


@pytest.mark.parametrize("line", ["", "111\n", f"111 {NUMBER[:-1]}0\n", "777 1\n"])
def test_a_holder_that_is_none_is_refused_in_words(city: Home, line: str) -> None:
    ran = typed(city, line, "holder", "history", expect=3)
    assert NUMBER[:-1] not in ran.said and "→" in ran.said


def test_an_order_that_may_not_be_is_refused(city: Home) -> None:
    one = ("--basis", "刑事诉讼法", "--operator", "op-order-001")
    typed(city, "", "holder", "withhold", "00" * 32, "--until", "2027-01-01", *one, expect=3)
    typed(city, "", "holder", "withhold", "00" * 32, "--until", "2020-01-01", *ORDERED, expect=1)
    typed(city, "", "holder", "withhold", "00" * 32, "--until", "someday", *ORDERED, expect=3)


def test_indicators_are_anchored_before_use_and_come_out_again(home: Home, shown: Shown) -> None:
    taken = typed(home, "", "audit", "indicators", "--json").json
    values = {each["name"]: each["value"] for each in taken["values"]}
    wanted = {"decisions": READS + 1, "allowed": READS, "released": READS, "over_asked": 1, "staff_reads": 1}
    assert taken["anchored"] and {name: values[name] for name in wanted} == wanted
    assert all(each["query"] for each in taken["values"])
    same = typed(home, "", "audit", "indicators", "--repeat", taken["index"], "--json").json
    assert same["differing"] == []
    home.down()
    waiting = typed(home, "", "audit", "indicators", expect=2).said
    assert "尚未上链" in waiting
    shown(
        "indicators reproducible, anchored before use",
        f"{len(values)} figures with their queries; counted again: 0 differ; chain away: exit 2, not to be used",
    )
