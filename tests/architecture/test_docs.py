"""Documentation is part of the product: what the pages say is compared with the code."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import pytest
import typer
from docs_pages import CODE, DOCS, LINK, READMES, ROOT, ignored, markdown, name_of, read, rows, section
from pydantic_core import PydanticUndefined

from api.cli import exits
from api.cli.main import INTERRUPTED, app
from api.settings import Settings
from audit.decision import DecisionCode
from audit.finding import SEVERITY
from certs.verify.reasons import Reason
from ledger.status import Reason as StatusReason
from ledger.verdict import EXIT_CODE

SOURCES = ("ledger", "audit", "certs", "api")
KNOWN_HOSTS = {"getfoundry.sh", "city.invalid", "127.0.0.1"}
"""Hosts a page may name; whatever else looks like one could be a registry's."""


# ------------------------------------------------------------------- READMEs


def test_both_readmes_have_the_same_code_blocks() -> None:
    english, chinese = (CODE.findall(read(path)) for path in READMES)
    assert english == chinese
    assert english[0] == ("sh", "make demo\nmake test\n")


def test_both_readmes_have_the_same_shape() -> None:
    english, chinese = (re.findall(r"^(#+|!)[ \[]", CODE.sub("", read(path)), re.MULTILINE) for path in READMES)
    assert english == chinese


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


def test_decisions_and_findings_stand_in_the_glossary_under_their_numbers_and_gravity() -> None:
    text = read(DOCS / "glossary.md")
    decisions = {c[0]: c[1] for c in rows(section(text, "查询决定 · Decisions")) if c[0].isupper()}
    assert decisions == {code.name: str(code.value) for code in DecisionCode}
    findings = {c[0]: c[1].split()[-1] for c in rows(section(text, "审计发现 · Findings")) if c[0].isupper()}
    assert findings == {code.name: severity.name for code, severity in SEVERITY.items()}


# -------------------------------------------------------------- links, places


def anchors(text: str) -> set[str]:
    """Heading anchors as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", markdown(), ids=name_of)
def test_every_relative_link_resolves(path: Path) -> None:
    for target in LINK.findall(CODE.sub("", read(path))):
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
    linked = set(LINK.findall(read(DOCS / "architecture.md")))
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
        assert pages <= set(LINK.findall(read(readme)))


def test_every_file_that_is_named_exists() -> None:
    top = "|".join(re.escape(path.name) for path in ROOT.iterdir() if path.is_dir())
    named = re.compile(rf"`((?:{top})/[\w./-]+\.(?:py|sol|toml|yaml|json|csv|txt|in|sh|svg|md))`")
    for path in markdown():
        missing = [place for place in named.findall(read(path)) if not (ROOT / place).exists()]
        assert missing == [], name_of(path)


@cache
def functions_of(path: Path) -> frozenset[str]:
    text = read(path) if path.exists() else ""
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE))


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
