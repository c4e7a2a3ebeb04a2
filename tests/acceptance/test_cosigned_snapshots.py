"""Snapshots cosigned by k of n cities: three cities on one chain, each asks its own node before it signs."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from command_line import Ran, certledger
from evidence import Shown
from several_cities import Consortium, founded


def anchor(bundle: Path, trust: Path, expect: int) -> tuple[str, str]:
    """(verdict, reason of the step ANCHOR), offline."""
    ran: Ran = certledger("verify", bundle, "--trust", trust, "--offline", "--json", expect=expect)
    return ran.json["result"], next(step["reason"] for step in ran.json["steps"] if step["step"] == "ANCHOR")


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with founded(tmp_path_factory.mktemp("cosigned")) as made:
        made.admit(2, 1)
        made.admit(3, 1, 2)
        made.issue(1, made.issuing(1), 1)
        yield made


@pytest.fixture
def bundle(cities: Consortium, tmp_path: Path) -> Path:
    home = cities[1].home
    (path,) = home.run("bundle", "export", home.identifiers(1)[0], "--out", tmp_path, "--json").json["bundles"]
    return Path(shutil.copy(path, tmp_path / "bundle.json"))


def requested(bundle: Path) -> Path:
    out = bundle.parent / "snapshots"
    (path,) = certledger("snapshot", "request", bundle, "--out", out, "--json").json["snapshots"]
    return Path(path)


def trust(cities: Consortium, k: int) -> Path:
    path = cities.folder / f"trust-{k}.json"
    exported = cities[2].home.run("trust", "export", "--k", k, "--out", path, "--json").json
    assert (exported["k"], exported["cities"]) == (k, [1, 2, 3])
    return path


def test_two_of_three(cities: Consortium, bundle: Path, shown: Shown) -> None:
    one, two, three = (trust(cities, k) for k in (1, 2, 3))
    assert anchor(bundle, one, 0)[0] == "VALID"
    assert anchor(bundle, two, 1) == ("INVALID", "ANCHOR_SNAPSHOT_INVALID")
    shown("k = 2, one city signed", "INVALID, ANCHOR_SNAPSHOT_INVALID")

    snapshot = requested(bundle)
    assert b"presentation" not in snapshot.read_bytes()
    again = Path(shutil.copy(snapshot, bundle.parent / "again.json"))
    cities[1].home.run("snapshot", "cosign", again)  # signed by this city already: nothing is added
    assert json.loads(again.read_text()) == json.loads(snapshot.read_text())
    cities[2].home.run("snapshot", "cosign", snapshot)
    joined = certledger("snapshot", "join", bundle, snapshot, again, "--json").json
    assert joined["signatures"] == 2
    assert anchor(bundle, two, 0) == ("VALID", "ANCHOR_OK")
    assert anchor(bundle, three, 1)[0] == "INVALID"
    shown("k = 2, two cities signed", "VALID offline; k = 3: INVALID")
    cities[3].home.run("snapshot", "cosign", snapshot)
    certledger("snapshot", "join", bundle, snapshot)
    assert anchor(bundle, three, 0)[0] == "VALID"


def test_the_same_city_twice_counts_once(cities: Consortium, bundle: Path, shown: Shown) -> None:
    text = json.loads(bundle.read_text())
    text["snapshot"]["signatures"] *= 2
    bundle.write_text(json.dumps(text, separators=(",", ":"), ensure_ascii=False))
    assert anchor(bundle, trust(cities, 1), 0)[0] == "VALID"
    assert anchor(bundle, trust(cities, 2), 1) == ("INVALID", "ANCHOR_SNAPSHOT_INVALID")
    shown("k = 2, one city signed twice", "INVALID")


@pytest.mark.parametrize(
    ("place", "forged"),
    [
        ("accreditations/0/type_code", "11100000000013127D001"),
        ("heads/0/size", 1_000_000),
        ("keys/0/compromises", [{"recorded": 1, "since": 1}]),
        ("time", 1),
        ("block_hash", "00" * 32),
    ],
)
def test_a_lying_citys_fact_is_refused(
    cities: Consortium, bundle: Path, place: str, forged: object, shown: Shown
) -> None:
    snapshot = requested(bundle)
    text = json.loads(snapshot.read_text())
    facts = json.loads(base64.urlsafe_b64decode(text["payload"] + "=="))
    at: Any = facts
    *way, last = [int(part) if part.isdecimal() else part for part in place.split("/")]
    for part in way:
        at = at[part]
    at[last] = forged
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    text["payload"] = base64.urlsafe_b64encode(canonical).decode().rstrip("=")
    lying = json.dumps(text, sort_keys=True, separators=(",", ":"))
    snapshot.write_text(lying)
    refused = cities[2].home.run("snapshot", "cosign", snapshot, "--json", expect=1).json["error"]
    assert refused["code"] == "SNAPSHOT_DIFFERS" and snapshot.read_text() == lying
    named = refused["params"]["facts"].split()
    assert any(name.startswith(place.split("/", maxsplit=1)[0]) for name in named)
    shown(f"a false fact, {place}", f"not cosigned: SNAPSHOT_DIFFERS {refused['params']['facts']}")


def test_who_has_left_is_in_no_new_trust_file(cities: Consortium, bundle: Path, shown: Shown) -> None:
    """Last: city 3 is suspended for good."""
    trust(cities, 3)
    made = cities[1].member("propose", "suspend", "--city", 3)
    cities[2].member("approve", made["number"])
    cities[1].member("execute", made["number"])
    out = cities.folder / "later.json"
    exported = cities[2].home.run("trust", "export", "--k", 2, "--out", out, "--json").json
    assert exported["cities"] == [1, 2]
    refused = cities[2].home.run("trust", "export", "--k", 3, "--out", out, "--json", expect=3).json
    assert refused["error"]["code"] == "TRUST_FORM"
    snapshot = requested(bundle)
    outsider = cities[3].home.run("snapshot", "cosign", snapshot, "--json", expect=3).json
    assert outsider["error"]["code"] == "NOT_A_WITNESS"
    shown("a city is suspended", "not in a new trust file, k = 3 refused, its own signature refused")
