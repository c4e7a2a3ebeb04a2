"""Several cities' homes on one chain, made and moved by the command alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line import rpc
from prepared_city import LICENCE, MARKET, Home, licences, write


@dataclass(frozen=True, slots=True)
class Member:
    """A city's home and its accounts on chain."""

    home: Home
    number: int
    governor: str
    publisher: str

    @property
    def division(self) -> int:
        return 330000 + 100 * self.number

    def member(self, *arguments: object, **more: Any) -> Any:
        return self.home.run("member", *arguments, "--json", **more).json


class Consortium:
    """Cities by number; 1 founded the ledger and runs its chain."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        first = Home(folder / "city-1", folder / "trust.json")
        made = first.run("init", "--city", 1, "--division", 330100, "--name", "第1市", "--json").json
        self.url, self.consortium = str(made["chain"]), str(made["consortium"])
        self.cities = {1: Member(first, 1, made["governor"], made["publisher"])}

    def __getitem__(self, number: int) -> Member:
        return self.cities[number]

    def home(self, number: int) -> Member:
        """A home for this ledger; not a member yet."""
        home = Home(self.folder / f"city-{number}", self.folder / "trust.json")
        card = home.run("prepare", *_who(number), "--consortium", self.consortium, "--json").json
        self.cities[number] = Member(home, number, card["governor"], card["hot"][0])
        return self.cities[number]

    def join(self, number: int, **more: Any) -> Any:
        ledger = self[1].home.path / "deployment.json"
        return self[number].home.run("join", ledger, "--rpc-url", self.url, *_who(number), "--json", **more)

    def admission(self, number: int) -> tuple[object, ...]:
        new = self.cities.get(number) or self.home(number)
        who = ("--governor", new.governor, "--hot", new.publisher, "--type", LICENCE)
        return ("propose", "admit", "--city", number, "--division", new.division, *who)

    def admit(self, number: int, *voters: int) -> None:
        first, *others = voters
        made = self[first].member(*self.admission(number))
        for other in others:
            self[other].member("approve", made["number"])
        self[first].member("execute", made["number"])
        self.join(number)

    def issuing(self, number: int) -> str:
        """An agency of the city that issues licences; its USCC."""
        agency = MARKET if number == 1 else AGENCIES[number]
        self[number].member(
            "add", "--agency", agency, "--name", f"第{number}市市场监督管理局（演示）", "--type", LICENCE
        )
        return agency

    def issue(self, number: int, agency: str, start: int, **more: Any) -> Any:
        header, *rows = licences()
        file = write(self.folder / f"rows-{number}-{start}.csv", [header, *rows[start : start + 3]])
        return self[number].home.run("cert", "issue", file, "--type", LICENCE, "--agency", agency, "--json", **more)

    def height(self) -> int:
        return int(rpc(self.url, "eth_blockNumber"), 16)


def _who(number: int) -> tuple[object, ...]:
    return "--city", number, "--division", 330000 + 100 * number, "--name", f"第{number}市"


AGENCIES = {4: "11330400XXXX330644"}


@contextmanager
def founded(folder: Path) -> Iterator[Consortium]:
    made = Consortium(folder)
    try:
        yield made
    finally:
        made[1].home.down()
