"""The real command `certledger` as a user starts it: a subprocess, a terminal, a service; and what came back."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("certledger")
WATCHING = Path(__file__).with_name("watching")
FULL = os.environ.get("CERTLEDGER_SHOWN") == "1"
"""Full size, and the table of evidence at the end."""
GUARD = 300.0
"""Seconds after which a command hangs: ten times what the slowest may take."""
BOUND = (
    sys.executable,
    *("-I", "-c"),
    # PR_CAPBSET_DROP of CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_FOWNER: exec leaves them behind.
    "import ctypes, os, sys; drop = ctypes.CDLL(None).prctl\n"
    "os.geteuid() or [drop(24, each, 0, 0, 0) and os._exit(99) for each in (1, 2, 3)]\n"
    "os.execv(sys.argv[1], sys.argv[1:])",
)
PROMPT = "密钥库口令"
KEYS_PRESSED = "⌨"
"""Stands in what was read from a terminal where the keys were pressed."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_WIDE = struct.pack("HHHH", 50, 240, 0, 0)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str
    seconds: float
    first_line: float = 0.0
    """Seconds until the first whole line of output; only measured in a terminal."""

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """Everything a person sees, without colours."""
        return _ESCAPES.sub("", self.out + self.err)

    @property
    def plain(self) -> bool:
        """Whether it ended in words and not in a traceback or an internal error."""
        return "Traceback" not in self.said and "INTERNAL" not in self.said and self.code in (0, 1, 2, 3)


def environment(**more: str) -> dict[str, str]:
    """The surroundings without settings of ours, so that only what a test says is set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CERTLEDGER_", "WATCH_", "PYTHON"))}
    return kept | more


def watched(report: Path, **more: str) -> dict[str, str]:
    """Surroundings in which tests/acceptance/watching looks on."""
    return environment(PYTHONPATH=str(WATCHING), WATCH_REPORT=str(report), **more)


def certledger(
    *arguments: object,
    expect: int | None = 0,
    env: dict[str, str] | None = None,
    bound: bool = False,
    guard: float = GUARD,
    given: bytes = b"",
) -> Ran:
    """Run the command. `expect`: its exit code, None if any will do. `bound`: modes of files bind it, root or not.

    `guard`: seconds after which it hangs. `given`: what stands on its standard input.
    """
    begun = time.monotonic()
    done = subprocess.run(
        [*(BOUND if bound else ()), COMMAND, *map(str, arguments)],
        input=given,
        capture_output=True,
        timeout=guard,
        env=env or environment(),
        cwd=ROOT,
        check=False,
    )
    ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode(), time.monotonic() - begun)
    assert "Traceback" not in ran.said, ran.said
    assert expect is None or ran.code == expect, f"{' '.join(map(str, arguments))}: exit {ran.code}\n{ran.said}"
    return ran


def side_by_side(calls: Iterable[Callable[[], Ran]]) -> list[Ran]:
    """Several commands, two at a time; their results in order."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda call: call(), calls))


def in_terminal(
    *arguments: object, expect: int | None = 0, env: dict[str, str] | None = None, typed: bytes = b""
) -> Ran:
    """Run the command in a terminal of its own, as a person sees it: colours, progress bars. `typed`: keys pressed
    once it asks for something.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, _WIDE)
    surroundings = (env or environment()) | {"TERM": "xterm-256color"}
    surroundings.pop("NO_COLOR", None)
    begun = time.monotonic()
    with subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=surroundings,
        cwd=ROOT,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            text, first_line = _read_terminal(ours, begun, typed)
            code = process.wait(GUARD)
        finally:
            process.kill()
            os.close(ours)
    ran = Ran(code, text, "", time.monotonic() - begun, first_line)
    assert expect is None or code == expect, f"{' '.join(map(str, arguments))}: exit {code}\n{ran.said}"
    return ran


def _read_terminal(ours: int, begun: float, typed: bytes) -> tuple[str, float]:
    """Everything until the other side closes, and when its first line was whole."""
    read, first_line = bytearray(), 0.0
    while True:
        assert select.select([ours], [], [], GUARD)[0] and time.monotonic() - begun < GUARD, f"hangs: {read[-500:]!r}"
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says EIO when the last writer has gone
            break
        if not piece:
            break
        read += piece
        if typed and PROMPT.encode() in read:
            time.sleep(1.0)  # a person reads what stands there
            read += os.read(ours, 65536) if select.select([ours], [], [], 0)[0] else b""
            read += KEYS_PRESSED.encode()
            os.write(ours, typed)
            typed = b""
        if not first_line and b"\n" in read:
            first_line = time.monotonic() - begun
    return read.decode("utf-8", "replace"), first_line


@contextmanager
def service(*arguments: object, ready: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A command that stays, e.g. `up`: yields it and the lines it said once one holds `ready`; ended by its pid."""
    process = subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(PYTHONUNBUFFERED="1"),
        cwd=ROOT,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if ready in line:
                break
        else:
            raise AssertionError(f"{arguments} ended with {process.wait(GUARD)}: {''.join(said)}")
        yield process, said
    finally:
        process.terminate()
        said.extend(process.stdout)
        process.stdout.close()
        process.wait(GUARD)


def rpc(url: str, method: str, *params: object) -> Any:
    """One raw JSON-RPC call with nothing of ours in between."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        said = json.loads(answer.read())
    assert "result" in said, said
    return said["result"]


def transactions(url: str, after: int = -1) -> list[dict[str, Any]]:
    """Every transaction in the blocks above `after`."""
    newest = int(rpc(url, "eth_blockNumber"), 16)
    blocks = [rpc(url, "eth_getBlockByNumber", hex(n), True) for n in range(after + 1, newest + 1)]
    return [transaction for block in blocks for transaction in block["transactions"]]


def height(url: str) -> int:
    return int(rpc(url, "eth_blockNumber"), 16)
