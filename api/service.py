"""Running a city: the development chain if it is ours to run, and the publisher, until somebody says stop."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from api import checking, devchain, reuse
from api.errors import ApiError
from api.wiring import City
from ledger.errors import AppendRefused, ChainUnavailable, LedgerError

LOCK = "up.lock"
PUBLISH_SECONDS = 1.0

Report = Callable[[str, dict[str, str]], None]
"""Told what changed: key of a word, its parameters."""


@contextmanager
def home_lock(home: Path) -> Iterator[None]:
    """One service a folder; other commands may append beside it. The kernel frees the lock with the process."""
    try:
        descriptor = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ApiError("HOME_UNWRITABLE", f"{home}: {error.strerror}", path=home, reason=error.strerror) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    except BlockingIOError:
        pid = os.pread(descriptor, 20, 0).decode() or "?"
        raise ApiError("HOME_IN_USE", f"process {pid} runs this city", path=home, pid=pid) from None
    finally:
        os.close(descriptor)


def serve(home: Path, stop: Event, report: Report, *, port: int | None = None) -> None:
    """Publish until `stop` is set. An outage is told once when it begins and once when it ends."""
    with home_lock(home), City(home) as city, devchain.running(city, port) as chain:
        report("up.chain", {"url": chain.url if chain else city.chain_url})
        # First of all: what was erased must not be back because a copy of something was restored.
        if again := city.erasing.apply():
            report("up.erased_again", {"number": str(again)})
        refuse_disagreement(city)
        trouble: str | None = None
        while not stop.wait(PUBLISH_SECONDS):
            trouble = _pass(city, trouble, report)


def refuse_disagreement(city: City) -> None:
    """Compare database, guard and chain before anything is published. Raises `AppendRefused`; nothing is changed."""
    for checked in checking.agreement(city, chain_answers=True):
        if checked.difference is not None:
            log = checked.difference.stream
            raise AppendRefused("CITY_DISAGREES", checked.detail, log=log, found=checked.difference.code)
        if checked.outcome is checking.Outcome.WRONG and checked.error is not None:
            raise checked.error


def _pass(city: City, trouble: str | None, report: Report) -> str | None:
    try:
        reuse.look_at_statuses(city, int(city.clock().timestamp()))
        progress = city.publisher.step()
        city.erasing.finish()
    except ChainUnavailable as error:
        city.forget_chain()
        if trouble != error.code:
            report("up.outage", {"code": error.code})
        return error.code
    except LedgerError as error:
        if trouble != error.code:
            report("up.refused", {"code": error.code, "problem": str(error)})
        return error.code
    if trouble is not None:
        report("up.recovered", {"waiting": str(progress.waiting)})
    return None
