"""Our exported log, read by Go's own transparency-log packages (Debian golang-golang-x-mod-dev)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).parent / "logreader"
BUILD = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
AGENCY = "11330100XXXX33013C"
ROWS = 700
"""Two full tiles and a ragged one."""


def certledger(home: Path, *arguments: str) -> dict[str, object]:
    command = [sys.executable, "-m", "api.cli", *arguments, "--home", str(home), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, cwd=ROOT)
    answer: dict[str, object] = json.loads(ran.stdout)
    return answer


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("go") / "logreader"
    subprocess.run(["go", "build", "-o", program, "."], cwd=SOURCE, env=BUILD, check=True)
    return program


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("city")
    home, rows = folder / "home", folder / "rows.csv"
    lines = (ROOT / "samples" / "business_licence.csv").read_text().splitlines(keepends=True)
    rows.write_text("".join(lines[: ROWS + 1]))
    certledger(home, "init")
    try:
        certledger(home, "member", "add", "--agency", AGENCY, "--name", "演示", "--type", "business_licence")
        certledger(home, "cert", "issue", str(rows), "--type", "business_licence", "--agency", AGENCY)
        said = certledger(home, "log", "export", "--out", str(folder / "log"))
    finally:
        certledger(home, "devnet", "down")
    yield folder / "log", str(said["verifier_key"])


def test_go_reads_checkpoint_tiles_and_proofs(reader: Path, exported: tuple[Path, str]) -> None:
    folder, key = exported
    read = subprocess.run([reader, folder, key], capture_output=True, text=True, check=True, timeout=300)
    print(read.stdout.strip())
    assert read.stdout.startswith(f"size {ROWS}: {ROWS} inclusion proofs")


@pytest.mark.parametrize("file", ["tile/0/001", "tile/1/000.p/2", "tile/entries/002.p/188", "checkpoint"])
def test_go_finds_one_changed_byte(reader: Path, exported: tuple[Path, str], file: str) -> None:
    folder, key = exported
    path = folder / file
    genuine = path.read_bytes()
    path.write_bytes(genuine[:-40] + bytes([genuine[-40] ^ 1]) + genuine[-39:])
    try:
        read = subprocess.run([reader, folder, key], capture_output=True, text=True, check=False, timeout=300)
    finally:
        path.write_bytes(genuine)
    assert read.returncode == 1 and read.stderr
