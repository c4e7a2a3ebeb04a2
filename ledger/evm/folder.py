"""Who runs the chain in a folder: one lock that the kernel frees, one record that other processes read."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from ledger.errors import EngineError

LOCK = "supervisor.lock"
RECORD = "devnet.json"

_PATIENCE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Record:
    """The content of `devnet.json`: a supervisor that answered when this was written."""

    pid: int
    pid_started: int
    """Start of that process in clock ticks after boot (proc(5), stat field 22): pid and this are never reused."""
    port: int
    url: str
    started: str
    """RFC 3339 UTC."""
    detached: bool
    """False when the chain lives inside another program, which `down` must not stop."""

    def alive(self) -> bool:
        """Whether exactly that process still runs."""
        return process_start(self.pid) == self.pid_started


class FolderLock:
    """Held by the one supervisor of a folder from construction to `release`, or until its process ends, however."""

    def __init__(self, folder: Path) -> None:
        """Raises EngineError FOLDER_IN_USE, FOLDER_READ_ONLY."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise read_only(folder, error) from error
        try:
            _lock(self._fd)
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)
        except OSError as error:
            os.close(self._fd)
            if error.errno != errno.EWOULDBLOCK:
                raise read_only(folder, error) from error
            pid = _named(folder)
            raise EngineError(
                "FOLDER_IN_USE", f"process {pid} runs the chain in {folder}", folder=folder, pid=pid
            ) from error

    def release(self) -> None:
        """The file stays: removing it would let two processes lock two files of the same name."""
        os.close(self._fd)


def holder(folder: Path) -> str | None:
    """The pid of the process that holds the folder's lock, or None when it is free."""
    try:
        fd = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        # Shared: two processes that only look do not see each other.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(folder)
    finally:
        os.close(fd)
    return None


def write_record(folder: Path, record: Record) -> None:
    """Readers see a whole record or none."""
    fresh = folder / (RECORD + ".new")
    fresh.write_bytes(orjson.dumps(asdict(record), option=orjson.OPT_INDENT_2) + b"\n")
    fresh.replace(folder / RECORD)


def read_record(folder: Path) -> Record | None:
    """None when there is none. Raises EngineError RECORD_UNREADABLE."""
    try:
        return Record(**orjson.loads((folder / RECORD).read_bytes()))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError) as error:
        raise EngineError("RECORD_UNREADABLE", f"{folder / RECORD} is not a record", folder=folder) from error


def remove_record(folder: Path) -> None:
    """Only for who holds the lock."""
    with contextlib.suppress(FileNotFoundError):
        (folder / RECORD).unlink()


def process_start(pid: int) -> int | None:
    """Clock ticks after boot at which the living process `pid` began; None for none, and for a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    # The program's name, in parentheses, may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def read_only(folder: Path, error: OSError) -> EngineError:
    """The plain words for a folder that cannot be written."""
    return EngineError(
        "FOLDER_READ_ONLY", f"cannot write in {folder}: {error.strerror}", folder=folder, reason=error.strerror
    )


def _lock(fd: int) -> None:
    """A moment's patience: `holder` in another process takes the lock for an instant when it looks."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.02)


def _named(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return (folder / LOCK).read_text("ascii", "replace").strip() or "unknown"
    return "unknown"
