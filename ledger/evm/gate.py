"""The development chain's public door on 127.0.0.1: bytes pass to the engine only while its history is whole.

A restarted engine answers from the moment it listens, long before its blocks are replayed. Whoever talked to it
then would find contracts missing, or have a transaction mined into a replayed block. So the engine listens on an
address of its own, and this door stays shut until the replay is checked: connections wait in the queue meanwhile.
The port is also held through every restart, so nobody else takes it. Bytes are passed on unread.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections.abc import Callable

from ledger.errors import EngineError

LOOPBACK = "127.0.0.1"

_PIECE = 64 * 1024
_CONNECTIONS = 256
_CONNECT_SECONDS = 5.0


class Gate:
    """Listens from construction on; two threads per connection, all daemons, all gone after `close`."""

    def __init__(self, port: int | None, stirred: Callable[[], None]) -> None:
        """`port` None takes a free one. `stirred` is called, from any thread, whenever bytes have passed.

        Raises EngineError PORT_TAKEN.
        """
        self._stirred = stirred
        self._listener = _listening(port)
        self.port: int = self._listener.getsockname()[1]
        self._target: tuple[str, int] | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._slots = threading.BoundedSemaphore(_CONNECTIONS)
        threading.Thread(target=self._accept, name="gate", daemon=True).start()

    def open(self, target: tuple[str, int]) -> None:
        """Let connections through to `target`."""
        with self._changed:
            self._target = target
            self._changed.notify_all()

    def shut(self) -> None:
        """Break every connection and let the next ones wait."""
        with self._changed:
            self._target = None
            for pair in self._pairs:
                for end in pair:
                    _break(end)

    def close(self) -> None:
        """Stop listening: from now on a connection is refused."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.shut()
        _break(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            self._slots.acquire()
            try:
                outside, _ = self._listener.accept()
            except OSError:
                return
            # Waiting here, not in a thread per connection, keeps the others in the kernel's queue.
            if not self._admit(outside):
                self._slots.release()
                outside.close()

    def _admit(self, outside: socket.socket) -> bool:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._target is not None)
                target = self._target
            if target is None:
                return False
            inside = self._inside(target)
            if inside is None:
                continue
            with self._changed:
                # The engine may have been given up since: a pair that `shut` did not see must not outlive it.
                if self._target == target:
                    self._pairs.add((outside, inside))
                    break
            inside.close()
        threading.Thread(target=self._relay, args=((outside, inside),), name="gate-relay", daemon=True).start()
        return True

    def _inside(self, target: tuple[str, int]) -> socket.socket | None:
        try:
            inside = socket.create_connection(target, timeout=_CONNECT_SECONDS)
        except OSError:
            # The engine died a moment ago: tell the supervisor, and wait for the next one like everybody else.
            with self._changed:
                if self._target == target:
                    self._target = None
            self._stirred()
            return None
        inside.settimeout(None)
        return inside

    def _relay(self, pair: tuple[socket.socket, socket.socket]) -> None:
        outside, inside = pair
        for end in pair:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=self._copy, args=(inside, outside), name="gate-back", daemon=True)
        back.start()
        self._copy(outside, inside)
        back.join()
        with self._changed:
            self._pairs.discard(pair)
        for end in pair:
            end.close()
        self._slots.release()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(_PIECE):
                target.sendall(piece)
                self._stirred()
            target.shutdown(socket.SHUT_WR)
        except OSError:
            # One direction failed: the other one cannot make sense any more.
            _break(source)
            _break(target)
        finally:
            self._stirred()


def _listening(port: int | None) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Lets a stopped chain come back on its port at once; on Linux it never shares a port that is listened on.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port or 0))
        listener.listen(_CONNECTIONS)
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise EngineError("PORT_TAKEN", f"{LOOPBACK}:{port} is in use", port=port) from error
        raise EngineError("PORT_REFUSED", f"{LOOPBACK}:{port}: {error}", port=port) from error
    return listener


def _break(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
