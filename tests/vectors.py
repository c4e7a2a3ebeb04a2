"""Where the vectors lie that others wrote; nothing of them is copied into the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
"""The root of the repository."""
VECTORS = ROOT.parent / "shared" / "vectors"
"""Beside the repository. May be absent on a developer's machine, never in CI: see tests/conftest.py."""

needed = pytest.mark.skipif(not VECTORS.is_dir(), reason="../shared/vectors is not there")


def files(pattern: str) -> list[Path]:
    """Files under the vectors, sorted; empty if the folder is absent."""
    return sorted(VECTORS.glob(pattern))


def name(path: Path) -> str:
    """How a test names a vector: its path inside the folder."""
    return path.relative_to(VECTORS).as_posix()


def load(path: Path) -> Any:
    return json.loads(path.read_bytes())
