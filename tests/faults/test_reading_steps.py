"""kill -9 right after each labelled step of reading and of auditing what was read, then the same command again.

What is recorded and was not released stays so: the asker's repeat is refused. The reverse there never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from command_line import certledger
from labels import Server
from reading_cities import Reading, founded

from audit import export

USES = 50
"""More than all cases together spend of the one consent."""


@dataclass(frozen=True, slots=True)
class Case:
    """A command, where it is killed, and how the same command ends afterwards."""

    act: str
    step: str
    code: int = 0
    says: str = ""
    """Stands in its answer."""


READING = (
    # First, because a city makes the key of a day with the first record of that day.
    Case("ask", "day-key/made"),
    Case("ask", "reuse/asked"),
    Case("answer", "access/counted", says="ALLOW"),
    Case("answer", "access/decided", 1, "REQUEST_REPEATED"),
    Case("answer", "reuse/released", 1, "REQUEST_REPEATED"),
    Case("receive", "reuse/received", says="enterprise_name"),
    Case("permit", "permit/decided", 1, "REQUEST_REPEATED"),
    Case("close", "permit/closed", says="true"),
    Case("history", "holder/recorded"),
    Case("revoke", "grant/revoked", says="anchored"),
    Case("refresh", "view/read", says='"changed": 1'),
    Case("indicators", "indicator/recorded", says='"index": 1'),
    Case("office", "office/written"),
    Case("office", "office/shared"),
    Case("export", "export/written", 3, "FOLDER_NOT_EMPTY"),
    Case("export", "export/recorded", 3, "FOLDER_NOT_EMPTY"),
    Case("monitor", "monitor/kept", says='"raised": []'),
)

Arguments = tuple[object, ...]


@dataclass(slots=True)
class Acts:
    """The commands of the table on two cities; each has files of its own."""

    cities: Reading
    consent: Path
    office_key: Path
    numbers: Iterator[int] = field(default_factory=count)

    def ask(self) -> Arguments:
        described = self.cities.write("ask.json", self.cities.description())
        out = ("--out", self._path("request"), "--authorization", self.consent)
        return ("reuse", "ask", described, *out, "--home", self.cities.asker.path)

    def answer(self) -> Arguments:
        return ("reuse", "answer", self._request(), "--out", self._path("answer"), *self._home)

    def receive(self) -> Arguments:
        request, answer = self._request(), self._path("answer")
        self.cities.provider.run("reuse", "answer", request, "--out", answer)
        return ("reuse", "receive", answer, "--home", self.cities.asker.path)

    def permit(self) -> Arguments:
        return ("permit", "decide", self._request(), "--out", self._path("permit"), *self._home)

    def close(self) -> Arguments:
        permit = self._path("permit")
        self.cities.provider.run("permit", "decide", self._request(), "--out", permit)
        return ("permit", "close", permit, "--response", sha256(b"released").hexdigest(), *self._home)

    def history(self) -> Arguments:
        return ("holder", "history", *self._home)

    def revoke(self) -> Arguments:
        id, _ = self.cities.authorize(f"revoked-{next(self.numbers)}")
        return ("authorize", "revoke", id, *self._home)

    def refresh(self) -> Arguments:
        """After one revocation that the view does not have."""
        self.cities.provider.run("authorize", "refresh")
        certledger(*self.revoke())
        return ("authorize", "refresh", *self._home)

    def indicators(self) -> Arguments:
        return ("audit", "indicators", *self._home)

    def office(self) -> Arguments:
        return ("audit", "office-set", self.office_key, *self._home)

    def export(self) -> Arguments:
        certledger(*self.office())
        return ("audit", "export", "--out", self._path("export"), *self._home)

    def monitor(self) -> Arguments:
        """A city's log, published once more."""
        published = self._path("published")
        self.cities.provider.run("log", "export", "--out", published)
        memory = ("--memory", self._path("memory"), "--evidence", self._path("evidence"))
        return ("audit", "monitor", published, "--trust", self.cities.provider.trust, *memory, "--once")

    @property
    def _home(self) -> Arguments:
        return ("--home", self.cities.provider.path)

    def _request(self) -> Path:
        return self.cities.ask(f"killed-{next(self.numbers)}", self.consent)

    def _path(self, name: str) -> Path:
        return self.cities.folder / f"{name}-{next(self.numbers)}"


@pytest.fixture(scope="module")
def acts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acts]:
    """Two cities that all commands are killed in, one after the other; and the key of an audit office."""
    with founded(tmp_path_factory.mktemp("reading")) as cities:
        _, consent = cities.authorize("consent", max_uses=USES)
        key = cities.folder / "office.jwk"
        password = ("--password-file", cities.folder / "password.txt")
        certledger("audit", "office-key", "--folder", cities.folder / "office", "--out", key, *password)
        yield Acts(cities, consent, key)


@pytest.mark.parametrize("case", READING, ids=[f"{case.act}-{case.step}" for case in READING])
def test_reading_killed_at(acts: Acts, server: Server, case: Case, tmp_path: Path) -> None:
    prepare: Callable[[], Arguments] = getattr(acts, case.act)
    arguments = (*prepare(), "--json")
    person = acts.cities.person()
    given = f"{person['type']} {person['code']}\n".encode() if case.act == "history" else b""
    server.killed_at(case.step, tmp_path, *arguments, given=given)

    ran = certledger(*arguments, given=given, expect=case.code)
    assert case.says in ran.said, ran.said
    print(f"{case.act} killed at {case.step}: the same again ends with {ran.code} {case.says}".rstrip())


def test_after_all_deaths_both_cities_are_in_order(acts: Acts) -> None:
    """Every check passes; no half export looks whole, and another one is made."""
    cities = acts.cities
    assert not list(cities.folder.glob(f"export-*/{export.FILE}"))
    for home in (cities.provider, cities.asker):
        home.run("anchor", "submit")
        home.run("check", "--all")
    cities.provider.run("audit", "office-set", acts.office_key)
    cities.provider.run("audit", "export", "--out", cities.folder / "whole")
    assert (cities.folder / "whole" / export.FILE).exists()
