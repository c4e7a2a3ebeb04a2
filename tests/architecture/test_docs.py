"""Documentation is part of the product: what it says is compared with the code, what it shows is read by the code."""

from __future__ import annotations

import ast
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from pydantic_core import PydanticUndefined

from api.cli import exits
from api.cli.main import INTERRUPTED, app
from api.cli.output import Output
from api.cli.verify import to_json
from api.migrations.runner import metadatas
from api.settings import Settings
from api.verify import policy
from certs import bundle as bundles
from certs import certificate, identifier, lifecycle, sdjwt
from certs.lifecycle import KINDS
from certs.verify.reasons import Reason
from certs.verify.verifier import Verifier
from ledger import canonical, commitment, facts, jws, merkle, publisher, snapshot, statement, trust
from ledger.jws import b64url, unb64url
from ledger.keys.keystore import Keystore
from ledger.logid import ascii32
from ledger.status import Reason as StatusReason
from ledger.store.guard import _guard
from ledger.types import LogName
from ledger.verdict import EXIT_CODE

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
EXAMPLES = DOCS / "examples"
SOURCES = ("ledger", "audit", "certs", "api")
SECONDS_LATER = 60
"""When the example's verdict is given: this long after its snapshot."""
KNOWN_HOSTS = {"getfoundry.sh", "city.invalid", "127.0.0.1"}
_CODE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def ignored() -> set[str]:
    """Folders that are made here and belong to nobody's documentation."""
    lines = read(ROOT / ".gitignore").split()
    return {".git"} | {line.strip("/") for line in lines if line.endswith("/")}


def markdown() -> list[Path]:
    found = []
    for folder, folders, files in os.walk(ROOT):
        skipped = ignored()
        inside = Path(folder).relative_to(ROOT)
        folders[:] = sorted(f for f in folders if not {f, (inside / f).as_posix()} & skipped)
        found += [Path(folder) / name for name in sorted(files) if name.endswith(".md")]
    return found


def rows(text: str) -> list[list[str]]:
    """Cells of every table row, headings and rules included."""
    return [[cell.strip() for cell in found[1].split("|")] for found in _ROW.finditer(text)]


def section(text: str, heading: str) -> str:
    """What stands under a level-two heading."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[heading]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ------------------------------------------------------------------- READMEs


def test_both_readmes_have_the_same_code_blocks() -> None:
    english, chinese = (_CODE.findall(read(path)) for path in READMES)
    assert english == chinese
    assert ("sh", "make demo\nmake test\n") == english[0]


def test_both_readmes_have_the_same_shape() -> None:
    shapes = [
        [line.split(" ")[0].split("[")[0] for line in _CODE.sub("", read(path)).splitlines() if line.startswith(("#", "!["))]
        for path in READMES
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_every_folder_is_in_the_folder_table(readme: Path) -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()} - ignored()
    listed = {found[1] for cells in rows(read(readme)) if (found := re.fullmatch(r"\[`(.+)/`\]\(\1\)", cells[0]))}
    assert listed == folders


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_every_run_dependency_is_in_the_dependency_table(readme: Path) -> None:
    lines = read(ROOT / "requirements" / "run.in").splitlines()
    wanted = {re.split(r"[=<>~ ]", line)[0] for line in lines if line and not line.startswith(("#", "-"))}
    parts = read(readme).split("`requirements/run.txt`")[1].split("\n## ")[0]
    table = {cells[0].strip("`"): cells[1:] for cells in rows(parts) if cells[0].startswith("`")}
    assert set(table) == wanted
    assert all(all(cells) and len(cells) == 2 for cells in table.values())


@pytest.mark.parametrize("path", [*READMES, DOCS / "cli.md"], ids=name_of)
def test_every_exit_code_is_documented_and_no_other(path: Path) -> None:
    codes = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    documented = {int(cells[0]) for cells in rows(read(path)) if cells[0].isdecimal()}
    assert documented == codes | {INTERRUPTED}
    shown = {int(c[0]): c[2] for c in rows(read(path)) if c[0].isdecimal()}
    assert all(shown[code].startswith(result.value) for result, code in EXIT_CODE.items())


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))
    for path in markdown():
        named = set(re.findall(r"(?:^|`)make ([a-z]+)", read(path), re.MULTILINE))
        assert named <= targets, name_of(path)


# ------------------------------------------------------------ settings, commands


def test_every_setting_is_documented_with_its_default_and_nothing_else_is() -> None:
    documented = {c[0].strip("`"): c[1].strip("`") for c in rows(read(DOCS / "settings.md")) if c[0].startswith("`")}
    variables = {name for name in documented if name.startswith("CERTLEDGER_")}
    wanted = {
        name: "required" if field.default is PydanticUndefined else json.dumps(field.default)
        for name, field in Settings.model_fields.items()
    }
    assert {name: documented[name] for name in documented.keys() - variables} == wanted


def test_every_other_variable_is_documented() -> None:
    text = read(DOCS / "settings.md")
    source = "\n".join(read(path) for path in (ROOT / "api").rglob("*.py"))
    used = set(re.findall(r'"(CERTLEDGER_[A-Z]+)"', source))
    assert used == set(re.findall(r"^\| `(CERTLEDGER_[A-Z]+)`", text, re.MULTILINE))


def commands() -> dict[str, click.Command]:
    """Every command by its words."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
        below = getattr(command, "commands", None)
        if below is None:
            yield " ".join(words), command
            return
        for name, each in below.items():
            yield from walk(each, (*words, name))

    return dict(walk(typer.main.get_command(app), ("certledger",)))


def shown_default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if getattr(parameter, "is_flag", False):
        return "off"
    default = getattr(parameter.default, "value", parameter.default)
    return "–" if default in (None, "", [], ()) else f"`{default}`"


def test_every_command_is_documented_and_no_other() -> None:
    headings = re.findall(r"^## (certledger .+)$", read(DOCS / "cli.md"), re.MULTILINE)
    assert headings == list(commands())


@pytest.mark.parametrize("command", commands())
def test_every_option_is_documented_with_its_default_and_no_other(command: str) -> None:
    text = section(read(DOCS / "cli.md"), command)
    documented = {cells[0].strip("`"): cells[1] for cells in rows(text) if cells[0].startswith("`")}
    parameters: list[Any] = list(commands()[command].params)
    wanted = {
        (each.opts[0] if each.param_type_name == "option" else each.name.upper()): shown_default(each)
        for each in parameters
    }
    assert documented == wanted
    variables = {f"`{each.envvar}`" for each in parameters if getattr(each, "envvar", None)}
    assert variables == set(re.findall(r"`CERTLEDGER_[A-Z]+`", text))


def test_no_option_is_named_that_no_command_has() -> None:
    known = {option for command in commands().values() for p in command.params for option in p.opts} | {"--help"}
    for path in (*READMES, *DOCS.glob("*.md")):
        lines = [line for line in read(path).splitlines() if "certledger" in line or path.name == "cli.md"]
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "\n".join(lines)))
        assert named - {"--block-time", "--state"} <= known, name_of(path)


# ------------------------------------------------------------------- glossary


def enumerations() -> Iterator[tuple[str, str]]:
    """(class, member) of every StrEnum and IntEnum of the source, and of the contracts' interfaces."""
    for package in SOURCES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(read(path))):
                if isinstance(node, ast.ClassDef) and {ast.unparse(b) for b in node.bases} & {"StrEnum", "IntEnum"}:
                    members = [t.id for a in node.body if isinstance(a, ast.Assign) for t in a.targets]  # type: ignore[attr-defined]
                    yield from ((node.name, member) for member in members)
    for path in sorted((ROOT / "contracts" / "interfaces").glob("*.sol")):
        for name, body in re.findall(r"enum (\w+) \{([^}]+)\}", read(path)):
            yield from ((name, member) for member in re.findall(r"\w+", body) if member != "NONE")


def test_every_status_step_and_code_is_in_the_glossary() -> None:
    words = set(re.findall(r"\w+", read(DOCS / "glossary.md")))
    found = list(enumerations())
    assert {"Step", "State", "Result", "Status", "Reason", "Outcome", "Change", "Refusal"} <= {c for c, _ in found}
    assert [pair for pair in found if pair[1] not in words] == []


def test_reasons_stand_in_the_glossary_under_their_numbers() -> None:
    table = {cells[1]: cells[0] for cells in rows(read(DOCS / "glossary.md")) if re.fullmatch(r"\d{3}", cells[0])}
    assert table == {reason.name: str(reason.value) for reason in Reason if reason >= 100}
    status = rows(section(read(DOCS / "glossary.md"), "状态原因 · Reasons of a status"))
    assert {c[1]: c[0] for c in status if c[0].isdecimal()} == {r.name: str(r.value) for r in StatusReason}


# -------------------------------------------------------------- links, places


def anchors(text: str) -> set[str]:
    """Heading anchors as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _CODE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", markdown(), ids=name_of)
def test_every_relative_link_resolves(path: Path) -> None:
    for target in _LINK.findall(_CODE.sub("", read(path))):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        there = (path.parent / place).resolve() if place else path
        assert there.exists(), target
        assert ROOT in there.parents, target
        assert not anchor or anchor in anchors(read(there)), target


def test_every_decision_is_listed_dated_and_at_most_a_page() -> None:
    records = sorted((DOCS / "adr").glob("*.md"))
    assert [path.name[:4] for path in records] == [f"{i:04}" for i in range(1, len(records) + 1)]
    linked = set(_LINK.findall(read(DOCS / "architecture.md")))
    for path in records:
        text = read(path)
        assert f"adr/{path.name}" in linked
        assert text.startswith(f"# {path.name[:4]} ")
        assert re.search(r"^Status: (accepted|superseded by \[\d{4}\]\(.+\)) · \d{4}-\d\d-\d\d$", text, re.MULTILINE)
        assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
        assert len(text.split()) <= 450, f"{path.name} is longer than a page"


def test_every_page_is_linked_from_the_readmes() -> None:
    pages = {f"docs/{path.name}" for path in DOCS.glob("*.md")}
    for readme in READMES:
        assert pages <= set(_LINK.findall(read(readme)))


def test_every_file_that_is_named_exists() -> None:
    top = "|".join(re.escape(path.name) for path in ROOT.iterdir() if path.is_dir())
    named = re.compile(rf"`((?:{top})/[\w./-]+\.(?:py|sol|toml|yaml|json|csv|txt|in|sh|svg|md))`")
    for path in markdown():
        missing = [place for place in named.findall(read(path)) if not (ROOT / place).exists()]
        assert missing == [], name_of(path)


@lru_cache(maxsize=None)
def functions_of(path: Path) -> frozenset[str]:
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)", read(path), re.MULTILINE)) if path.exists() else frozenset()


def test_every_test_that_the_threat_model_cites_exists() -> None:
    cited = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", read(DOCS / "threat-model.md"))
    assert len(cited) > 40
    assert [f"{file}::{name}" for file, name in cited if name not in functions_of(ROOT / file)] == []


@pytest.mark.parametrize("path", markdown(), ids=name_of)
def test_no_page_names_a_place_of_this_machine_or_a_registry(path: Path) -> None:
    text = read(path)
    hosts = set(re.findall(r"\w+://([\w.-]+)", text))
    assert hosts <= KNOWN_HOSTS
    assert not re.search(r"\b(?:pypi|npmjs|pythonhosted|golang)\.(?:org|com)\b", text)
    assert not re.search(r"(?<![\w.>~-])/(?:work|root|home|tmp|mnt|opt|Users)(?:/|\b)", text)
    assert str(ROOT) not in text


@pytest.mark.parametrize("picture", sorted((DOCS / "images").glob("*.svg")), ids=name_of)
def test_a_picture_is_self_contained_described_and_used(picture: Path) -> None:
    root = ElementTree.fromstring(read(picture))
    inside = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert {"title", "desc"} <= set(inside)
    assert not {"script", "image", "foreignObject", "use"} & set(inside)
    assert not re.search(r"href|url\(|@import", read(picture))
    assert "prefers-color-scheme: dark" in read(picture)
    assert any(f"docs/images/{picture.name}" in read(readme) for readme in READMES)


# ------------------------------------------------------------------- formats


def test_every_column_is_accounted_for() -> None:
    tables = [table for metadata in metadatas() for table in metadata.tables.values()]
    columns = {f"{table.name}.{column.name}" for table in (*tables, _guard) for column in table.columns}
    text = section(read(DOCS / "formats.md"), "15. Database")
    names = {table.name for table in (*tables, _guard)}
    documented = {found for found in re.findall(r"`(\w+\.\w+)`", text) if found.partition(".")[0] in names}
    assert documented - {"guard.sqlite"} == columns


@lru_cache(maxsize=1)
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
}


def test_every_example_is_read_by_a_test() -> None:
    assert set(examples()) == set(CHECKS) | {"verdict", "keystore"}


@pytest.mark.parametrize("label", CHECKS)
def test_an_example_is_what_the_code_reads(label: str) -> None:
    CHECKS[label](examples()[label])


def test_the_example_keystore_opens(tmp_path: Path) -> None:
    _keystore(examples()["keystore"], tmp_path)
