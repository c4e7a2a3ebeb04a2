"""The project's pages, and what its tests take out of them."""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
CODE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
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
