"""The development chain in the background: up, down, status, for commands that end while the chain goes on."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson

from ledger.errors import EngineError, LedgerError
from ledger.evm import history
from ledger.evm.folder import Record, holder, read_only, read_record
from ledger.evm.journal import journaled_height
from ledger.evm.rpc import Rpc

LOG = "devnet.log"

_ASK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Status:
    """What can be said about a folder from outside."""

    state: Literal["running", "starting", "stopped", "stale"]
    """starting: a supervisor holds the folder and does not answer yet (it replays the journal, or restarts its
    engine); stale: a record of a supervisor that is no more, harmless, replaced by the next `up`."""
    record: Record | None
    height: int | None
    """The engine's newest block; None when it does not answer."""
    journaled: int | None
    """The final height; None when no chain was ever started here."""


def status(folder: Path) -> Status:
    """Look, change nothing. Raises EngineError RECORD_UNREADABLE."""
    record = read_record(folder)
    journaled = None
    with contextlib.suppress(EngineError):
        journaled = journaled_height(folder)
    if record is None or not record.alive():
        if holder(folder) is not None:
            return Status("starting", None, None, journaled)
        return Status("stopped" if record is None else "stale", record, None, journaled)
    height = _height(record.url)
    return Status("starting" if height is None else "running", record, height, journaled)


def up(folder: Path, engine: Path, port: int | None = None) -> Status:
    """Start a detached supervisor and return when its chain answers. A chain that already runs is left alone.

    Raises what `DevChain.start` raises; FOLDER_IN_USE also when the chain lives inside another program.
    """
    folder = folder.resolve()
    now = status(folder)
    if now.record is not None and now.state == "running" and now.record.detached:
        if port not in (None, now.record.port):
            raise EngineError(
                "FOLDER_IN_USE",
                f"process {now.record.pid} runs this chain on port {now.record.port}",
                folder=folder,
                pid=now.record.pid,
            )
        return now
    _first_line(_spawn(folder, engine, port))
    return status(folder)


def down(folder: Path, *, patience: float = 10.0) -> Status:
    """Stop exactly the recorded supervisor and wait until it is gone; returns what was there.

    Nothing running is no error, and one that is still starting is left alone. After `patience` seconds the
    supervisor is killed; the engine falls with it and nothing final is lost. Raises EngineError CHAIN_NOT_DETACHED.
    """
    found = status(folder)
    record = found.record
    if record is None or not record.alive():
        return found
    if not record.detached:
        raise EngineError(
            "CHAIN_NOT_DETACHED", f"the chain lives inside process {record.pid}: end that", pid=record.pid
        )
    try:
        handle = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return found
    try:
        # The handle stays with one process even when its number is reused, so this is checked once and for all.
        if record.alive():
            _end(handle, patience)
    finally:
        os.close(handle)
    # Only when we are its parent, that is, when `up` was called in this very process.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(record.pid, 0)
    return found


def _end(handle: int, patience: float) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)
        if select.select([handle], [], [], patience)[0]:
            return


def _spawn(folder: Path, engine: Path, port: int | None) -> int:
    """Start the supervisor in a session of its own; the reading end of its standard output."""
    command = [sys.executable, "-m", "ledger.evm.engine", "--data", str(folder), "--engine", str(engine.resolve())]
    if port is not None:
        command += ["--port", str(port)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise read_only(folder, error) from error
    mouth, ear = -1, -1
    try:
        ear, mouth = os.pipe2(os.O_CLOEXEC)
        # Not subprocess.Popen: its object insists on waiting for a process that is meant to outlive us.
        os.posix_spawn(
            sys.executable,
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, mouth, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
        )
    finally:
        os.close(log)
        if mouth >= 0:
            os.close(mouth)
    return ear


def _first_line(ear: int) -> None:
    """Wait for the supervisor's word. It ends by itself, so there is no deadline: a long replay takes its time."""
    with os.fdopen(ear, "rb") as pipe:
        line = pipe.readline()
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise EngineError("ENGINE_FAILED", f"the supervisor said nothing: see {LOG}", reason=LOG) from error
    if "code" in said:
        raise EngineError(said["code"], said["message"], **said["params"])


def _height(url: str) -> int | None:
    try:
        with Rpc(url, timeout=_ASK_SECONDS) as rpc:
            return history.height(rpc)
    except LedgerError:
        return None
