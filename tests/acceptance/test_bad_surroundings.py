"""What an operator runs into: the chain away, a wrong password, a folder that is read-only, a port that is taken."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import prepared_city as homes
from command_line import (
    GUARD,
    KEYS_PRESSED,
    PROMPT,
    Ran,
    certledger,
    environment,
    in_terminal,
    rpc,
    service,
    side_by_side,
    transactions,
)
from evidence import Shown
from prepared_city import LICENCE, MARKET, Home, Make

HEADER, *GOOD = homes.licences()


def in_both_languages(run: Callable[[str], Ran], code: str, shown: Shown) -> None:
    """The same fault in Chinese and in English: exit 3, the code, what happened, what to do."""
    languages = ("zh", "en")
    for lang, ran in zip(languages, side_by_side(partial(run, lang) for lang in languages), strict=True):
        assert ran.plain and ran.code == 3, ran.said
        assert ran.err.startswith(f"{code}:") and "\n→ " in ran.err and len(ran.err.splitlines()) == 2, ran.err
        chinese = sum("一" <= c <= "鿿" for c in ran.err)
        assert (chinese > 8) == (lang == "zh"), ran.err
        shown(f"{code} ({lang})", f"exit 3, {ran.err.splitlines()[0]}")


def test_the_chain_away_stops_no_counter(apart: Make, tmp_path: Path, shown: Shown) -> None:
    home = apart()
    file = homes.write(tmp_path / "away.csv", [HEADER, *GOOD[100:110]])
    size = home.size()
    ran = home.issue(file, "--json")
    assert (ran.json["issued"], ran.json["state"]) == (10, "recorded") and "CHAIN_STOPPED" in ran.err
    shown("chain down while issuing", f"10 issued, exit 0: {ran.err.strip()}")
    waiting = home.run("anchor", "status", "--json").json
    assert (waiting["logs"][0]["size"], waiting["logs"][0]["anchored"]) == (size + 10, size)
    newest = ran.json["last"]
    refused = home.run("bundle", "export", newest, "--out", tmp_path / "b", "--lang", "en", expect=2)
    assert refused.plain and "→" in refused.err
    assert {c["check"]: c["outcome"] for c in home.run("check", "--json", expect=2).json["checks"]}[
        "chain"
    ] == "unknown"

    url = home.up()
    before = len(transactions(url))
    home.run("anchor", "submit")
    assert len(transactions(url)) == before + 1
    caught_up = home.run("anchor", "status", "--json").json["logs"][0]
    assert caught_up["anchored"] == caught_up["size"] == size + 10
    home.run("anchor", "submit")
    assert len(transactions(url)) == before + 1
    certledger("verify", home.export(newest)[0], "--trust", home.trust)
    home.run("check")
    shown("chain back", f"{caught_up['anchored'] - size} anchored by 1 transaction, submitted again: 0; check clean")


def test_a_wrong_keystore_password(apart: Make, tmp_path: Path, shown: Shown) -> None:
    home = apart()
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("not the password\n")
    file = homes.write(tmp_path / "rows.csv", [HEADER, GOOD[111]])
    env = environment(CERTLEDGER_PASSWORD_FILE=str(wrong))
    in_both_languages(lambda lang: home.issue(file, "--lang", lang, expect=None, env=env), "KEYSTORE_PASSWORD", shown)
    absent = environment(CERTLEDGER_PASSWORD_FILE=str(tmp_path / "absent.txt"))
    in_both_languages(lambda lang: home.issue(file, "--lang", lang, expect=None, env=absent), "PASSWORD_FILE", shown)
    assert home.size() == homes.FIRST_ROWS


def test_a_folder_that_takes_no_writing(apart: Make, genuine: Path, tmp_path: Path, shown: Shown) -> None:
    """For root too: the command starts without the right to override modes."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    home = apart()
    home.path.chmod(0o555)
    bound: dict[str, Any] = {"bound": True, "expect": None}
    try:
        in_both_languages(
            lambda lang: certledger("init", "--home", closed / "city", "--lang", lang, **bound),
            "HOME_UNWRITABLE",
            shown,
        )
        in_both_languages(lambda lang: home.run("up", "--lang", lang, **bound), "HOME_UNWRITABLE", shown)
        in_both_languages(
            lambda lang: home.run("trust", "export", "--out", closed / "t.json", "--lang", lang, **bound),
            "FILE_UNWRITABLE",
            shown,
        )
    finally:
        home.path.chmod(0o755)
        closed.chmod(0o755)
    assert list(closed.iterdir()) == []


def test_issuing_into_a_read_only_home_issues_nothing(apart: Make, tmp_path: Path, shown: Shown) -> None:
    home = apart()
    file = homes.write(tmp_path / "rows.csv", [HEADER, GOOD[112]])
    for path in (home.path, *home.path.glob("*.sqlite*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        ran = home.issue(file, bound=True, expect=None)
    finally:
        for path in (home.path, *home.path.glob("*.sqlite*")):
            path.chmod(0o755)
    assert ran.plain and ran.code in (2, 3) and "→" in ran.err, ran.said
    assert home.size() == homes.FIRST_ROWS
    shown("read-only home while issuing", f"exit {ran.code}, {ran.err.splitlines()[0]}")


def test_rejects_that_cannot_be_written_are_said_plainly(apart: Make, tmp_path: Path, shown: Shown) -> None:
    """The rows' folder takes no writing, and a row is bad: nothing half done, nothing kept quiet."""
    home = apart()
    folder = tmp_path / "rows"
    folder.mkdir()
    file = homes.write(folder / "rows.csv", [HEADER, GOOD[113], homes.bad_licences()[0]])
    folder.chmod(0o555)
    try:
        ran = home.issue(file, "--no-anchor", bound=True, expect=None)
    finally:
        folder.chmod(0o755)
    assert ran.plain and ran.code == 3 and "→" in ran.err, f"{ran.said}\n{home.size()} entries"
    shown("rejects cannot be written", f"exit {ran.code}, {ran.err.splitlines()[0]}; {home.size()} entries")


def test_a_file_where_a_folder_belongs(tmp_path: Path, shown: Shown) -> None:
    (tmp_path / "file").write_text("a file")
    ran = certledger("init", "--home", tmp_path / "file" / "city", expect=3)
    assert ran.err.startswith("HOME_UNWRITABLE:") and ran.plain
    in_both_languages(
        lambda lang: certledger("check", "--home", tmp_path / "empty", "--lang", lang, expect=None),
        "HOME_MISSING",
        shown,
    )


def test_a_port_that_is_taken(apart: Make, shown: Shown) -> None:
    home = apart()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        in_both_languages(lambda lang: home.run("up", "--port", port, "--lang", lang, expect=None), "PORT_TAKEN", shown)
        assert home.run("devnet", "up", "--port", port, expect=3).err.startswith("PORT_TAKEN:")
    assert home.run("devnet", "status", "--json").json["state"] == "stopped"


def test_up_runs_publishes_refuses_a_second_and_stops(apart: Make, tmp_path: Path, shown: Shown) -> None:
    home = apart()
    file = homes.write(tmp_path / "rows.csv", [HEADER, *GOOD[114:117]])
    with service("up", "--home", home.path, ready="http://") as (process, said):
        in_both_languages(lambda lang: home.run("up", "--lang", lang, expect=None), "HOME_IN_USE", shown)
        home.issue(file, "--no-anchor")
        deadline = time.monotonic() + GUARD
        while not anchored(home) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert anchored(home)
    assert process.returncode == 0
    assert "已停止" in said[-1]
    shown("certledger up", f"{said[0].strip()} … 3 licences anchored by it … {said[-1].strip()} exit 0")


def anchored(home: Home) -> bool:
    return home.anchored_size() == homes.FIRST_ROWS + 3


def test_a_second_devnet_up_leaves_the_first_alone(city: Home) -> None:
    before = json.loads((city.path / "chain" / "devnet.json").read_text())
    now = city.run("devnet", "up", "--json").json
    assert (now["url"], now["pid"], now["state"]) == (city.url, before["pid"], "running")
    assert int(rpc(city.url, "eth_chainId"), 16) == 31337


def asking(home: Home) -> Home:
    """The city asks for its password instead of reading it from a file."""
    settings = home.path / "certledger.toml"
    text = settings.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("password_file"))
    settings.write_text(text.replace(line, 'password_file = ""'), encoding="utf-8")
    return home


def test_nobody_to_ask_for_the_password(apart: Make) -> None:
    ran = asking(apart()).issue(homes.SAMPLE, expect=3)
    assert ran.err.startswith("PASSWORD_MISSING:") and ran.plain


def test_a_wrong_password_typed_in_a_terminal(apart: Make, shown: Shown) -> None:
    """The question stays readable until it is answered: no progress bar is drawn over it."""
    home = asking(apart())
    asked = ("cert", "issue", homes.SAMPLE, "--agency", MARKET, "--type", LICENCE, "--home", home.path)
    ran = in_terminal(*asked, expect=3, typed=b"hunter22\n")
    assert "KEYSTORE_PASSWORD" in ran.said and "hunter22" not in ran.said
    question = ran.out[ran.out.index(PROMPT) : ran.out.index(KEYS_PRESSED)]
    buried = "━" in question
    shown("a wrong password typed in a terminal", f"exit 3; a bar drawn over the question: {buried}")
    assert not buried
