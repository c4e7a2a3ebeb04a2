"""The JSON-RPC client against a node that lies, breaks off, floods and hangs, on real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ledger.errors import ChainUnavailable, LedgerError
from ledger.evm.rpc import Rpc, RpcError

Script = Callable[[socket.socket, bytes], bool]
"""Answers one request; False ends the connection."""


class Node:
    """Speaks just enough HTTP to say anything at all."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.script: Script = lambda _connection, _body: False
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as reader:
                while (body := request(reader)) is not None:
                    self.requests.append(body)
                    try:
                        if not self.script(connection, body):
                            break
                    except OSError:
                        break

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._thread.join()


def request(reader: object) -> bytes | None:
    length = 0
    while (line := reader.readline().lower()) not in (b"\r\n", b""):  # type: ignore[attr-defined]
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return reader.read(length) if length else None  # type: ignore[attr-defined]


def http(body: bytes, *, status: str = "200 OK", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\ncontent-length: {size}\r\n\r\n".encode() + body


def says(answer: object) -> Script:
    def script(connection: socket.socket, _body: bytes) -> bool:
        connection.sendall(http(json.dumps(answer).encode()))
        return True

    return script


def sends(raw: bytes) -> Script:
    def script(connection: socket.socket, _body: bytes) -> bool:
        connection.sendall(raw)
        return False

    return script


@pytest.fixture
def node() -> Iterator[Node]:
    node = Node()
    yield node
    node.close()


def failure(call: Callable[[], object]) -> LedgerError:
    with pytest.raises(LedgerError) as error:
        call()
    return error.value


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(http(b"no json"), "CHAIN_MALFORMED", id="not JSON"),
        pytest.param(http(b"[" * 100_000), "CHAIN_MALFORMED", id="deep nesting"),
        pytest.param(http(b"[]"), "CHAIN_MALFORMED", id="a list for one call"),
        pytest.param(http(b'{"id":0}'), "CHAIN_MALFORMED", id="neither result nor error"),
        pytest.param(http(b'{"id":0,"result":1,"error":{}}'), "CHAIN_MALFORMED", id="both result and error"),
        pytest.param(http(b'{"id":7,"result":1}'), "CHAIN_MALFORMED", id="another call's answer"),
        pytest.param(http(b'{"result":1}'), "CHAIN_MALFORMED", id="nobody's answer"),
        pytest.param(http(b"{}", status="503 Busy"), "CHAIN_HTTP_STATUS", id="HTTP 503"),
        pytest.param(http(b'{"id":0,', length=100), "CHAIN_UNREACHABLE", id="half an answer"),
        pytest.param(b"garbage\r\n\r\n", "CHAIN_UNREACHABLE", id="not HTTP"),
        pytest.param(http(b" " * 300_000), "CHAIN_ANSWER_TOO_LARGE", id="too large"),
        pytest.param(b"", "CHAIN_UNREACHABLE", id="silence and good-bye"),
    ],
)
def test_what_is_no_answer_is_an_error_and_the_next_call_works(node: Node, answer: bytes, code: str) -> None:
    with Rpc(node.url, timeout=5, limit=200_000) as rpc:
        node.script = sends(answer)
        error = failure(lambda: rpc.call("eth_chainId"))
        assert (type(error), error.code) == (ChainUnavailable, code)
        node.script = says({"jsonrpc": "2.0", "id": 0, "result": "0x1"})
        assert rpc.call("eth_chainId") == "0x1"


def test_a_trickling_answer_ends_at_the_deadline(node: Node) -> None:
    def trickle(connection: socket.socket, _body: bytes) -> bool:
        connection.sendall(http(b"", length=1000))
        while True:
            connection.sendall(b" ")
            time.sleep(0.02)

    node.script = trickle
    with Rpc(node.url, timeout=0.3) as rpc:
        assert failure(lambda: rpc.call("eth_chainId")).code == "CHAIN_TIMEOUT"


def test_nobody_listens(node: Node) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
    assert failure(lambda: Rpc(url).call("eth_chainId")).code == "CHAIN_UNREACHABLE"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:8545", "http://name:word@127.0.0.1", "http://"])
def test_a_strange_address_is_refused(url: str) -> None:
    assert failure(lambda: Rpc(url)).code == "CHAIN_URL"


def test_an_address_is_shown_without_its_path() -> None:
    with Rpc("http://127.0.0.1:1/secret?key=word") as rpc:
        error = failure(lambda: rpc.call("eth_chainId"))
    assert "secret" not in f"{error} {error.params}"
    assert "word" not in f"{error} {error.params}"


def test_a_refusal_carries_the_nodes_words(node: Node) -> None:
    node.script = says({"id": 0, "error": {"code": 3, "message": "execution reverted", "data": "0x08c379a0"}})
    with Rpc(node.url) as rpc, pytest.raises(RpcError) as refused:
        rpc.call("eth_call", {})
    assert (refused.value.code, refused.value.number, refused.value.payload) == ("RPC_REFUSED", 3, "0x08c379a0")


def test_a_batch_is_put_in_order_and_refusals_keep_their_place(node: Node) -> None:
    node.script = says(
        [{"id": 1, "error": {"code": -1, "message": "no"}}, {"id": 2, "result": 2}, {"id": 0, "result": 0}]
    )
    with Rpc(node.url) as rpc:
        each = rpc.batch_each([("a",), ("b",), ("c",)])
        assert (each[0], each[2]) == (0, 2)
        assert isinstance(each[1], RpcError)
        assert each[1].method == "b"
        assert failure(lambda: rpc.batch([("a",), ("b",), ("c",)])).code == "RPC_REFUSED"
        assert rpc.batch([]) == []
        assert failure(lambda: rpc.batch([("a",)])).code == "CHAIN_MALFORMED"
        node.script = says([{"id": 0, "result": 0}, {"id": 0, "result": 0}])
        assert failure(lambda: rpc.batch([("a",), ("b",)])).code == "CHAIN_MALFORMED"
        node.script = says({"id": None, "error": {"code": -32600, "message": "too many"}})
        assert failure(lambda: rpc.batch([("a",)])).code == "RPC_REFUSED"


@pytest.mark.parametrize(("method", "sent"), [("eth_getCode", 3), ("eth_sendRawTransaction", 2), ("evm_mine", 2)])
def test_only_reads_are_repeated_on_a_kept_connection(node: Node, method: str, sent: int) -> None:
    with Rpc(node.url) as rpc:
        node.script = says({"id": 0, "result": "0x"})
        rpc.call(method)
        node.script = sends(b"")
        assert failure(lambda: rpc.call(method)).code == "CHAIN_UNREACHABLE"
    assert len(node.requests) == sent
