"""One ledger an engine, deployed once; each test publishes to a stream of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from engines import ENGINES, Ledger, ledger_on, running

_STREAMS = count(1)


@pytest.fixture(scope="package", params=ENGINES)
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp(request.param)
    with running(request.param, folder) as engine, ledger_on(engine, folder) as made:
        yield made


@pytest.fixture
def stream() -> str:
    return f"evidence-{next(_STREAMS)}"
