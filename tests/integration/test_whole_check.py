"""`audit check` on a city with certificates, authorizations and accesses: in order, and every edit of a row named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import access_records
import pytest
from homes import Home, copied

from api import auditing
from certs.lifecycle import Change

Place = tuple[str, str, str, int | None]
"""(code, table, column, index)."""


@pytest.fixture(scope="module")
def recorded(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Each test leaves the files as it found them."""
    with copied(founded, tmp_path_factory.mktemp("recorded")) as home:
        first, second, *_ = home.issued(10)
        home.change(first.identifier, Change.SUSPEND)
        home.change(second.identifier, Change.REVOKE)
        ids = [access_records.grant(home.city, number) for number in range(3)]
        access_records.read(home.city, ids, 700)
        home.publish()
        yield home
        assert found(home) == []


def found(home: Home) -> list[Place]:
    looked = auditing.Looked()
    differences = auditing.differences(home.city, looked, stream=None, told=lambda *_: None)
    return [(each.code, each.table, each.column, each.index) for each in differences]


def test_a_city_in_order_has_no_differences(recorded: Home) -> None:
    looked = auditing.Looked()
    assert list(auditing.differences(recorded.city, looked, stream=None, told=lambda *_: None)) == []
    assert looked.chain is None and looked.entries == 10 + 2 + 3 + 700


EDITS: dict[str, tuple[str, tuple[Any, ...], str, tuple[Any, ...], list[Place]]] = {}
