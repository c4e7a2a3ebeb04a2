"""Put on PYTHONPATH of a command under test: watches what the interpreter does, or flips one thing in the product.

WATCH_REPORT=FILE    at exit, write {modules, sockets, programs, peak_kib} there as JSON.
WATCH_SOCKETS=refuse every use of a socket raises; without it they are only written down.
WATCH_FLIP=NAME      one of FLIPS below, so that a test can see that the command notices.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

SOCKETS: list[str] = []
PROGRAMS: list[str] = []
_STARTS_A_PROGRAM = ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.fork", "os.system")


class SocketRefused(BaseException):
    """No `except Exception` may hide it."""


def _watch(event: str, _: tuple[Any, ...]) -> None:
    if event.startswith("socket."):
        SOCKETS.append(event)
        if os.environ.get("WATCH_SOCKETS") == "refuse":
            raise SocketRefused(event)
    elif event in _STARTS_A_PROGRAM:
        PROGRAMS.append(event)


def _report(path: str) -> None:
    # VmHWM and not getrusage: ru_maxrss remembers the size of the process that started this one.
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    found = {"modules": sorted(sys.modules), "sockets": SOCKETS, "programs": PROGRAMS, "peak_kib": int(peak.split()[1])}
    Path(path).write_text(json.dumps(found))


def _small_samples() -> None:
    """The demonstration over the rows of the folder WATCH_SAMPLES: a tenth of the time."""
    from api.demo import scene

    scene.SAMPLES = Path(os.environ["WATCH_SAMPLES"])


def _status_is_not_looked_at() -> None:
    """A verifier for which every certificate holds."""
    from certs.verify import status
    from certs.verify.finding import passed
    from certs.verify.reasons import Reason

    status.check = lambda *_: passed(Reason.STATUS_OK)


def _an_outage_is_invalid() -> None:
    """A verifier that takes a silent chain for a forgery."""
    from ledger.verdict import Result, State, Verdict

    def result(self: Verdict) -> Result:
        wrong = {State.FAIL, State.UNKNOWN, State.NOT_REACHED}
        return Result.INVALID if any(f.state in wrong for f in self.findings) else Result.VALID

    Verdict.result = property(result)  # type: ignore[assignment, method-assign]


def _a_row_is_lost() -> None:
    """One more bad row than the sample admits."""
    from api.demo import scene

    source = scene.SAMPLES / "business_licence.csv"
    folder = Path(os.environ["WATCH_REPORT"]).parent / "one-row-worse"
    shutil.copytree(scene.SAMPLES, folder, dirs_exist_ok=True)
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[10] = lines[10].replace("91330", "91331", 1)  # not one of the first, which move later
    (folder / source.name).write_text("".join(lines), encoding="utf-8")
    scene.SAMPLES = folder


def _a_name_goes_on_chain() -> None:
    """A publisher that appends a holder's name to what it sends."""
    from ledger.evm.contracts import log_anchor

    clean = log_anchor.publish_many
    name = os.environ["WATCH_NAME"].encode()
    log_anchor.publish_many = lambda items: clean(items) + name


FLIPS = {
    "nothing": lambda: None,
    "status-ignored": _status_is_not_looked_at,
    "outage-invalid": _an_outage_is_invalid,
    "row-lost": _a_row_is_lost,
    "name-on-chain": _a_name_goes_on_chain,
}

if os.environ.get("WATCH_REPORT"):
    atexit.register(_report, os.environ["WATCH_REPORT"])
    sys.addaudithook(_watch)
if os.environ.get("WATCH_SAMPLES"):
    _small_samples()
if os.environ.get("WATCH_FLIP"):
    FLIPS[os.environ["WATCH_FLIP"]]()
