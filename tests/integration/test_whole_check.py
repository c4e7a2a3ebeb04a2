"""`audit check` on a city with certificates, authorizations and accesses: in order, and every edit of a row named."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import access_records
import pytest
from database_edits import KINDS, Editor, Place, misnamed
from homes import Home, copied

from api import auditing
from api.wiring import DATABASE
from audit.grants import Revoker
from certs.lifecycle import Change

EDITS = 12


@pytest.fixture(scope="module")
def recorded(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Each test leaves the files as it found them."""
    with copied(founded, tmp_path_factory.mktemp("recorded")) as home:
        first, second, *_ = home.issued(40)
        home.change(first.identifier, Change.SUSPEND)
        home.change(second.identifier, Change.REVOKE)
        ids = [access_records.grant(home.city, number) for number in range(20)]
        for number in range(10):
            access_records.mandate(home.city, number)
            access_records.holder_key(home.city, number)
        access_records.corrections(home.city, 20)
        access_records.granting(home.city).revoke(ids[-1], Revoker.SUBJECT, reason="撤回")
        access_records.read(home.city, ids[:-1], 700)
        home.publish()
        yield home
        assert found(home) == set()


def found(home: Home) -> set[Place]:
    differences = auditing.differences(home.city, auditing.Looked(), stream=None, told=lambda *_: None)
    return {(each.stream, each.index, each.table, each.column) for each in differences}


def test_a_city_in_order_has_no_differences(recorded: Home) -> None:
    looked = auditing.Looked()
    assert list(auditing.differences(recorded.city, looked, stream=None, told=lambda *_: None)) == []
    ((entries,),) = recorded.ask("SELECT sum(size) FROM log")
    assert looked.chain is None and looked.entries == entries > 42 + 40 + 700 - 1


SETTLED = "closed IS NOT NULL AND id = (SELECT min(id) FROM correction WHERE closed IS NOT NULL)"
OPEN = "closed IS NULL AND id = (SELECT min(id) FROM correction WHERE closed IS NULL)"
REVOCATION = "kind = 'status' AND key IN (SELECT id FROM \"authorization\")"


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        (f"UPDATE correction SET closed = NULL WHERE {SETTLED}", ("policy", "correction", "closed")),
        (f"UPDATE correction SET closed = '2026-11-24' WHERE {OPEN}", ("policy", "correction", "closed")),
        (f"UPDATE outbox SET body = x'7b7d' WHERE {REVOCATION}", ("authorization", "outbox", "body")),
        (f"DELETE FROM outbox WHERE {REVOCATION}", ("authorization", "outbox", "key")),
    ],
)
def test_what_later_statements_move_is_named(recorded: Home, edit: str, place: tuple[str, str, str]) -> None:
    database, kept = recorded.folder / DATABASE, recorded.folder / "kept.sqlite"
    recorded.city.close()
    shutil.copy(database, kept)
    try:
        with closing(sqlite3.connect(database)) as opened, opened:
            assert opened.execute(edit).rowcount == 1
        recorded.reopen()
        ((stream, _, table, column),) = found(recorded)
        assert (stream, table, column) == place
    finally:
        recorded.city.close()
        kept.replace(database)
        recorded.reopen()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_edits_of_a_kind_are_named_and_nothing_else(recorded: Home, kind: object) -> None:
    database, kept = recorded.folder / DATABASE, recorded.folder / "kept.sqlite"
    recorded.city.close()
    shutil.copy(database, kept)
    try:
        with closing(sqlite3.connect(database)) as opened, opened:
            editor = Editor(opened, random.Random(str(kind)))
            for _ in range(EDITS):
                if places := kind(editor):  # type: ignore[operator]
                    editor.expected.append(places)
        recorded.reopen()
        named = found(recorded)
        assert list(misnamed(editor.expected, named)) == []
    finally:
        recorded.city.close()
        kept.replace(database)
        recorded.reopen()
