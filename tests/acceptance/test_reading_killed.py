"""kill -9 between record and release, at random moments: recorded and not released is possible, the reverse never."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from command_forks import Forks, forks
from command_line import FULL
from evidence import Shown
from reading_cities import Reading, founded

from audit import asking
from audit.decision import DecisionCode

KILLS = 1000 if FULL else 100
BATCH = 100
"""Requests are fresh for five minutes."""
USES = 1000
LATEST = 0.05
"""Seconds after the record within which the kill comes, if it waits for the record."""
LONGEST = 0.6
"""Seconds after the start within which it comes otherwise."""
PATIENCE = 30.0


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    with founded(tmp_path_factory.mktemp("killed")) as made:
        yield made


def test_nothing_is_released_without_a_record(cities: Reading, shown: Shown) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    _, consent = cities.authorize("consent", max_uses=USES)
    folder = cities.folder / "requests"
    folder.mkdir()
    killed, asked = 0, []
    with forks() as children:
        for first in range(0, KILLS, BATCH):
            requests = cities.ask_often(folder, consent, min(BATCH, KILLS - first), first)
            asked += requests
            killed += sum(_answer_and_kill(cities, children, each, chance) for each in requests)
    decided, released = _records(cities), _answers(asked)
    only_recorded = sum(code == DecisionCode.ALLOW for code in decided.values()) - len(released)
    assert set(released) <= {id for id, code in decided.items() if code == DecisionCode.ALLOW}
    assert all(_steps(cities, id) == 2 for id in released), "what went out has its digest recorded too"
    assert killed >= KILLS * 0.9 and only_recorded > KILLS * 0.2
    card = cities.provider.run("authorize", "list", "--json").json["authorizations"][0]
    assert card["uses"] == f"{sum(code == DecisionCode.ALLOW for code in decided.values())} / {USES}"
    cities.provider.run("check", "--all")
    shown(
        "kill -9 between record and release",
        f"seed {seed}: {killed} of {KILLS} died of signal 9; {len(decided)} requests recorded, {len(released)} "
        f"answers written, {only_recorded} recorded and never released, 0 released without a record; "
        f"uses counted {card['uses']}",
    )


def _answer_and_kill(cities: Reading, children: Forks, request: Path, chance: random.Random) -> bool:
    """Half of them as soon as the decision is recorded, and a little later; half at any moment."""
    id = asking.parse(request.read_text()).id
    pid = children.start(
        "reuse", "answer", request, "--out", request.with_suffix(".answer"), "--home", cities.provider.path
    )
    if chance.random() < 0.7:
        _until_recorded(cities, id)
        time.sleep(chance.random() * LATEST)
    else:
        time.sleep(chance.random() * LONGEST)
    with suppress(ProcessLookupError):  # it was done already
        os.kill(pid, signal.SIGKILL)
    status = children.wait(pid)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _until_recorded(cities: Reading, id: bytes) -> None:
    """Looked at beside the product."""
    end = time.monotonic() + PATIENCE
    with closing(sqlite3.connect(cities.provider.path / "ledger.sqlite", timeout=PATIENCE)) as database:
        while time.monotonic() < end:
            if database.execute("SELECT 1 FROM access WHERE request = ?", (id,)).fetchone():
                return
            time.sleep(0.002)
    raise AssertionError("the decision was not recorded")


def _records(cities: Reading) -> dict[bytes, int]:
    """Code of the decision by request; step 1 is access/decided."""
    with closing(sqlite3.connect(cities.provider.path / "ledger.sqlite")) as database:
        return dict(database.execute("SELECT request, code FROM access WHERE step = 1 AND matter IS NOT NULL"))


def _steps(cities: Reading, id: bytes) -> int:
    with closing(sqlite3.connect(cities.provider.path / "ledger.sqlite")) as database:
        return int(database.execute("SELECT count(*) FROM access WHERE request = ?", (id,)).fetchone()[0])


def _answers(asked: list[Path]) -> dict[bytes, Path]:
    """What was released: the answers that were written."""
    return {
        asking.parse(path.read_text()).id: path.with_suffix(".answer")
        for path in asked
        if path.with_suffix(".answer").exists()
    }
