"""A bare anvil whose clock the tests set: chains with a past, and weakened contracts beyond the size limit."""

from __future__ import annotations

import re
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from command_line import ROOT, rpc

from ledger.evm.engine import find_engine

_FLAGS = (
    *("--host", "127.0.0.1", "--port", "0", "--chain-id", "31337", "--hardfork", "shanghai"),
    *("--block-base-fee-per-gas", "0", "--gas-price", "0", "--disable-min-priority-fee"),
    # Weakened contracts are compiled without the optimizer.
    "--disable-code-size-limit",
)


@contextmanager
def running(genesis: int) -> Iterator[str]:
    """Address of a fresh chain that begins at `genesis` (seconds); each transaction is a block."""
    command = [find_engine(None, ROOT), *_FLAGS, "--timestamp", str(genesis)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        try:
            listening = next(m for line in engine.stdout if (m := re.search(r"Listening on (\S+)", line)))
            # anvil writes a line per request and stops once the pipe is full.
            Thread(target=deque, args=(engine.stdout, 0), daemon=True).start()
            yield f"http://{listening[1]}"
        finally:
            engine.terminate()
            engine.wait()


def now(url: str) -> int:
    """Time of the newest block."""
    block: Any = rpc(url, "eth_getBlockByNumber", "latest", False)
    return int(block["timestamp"], 16)


def pass_to(url: str, time: int) -> None:
    """An empty block at `time`; blocks after it follow the running clock from there."""
    rpc(url, "evm_setNextBlockTimestamp", time)
    rpc(url, "evm_mine")


def wait(url: str, seconds: int) -> None:
    pass_to(url, now(url) + seconds)
