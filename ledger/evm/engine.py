"""The development chain: an anvil engine, a supervisor that brings it back, and a journal that outlives both.

anvil keeps its chain in memory, and its own dumps may lag behind after a kill. So the supervisor mines every block
itself and journals it (`ledger.evm.journal`); only then is the block final. A lost engine is replaced by a fresh
one into which the journal is replayed, hash by hash, behind a shut gate (`ledger.evm.gate`). What was mined and not
journaled when the engine died is gone: senders keep their raw transactions and send them again.

Mining here rather than by `--block-time 1`, as measured: a transaction is final in some 10 ms on a chain that was
idle for a second and at the next full second on a busy one (block times are whole, strictly rising seconds and
never ahead of the clock); and an idle chain costs one block per `heartbeat`, not 86,400 a day of 5 KB each.

    python -m ledger.evm.engine --data DIR [--port N] [--engine FILE]     the detached form, see ledger.evm.devnet
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import logging
import os
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, TracebackType

import orjson

from ledger.errors import EngineError, LedgerError
from ledger.evm.anvil import CHAIN_ID, FUNDING_ADDRESS, FUNDING_KEY, find_engine
from ledger.evm.folder import FolderLock, Record, process_start, read_only, remove_record, write_record
from ledger.evm.gate import LOOPBACK, Gate
from ledger.evm.history import Progress
from ledger.evm.journal import journaled_height
from ledger.evm.supervisor import Keeper

__all__ = ["CHAIN_ID", "FUNDING_ADDRESS", "FUNDING_KEY", "DevChain", "find_engine", "journaled_height"]

HEARTBEAT_SECONDS = 120.0
"""An idle chain's longest silence. Whoever judges freshness by block time allows more than this."""

_LOOK_SECONDS = 1.0


class DevChain:
    """A chain in a folder, alive between `start` and `stop`; both may be called again, and the port stays.

    Inside another program: a context manager with one supervising thread. Nothing survives the program: at exit the
    engine is stopped, and when the program is killed the kernel kills the engine (`ledger.evm.anvil`).
    """

    def __init__(
        self,
        folder: Path,
        engine: Path,
        *,
        port: int | None = None,
        heartbeat: float = HEARTBEAT_SECONDS,
        progress: Progress | None = None,
        detached: bool = False,
    ) -> None:
        """`port` None takes a free one at the first start. `progress` is told of replayed blocks, in another
        thread. `detached` goes into the record: only such a chain may be stopped by `ledger.evm.devnet.down`.
        """
        self.folder = folder.resolve()
        self._binary, self._port = engine, port
        self._heartbeat, self._progress, self._detached = heartbeat, progress, detached
        self._lock: FolderLock | None = None
        self._gate: Gate | None = None
        self._keeper: Keeper | None = None

    @property
    def port(self) -> int:
        """The port on 127.0.0.1; known from the first start on."""
        if self._port is None:
            raise EngineError("CHAIN_NOT_STARTED", "a chain without a fixed port has none before its first start")
        return self._port

    @property
    def url(self) -> str:
        """The JSON-RPC address."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def journaled(self) -> int:
        """The final height."""
        return journaled_height(self.folder)

    @property
    def engine_pid(self) -> int | None:
        """The engine's process, None while there is none."""
        return self._keeper.engine_pid if self._keeper else None

    @property
    def restarts(self) -> int:
        """Engines lost since `start`."""
        return self._keeper.restarts if self._keeper else 0

    @property
    def failure(self) -> LedgerError | None:
        """Why the chain ended on its own, if it did: its port is closed then, and `stop` is still due."""
        return self._keeper.failure if self._keeper else None

    @property
    def trouble(self) -> LedgerError | None:
        """Why nothing becomes final just now, if so: the journal cannot be written, and is tried again."""
        return self._keeper.trouble if self._keeper else None

    def start(self) -> None:
        """Return when the chain answers with its whole history. Does nothing when started.

        Raises EngineError FOLDER_IN_USE, FOLDER_READ_ONLY, PORT_TAKEN, JOURNAL_*, REBUILD_DIVERGED, ENGINE_*;
        then nothing is left running.
        """
        if self._lock is not None:
            return
        if sys.platform != "linux":
            raise EngineError("ENGINE_PLATFORM", "the engine is supervised on Linux only: see hardhat-free-devnet")
        self._lock = FolderLock(self.folder)
        try:
            # A record that a killed supervisor left would send others to a port that is not ours.
            remove_record(self.folder)
            self._gate = Gate(self._port, self._stir)
            self._port = self._gate.port
            self._keeper = Keeper(
                self.folder, self._binary, self._gate, heartbeat=self._heartbeat, progress=self._progress
            )
            self._keeper.settle()
            self._leave_record()
        except OSError as error:
            self.stop()
            raise read_only(self.folder, error) from error
        except BaseException:
            self.stop()
            raise
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the engine and free port and folder. Harmless when stopped. What is final stays so."""
        atexit.unregister(self.stop)
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None
        if self._gate is not None:
            self._gate.close()
            self._gate = None
        if self._lock is not None:
            # A folder that became read-only must not keep the lock and the rest of the program's exit.
            with contextlib.suppress(OSError):
                remove_record(self.folder)
            self._lock.release()
            self._lock = None

    def __enter__(self) -> DevChain:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _stir(self) -> None:
        if self._keeper is not None:
            self._keeper.stir()

    def _leave_record(self) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        pid = os.getpid()
        record = Record(pid, process_start(pid) or 0, self.port, self.url, now, self._detached)
        write_record(self.folder, record)


def main(arguments: list[str] | None = None) -> int:
    """The detached form. Prints one line of JSON, {"url"} or {"code", "message", "params"}, and then nothing."""
    parser = argparse.ArgumentParser(prog="python -m ledger.evm.engine")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--engine")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    end = threading.Event()

    def ended(_number: int, _frame: FrameType | None) -> None:
        end.set()

    signal.signal(signal.SIGTERM, ended)
    signal.signal(signal.SIGINT, ended)
    try:
        engine = find_engine(chosen.engine, Path.cwd())
        with DevChain(chosen.data, engine, port=chosen.port, detached=True) as chain:
            _say({"url": chain.url})
            while chain.failure is None and not end.wait(_LOOK_SECONDS):
                pass
            return 0 if chain.failure is None else 1
    except LedgerError as error:
        _say({"code": error.code, "message": str(error), "params": error.params})
        return 1


def _say(line: dict[str, object]) -> None:
    # Whoever started us reads one line and closes; afterwards a write would fail.
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), orjson.dumps(line) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
