"""The disk is full or does not keep what is written: the write is refused with a code, reading goes on, nothing that
was acknowledged is lost, and the same command finishes the work once there is room again.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import referee
from command_line import COMMAND, GUARD, ROOT, environment
from homes import LICENCE, MARKET, Home, licences
from labels import DYING, lines_of

from ledger.verdict import Result

ROWS = 1_203
TOLD = 500
"""One batch goes well."""


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        ("FULL_AT", "append/guarded:1"),
        ("FULL_AT", "append/written:2"),
        ("FSYNC_AT", "append/written:2"),
        ("FSYNC_AT", "append/committed:2"),  # the guard's own
    ],
)
def test_the_disk_fails_while_a_file_is_issued(home: Home, tmp_path: Path, fault: str, step: str) -> None:
    home.issued(3, start=6_000)
    home.publish()
    anchored = home.certificates()[0].identifier
    file = licences(tmp_path / "rows.csv", ROWS)
    asked = ("cert", "issue", file, "--type", LICENCE, "--agency", MARKET, "--no-anchor", "--home", home.folder)
    told = tmp_path / "told"
    failing = environment(PYTHONPATH=str(DYING), TOLD=str(told), HOME_FOLDER=str(home.folder), **{fault: step})
    code, said = run(*asked, "--json", env=failing)
    assert code == 2, said
    error = json.loads(said)["error"]
    assert error["code"] == "STORE_UNAVAILABLE" and error["remedy"]
    acknowledged = lines_of(told)
    assert len(acknowledged) == TOLD
    referee.kept(home.folder, acknowledged)
    assert home.verify(anchored, online=True).verdict.result is Result.VALID
    assert run("anchor", "status", "--home", home.folder)[0] == 0
    home.reopen()

    assert run(*asked)[0] == 0
    home.publish()
    referee.kept(home.folder, acknowledged)
    found = referee.judge(home.folder, home.chain.url)
    assert found.certificates == ROWS + 3 and not home.wrong()
    print(f"{fault} {step}: exit 2, {error['code']}; {len(acknowledged)} told, none missing, {ROWS} issued in the end")


def run(*arguments: object, env: dict[str, str] | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        timeout=GUARD,
        env=env or environment(),
        cwd=ROOT,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def test_the_database_takes_no_writing(home: Home, tmp_path: Path) -> None:
    """A file system that has become read-only: refused, read on, and as before once it takes writing again."""
    home.issued(3)
    home.publish()
    identifier = home.certificates()[0].identifier
    home.city.close()
    # SQLite itself opens the file without the right to write: root may write whatever the mode says.
    settings = home.folder / "certledger.toml"
    written = settings.read_text(encoding="utf-8")
    address = f"sqlite:///file:{home.folder / 'ledger.sqlite'}?mode=ro&uri=true"
    settings.write_text(written.replace('database_url = ""', f'database_url = "{address}"'), encoding="utf-8")
    asked = ("cert", "issue", licences(tmp_path / "rows.csv", 5), "--type", LICENCE, "--agency", MARKET)
    code, said = run(*asked, "--home", home.folder, "--json")
    assert code == 2 and json.loads(said)["error"]["code"] == "STORE_UNAVAILABLE", said
    assert run("cert", "show", identifier, "--home", home.folder)[0] == 0
    # Handing a certificate out is a reading, and nothing is read without a record.
    export = ("bundle", "export", identifier, "--out", tmp_path, "--home", home.folder)
    code, said = run(*export, "--json")
    assert code == 2 and json.loads(said)["error"]["code"] == "STORE_UNAVAILABLE", said
    assert not list(tmp_path.glob(f"{identifier}*"))
    settings.write_text(written, encoding="utf-8")
    assert run(*asked, "--home", home.folder)[0] == 0
    assert run(*export)[0] == 0
    assert referee.judge(home.folder, home.chain.url).certificates == 5
