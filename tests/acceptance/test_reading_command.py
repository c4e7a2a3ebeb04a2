"""One city reads another's data by the commands alone: what comes back, what is recorded, and bad input."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from evidence import Shown
from prepared_city import MARKET, Home
from reading_cities import GRANTED, Reading, founded

RECEIVED = 4
"""Number of the step access/received in the index."""


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    with founded(tmp_path_factory.mktemp("reading")) as made:
        yield made


@pytest.fixture(scope="module")
def consent(cities: Reading) -> Path:
    return cities.authorize("consent", max_uses=50)[1]


def answered(cities: Reading, request: Path, *, expect: int = 0) -> tuple[Path, Any]:
    out = request.with_suffix(".answer")
    return out, cities.provider.run("reuse", "answer", request, "--out", out, "--json", expect=expect).json


def received(home: Home) -> int:
    with closing(sqlite3.connect(home.path / "ledger.sqlite")) as database:
        return int(database.execute("SELECT count(*) FROM access WHERE step = ?", (RECEIVED,)).fetchone()[0])


def test_an_answer_is_received_once_and_shown_as_often_as_asked(cities: Reading, consent: Path, shown: Shown) -> None:
    answer, said = answered(cities, cities.ask("once", consent))
    before = received(cities.asker)
    twice = [cities.asker.run("reuse", "receive", answer, "--json").json for _ in range(2)]
    assert said["decision"] == "ALLOW" and set(twice[0]["fields"]) == set(GRANTED) and twice[0] == twice[1]
    assert received(cities.asker) == before + 1
    shown("an answer received twice", f"{len(twice[0]['fields'])} fields both times, recorded once")


def test_an_answer_to_what_nobody_asked_is_refused(cities: Reading, consent: Path) -> None:
    answer, _ = answered(cities, cities.ask("elsewhere", consent))
    before = received(cities.provider)
    ran = cities.provider.run("reuse", "receive", answer, "--json", expect=1)
    assert ran.json["error"]["code"] == "ANSWER_UNASKED" and received(cities.provider) == before
    altered = answer.with_suffix(".altered")
    text = answer.read_text()
    altered.write_text(text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:])
    ran = cities.asker.run("reuse", "receive", altered, "--json", expect=1)
    assert ran.json["error"]["code"] in ("SIGNATURE", "BASE64URL")


def test_a_certificate_outlives_the_key_it_was_signed_with(cities: Reading, consent: Path, shown: Shown) -> None:
    cities.provider.run("member", "key", "rotate", "--agency", MARKET, "--overlap", 0)
    answer, said = answered(cities, cities.ask("rotated", consent))
    fields = cities.asker.run("reuse", "receive", answer, "--json").json["fields"]
    assert said["decision"] == "ALLOW" and set(fields) == set(GRANTED)
    shown("read after its issuer's key was replaced", f"{said['decision']}, {len(fields)} fields")


@pytest.mark.parametrize(
    "changes",
    [
        {"provider": "one"},
        {"provider": None},
        {"fields": 7},
        {"fields": "enterprise_name"},
        {"fields": []},
        {"fields": ["名称"]},
        {"subject": "91330106XXXX00019G"},
        {"subject": {"type": "001", "code": 5}},
        {"purpose": "办理"},
        {"resource": ""},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_description_that_is_none_asks_nothing(cities: Reading, changes: dict[str, Any], tmp_path: Path) -> None:
    described = cities.write("bad.json", cities.description() | changes)
    ran = cities.asker.run("reuse", "ask", described, "--out", tmp_path / "request.txt", "--json", expect=None)
    assert ran.plain and ran.code in (1, 3) and not (tmp_path / "request.txt").exists()
    assert not any(str(value) in ran.said for value in cities.person().values() if len(value) > 3)


@pytest.mark.parametrize("changes", [{"scopes": 7}, {"scopes": ["x"]}, {"grantor": "me"}, {"kind": None}], ids=str)
def test_a_description_that_is_none_grants_nothing(cities: Reading, changes: dict[str, Any], tmp_path: Path) -> None:
    described = cities.write("bad-grant.json", {"kind": "consent", "subject": cities.person(), **changes})
    key = ("--key", cities.key_of(), "--password-file", cities.folder / "password.txt")
    out = ("--out", tmp_path / "signed.json", "--trust", cities.provider.trust)
    ran = cities.asker.run("authorize", "create", described, *out, *key, expect=None)
    assert ran.plain and ran.code in (1, 3) and not (tmp_path / "signed.json").exists()
