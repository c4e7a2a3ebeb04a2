"""Cities for the acceptance tests: made by the command, copied where a test breaks something, and their rows."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line import ROOT, Ran, certledger

MARKET, MARKET_NAME = "11330100XXXX33013C", "杭州市市场监督管理局（演示）"
POLICE, POLICE_NAME = "11330100XXXX330217", "杭州市公安局（演示）"
CONSTRUCTION, CONSTRUCTION_NAME = "11330100XXXX33064L", "杭州市城乡建设委员会（演示）"
LICENCE, IDENTITY = "business_licence", "resident_id_card"
SAMPLE = ROOT / "samples" / "business_licence.csv"
IDENTITIES = ROOT / "samples" / "resident_id_card.csv"
FIRST_ROWS = 20
"""Licences of every home, issued and anchored; the tests issue from later rows."""

Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Home:
    """A city's folder, and what the tests ask of it."""

    path: Path
    trust: Path

    def run(self, *arguments: object, **more: Any) -> Ran:
        return certledger(*arguments, "--home", self.path, **more)

    def issue(self, file: Path, *arguments: object, agency: str = MARKET, kind: str = LICENCE, **more: Any) -> Ran:
        return self.run("cert", "issue", file, "--agency", agency, "--type", kind, *arguments, **more)

    def up(self) -> str:
        """Start the chain; its address, which the trust file then names."""
        url = str(self.run("devnet", "up", "--json").json["url"])
        if self.trust.exists():
            trust = json.loads(self.trust.read_text())
            trust["nodes"] = [url]
            self.trust.write_text(json.dumps(trust, sort_keys=True, separators=(",", ":")))
        return url

    @property
    def url(self) -> str:
        """Where its chain answers, from the folder's own record."""
        return f"http://127.0.0.1:{(self.path / 'chain' / 'port').read_text()}"

    def address(self, contract: str) -> str:
        """Where a contract stands: `log_anchor`, `member_registry`, `status_registry`."""
        deployment = json.loads((self.path / "deployment.json").read_text())
        return str(deployment["contracts"][contract]["address"])

    def down(self) -> None:
        """Stop the chain, if one runs here."""
        if (self.path / "chain" / "devnet.json").exists():
            self.run("devnet", "down")

    def size(self) -> int:
        """Entries of the log of certificates, read beside the product."""
        return int(str(self._rows("SELECT size FROM log WHERE stream = 'certificate'")[0]))

    def anchored_size(self) -> int:
        """How far it is anchored, read beside the product."""
        return max((int(str(row)) for row in self._rows("SELECT size FROM anchor")), default=0)

    def identifiers(self, number: int) -> list[str]:
        """Identifiers of the oldest certificates, which are anchored; read beside the product."""
        return [
            str(row) for row in self._rows("SELECT identifier FROM certificate ORDER BY log_no, log_index")[:number]
        ]

    def export(self, *arguments: object) -> list[Path]:
        """The bundles of certificates."""
        out = self.path.parent / "bundles"
        written = self.run("bundle", "export", *arguments, "--out", out, "--json").json["bundles"]
        return [Path(path) for path in written]

    def _rows(self, query: str) -> list[object]:
        """First column of a query."""
        with closing(sqlite3.connect(self.path / "ledger.sqlite")) as database:
            return [row[0] for row in database.execute(query)]


def found(path: Path) -> Home:
    """A city with two agencies and a few anchored licences; its chain stopped."""
    home = Home(path, path.parent / "trust.json")
    home.run("init")
    try:
        home.run("member", "add", "--agency", MARKET, "--name", MARKET_NAME, "--type", LICENCE)
        home.run("member", "add", "--agency", POLICE, "--name", POLICE_NAME, "--type", IDENTITY)
        home.issue(write(path.parent / "first.csv", licences()[: FIRST_ROWS + 1]))
        home.run("trust", "export", "--out", home.trust)
    finally:
        home.down()
    return home


def copied(template: Home, folder: Path) -> Home:
    shutil.copytree(template.path, folder / "city")
    shutil.copy(template.trust, folder)
    return Home(folder / "city", folder / "trust.json")


def licences() -> Rows:
    """The sample with its header, good rows only."""
    rows = table(SAMPLE)
    bad = {2502, 5003, 7504}
    return [row for line, row in enumerate(rows, 1) if line not in bad]


def bad_licences() -> Rows:
    """The three rows of the sample that are wrong on purpose: samples/README.md."""
    rows = table(SAMPLE)
    return [rows[line - 1] for line in (2502, 5003, 7504)]


def table(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def write(path: Path, rows: Iterable[list[str]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def changed(row: list[str], header: list[str], **cells: str) -> list[str]:
    """The row with other values under some headings."""
    return [cells.get(name, cell) for name, cell in zip(header, row, strict=True)]


Make = Callable[[], Home]
