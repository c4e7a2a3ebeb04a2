"""`cert import` and `verify FILE --bundle` as they are typed: words, JSON, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from homes import MARKET, MARKET_NAME, Home
from test_importing import SCRIPT, TYPE

from api.cli.main import main


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few") / "existing"
    subprocess.run([sys.executable, SCRIPT, folder, "20"], check=True)
    return folder


def ask(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def say(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([*map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out + err


def imported(home: Home, few: Path, *more: object) -> tuple[object, ...]:
    return ("cert", "import", few, "--type", TYPE, "--agency", MARKET, "--home", home.folder, *more)


def test_import_again_and_since(home: Home, few: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, first = ask(capsys, *imported(home, few))
    assert (code, first["registered"], first["files"], first["state"]) == (0, 20, 22, "anchored")
    code, again = ask(capsys, *imported(home, few))
    assert (code, again["registered"], again["already"]) == (0, 0, 20)
    code, later = ask(capsys, *imported(home, few, "--since", "2030-01-01", "--no-anchor"))
    assert (code, later["older"], later["already"], later["rejected"]) == (0, 20, 0, 0)
    code, text = say(capsys, *imported(home, few), "--lang", "zh")
    assert code == 0 and "此前已登记" in text
    code, wrong = ask(capsys, *imported(home, few, "--since", "yesterday"))
    assert (code, wrong["error"]["code"]) == (3, "DATE_FORM")


def test_a_rejected_row_is_exit_code_one(
    home: Home, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (few / "index.csv").read_text(encoding="utf-8").replace(",01,", ",99,", 1)
    (tmp_path / "bad.csv").write_text(lines, encoding="utf-8")
    code, report = ask(capsys, *imported(home, tmp_path / "bad.csv", "--no-anchor"))
    assert (code, report["rules"]) == (1, {"STATE_UNCLEAR": 1, "FILE_MISSING": 19})
    code, report = ask(capsys, *imported(home, tmp_path))
    assert (code, report["error"]["code"]) == (3, "INDEX_MISSING")


def test_a_file_beside_its_bundle(home: Home, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, report = ask(capsys, *imported(home, few))
    trust = tmp_path / "trust.json"
    assert main(["trust", "export", "--home", str(home.folder), "--out", str(trust)]) == 0
    capsys.readouterr()
    _, written = ask(capsys, "bundle", "export", report["first"], "--home", home.folder, "--out", tmp_path / "b")
    (bundle,) = written["bundles"]
    original = few / f"{report['first']}.ofd"
    beside = ("--bundle", bundle, "--trust", trust)

    code, verdict = ask(capsys, "verify", original, *beside)
    assert (code, verdict["result"], verdict["file"]["registered_by"]) == (0, "VALID", MARKET)
    assert verdict["file"]["seals"] == "NOT_JUDGED"
    code, text = say(capsys, "verify", original, *beside, "--lang", "en", "--offline")
    assert code == 0 and f"byte-identical to the one registered by {MARKET_NAME}" in text and "not judged" in text

    content = bytearray(original.read_bytes())
    content[40] ^= 1
    (tmp_path / "changed.ofd").write_bytes(bytes(content))
    code, verdict = ask(capsys, "verify", tmp_path / "changed.ofd", *beside)
    assert (code, verdict["file"]["registered_by"], verdict["claims"]) == (1, None, {})
    assert [step["code"] for step in verdict["steps"] if step["state"] == "FAIL"] == [509]
    code, text = say(capsys, "verify", tmp_path / "changed.ofd", *beside, "--lang", "zh")
    assert code == 1 and "至少有一个字节不同" in text and "不判断文件中的电子签章" in text

    code, error = ask(capsys, "verify", original, "--trust", trust)
    assert (code, error["error"]["code"]) == (3, "BUNDLE_NOT_NAMED")
    code, error = ask(capsys, "verify", tmp_path / "none.ofd", *beside)
    assert (code, error["error"]["code"]) == (3, "FILE_UNREADABLE")
    assert "file" not in ask(capsys, "verify", bundle, "--trust", trust)[1]


def test_what_is_odd_is_shown(home: Home, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run([sys.executable, SCRIPT, tmp_path / "forty", "40"], check=True)
    _, report = ask(capsys, *imported(home, tmp_path / "forty", "--no-anchor"))
    assert report["notes"] == {"ISSUER_IS_REGION_CODE": 1}
    code, shown = ask(capsys, "cert", "show", report["last"], "--home", home.folder)
    assert (code, shown["notes"]) == (0, ["ISSUER_IS_REGION_CODE"])
    code, text = say(capsys, "cert", "show", report["last"], "--home", home.folder, "--lang", "en")
    assert code == 0 and "division code in place of the issuing agency" in text
