"""Forks a child for each command it is told; see command_forks. Loads what commands load, and opens nothing."""

from __future__ import annotations

import json
import os
import select
import signal
import sys

from api.cli.main import main
from ledger.evm.contracts import log_anchor, member_registry, status_registry
from ledger.evm.contracts.codec import codec


def serve() -> None:
    for contract in (log_anchor, member_registry, status_registry):
        codec(contract.NAME)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    orders = sys.stdin.fileno()
    buffer = b""
    while True:
        ready, _, _ = select.select([orders, wake], [], [])
        if wake in ready:
            os.read(wake, 4096)
            _tell_ended()
        if orders in ready:
            read = os.read(orders, 65536)
            if not read:
                return
            *lines, buffer = (buffer + read).split(b"\n")
            for line in lines:
                print("began", _fork(json.loads(line), orders), flush=True)


def _fork(arguments: list[str], orders: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(orders)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os._exit(main(arguments))


def _tell_ended() -> None:
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            print("ended", pid, status, flush=True)
    except ChildProcessError:
        return


if __name__ == "__main__":
    serve()
