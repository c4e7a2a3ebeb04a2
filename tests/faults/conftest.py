"""A city for the faults: founded once, copied for each test, its chain in this process or in one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import Home, copied, found
from labels import Server


@pytest.fixture(scope="package")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city's home in order, its chain stopped. Never used itself: copy it."""
    return found(tmp_path_factory.mktemp("founded") / "home")


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    """What commands are forked off to die."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def home(founded: Path, tmp_path: Path) -> Iterator[Home]:
    with copied(founded, tmp_path) as home:
        yield home
