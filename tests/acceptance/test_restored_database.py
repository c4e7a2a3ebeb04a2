"""A database restored from an older copy: refused, explained, and the log goes on in a new epoch."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND, FULL, ROOT, Ran, certledger, environment
from evidence import Shown
from prepared_city import FIRST_ROWS, LICENCE, MARKET, Home, Make, licences, write

KEPT, LOST = (1000, 400) if FULL else (100, 40)
"""Licences issued before the copy and after it."""
BEGIN = 1 + FIRST_ROWS


def rows(path: Path, start: int, count: int) -> Path:
    header, *all_rows = licences()
    return write(path, [header, *all_rows[start - 1 : start - 1 + count]])


class Restored:
    """A city whose database lies behind what was told: `anchored`, by the chain; else by its guard alone."""

    def __init__(self, home: Home, folder: Path, *, anchored: bool, tail: int = 0) -> None:
        """`tail`: the newest of the kept certificates, recorded and not anchored when the copy was made."""
        self.home = home
        self.kept, self.lost = rows(folder / "kept.csv", BEGIN, KEPT), rows(folder / "lost.csv", BEGIN + KEPT, LOST)
        home.up()
        home.export(*home.identifiers(1))
        if tail:
            home.issue(rows(folder / "first.csv", BEGIN, KEPT - tail))
            home.issue(self.kept, "--no-anchor")
        else:
            home.issue(self.kept)
        copy = folder / "copy.sqlite"
        shutil.copy(home.path / "ledger.sqlite", copy)
        home.issue(self.lost, *([] if anchored else ["--no-anchor"]))
        newest = home.identifiers(10**6)
        self.disowned = home.export(newest[-1])[0] if anchored else None
        self.trusted = home.export(newest[0])[0]
        for beside in home.path.glob("ledger.sqlite-*"):
            beside.unlink()
        shutil.copy(copy, home.path / "ledger.sqlite")
        self.size = FIRST_ROWS + KEPT

    def refused(self, expected: int) -> Ran:
        """Issuing, running and checking all refuse, in both languages, and say what to do."""
        for lang, words in (("zh", "旧备份"), ("en", "older copy")):
            ran = self.home.issue(self.lost, "--no-anchor", "--lang", lang, expect=1)
            assert "DATABASE_BEHIND_GUARD" in ran.said and words in ran.said and "certledger log close" in ran.said
            assert str(expected) in ran.said
        up = self.home.run("up", expect=1)
        assert "CITY_DISAGREES" in up.said
        check = self.home.run("check", "--lang", "en", expect=1)
        assert "certledger log close" in check.said
        return ran

    def go_on_with_readings(self) -> int:
        """Bundles were exported since the copy, so the log of accesses is behind too; how many of its entries stand."""
        ran = self.home.run("bundle", "export", self.home.identifiers(1)[0], "--out", "unused", expect=1)
        assert "DATABASE_BEHIND_GUARD" in ran.said and "certledger log close --stream access" in ran.said
        stands = int(self.home.run("log", "close", "--stream", "access", "--json").json["stands"])
        self.home.run("log", "close", "--stream", "access", "--size", stands)
        self.home.run("log", "continue", "--stream", "access")
        return stands

    def reasons(self, bundle: Path, expect: int) -> dict[str, str]:
        ran = certledger("verify", bundle, "--trust", self.home.trust, "--json", expect=expect)
        return {step["step"]: step["reason"] for step in ran.json["steps"]}


@pytest.fixture
def restored_anchored(apart: Make, tmp_path: Path) -> Restored:
    return Restored(apart(), tmp_path, anchored=True)


def test_the_tail_was_anchored(restored_anchored: Restored, tmp_path: Path, shown: Shown) -> None:
    city, home = restored_anchored, restored_anchored.home
    refusal = city.refused(LOST)
    shown("older copy restored, issuing", f"exit 1: {refusal.said.splitlines()[0]}")
    end = city.size + LOST

    plan = home.run("log", "close", "--json").json
    assert (plan["done"], plan["stands"], plan["anchored"]) == (False, city.size, end)
    assert plan["disowned"] == plan["missing"] == [city.size, end]
    assert home.run("log", "epochs", "--json").json["epochs"][0]["closed"] is None  # shown only
    home.run("log", "close", "--size", city.size + 1, expect=3)
    home.run("log", "continue", expect=3)
    home.run("log", "close", "--size", city.size)
    home.run("log", "close", "--size", city.size)  # again, as after an interruption
    assert "certledger log continue" in home.run("check", "--lang", "en", expect=1).said
    going = home.run("log", "continue", "--json").json
    assert (going["continued_in"], going["recorded_again"]) == (1, [])
    shown("log close, log continue", f"{city.size} entries stand, {LOST} disowned: index {city.size} to {end - 1}")

    again = home.issue(city.kept, "--json").json
    anew = home.issue(city.lost, "--json").json
    assert (again["issued"], again["already"]) == (0, KEPT)
    assert (anew["issued"], anew["already"], anew["state"]) == (LOST, 0, "anchored")
    shown("the same files again", f"kept: {again['already']} already issued; lost: {anew['issued']} issued anew")
    shown("the log of accesses", f"named by the refusal, closed and continued: {city.go_on_with_readings()} stand")
    _all_in_order(city, [city.size, end], shown)
    assert city.disowned is not None
    reasons = city.reasons(city.disowned, expect=1)
    assert reasons["ANCHOR"] == "ANCHOR_DISOWNED"
    fresh = tmp_path / "refreshed.json"
    shutil.copy(city.disowned, fresh)
    home.run("bundle", "refresh", fresh)
    offline = certledger("verify", fresh, "--trust", home.trust, "--offline", "--lang", "en", expect=1)
    line = next(line for line in offline.out.splitlines() if line.startswith("✘"))
    shown("the file of a disowned certificate", f"INVALID, exit 1, ANCHOR_DISOWNED: {' '.join(line.split())}")


def test_the_tail_was_not_anchored_and_only_the_guard_knows(apart: Make, tmp_path: Path, shown: Shown) -> None:
    """Part of what was kept had no anchor either: it is recorded again."""
    tail = KEPT // 4
    city = Restored(apart(), tmp_path, anchored=False, tail=tail)
    home, end = city.home, city.size + LOST
    city.refused(LOST)
    plan = home.run("log", "close", "--json").json
    good = city.size - tail
    assert (plan["stands"], plan["anchored"], plan["acknowledged"]) == (good, good, end)
    assert (plan["disowned"], plan["missing"]) == ([good, end], [city.size, end])
    home.run("log", "close", "--size", good)
    going = home.run("log", "continue", "--json").json
    assert [(each["index"], each["index_now"]) for each in going["recorded_again"]] == [
        (good + n, 1 + n) for n in range(tail)
    ]
    assert [each["identifier"] for each in going["recorded_again"]] == home.identifiers(10**6)[-tail:]
    assert home.issue(city.kept, "--json").json["already"] == KEPT
    assert home.issue(city.lost, "--json").json["issued"] == LOST
    city.go_on_with_readings()
    _all_in_order(city, [good, end], shown)
    listed = home.run("log", "epochs", "--json").json["epochs"]
    assert [(epoch["epoch"], epoch["size"]) for epoch in listed] == [
        (0, city.size),
        (1, 2 + tail + LOST),
    ]  # and a revocation
    shown("only the guard knew", f"{LOST} missing by the guard, {tail} recorded again, {good} stand")


def _all_in_order(city: Restored, disowned: list[int], shown: Shown) -> None:
    """Everything there is verifies, from both epochs, and the check keeps the finding."""
    home = city.home
    newest = home.identifiers(10**6)
    assert len(newest) == FIRST_ROWS + KEPT + LOST
    bundles = home.export(newest[0], newest[-1], newest[-LOST - 1])
    for bundle, way in zip((*bundles, city.trusted), ([], ["--offline"], ["--offline"], []), strict=True):
        assert certledger("verify", bundle, "--trust", home.trust, "--json", *way).json["result"] == "VALID"
    home.run("cert", "revoke", newest[0], "--agency", MARKET)
    assert city.reasons(bundles[0], expect=1)["STATUS"] == "STATUS_REVOKED"
    checks: list[dict[str, Any]] = home.run("check", "--all", "--json").json["checks"]
    notes = [check for check in checks if check["outcome"] == "note"]
    assert {check["code"] for check in notes} == {"ENTRIES_DISOWNED"}
    spans = {check["params"]["log"]: (int(check["params"]["start"]), int(check["params"]["end"])) for check in notes}
    assert spans.keys() == {"certificate", "access"}
    assert spans["certificate"] == (disowned[0], disowned[1] - 1)
    assert home.run("log", "epochs", "--json").json["epochs"][0]["disowned"] == disowned
    said = home.run("check", "--lang", "en").said
    assert "were given up" in said
    shown("certledger check afterwards", f"exit 0, note ENTRIES_DISOWNED {disowned[0]}–{disowned[1] - 1}")


def test_killed_anywhere_it_can_be_run_again(restored_anchored: Restored, shown: Shown) -> None:
    """kill -9 at growing moments of closing and continuing; in the end everything is there once."""
    city, home = restored_anchored, restored_anchored.home
    kills = {"close": 0, "continue": 0}
    for verb, more in (("close", ["--size", str(city.size)]), ("continue", [])):
        for moment in range(1, 6):
            command = [COMMAND, "log", verb, *more, "--home", str(home.path)]
            with subprocess.Popen(command, env=environment(), cwd=ROOT, stderr=subprocess.DEVNULL) as process:
                time.sleep(0.4 * moment)
                process.kill()
            if process.returncode == -signal.SIGKILL:
                kills[verb] += 1
        home.run("log", verb, *more)
    assert all(kills.values())
    assert home.issue(city.lost, "--json", kind=LICENCE).json["issued"] == LOST
    city.go_on_with_readings()
    home.run("check", "--all")
    listed = home.run("log", "epochs", "--json").json["epochs"]
    assert [(e["epoch"], e["size"], e["anchored"]) for e in listed] == [
        (0, city.size, city.size + LOST),
        (1, 1 + LOST, 1 + LOST),
    ]
    shown("kill -9 while closing and continuing", f"{kills['close']} and {kills['continue']} times, one history")
