"""docs/formats.md: every example is read by the project's own code, every column accounted for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from docs_pages import DOCS, read, section

from api.cli.output import Output
from api.cli.verify import to_json
from api.migrations.runner import metadatas
from api.verify import policy
from audit import access, authorization, permit
from audit.private import openings_from, openings_json
from certs import bundle as bundles
from certs import certificate, identifier, lifecycle, sdjwt
from certs.lifecycle import KINDS
from certs.verify.verifier import Verifier
from ledger import canonical, commitment, facts, jws, merkle, publisher, snapshot, statement, trust
from ledger.jws import b64url, unb64url
from ledger.keys.keystore import Keystore
from ledger.logid import ascii32
from ledger.store.guard import _guard
from ledger.types import LogName

EXAMPLES = DOCS / "examples"
SECONDS_LATER = 60
"""When the example's verdict is given: this long after its snapshot."""


def test_every_column_is_accounted_for() -> None:
    tables = [table for metadata in metadatas() for table in metadata.tables.values()]
    columns = {f"{table.name}.{column.name}" for table in (*tables, _guard) for column in table.columns}
    text = section(read(DOCS / "formats.md"), "15. Database")
    names = {table.name for table in (*tables, _guard)}
    documented = {found for found in re.findall(r"`(\w+\.\w+)`", text) if found.partition(".")[0] in names}
    assert documented - {"guard.sqlite"} == columns


@cache
def examples() -> dict[str, Any]:
    """Label → value of every JSON block of formats.md."""
    text = read(DOCS / "formats.md")
    labelled = re.findall(r"^<!-- example: ([\w-]+) -->\n```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(labelled) == text.count("```json") == len(dict(labelled))
    return {label: canonical.loads(block.encode(), max_bytes=100_000) for label, block in labelled}


def example_bundle() -> bundles.Bundle:
    return bundles.decode((EXAMPLES / "bundle.json").read_bytes())


def test_the_example_bundle_verifies_and_its_verdict_is_the_one_shown() -> None:
    untrusted = (EXAMPLES / "bundle.json").read_bytes()
    trusted = trust.decode((EXAMPLES / "trust.json").read_bytes())
    read_at = facts.from_json(examples()["facts"]).time
    now = datetime.fromtimestamp(read_at + SECONDS_LATER, UTC)
    verified = Verifier(trusted).verify(untrusted, policy(), now, None)
    said: Any = json.loads(json.dumps(to_json(verified, Output("en", as_json=True))))
    shown = examples()["verdict"]
    for verdict in (said, shown):
        for step in verdict["steps"]:
            assert step.pop("text")  # words may be improved
            step.pop("remedy")
    assert said == shown
    assert said["result"] == "VALID"


def _statement(value: Any) -> None:
    assert value == example_bundle().statement
    assert statement.from_json(value).to_json() == value


def _bodies(value: Any) -> None:
    digest, text = bytes(32), "identifier"
    issue = certificate.issue_body(digest=digest, identifier=text, type_code="type")
    renewal = certificate.issue_body(digest=digest, identifier=text, type_code="type", replaces=digest)
    members = {certificate.ISSUE: set(issue), f"{certificate.ISSUE} (renewal)": set(renewal)}
    members[certificate.SUPERSEDE] = {"digest", "identifier", "next"}
    for kind in KINDS.values():
        body = lifecycle.change_body(digest=digest, identifier=text, reason=kind.reasons[0], effective_from=0)
        members[kind.statement] = set(body)
        assert value[kind.statement]["reason"] == kind.reasons[0]
    assert {label: set(body) for label, body in value.items()} == members
    for label, body in value.items():
        identifier.parse(body["identifier"])
        bytes.fromhex(body["digest"])
        statement.from_json({**example_bundle().statement, "type": label.split(" ")[0], "body": body}).encode()
    old, new = value[certificate.SUPERSEDE], value[f"{certificate.ISSUE} (renewal)"]
    assert (old["digest"], old["next"]) == (new["replaces"], new["digest"])


def _leaf(value: Any) -> None:
    text = canonical.dumps(example_bundle().statement)
    salt = bytes.fromhex(value["salt"])
    assert salt == example_bundle().salt
    assert value["commitment"] == commitment.commit(text, salt).hex()
    assert value["leaf_hash"] == commitment.statement_leaf(text, salt).hex()


def _log(value: Any) -> None:
    assert value["log"] == LogName(value["city"], value["stream"], value["epoch"]).id.hex()
    assert value["log"] == example_bundle().statement["log"]
    assert value["stream_id"] == ascii32(value["stream"]).hex()


def _presentation() -> sdjwt.Presentation:
    return sdjwt.parse(example_bundle().presentation)


def _certificate_header(value: Any) -> None:
    assert value == _presentation().untrusted.untrusted_header
    assert jws.header(typ=sdjwt.TYP, kid=value["kid"]) == example_bundle().presentation.partition(".")[0]


def _certificate_payload(value: Any) -> None:
    assert value == sdjwt.payload(_presentation())
    identifier.parse(certificate.read_visible(value).identifier)


def _disclosure(value: Any) -> None:
    shown = _presentation().disclosures[0]
    assert value == json.loads(unb64url(shown.encoded))
    assert shown.digest in examples()["certificate-payload"]["_sd"]


def _key(value: Any) -> None:
    x, y = unb64url(value["x"]), unb64url(value["y"])
    assert (x, y) == (example_bundle().x, example_bundle().y)
    assert b64url(jws.thumbprint(x, y)) == examples()["certificate-header"]["kid"]


def _inclusion(value: Any) -> None:
    bundle = example_bundle()
    assert value == {"index": bundle.index, "proof": [node.hex() for node in bundle.proof]}
    leaf = bytes.fromhex(examples()["leaf"]["leaf_hash"])
    merkle.verify_inclusion(
        leaf_hash=leaf, index=bundle.index, size=bundle.head.size, proof=bundle.proof, root=bundle.head.root
    )


def _head(value: Any) -> None:
    assert facts.published_head(value) == example_bundle().head
    assert value in examples()["facts"]["heads"]


def _snapshot_header(value: Any) -> None:
    assert value["typ"] == snapshot.TYP
    assert jws.header(typ=value["typ"], kid=value["kid"]) == example_bundle().snapshot.signatures[0][0]


def _facts(value: Any) -> None:
    trusted = trust.decode((EXAMPLES / "trust.json").read_bytes())
    assert facts.to_json(snapshot.verify(example_bundle().snapshot, trusted)) == value


def _trust(value: Any) -> None:
    assert trust.encode(trust.decode(canonical.dumps(value))) == (EXAMPLES / "trust.json").read_bytes()


def _deployment(value: Any) -> None:
    assert trust.deployment_json(trust.deployment_from(value)) == value == examples()["trust"]["deployment"]


def _outbox_status(value: Any) -> None:
    change = publisher.decode_change(json.dumps(value).encode())
    assert json.loads(publisher.encode_change(change)) == value


def _keystore(value: Any, folder: Path) -> None:
    path = folder / "keystore.json"
    path.write_text(json.dumps(value))
    found = re.search(r"password `(.+?)`", section(read(DOCS / "formats.md"), "14. Keystore"))
    assert found
    store = Keystore.open(path, found[1].encode())
    assert [store.signer(name).kid for name in store.names()] != []


@cache
def made() -> dict[str, Any]:
    """What the committed script makes: the examples of §17 are current."""
    found = spec_from_file_location("audit_examples", EXAMPLES / "audit_examples.py")
    assert found and found.loader
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return dict(module.examples())


def _authorization(value: Any) -> None:
    assert value == made()["authorization"] == authorization.from_json(value).to_json()


def _access(value: Any) -> None:
    assert value == made()["access"]
    openings = openings_from(examples()["openings"])
    decoded = access.decode(statement.from_json(value), openings)
    assert decoded.allowed and not decoded.hidden
    assert {name: json.loads(json.dumps(v)) for name, v in access.private_members(decoded).items()} == {
        name: opened.value for name, opened in openings.items()
    }


def _openings(value: Any) -> None:
    assert value == made()["openings"] == openings_json(openings_from(value))


def _permit(value: Any) -> None:
    assert value == made()["permit"] == permit.from_json(value).to_json()


CHECKS: dict[str, Callable[[Any], None]] = {
    "statement": _statement,
    "bodies": _bodies,
    "leaf": _leaf,
    "log": _log,
    "certificate-header": _certificate_header,
    "certificate-payload": _certificate_payload,
    "disclosure": _disclosure,
    "key": _key,
    "inclusion": _inclusion,
    "head": _head,
    "snapshot-header": _snapshot_header,
    "facts": _facts,
    "trust": _trust,
    "deployment": _deployment,
    "outbox-status": _outbox_status,
    "authorization": _authorization,
    "access": _access,
    "openings": _openings,
    "permit": _permit,
}


def test_every_example_is_read_by_a_test() -> None:
    assert set(examples()) == set(CHECKS) | {"verdict", "keystore"}


@pytest.mark.parametrize("label", CHECKS)
def test_an_example_is_what_the_code_reads(label: str) -> None:
    CHECKS[label](examples()[label])


def test_the_example_keystore_opens(tmp_path: Path) -> None:
    _keystore(examples()["keystore"], tmp_path)
