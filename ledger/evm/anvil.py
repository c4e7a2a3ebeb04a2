"""One anvil process: which binary, which flags, how it is born, how it dies. Knows nothing of blocks."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

from ledger.errors import ChainUnavailable, EngineError
from ledger.evm.rpc import Rpc

CHAIN_ID = 31337

FUNDING_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
FUNDING_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""The one account that has money on this chain. The key is anvil's first development key: **everybody knows it**,
and the engine itself signs with it for whoever asks. It pays for gas on a chain that is worth nothing; no other
network may accept it, and production settings refuse it. A secret here would be theatre: who reaches the port can
mine and set balances as well.
"""

HISTORY_STATES = 32
"""Blocks back for which the engine can still answer a call or a balance. Each state is a copy in memory: measured,
40,000 storage slots cost 110 MB with 16 states and 320 MB with 64. Blocks, receipts and logs are all kept.
"""

# Everything that block hashes depend on is pinned here: changing a line makes existing journals diverge.
_HISTORY_FLAGS = (
    *("--chain-id", str(CHAIN_ID)),
    *("--hardfork", "shanghai"),
    *("--gas-limit", "30000000"),
    # Stays 0 for ever (0 + 0/8), so prices are what the sender offers and a journal replays without fee history.
    *("--block-base-fee-per-gas", "0"),
    *("--accounts", "1"),
    *("--balance", "1000000000"),
    "--disable-default-create2-deployer",
)
_RUNNING_FLAGS = (
    "--no-mining",
    # First come, first mined: the replay sends in block order and gets block order.
    *("--order", "fifo"),
    *("--prune-history", str(HISTORY_STATES)),
    *("--gas-price", "1"),
    "--disable-min-priority-fee",
    # No page in a browser on this machine may read the answers.
    "--no-cors",
    "--quiet",
)

# PR_SET_PDEATHSIG kills the engine when the *thread* that started it ends, by whatever cause, SIGKILL included. The
# race: the child sets it on itself, and a parent that died before that is never noticed by the kernel. So the child
# then compares its parent's pid with the one it was told, and leaves if it was orphaned already; from there on the
# kernel watches. A program in between rather than preexec_fn: running Python between fork and exec of a process
# with threads can deadlock. The setting survives execve.
_BIRTH = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).prctl(1, 9, 0, 0, 0) != 0: os._exit(125)
if os.getppid() != int(sys.argv[1]): os._exit(126)
os.execv(sys.argv[2], sys.argv[2:])
"""
_ANSWER_SECONDS = 20.0
_SLOWEST_CALL_SECONDS = 60.0


def find_engine(setting: str | None, root: Path) -> Path:
    """The anvil binary: the setting, else the project's node_modules, else PATH.

    A setting that points nowhere is an error, never a reason to take another binary. Raises ENGINE_NOT_FOUND.
    """
    if setting is not None:
        found = shutil.which(Path(setting).expanduser())
        if found is None:
            raise _not_found(f"{setting} is not a program", setting)
        return Path(found).resolve()
    modules = root / "node_modules"
    for folder in (modules / ".bin", modules / "@foundry-rs" / "anvil-linux-amd64" / "bin"):
        if found := shutil.which("anvil", path=folder):
            return Path(found).resolve()
    if found := shutil.which("anvil"):
        return Path(found).resolve()
    raise _not_found("anvil is neither in node_modules nor on PATH: run `make demo`, or `npm ci`, or set its path", "")


def _not_found(why: str, setting: str) -> EngineError:
    return EngineError("ENGINE_NOT_FOUND", why, setting=setting)


class Anvil:
    """A running engine with an empty chain. Made by, and only usable by, a thread that outlives it (see _BIRTH)."""

    def __init__(self, binary: Path, folder: Path, genesis_time: int) -> None:
        """Returns when the engine answers. Raises EngineError ENGINE_FAILED; leaves nothing running then."""
        # A loopback address drawn at random has all its ports to itself: no race for a free port, and no other
        # engine on this machine that could answer in its place.
        self.address = (f"127.{_octet()}.{_octet()}.{_octet()}", 8545)
        self._log = folder / "engine.log"
        self._process = self._born(binary, genesis_time)
        self.pid = self._process.pid
        self.rpc = Rpc(f"http://{self.address[0]}:{self.address[1]}", timeout=_SLOWEST_CALL_SECONDS)
        try:
            self._await_answer()
        except BaseException:
            self.kill()
            raise

    def alive(self) -> bool:
        """Whether the process exists; a stopped or hanging one does."""
        return self._process.poll() is None

    def interrupt(self) -> None:
        """End it at once, from any thread; its own thread still calls `kill`."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def kill(self) -> None:
        """End it at once and wait. It has nothing to save: what matters is in the journal."""
        self.interrupt()
        self._process.wait()
        self.rpc.close()

    def _born(self, binary: Path, genesis_time: int) -> subprocess.Popen[bytes]:
        where = ("--host", self.address[0], "--port", str(self.address[1]), "--timestamp", str(genesis_time))
        birth = (sys.executable, "-I", "-S", "-c", _BIRTH, str(os.getpid()), str(binary))
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603
                (*birth, *where, *_HISTORY_FLAGS, *_RUNNING_FLAGS),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._log.parent,
                # anvil keeps a cache under HOME; ANVIL_IP_ADDR and proxies of the surroundings are not for it.
                env={"HOME": str(self._log.parent), "PATH": os.defpath},
            )

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _ANSWER_SECONDS
        while self.alive() and time.monotonic() < deadline:
            try:
                self.rpc.call("eth_chainId")
                return
            except ChainUnavailable:
                time.sleep(0.005)
        raise EngineError("ENGINE_FAILED", f"the engine did not start: {self._last_words()}", reason=self._last_words())

    def _last_words(self) -> str:
        text = self._log.read_text("utf-8", "replace").strip()[-500:] or f"exit status {self._process.poll()}"
        return " ".join(text.split())


def _octet() -> int:
    return 1 + secrets.randbelow(254)
