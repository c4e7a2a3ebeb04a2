"""Sixty-four readers of an authorization for ten uses, at once: exactly ten are allowed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from threading import Barrier, Thread

import pytest
from command_forks import forks
from evidence import Shown
from reading_cities import Reading, founded

from api import reuse
from api.wiring import City

READERS, USES = 64, 10


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    with founded(tmp_path_factory.mktemp("at-once")) as made:
        yield made


def test_as_many_processes(cities: Reading, shown: Shown) -> None:
    id, consent = cities.authorize("for-processes", number=1, max_uses=USES)
    folder = cities.folder / "processes"
    folder.mkdir()
    requests = cities.ask_often(folder, consent, READERS, number=1)
    commands = [
        ("reuse", "answer", each, "--out", each.with_suffix(".answer"), "--home", cities.provider.path)
        for each in requests
    ]
    with forks() as children:
        first = children.run_all(commands)
        # Whoever waited too long for the database or the chain was told to try again, and does.
        again = children.run_all([command for command, code in zip(commands, first, strict=True) if code == 2])
    codes = [code for code in first if code != 2] + again
    card = cities.provider.run("authorize", "show", id, "--json").json
    assert Counter(codes) == {0: USES, 1: READERS - USES} and card["uses"] == f"{USES} / {USES}"
    shown(
        "64 concurrent readers, 10 uses: processes",
        f"{dict(Counter(codes))} by exit code, {len(again)} asked twice; used {card['uses']}",
    )


def test_as_many_threads_of_one_process(cities: Reading, shown: Shown) -> None:
    id, consent = cities.authorize("for-threads", number=2, max_uses=USES)
    folder = cities.folder / "threads"
    folder.mkdir()
    requests = cities.ask_often(folder, consent, READERS, number=2)
    found: list[str] = []
    barrier = Barrier(READERS)
    with City(cities.provider.path) as city:
        city.unlock()
        _ = city.sequencer, city.chain, city.content_keys

        def read(text: str) -> None:
            barrier.wait()
            found.append(reuse.answer(city, text).recorded.decision.code.name)

        threads = [Thread(target=read, args=(each.read_text(),)) for each in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    card = cities.provider.run("authorize", "show", id, "--json").json
    assert Counter(found) == {"ALLOW": USES, "USES_EXHAUSTED": READERS - USES} and card["uses"] == f"{USES} / {USES}"
    shown("64 concurrent readers, 10 uses: threads", f"{dict(Counter(found))}; used {card['uses']}")
