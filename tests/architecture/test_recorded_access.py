"""Only `audit.recording` makes what opens attributes: whoever has a `RecordedAccess` has a record that stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKER = ROOT / "audit/recording.py"
TYPE, SECRET = "RecordedAccess", "_AFTER_COMMIT"
OTHERS = sorted(
    path for package in ("ledger", "audit", "certs", "api") for path in (ROOT / package).rglob("*.py") if path != MAKER
)


def makers(source: str) -> Iterator[str]:
    """Every way by which this source could make one: the type called, renamed, subclassed; what it asks for touched."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _named(node.func) == TYPE:
            yield f"line {node.lineno}: called"
        elif isinstance(node, ast.Call) and any(_named(each) == TYPE for each in node.args):
            yield f"line {node.lineno}: handed to a call"
        elif isinstance(node, ast.ClassDef) and any(_named(base) == TYPE for base in node.bases):
            yield f"line {node.lineno}: subclassed"
        elif _renames(node):
            yield f"line {node.lineno}: renamed"
        elif SECRET in (_named(node), getattr(node, "name", None), getattr(node, "value", None)):
            yield "what it asks for is touched"


def _renames(node: ast.AST) -> TypeGuard[ast.alias | ast.Assign]:
    if isinstance(node, ast.alias):
        return node.name == TYPE and node.asname is not None
    return isinstance(node, ast.Assign) and _named(node.value) == TYPE


def _named(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_else_makes_one(path: Path) -> None:
    assert list(makers(path.read_text("utf-8"))) == []


def test_its_maker_makes_it_in_one_place() -> None:
    assert [found for found in makers(MAKER.read_text("utf-8")) if "called" in found] != []
    assert MAKER.read_text("utf-8").count(f"{TYPE}(") == 1


@pytest.mark.parametrize(
    "source",
    [
        "from audit.recording import RecordedAccess\nRecordedAccess(1, 2, 3, 4, 5, 6)",
        "from audit import recording\nrecording.RecordedAccess()",
        "from audit.recording import RecordedAccess as R",
        "from audit import recording\nR = recording.RecordedAccess",
        "class Mine(recording.RecordedAccess): ...",
        "object.__new__(RecordedAccess)",
        "from audit.recording import _AFTER_COMMIT",
        "getattr(recording, '_AFTER_COMMIT')",
    ],
)
def test_every_way_of_making_one_is_seen(source: str) -> None:
    assert list(makers(source)) != []


def test_naming_the_type_is_no_way() -> None:
    assert (
        list(makers("from audit.recording import RecordedAccess\ndef show(access: RecordedAccess) -> None: ...")) == []
    )
