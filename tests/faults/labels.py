"""The labelled steps of the product, read from its comments, and how a command is made to die at one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from command_line import GUARD, ROOT, environment

DYING = Path(__file__).with_name("dying")
sys.path.insert(0, str(DYING))

from steps import LABEL, PRODUCT  # noqa: E402


def labelled_steps() -> dict[str, str]:
    """Each label and where it stands. A label stands in one place."""
    found: dict[str, str] = {}
    for package in PRODUCT:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            for match in LABEL.finditer(text):
                place = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}"
                assert found.setdefault(match[2], place) == place, f"{match[2]} stands in {found[match[2]]} and {place}"
    return found


class Server:
    """`dying/born.py`, running."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, DYING / "born.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=ROOT,
        )

    def close(self) -> None:
        self._process.communicate(timeout=GUARD)

    def killed_at(self, step: str, folder: Path, *arguments: object, given: bytes = b"") -> tuple[str, ...]:
        """Run a command until it dies right after the step; it must die there, and have answered nobody.

        `folder` takes what it said. `given`: what stands on its standard input. Returns the identifiers it was told
        are recorded.
        """
        typed, out, err, told = (folder / name for name in ("typed", "out", "err", "told"))
        typed.write_bytes(given)
        streams = {"given": str(typed), "out": str(out), "err": str(err)}
        asked = {"variables": {"DIE_AT": step, "TOLD": str(told)}, **streams}
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked | {"arguments": [*map(str, arguments)]}) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        assert code == -signal.SIGKILL, f"{step}: {code}\n{err.read_text()}"
        assert out.read_bytes() == b"", f"{step}: it had answered: {out.read_text()}"
        return lines_of(told)


def lines_of(told: Path) -> tuple[str, ...]:
    """What stands in a list of what was told; a line cut short was not told."""
    text = told.read_text() if told.exists() else ""
    return tuple(text[: text.rfind("\n") + 1].split())
