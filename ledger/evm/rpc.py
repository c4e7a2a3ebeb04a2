"""A small synchronous JSON-RPC 2.0 client over HTTP/1.1 with keep-alive; neither web3 nor requests.

The engine's supervisor and the bulk readers need raw calls and batches and nothing else. Whatever a node says is
untrusted: its answer is bounded in size and time, and only a well-formed one reaches the caller.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TypeAlias, cast
from urllib.parse import urlsplit

import orjson

from ledger.errors import ChainUnavailable, LedgerError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Call: TypeAlias = "tuple[str, *tuple[object, ...]]"

ANSWER_LIMIT = 16 * 1024 * 1024
"""Bytes accepted in one answer."""

_PIECE = 256 * 1024
_HEADERS = {"content-type": "application/json", "accept": "application/json"}
_HTTP_OK = 200
# Calls that change something are never sent twice on our own account: after a lost answer nobody knows whether the
# first one worked, and only the caller knows whether a second one does harm.
_CHANGES_SOMETHING = ("evm_", "anvil_", "hardhat_", "miner_", "eth_send", "personal_")


class RpcError(LedgerError):
    """The node answered, and its answer is an error object (JSON-RPC 2.0 §5.1)."""

    def __init__(self, method: str, number: int, text: str, payload: Json = None) -> None:
        super().__init__("RPC_REFUSED", f"{method}: {text}", method=method, number=number, text=text)
        self.method = method
        self.number = number
        self.text = text
        self.payload = payload
        """The member `data` of the error object: revert bytes as hex on most nodes."""


class Rpc:
    """One connection to one node, usable by several threads in turn.

    `timeout` is in seconds and covers one request from sending to the last byte of the body. Every failure to get
    a well-formed answer is a `ChainUnavailable`; the connection is then dropped and the next call opens a new one.
    """

    def __init__(self, url: str, *, timeout: float = 10.0, limit: int = ANSWER_LIMIT) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ChainUnavailable("CHAIN_URL", "a node's address is http(s)://host[:port][/path], no user name")
        # The address shown in errors leaves out the path and query: hosted nodes carry their key there.
        self.shown = f"{parts.scheme}://{parts.netloc}"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout = timeout
        self._limit = limit
        self._lock = threading.Lock()
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=timeout)

    def call(self, method: str, *params: object) -> Json:
        """The `result` of one call. Raises RpcError, ChainUnavailable."""
        request = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params}
        answer = self._exchange(request, may_repeat=_only_reads(method))
        return _unwrap(method, self._member(answer, 0))

    def batch(self, calls: Sequence[Call]) -> list[Json]:
        """Results in the order of the calls; raises the first RpcError. What ran before it has run."""
        return [_raised(outcome) for outcome in self.batch_each(calls)]

    def batch_each(self, calls: Sequence[Call]) -> list[Json | RpcError]:
        """As `batch`, with each refused call's error in its place. Nodes bound a request too: anvil takes 2 MB."""
        if not calls:
            return []
        requests = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": params}
            for index, (method, *params) in enumerate(calls)
        ]
        answer = self._exchange(requests, may_repeat=all(_only_reads(method) for method, *_ in calls))
        if isinstance(answer, dict) and "error" in answer:
            _unwrap("batch", answer)
        if not isinstance(answer, list) or len(answer) != len(calls):
            raise self._malformed("a batch was answered with another number of answers")
        by_id = {item.get("id"): item for item in answer if isinstance(item, dict)}
        return [_outcome(call[0], self._member(by_id.get(index), index)) for index, call in enumerate(calls)]

    def close(self) -> None:
        """Drop the connection; a later call opens a new one."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Rpc:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, request: object, *, may_repeat: bool) -> Json:
        body = orjson.dumps(request)
        with self._lock:
            reused = self._connection.sock is not None
            try:
                return self._parsed(self._sent(body))
            except (http.client.RemoteDisconnected, ConnectionError) as broken:
                # A node may close an idle connection at any time; a read on a reused one deserves a second try.
                if not (reused and may_repeat):
                    raise self._unreachable(broken) from broken
            except (OSError, http.client.HTTPException) as broken:
                raise self._unreachable(broken) from broken
            try:
                return self._parsed(self._sent(body))
            except (OSError, http.client.HTTPException) as broken:
                raise self._unreachable(broken) from broken

    def _sent(self, body: bytes) -> bytes:
        deadline = time.monotonic() + self._timeout
        whole = False
        try:
            self._connection.timeout = self._timeout
            self._connection.request("POST", self._path, body, _HEADERS)
            response = self._connection.getresponse()
            answer = self._read(response, deadline)
            whole = True
        finally:
            # Half an answer left on a kept connection would be read as the answer to the next call.
            if not whole:
                self._connection.close()
        if response.status != _HTTP_OK:
            raise ChainUnavailable(
                "CHAIN_HTTP_STATUS", f"HTTP {response.status}", node=self.shown, status=response.status
            )
        return answer

    def _read(self, response: http.client.HTTPResponse, deadline: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := response.read1(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > self._limit:
                raise ChainUnavailable(
                    "CHAIN_ANSWER_TOO_LARGE", "the answer is too large", node=self.shown, limit=self._limit
                )
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            if self._connection.sock is not None:
                self._connection.sock.settimeout(left)
        if self._connection.sock is not None:
            self._connection.sock.settimeout(self._timeout)
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        # read1 does not notice the end by itself, and the next request needs this response closed.
        response.close()
        return b"".join(pieces)

    def _parsed(self, answer: bytes) -> Json:
        try:
            return cast(Json, orjson.loads(answer))
        except (ValueError, RecursionError) as error:
            raise self._malformed("the answer is not JSON") from error

    def _member(self, answer: Json, index: int) -> dict[str, Json]:
        if not isinstance(answer, dict) or ("result" in answer) == ("error" in answer):
            raise self._malformed("an answer is not a JSON-RPC response")
        # A node that could not read the request answers with id null (JSON-RPC 2.0 §5), always with an error.
        if answer.get("id") != index and "error" not in answer:
            raise self._malformed("an answer belongs to another call")
        return answer

    def _malformed(self, text: str) -> ChainUnavailable:
        return ChainUnavailable("CHAIN_MALFORMED", text, node=self.shown)

    def _unreachable(self, error: Exception) -> ChainUnavailable:
        code = "CHAIN_TIMEOUT" if isinstance(error, TimeoutError) else "CHAIN_UNREACHABLE"
        return ChainUnavailable(code, f"{self.shown}: {error}", node=self.shown, reason=error)


def _only_reads(method: str) -> bool:
    return not method.startswith(_CHANGES_SOMETHING)


def _unwrap(method: str, answer: dict[str, Json]) -> Json:
    return _raised(_outcome(method, answer))


def _outcome(method: str, answer: dict[str, Json]) -> Json | RpcError:
    if "error" not in answer:
        return answer["result"]
    error = answer["error"] if isinstance(answer["error"], dict) else {}
    number = error.get("code")
    return RpcError(
        method, number if isinstance(number, int) else 0, str(error.get("message", ""))[:500], error.get("data")
    )


def _raised(outcome: Json | RpcError) -> Json:
    if isinstance(outcome, RpcError):
        raise outcome
    return outcome
