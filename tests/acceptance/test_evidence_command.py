"""Evidence of another system by the command: registered, appended with a receipt, anchored, shown with its proof."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import prepared_city as homes
import pytest
from evidence import Shown
from prepared_city import MARKET, Home

STREAM = ("--stream", "gauge", "--type", "level")
SECRET = "op-7d10c2e4aa"


@pytest.fixture
def client(template: Home, tmp_path: Path) -> Iterator[Home]:
    home = homes.copied(template, tmp_path)
    try:
        home.up()
        yield home
    finally:
        home.down()


def written(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), "utf-8")
    return path


def test_evidence_from_registering_to_its_proof(client: Home, tmp_path: Path, shown: Shown) -> None:
    run, who = client.run, ("--agency", MARKET)
    kind = {"clear": {"mm": {"type": "integer"}}, "private": {"reader": {"type": "string"}}}
    definition = written(tmp_path / "type.json", kind)
    items = written(tmp_path / "items.json", [{"mm": n, "reader": SECRET} for n in range(300)])
    assert run("evidence", "append", *STREAM, items, *who, expect=1).err.startswith("EVIDENCE_TYPE_UNKNOWN")
    assert run("evidence", "register", *STREAM, definition, *who, "--json").json["new"] is True
    assert run("evidence", "register", *STREAM, definition, *who, "--json").json["new"] is False
    other = written(tmp_path / "other.json", {**kind, "private": {}})
    assert run("evidence", "register", *STREAM, other, *who, expect=1).err.startswith("EVIDENCE_TYPE_TAKEN")

    done = run("evidence", "append", *STREAM, items, *who, "--json").json
    assert done["index"] == 1 and len(done["leaves"]) == 300 and done["receipt"].count(".") == 2
    assert run("evidence", "show", "--stream", "gauge", 217).json["head"] is None
    run("anchor", "submit")
    found = run("evidence", "show", "--stream", "gauge", 217).json
    assert found["head"]["size"] == 301 and len(found["proof"]) >= 8
    assert found["statement"]["body"]["clear"] == {"mm": 216} and SECRET not in json.dumps(found["statement"])
    assert found["openings"]["reader"]["value"] == SECRET
    assert run("check").code == 0

    bad = written(tmp_path / "bad.json", [{"mm": 1, "reader": SECRET}, {"mm": "x", "reader": SECRET}])
    refused = run("evidence", "append", *STREAM, bad, *who, expect=1)
    assert (
        refused.plain
        and refused.err.startswith("EVIDENCE_ITEM")
        and "1/mm" in refused.err
        and SECRET not in refused.err
    )
    assert run("evidence", "show", "--stream", "gauge", 301, expect=3).err.startswith("EVIDENCE_MISSING")
    shown(
        "300 pieces of evidence of another system",
        f"one act, one receipt; entry 217 proven by {len(found['proof'])} hashes",
    )
