"""A ledger of several cities by the command line: founded together, and joined later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from homes import HANG_SECONDS, licences

from api.cli import exits
from api.cli.main import main
from api.wiring import City
from ledger import accreditation as rules
from ledger.facts import Question

Run = Callable[..., Any]
CITIES = {1: (330100, "杭州市"), 2: (320100, "南京市"), 3: (340100, "合肥市"), 4: (310000, "上海市")}
NANJING_MARKET = "11320100XXXX32010P"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `certledger …`; its JSON. `expect` is the exit code."""

    def certledger(*words: object, expect: int = exits.DONE) -> Any:
        code = main([*map(str, words), "--json"])
        out = capsys.readouterr().out
        assert code == expect, out
        return json.loads(out)

    return certledger


def who(city: int) -> tuple[object, ...]:
    division, name = CITIES[city]
    return "--city", city, "--division", division, "--name", name


@pytest.fixture
def founded(run: Run, tmp_path: Path) -> Iterator[str]:
    """Three cities, of which the first deployed and runs the chain; the address of its node."""
    first = run("prepare", *who(1), "--home", tmp_path / "1")
    for city in (2, 3):
        home, card = tmp_path / f"{city}", tmp_path / f"{city}.json"
        run("prepare", *who(city), "--home", home, "--consortium", first["consortium"], "--out", card)
    cards = ("--founder", tmp_path / "2.json", "--founder", tmp_path / "3.json")
    made = run("init", *who(1), *cards, "--home", tmp_path / "1")
    assert made["consortium"] == first["consortium"]
    try:
        yield made["chain"]
    finally:
        run("devnet", "down", "--home", tmp_path / "1")


def join(run: Run, folder: Path, city: int, node: str, expect: int = exits.DONE) -> Any:
    words = ("join", folder / "1" / "deployment.json", "--rpc-url", node, *who(city), "--home", folder / f"{city}")
    return run(*words, expect=expect)


def test_three_founders_join_issue_and_a_fourth_is_admitted(founded: str, run: Run, tmp_path: Path) -> None:
    card = join(run, tmp_path, 2, founded)
    assert card == json.loads((tmp_path / "2.json").read_text())
    assert join(run, tmp_path, 2, founded) == card  # again: nothing is done twice
    join(run, tmp_path, 3, founded)
    member = ("member", "add", "--agency", NANJING_MARKET, "--name", "南京市市场监督管理局（演示）")
    run(*member, "--type", "business_licence", "--home", tmp_path / "2")
    rows = licences(tmp_path / "rows.csv", 5)
    issue = ("cert", "issue", rows, "--type", "business_licence", "--agency", NANJING_MARKET)
    assert run(*issue, "--home", tmp_path / "2")["issued"] == 5
    with City(tmp_path / "2") as nanjing:
        nanjing.publisher.catch_up(HANG_SECONDS)
        (head,) = nanjing.chain.heads([nanjing.log.id])
        assert head is not None and head.size == 5
        facts = nanjing.chain.facts(Question(cities=(1, 2, 3, 4)))
        assert [rules.city_active(facts, city, facts.time) for city in (1, 2, 3, 4)] == [True, True, True, False]

    told = join(run, tmp_path, 4, founded, expect=exits.REFUSED)["error"]
    assert told["code"] == "NOT_ADMITTED"
    fourth = run("prepare", *who(4), "--home", tmp_path / "4")
    assert fourth["governor"] == told["params"]["governor"]
    admit = ("member", "propose", "admit", "--city", 4, "--division", fourth["division"])
    accounts = ("--governor", fourth["governor"], "--hot", fourth["hot"][0], "--type", "business_licence")
    made = run(*admit, *accounts, "--home", tmp_path / "1")
    run("member", "approve", made["number"], "--home", tmp_path / "2")
    run("member", "execute", made["number"], "--home", tmp_path / "3")
    assert join(run, tmp_path, 4, founded)["governor"] == fourth["governor"]


def test_cards_that_do_not_fit_are_refused_before_anything_is_deployed(run: Run, tmp_path: Path) -> None:
    first = run("prepare", *who(1), "--home", tmp_path / "1")
    same = ("--consortium", first["consortium"])
    run("prepare", *who(2), "--home", tmp_path / "2", "--out", tmp_path / "foreign.json")
    run("prepare", *who(1), "--home", tmp_path / "3", *same, "--out", tmp_path / "twice.json")
    (tmp_path / "torn.json").write_text('{"city":2}')
    refusals = {"foreign": "FOUNDER_FOREIGN", "twice": "FOUNDER_TWICE", "torn": "CARD_FORM", "none": "FILE_UNREADABLE"}
    for name, code in refusals.items():
        card = ("--founder", tmp_path / f"{name}.json")
        told = run("init", *who(1), *card, "--home", tmp_path / "1", expect=exits.USAGE)
        assert told["error"]["code"] == code
    assert not (tmp_path / "1" / "deployment.json").exists() and not (tmp_path / "1" / "chain").exists()
    other = run("prepare", *who(1), "--home", tmp_path / "1", "--consortium", "0" * 64, expect=exits.USAGE)
    assert other["error"]["code"] == "HOME_EXISTS"
