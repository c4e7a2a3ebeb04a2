"""One city for most tests, copies for those that break it, and the table of what was shown at the end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import prepared_city as homes
import pytest
from command_line import FULL, in_terminal
from demo_lines import Played
from evidence import Shown
from prepared_city import Home, Make

_ROWS = pytest.StashKey[list[tuple[str, str]]]()
_SENT = "certledger_shown"


@pytest.fixture(scope="session")
def shown(request: pytest.FixtureRequest) -> Shown:
    """Say what a test has shown: printed at once, and as a row of the table at the end of a full run."""
    rows = request.config.stash.setdefault(_ROWS, [])

    def show(line: str, printed: str) -> None:
        print(f"{line}: {printed}")
        rows.append((line, printed))

    return show


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Run two at a time, a worker hands its rows to the process that prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_SENT] = session.config.stash.get(_ROWS, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    rows = node.config.stash.setdefault(_ROWS, [])
    rows.extend(tuple(row) for row in getattr(node, "workeroutput", {}).get(_SENT, []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if FULL and config.stash.get(_ROWS, []):
        terminalreporter.write_line("")
        terminalreporter.write_line("| must be shown | printed |")
        terminalreporter.write_line("|---|---|")
        for line, printed in config.stash[_ROWS]:
            cells = (text.replace("|", "\\|").replace("\n", "<br>") for text in (line, printed))
            terminalreporter.write_line(f"| {' | '.join(cells)} |")


@pytest.fixture(scope="session", autouse=True)
def ended_in_order() -> Iterator[None]:
    """Chains run detached: whoever ends the tests with SIGTERM must not leave them behind."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupted)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A prepared city, its chain stopped; to be copied, never changed."""
    return homes.found(tmp_path_factory.mktemp("template") / "city")


@pytest.fixture(scope="session")
def city(template: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The city of most tests, its chain running. Tests add to it and take nothing away."""
    home = homes.copied(template, tmp_path_factory.mktemp("city"))
    try:
        home.up()
        yield home
    finally:
        home.down()


@pytest.fixture(scope="session")
def genuine(city: Home) -> Path:
    """A bundle that verifies."""
    return city.export(*city.identifiers(1))[0]


@pytest.fixture
def apart(template: Home, tmp_path: Path) -> Iterator[Make]:
    """Makes copies of the prepared city that a test may break; their chains are stopped and stay so until `up`."""
    made: list[Home] = []

    def make() -> Home:
        folder = tmp_path / f"apart{len(made)}"
        folder.mkdir()
        made.append(homes.copied(template, folder))
        return made[-1]

    yield make
    for home in made:
        home.down()


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The demonstration as a person sees it: in a terminal, in Chinese."""
    folder = tmp_path_factory.mktemp("demo") / "demo-run"
    return Played(folder, in_terminal("demo", "--dir", folder))
