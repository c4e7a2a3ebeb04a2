"""Makes a command under test die at a labelled step, and writes down what it was told.

The product marks each step of an order that matters by a comment, `# Crash append/committed: what is left then`.
Here, and nowhere else, such a comment becomes a call: the modules are compiled from their source with the comment's
line replaced, and never cached. The product itself holds no switch that could be left on.

Imported by `sitecustomize` beside it, which Python runs first when this folder is on PYTHONPATH, or by hand.

DIE_AT=LABEL[:N]   SIGKILL to this very process when LABEL is reached for the N-th time (1).
TOLD=FILE          a line for each certificate that the command was told is recorded, at the moment it was told.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from types import CodeType, ModuleType

PRODUCT = ("ledger", "audit", "certs", "api")
LABEL = re.compile(r"^([ \t]+)# Crash ([a-z]+/[a-z-]+): .*$", re.MULTILINE)
_reached: Counter[str] = Counter()


def reached(label: str) -> None:
    """The step is done. Whoever is to die here is dead before the next one begins."""
    wanted, _, number = os.environ.get("DIE_AT", "").partition(":")
    _reached[label] += 1
    if label == wanted and _reached[label] == int(number or 1):
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)


class Labelled(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        source = importlib.util.decode_source(self.get_data(self.path))
        alive = LABEL.sub(r'\1__import__("steps").reached("\2")', source)
        return compile(alive, self.path, "exec", dont_inherit=True)


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in PRODUCT:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = Labelled(spec.loader.name, spec.loader.path)
        return spec


def tell(path: str) -> None:
    """Unbuffered, so that a line is written before the command takes its next step."""
    from api.issue import IssueReport

    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    take = IssueReport.take

    def told(report: IssueReport, result: object) -> None:
        os.write(descriptor, f"{result.identifier}\n".encode())  # type: ignore[attr-defined]
        take(report, result)  # type: ignore[arg-type]

    IssueReport.take = told  # type: ignore[method-assign]


def live() -> None:
    """From now on the product's modules are loaded with their labels alive."""
    sys.meta_path.insert(0, Finder())
