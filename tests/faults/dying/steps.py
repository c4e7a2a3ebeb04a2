"""Makes a command under test die at a labelled step, and writes down what it was told.

The product marks each step of an order that matters by a comment, `# Crash append/committed: what is left then`.
Here, and nowhere else, such a comment becomes a call: the modules are compiled from their source with the comment's
line replaced, and never cached. The product itself holds no switch that could be left on.

Imported by `sitecustomize` beside it, which Python runs first when this folder is on PYTHONPATH, or by hand.

DIE_AT=LABEL[:N]        SIGKILL to this very process when LABEL is reached for the N-th time (1).
FSYNC_AT=LABEL[:N]      from then on the kernel answers fsync and fdatasync with EIO (seccomp, so for good).
FULL_AT=LABEL[:N]       from then on no file may grow beyond what the largest one of HOME_FOLDER has (RLIMIT_FSIZE).
TOLD=FILE               a line for each certificate that the command was told is recorded, at the moment it was told.
"""

from __future__ import annotations

import ctypes
import errno
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import resource
import signal
import struct
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

PRODUCT = ("ledger", "audit", "certs", "api")
LABEL = re.compile(r"^([ \t]+)# Crash ([a-z-]+/[a-z-]+): .*$", re.MULTILINE)
_reached: Counter[str] = Counter()


def reached(label: str) -> None:
    """The step is done. Whoever is to die here is dead before the next one begins."""
    _reached[label] += 1
    for variable, act in ACTS.items():
        wanted, _, number = os.environ.get(variable, "").partition(":")
        if label == wanted and _reached[label] == int(number or 1):
            act()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def _fsync_fails() -> None:
    """prctl(PR_SET_NO_NEW_PRIVS), then PR_SET_SECCOMP with a filter of five BPF instructions (x86-64)."""
    load, equal, answer = 0x20, 0x15, 0x06
    eio, allowed = 0x00050000 | errno.EIO, 0x7FFF0000
    program = [(load, 0, 0, 0), (equal, 1, 0, 74), (equal, 0, 1, 75), (answer, 0, 0, eio), (answer, 0, 0, allowed)]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code)
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(38, 1, 0, 0, 0) or prctl(22, 2, filter_, 0, 0):
        os._exit(98)


def _full() -> None:
    """SIGXFSZ is ignored by Python, so writing beyond says EFBIG."""
    largest = max(path.stat().st_size for path in Path(os.environ["HOME_FOLDER"]).glob("*.sqlite*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


ACTS = {"DIE_AT": _die, "FSYNC_AT": _fsync_fails, "FULL_AT": _full}


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
