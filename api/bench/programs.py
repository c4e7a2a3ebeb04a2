"""Peers that are programs: in other languages, or in an environment of their own. A bare install has none of them.

Their sources lie in `foreign/`. Each says its versions first, then answers every number it reads with
"<items> <seconds> …": started once, so that what is measured is the work and not the start.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from api.bench.rounds import Absent, Contender
from api.wiring import PROJECT

_SOURCES = Path(__file__).parent / "foreign"
_GO_PACKAGES = Path("/usr/share/gocode")
PEERS_PYTHON = PROJECT / ".venv" / "peers" / "bin" / "python"
"""cert-issuer wants other versions than ours of what we both use (`make peers`)."""


class Program:
    """A peer that runs beside us. Use as a context manager; it ends with it."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._child = subprocess.Popen(  # noqa: S603  # our own command lines
            command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.versions = self._line()

    def ask(self, count: int) -> list[float]:
        """What it answers to a number: items, seconds, and what else it measures."""
        assert self._child.stdin is not None  # noqa: S101
        self._child.stdin.write(f"{count}\n")
        self._child.stdin.flush()
        return [float(word) for word in self._line().split()]

    def contender(self, name: str, count: int) -> Contender:
        return Contender(f"{self.versions} {name}".strip(), lambda: int(self.ask(count)[0]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.communicate()

    def _line(self) -> str:
        assert self._child.stdout is not None  # noqa: S101
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"a peer ended: {self._child.args!r}")
        return line.strip()


def open_attestation(work: str) -> Program | Absent:
    """npm @govtechsg/open-attestation (`work` issue: wrap a batch) or oa-verify (verify: the hashes alone)."""
    package = "open-attestation" if work == "issue" else "oa-verify"
    node = shutil.which("node")
    if node is None or not (PROJECT / "node_modules" / "@govtechsg" / package).is_dir():
        return Absent(f"npm @govtechsg/{package}")
    return Program([node, _SOURCES / "open_attestation.cjs", work])


def cert_issuer() -> Program | Absent:
    """PyPI cert-issuer: a batch validated, normalised, hashed into a tree and given its proofs; not signed."""
    if not PEERS_PYTHON.exists():
        return Absent("PyPI cert-issuer")
    return Program([PEERS_PYTHON, _SOURCES / "cert_issuer_batch.py"])


def tlog(work: str, folder: Path, *more: str) -> Program | Absent:
    """Go's x/mod/sumdb/tlog on plain files (`work` append, with the number of callers; prove: proofs of a tree)."""
    go = shutil.which("go")
    if go is None or not (_GO_PACKAGES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        return Absent("Go golang.org/x/mod/sumdb/tlog")
    program = folder / "tlog"
    outside = {"GO111MODULE": "off", "GOPATH": str(_GO_PACKAGES), "GOFLAGS": "", "GOCACHE": str(folder / "go-cache")}
    build = [go, "build", "-o", str(program), "."]
    subprocess.run(build, cwd=_SOURCES / "tlog", env=os.environ | outside, check=True, capture_output=True)  # noqa: S603
    own = Path(tempfile.mkdtemp(prefix="tlog-", dir=folder))  # several run at once, each in files of its own
    return Program([program, work, own, *more])
