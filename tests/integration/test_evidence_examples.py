"""The worked examples of evidence streams, run on a real city; what they leave is proven with nothing of theirs."""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from homes import MARKET, Home

from api import evidence
from audit.errors import AuditError
from audit.evidence_stream import EvidenceType
from audit.private import openings_from, reveal
from ledger import canonical, commitment, jws, merkle
from ledger.errors import VerificationError

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
CASE, NOTE = "330100202611240031", "井盖缺失，已更换"


def example(name: str) -> Any:
    found = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert found and found.loader
    module = module_from_spec(found)
    sys.modules[name] = module  # dataclasses look their module up
    found.loader.exec_module(module)
    return module


def proven(home: Home, stream: str, index: int) -> dict[str, Any]:
    """The body of an entry, after everything that `evidence show` hands out was checked against the chain."""
    home.publish()
    shown: Any = json.loads(canonical.dumps(evidence.show(home.city, stream, index)))
    statement = canonical.dumps(shown["statement"])
    leaf = commitment.statement_leaf(statement, bytes.fromhex(shown["salt"]))
    root, proof = bytes.fromhex(shown["head"]["root"]), [bytes.fromhex(node) for node in shown["proof"]]
    merkle.verify_inclusion(leaf_hash=leaf, index=index, size=shown["head"]["size"], proof=proof, root=root)
    (published,) = home.city.chain.heads([bytes.fromhex(shown["log"])])
    assert published is not None and (published.size, published.root) == (shown["head"]["size"], root)
    body = shown["statement"]["body"]
    return {**body["clear"], **reveal(body["private"], openings_from(shown["openings"]))}


def test_an_ai_review_can_be_held_to_what_it_saw(home: Home) -> None:
    form = b'{"business_scope": "..."}'
    done = example("evidence_ai_review").decide(home.city, MARKET, form, CASE)
    body = proven(home, "ai-review", done.first_index)
    assert (body["model"], body["outcome"], body["case"]) == ("pre-review", "pass", CASE)
    assert body["input"] == sha256(form).hexdigest()
    public = canonical.dumps(evidence.show(home.city, "ai-review", done.first_index)["statement"]).decode()
    assert CASE not in public and body["input"] not in public
    promised = json.loads(jws.unb64url(done.receipt.split(".")[1]))
    assert promised["leaves"] == [leaf.hex() for leaf in done.leaves]


def test_a_city_event_in_its_five_steps(home: Home) -> None:
    event = example("evidence_city_event")
    indices = {step: event.record(home.city, MARKET, step, "E-20261124-77", "西湖街道", NOTE) for step in event.STEPS}
    assert event.late(home.city, indices) == []
    event.LIMITS["handled"] = -1
    assert event.late(home.city, indices) == ["handled"]
    with pytest.raises(ValueError, match="before the one"):
        event.late(home.city, {**indices, "found": indices["rated"] + 1})
    assert [proven(home, "city-event", index)["note"] for index in indices.values()] == [NOTE] * 5


def test_one_reading_of_a_batch(home: Home) -> None:
    sensors = example("evidence_sensor_batch")
    readings = [{"sensor": f"w-{n}", "at": 1795500000 + n, "level_mm": 1200 + n} for n in range(1000)]
    batch = sensors.append(home.city, MARKET, readings)
    body = proven(home, "sensors", batch.index)
    root, proof = bytes.fromhex(body["root"]), sensors.prove(batch, 617)
    sensors.verify(root, body["readings"], 617, readings[617], proof)
    for number, reading in ((617, {**readings[617], "level_mm": 1}), (616, readings[617])):
        with pytest.raises(VerificationError):
            sensors.verify(root, body["readings"], number, reading, proof)
    print(f"one of {body['readings']} readings proven by {len(proof)} hashes; the batch is one entry")


def test_a_data_set_and_where_it_came_from(home: Home) -> None:
    sensors, published = example("evidence_sensor_batch"), example("evidence_data_set")
    batch = sensors.append(home.city, MARKET, [{"level_mm": 1}])
    source = evidence.show(home.city, "sensors", batch.index)
    leaf = commitment.statement_leaf(canonical.dumps(source["statement"]), bytes.fromhex(str(source["salt"])))
    done = published.publish(home.city, MARKET, "水位月报", b"month,mm\n2026-10,1\n", [leaf])
    body = proven(home, "open-data", done.first_index)
    assert body["sources"] == [leaf.hex()] and body["digest"] == sha256(b"month,mm\n2026-10,1\n").hexdigest()
    assert not home.wrong()


# Bad input

LEVEL = EvidenceType(clear={"level": {"type": "integer"}}, private={"who": {"type": "string"}})


@pytest.mark.parametrize(
    ("code", "items"),
    [
        ("EVIDENCE_ITEM", [{"level": 1}]),
        ("EVIDENCE_ITEM", [{"level": "1", "who": "a"}]),
        ("EVIDENCE_ITEM", [{"level": 1, "who": "a", "more": 1}]),
        ("EVIDENCE_ITEM", [{"level": 1, "who": "a"}, {"level": 1.5, "who": "a"}]),
        ("EVIDENCE_ITEM", [[]]),
        ("EVIDENCE_ITEMS", []),
        ("EVIDENCE_ITEMS", [{"level": 1, "who": "a"}] * 1001),
    ],
)
def test_evidence_that_is_not_of_its_type_is_refused_whole(home: Home, code: str, items: list[Any]) -> None:
    assert evidence.register(home.city, "gauge", "level", LEVEL, agency=MARKET)
    assert not evidence.register(home.city, "gauge", "level", LEVEL, agency=MARKET)
    with pytest.raises(AuditError) as refused:
        evidence.append(home.city, "gauge", "level", items, agency=MARKET)
    assert refused.value.code == code
    good = evidence.append(home.city, "gauge", "level", [{"level": 1, "who": "a"}], agency=MARKET)
    assert good.first_index == 1, "nothing of what was refused stands in the log"


def test_types_and_streams_that_nobody_may_register(home: Home) -> None:
    taken = EvidenceType(clear={"level": {"type": "string"}}, private={})
    evidence.register(home.city, "gauge", "level", LEVEL, agency=MARKET)
    cases = [("gauge", "level", "EVIDENCE_TYPE_TAKEN"), ("gauge", "registered", "EVIDENCE_STREAM")]
    cases += [
        (each, "level", "EVIDENCE_STREAM") for each in ("certificate", "access", "authorization", "case", "policy")
    ]
    for stream, kind, code in cases:
        with pytest.raises(AuditError) as refused:
            evidence.register(home.city, stream, kind, taken, agency=MARKET)
        assert refused.value.code == code
    with pytest.raises(AuditError) as refused:
        evidence.append(home.city, "gauge", "other", [{}], agency=MARKET)
    assert refused.value.code == "EVIDENCE_TYPE_UNKNOWN"


@pytest.mark.parametrize(
    "members",
    [
        {"clear": {"a": {"$ref": "http://127.0.0.1/x"}}, "private": {}},
        {"clear": {"a": {"type": "nothing"}}, "private": {}},
        {"clear": {"a": {}}, "private": {"a": {}}},
        {"clear": {"a": {"description": "x" * 40_000}}, "private": {}},
    ],
)
def test_definitions_that_are_none(members: dict[str, Any]) -> None:
    with pytest.raises(AuditError) as refused:
        EvidenceType(**members)
    assert refused.value.code == "EVIDENCE_SCHEMA"
