"""A monitor beside a real city: quiet while its log grows; rollback, second history and foreign head are raised."""

from __future__ import annotations

import json
import shutil
from base64 import b64decode
from pathlib import Path

import pytest
from command_line import Ran, certledger
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from evidence import Shown
from prepared_city import Home, licences, write

from api.wiring import HEAD_KEY, City
from ledger import checkpoint, monitor
from ledger.types import Head


class Watched:
    """A city that publishes its log, and the monitor's own folder."""

    def __init__(self, city: Home, folder: Path) -> None:
        self.city, self.folder = city, folder
        self.published = folder / "published"
        self.trust = city.trust

    def publish(self) -> None:
        self.city.run("log", "export", "--out", self.published)

    def look(self, expect: int = 0) -> Ran:
        memory = ("--memory", self.folder / "monitor.sqlite", "--evidence", self.folder / "evidence")
        return certledger(
            "audit", "monitor", self.published, "--trust", self.trust, *memory, "--once", "--json", expect=expect
        )

    def sign(self, head: Head, key: Ed25519PrivateKey) -> None:
        """As the city's own note, with another head or another key."""
        with City(self.city.path) as city:
            name = checkpoint.origin(city.deployment.consortium, city.log)
        public = key.public_key().public_bytes_raw()
        note = checkpoint.sign(name, head, public=public, signature=key.sign)
        (self.published / "checkpoint").write_text(note, "utf-8")

    def own_key(self) -> Ed25519PrivateKey:
        with City(self.city.path) as city:
            return city.keystore.note_signer(HEAD_KEY)

    def head(self) -> Head:
        lines = (self.published / "checkpoint").read_text("utf-8").split("\n")
        return Head(int(lines[1]), b64decode(lines[2]))


@pytest.fixture
def watched(city: Home, tmp_path: Path) -> Watched:
    made = Watched(city, tmp_path)
    made.publish()
    assert made.look().json["raised"] == []
    return made


def alarms(ran: Ran) -> set[str]:
    return {each["alarm"] for each in ran.json["raised"]}


def test_a_log_that_grows_is_quiet(watched: Watched, tmp_path: Path) -> None:
    header, *rows = licences()
    watched.city.issue(write(tmp_path / "more.csv", [header, *rows[4000:4003]]))
    watched.publish()
    assert watched.look().json == {"seen": 2, "raised": []}


def test_a_rollback_is_raised(watched: Watched, tmp_path: Path, shown: Shown) -> None:
    """What was published is replaced by yesterday's copy."""
    yesterday = shutil.copytree(watched.published, tmp_path / "yesterday")
    header, *rows = licences()
    watched.city.issue(write(tmp_path / "later.csv", [header, *rows[4100:4103]]))
    watched.publish()
    assert watched.look().json["raised"] == []
    shutil.rmtree(watched.published)
    shutil.copytree(yesterday, watched.published)
    (raised,) = watched.look(expect=1).json["raised"]
    assert raised["alarm"] == "shrunk" and raised["sizes"][0] > raised["sizes"][1]
    shown("A monitor raises a rollback", f"shrunk from {raised['sizes'][0]} to {raised['sizes'][1]}")


def test_a_second_history_is_raised_with_evidence_that_stands_alone(watched: Watched, shown: Shown) -> None:
    """The city signs two heads of one size: one for the chain and its friends, one for somebody else."""
    key, head = watched.own_key(), watched.head()
    watched.sign(Head(head.size, bytes(32)), key)
    found = watched.look(expect=1)
    assert alarms(found) == {"split-view"}
    evidence = [Path(each["evidence"]) for each in found.json["raised"]]
    for path in evidence:
        raised, consortium = monitor.decode(path.read_bytes())
        monitor.prove_split(raised, consortium, key.public_key().public_bytes_raw(), [head])
    shown("A monitor raises a split view with portable evidence", f"{len(evidence)} files, each proven by itself")


def test_a_head_that_a_stranger_signed_is_raised_and_not_believed(watched: Watched) -> None:
    head = watched.head()
    watched.sign(Head(head.size + 5, bytes(32)), Ed25519PrivateKey.generate())
    assert alarms(watched.look(expect=1)) == {"forged"}
    watched.publish()
    assert watched.look().json["raised"] == []


def test_an_outage_is_no_alarm(watched: Watched) -> None:
    trust = json.loads(watched.trust.read_text())
    watched.trust = watched.folder / "trust.json"
    watched.trust.write_text(json.dumps(trust | {"nodes": ["http://127.0.0.1:9"]}))
    ran = watched.look(expect=2)
    assert ran.json["error"]["code"] == "NODES_SILENT"
