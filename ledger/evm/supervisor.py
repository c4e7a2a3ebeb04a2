"""The thread that keeps one engine alive, mines and journals its blocks, and replays them into the next engine."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from ledger.errors import ChainUnavailable, EngineError, LedgerError
from ledger.evm import history
from ledger.evm.anvil import Anvil
from ledger.evm.folder import read_only
from ledger.evm.gate import Gate
from ledger.evm.history import Progress
from ledger.evm.journal import Journal, exists
from ledger.evm.rpc import Rpc, RpcError

_FINAL_WORDS = {
    *("JOURNAL_DAMAGED", "JOURNAL_BEHIND", "JOURNAL_FOREIGN", "JOURNAL_MISSING"),
    *("REBUILD_DIVERGED", "FOLDER_READ_ONLY"),
}
"""Errors that another engine would only meet again."""
_STARTS_IN_VAIN = 6
_LONGEST_PAUSE_SECONDS = 5.0
_LIVED_SECONDS = 2.0
_BETWEEN_LOOKS_SECONDS = 0.01
_IDLE_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 3.0

_log = logging.getLogger(__name__)


class Keeper:
    """Lives from construction to `stop`. The folder's lock and the gate belong to whoever made it."""

    def __init__(self, folder: Path, binary: Path, gate: Gate, *, heartbeat: float, progress: Progress | None) -> None:
        """`heartbeat` in seconds: an idle chain's longest silence."""
        self.restarts = 0
        self.failure: LedgerError | None = None
        self.trouble: LedgerError | None = None
        self._folder, self._binary, self._gate = folder, binary, gate
        self._heartbeat, self._progress = heartbeat, progress
        self._engine: Anvil | None = None
        self._mined_at = self._answered_at = 0.0
        self._stopping, self._settled, self._stirred = threading.Event(), threading.Event(), threading.Event()
        # The engine is tied to the life of the thread that starts it: that must be this one, not the caller's.
        self._thread = threading.Thread(target=self._keep, name="devchain", daemon=True)
        self._thread.start()

    @property
    def engine_pid(self) -> int | None:
        """The engine's process, None while there is none."""
        engine = self._engine
        return engine.pid if engine else None

    def stir(self) -> None:
        """Something may have happened: look soon. From any thread."""
        self._stirred.set()

    def settle(self) -> None:
        """Wait until the chain answers with its whole history, or raise why it never will."""
        self._settled.wait()
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """End engine and thread."""
        self._stopping.set()
        self._stirred.set()
        self._thread.join(_PATIENCE_SECONDS)
        # A hanging engine keeps its keeper waiting for an answer; killing it ends the wait.
        if self._thread.is_alive() and (engine := self._engine) is not None:
            engine.interrupt()
        self._thread.join()

    def _keep(self) -> None:
        try:
            self._keep_trying()
        except LedgerError as error:
            self.failure = error
        except Exception as error:
            # A supervisor that dies of its own bug must say so: a chain that stops mining looks like a slow one.
            _log.exception("the supervisor failed")
            self.failure = EngineError("SUPERVISOR_FAILED", repr(error), reason=repr(error))
        if self.failure is not None and self._settled.is_set():
            _log.error("%s: %s", self.failure.code, self.failure)
            self._gate.close()
        self._settled.set()

    def _keep_trying(self) -> None:
        in_vain = 0
        while not self._stopping.is_set():
            self._answered_at = 0.0
            try:
                self._live()
            except OSError as error:
                raise read_only(self._folder, error) from error
            except (EngineError, ChainUnavailable, RpcError) as error:
                # Before the first answer somebody waits, and a second try is enough to rule out an accident.
                if error.code in _FINAL_WORDS or in_vain >= (_STARTS_IN_VAIN if self._settled.is_set() else 1):
                    raise
                lived = self._answered_at and time.monotonic() - self._answered_at >= _LIVED_SECONDS
                in_vain = 0 if lived else in_vain + 1
                self.restarts += 1
                _log.warning("engine lost, starting another: %s: %s", error.code, error)
                self._stopping.wait(min(_LONGEST_PAUSE_SECONDS, 0.05 * 2**in_vain))

    def _live(self) -> None:
        """One engine's life; returns when the chain is being stopped."""
        journal = Journal(self._folder) if exists(self._folder) else None
        try:
            self._engine = Anvil(self._binary, self._folder, journal.genesis.time if journal else int(time.time()))
            if journal is None:
                journal = Journal.create(self._folder, history.genesis_of(self._engine.rpc))
            history.rebuild(self._engine.rpc, journal, self._told)
            self._engine.rpc.call("anvil_setTime", int(time.time()))
            self._mined_at = self._answered_at = time.monotonic()
            self._gate.open(self._engine.address)
            self._settled.set()
            self._watch(self._engine, journal)
        except _Stopped:
            return
        finally:
            self._gate.shut()
            if self._engine is not None:
                self._engine.kill()
                self._engine = None
            if journal is not None:
                journal.close()

    def _told(self, done: int, whole: int) -> None:
        if self._stopping.is_set():
            raise _Stopped
        if self._progress is not None:
            self._progress(done, whole)

    def _watch(self, engine: Anvil, journal: Journal) -> None:
        while not self._stopping.is_set():
            self._stirred.clear()
            if not engine.alive():
                raise EngineError("ENGINE_DIED", "the engine's process ended")
            nap = self._look(engine.rpc, journal)
            # The gate stirs us when bytes have passed, a new transaction perhaps; the first pause bounds what a
            # busy caller can make us ask.
            self._stopping.wait(_BETWEEN_LOOKS_SECONDS)
            self._stirred.wait(nap)

    def _look(self, rpc: Rpc, journal: Journal) -> float:
        """Journal what was mined, mine what waits; seconds until the next look, unless stirred."""
        try:
            self._catch_up(rpc, journal)
            self.trouble = None
            due = min(journal.time + 1 - time.time(), self._mined_at + 1 - time.monotonic())
            waiting = history.pending(rpc)
            silent = max(time.time() - journal.time, time.monotonic() - self._mined_at)
            if silent < self._heartbeat and (not waiting or due > 0):
                return min(due, _IDLE_LOOK_SECONDS) if waiting else _IDLE_LOOK_SECONDS
            self._mine(rpc, journal)
        except EngineError as error:
            if error.code != "JOURNAL_WRITE_FAILED":
                raise
            # No further block until this one is safe; reading goes on. A full disk is tried again.
            if self.trouble is None:
                _log.error("nothing becomes final: %s", error)
            self.trouble = error
        return _IDLE_LOOK_SECONDS

    def _mine(self, rpc: Rpc, journal: Journal) -> None:
        # Then read and append: once the block is on disk and its height published, it is final.
        try:
            history.mine(rpc, max(journal.time + 1, int(time.time())))
        except RpcError:
            # Somebody else mined in between (the door is open to evm_mine): the next look journals that.
            if history.height(rpc) == journal.height:
                raise
        # Crash chain/mined: the block is gone and was never final; its transactions are sent again by their senders.
        self._mined_at = time.monotonic()
        self._catch_up(rpc, journal)

    def _catch_up(self, rpc: Rpc, journal: Journal) -> None:
        journal.publish()
        height = history.height(rpc)
        if height < journal.height:
            raise EngineError("HISTORY_CHANGED", "the engine lost blocks", number=height)
        while journal.height < height:
            journal.append(history.read_next(rpc, journal))


class _Stopped(Exception):
    """The chain is being stopped in the middle of a replay."""
