"""How long a city with a long log takes to come back after kill -9. Printed, not judged: CERTLEDGER_SHOWN=1 is 1 M."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from command_line import FULL, GUARD, service
from homes import LICENCE, MARKET, WORDS, licences

from api.issue import issue_file
from api.wiring import City
from ledger.sequencer import Decided, Turn
from ledger.statement import Draft

ENTRIES, AT_ONCE = (1_000_000, 5_000) if FULL else (10_000, 5_000)


@dataclass(frozen=True, slots=True)
class Many:
    """Entries of any kind: what a restart reads does not depend on what they say."""

    first: int

    def decide(self, turn: Turn) -> Decided[None]:
        numbers = range(self.first, self.first + AT_ONCE)
        return Decided([Draft(f"{turn.log.stream}/noted", MARKET, {"n": n}) for n in numbers], None)


def test_a_long_log_comes_back(founded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(founded, tmp_path / "home"))
    with City(folder) as city:
        for first in range(0, ENTRIES, AT_ONCE):
            city.sequencer.append(city.log, Many(first))
    with service("up", "--home", folder, ready="http://") as (process, _):
        until_anchored(folder)
        issue_one(folder, 1)
        process.kill()
        process.wait(GUARD)
    begun = time.monotonic()
    with service("up", "--home", folder, ready="http://"):
        ready = time.monotonic() - begun
        until_anchored(folder)
        anchored = time.monotonic() - begun
        begun = time.monotonic()
        issue_one(folder, 2)
        issued = time.monotonic() - begun
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as database:
        assert database.execute("SELECT size FROM log WHERE stream = 'certificate'").fetchone()[0] == ENTRIES + 2
    print(
        f"restart at {ENTRIES:,} entries after kill -9 (aim: 5 s): chain and service ready in {ready:.1f} s, what "
        f"waited anchored in {anchored:.1f} s; a city opened and a certificate issued in {issued:.2f} s"
    )


def issue_one(folder: Path, row: int) -> None:
    with City(folder) as city:
        file = licences(folder.parent / "row.csv", 1, start=row)
        report = issue_file(
            city, file, type_id=LICENCE, agency=MARKET, words=WORDS, progress=lambda *_: None, renew=False
        )
    assert report.issued == 1


def until_anchored(folder: Path) -> None:
    deadline = time.monotonic() + GUARD
    while time.monotonic() < deadline:
        with closing(sqlite3.connect(folder / "ledger.sqlite", timeout=60)) as database:
            if database.execute("SELECT count(*) FROM outbox WHERE state != 'done'").fetchone()[0] == 0:
                return
        time.sleep(0.02)
    raise AssertionError("not anchored")
