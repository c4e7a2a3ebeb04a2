"""A node that serves another chain, breaks off or lies: unavailable or refused, never a wrong anchor or verdict."""

from __future__ import annotations

import http.server
import json
import random
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import forge
import pytest
from homes import HANG_SECONDS, Home, anchored_once, copied, publisher

from api import wiring
from api.reading import bundle_of
from api.trusting import trust_of
from api.verify import policy, verify
from api.wiring import PUBLISHER, City
from certs.bundle import encode
from certs.lifecycle import Change
from certs.verify.verifier import Verifier
from ledger.errors import ChainMismatch, ChainUnavailable
from ledger.evm.anvil import find_engine
from ledger.evm.client import EvmChain
from ledger.evm.engine import DevChain
from ledger.evm.rpc import Rpc
from ledger.jws import b64url
from ledger.publisher import Publisher
from ledger.trust import Trust
from ledger.verdict import Result


def test_a_chain_reset_to_its_beginning(home: Home, tmp_path: Path) -> None:
    """The same port and chain id, and no contract of ours: nothing is signed for it."""
    home.issued(2)
    home.chain.stop()
    engine = find_engine(home.city.settings.engine or None, wiring.PROJECT)
    with (
        DevChain(tmp_path / "empty", engine, port=home.chain.port) as empty,
        pointed_at(home, empty.url) as city,
        pytest.raises(ChainMismatch) as refused,
    ):
        publisher(city).step()
    assert refused.value.code == "CHAIN_CONSORTIUM"
    assert not home.transactions("publish") and home.outbox() == {("head", "waiting"): 1}


def test_the_same_contracts_under_another_consortium(home: Home) -> None:
    other = replace(home.city.deployment, consortium=bytes(32))
    with Rpc(home.chain.url) as rpc, pytest.raises(ChainMismatch) as refused:
        EvmChain(rpc, other, final=lambda newest: newest).confirm()
    assert refused.value.code == "CHAIN_CONSORTIUM"
    changed = replace(home.city.deployment.log_anchor, code_hash=bytes(32))
    other = replace(home.city.deployment, log_anchor=changed)
    with Rpc(home.chain.url) as rpc, pytest.raises(ChainMismatch) as refused:
        EvmChain(rpc, other, final=lambda newest: newest).confirm()
    assert refused.value.code == "CHAIN_CODE"


@contextmanager
def pointed_at(home: Home, url: str) -> Iterator[City]:
    """The city, its settings naming this node."""
    settings = home.folder / "certledger.toml"
    written = settings.read_text(encoding="utf-8")
    settings.write_text(written.replace('rpc_url = ""', f'rpc_url = "{url}"'), encoding="utf-8")
    try:
        with City(home.folder) as city:
            yield city
    finally:
        settings.write_text(written, encoding="utf-8")


Answer = Callable[[bytes], bytes | None]
"""The body of a request to the body of the answer; None: never answer."""


@contextmanager
def node(answer: Answer) -> Iterator[str]:
    """A small real HTTP server that answers JSON-RPC as the test wants."""
    stop = threading.Event()

    class Node(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            with suppress(ConnectionError):  # whoever asked has heard enough
                super().handle()

        def do_POST(self) -> None:
            body = answer(self.rfile.read(int(self.headers["content-length"])))
            if body is None:
                stop.wait(HANG_SECONDS)
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Node)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        stop.set()
        server.shutdown()
        thread.join()
        server.server_close()


def forwarded(url: str, body: bytes) -> bytes:
    """What the real node answers."""
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=HANG_SECONDS) as response:
        return bytes(response.read())


def changed(url: str, method: str, result: object) -> Answer:
    """A node that tells the truth but for one method."""

    def answer(body: bytes) -> bytes:
        asked, told = json.loads(body), json.loads(forwarded(url, body))
        pairs = zip(asked, told, strict=True) if isinstance(asked, list) else [(asked, told)]
        for question, reply in pairs:
            if question["method"] == method:
                reply["result"] = result
        return json.dumps(told).encode()

    return answer


def error_object(body: bytes) -> bytes:
    asked = json.loads(body)
    problem = {"jsonrpc": "2.0", "error": {"code": -32005, "message": "limit exceeded"}}
    told = (
        [{**problem, "id": each["id"]} for each in asked] if isinstance(asked, list) else {**problem, "id": asked["id"]}
    )
    return json.dumps(told).encode()


LIES: dict[str, Callable[[str], Answer]] = {
    "another_chain_id": lambda url: changed(url, "eth_chainId", "0x1"),
    "no_code_at_the_addresses": lambda url: changed(url, "eth_getCode", "0x"),
    "other_code_at_the_addresses": lambda url: changed(url, "eth_getCode", "0x6000"),
    "calls_without_an_answer": lambda url: changed(url, "eth_call", "0x"),
    "calls_answered_by_text": lambda url: changed(url, "eth_call", "no"),
    "no_json": lambda url: lambda body: b"<html>502</html>",
    "half_json": lambda url: lambda body: b'[{"jsonrpc": "2.0", "id": 0, "res',
    "not_json_rpc": lambda url: lambda body: b'{"status": "ok"}',
    "too_few_answers": lambda url: lambda body: b"[]",
    "an_error_object": lambda url: error_object,
    "twenty_megabytes": lambda url: lambda body: b'{"result": "' + b"0" * 20_000_000 + b'"}',
    "a_deep_answer": lambda url: lambda body: b"[" * 100_000 + b"]" * 100_000,
    "no_answer_at_all": lambda url: lambda body: None,
}


@pytest.fixture(scope="module")
def waiting(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A city whose first head waits; whatever liars were told, it is anchored in the end."""
    with copied(founded, tmp_path_factory.mktemp("waiting")) as home:
        home.issued(2)
        yield home
        home.publish()
        anchored_once(home, 2)


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_node_is_unavailable_or_another_and_never_believed(waiting: Home, lie: str) -> None:
    city = waiting.city
    with node(LIES[lie](waiting.chain.url)) as url, Rpc(url, timeout=1.0) as rpc:
        chain = EvmChain(rpc, city.deployment, final=lambda newest: newest)
        with pytest.raises((ChainUnavailable, ChainMismatch)):
            chain.confirm()
    assert waiting.ask("SELECT * FROM anchor") == [] and waiting.outbox() == {("head", "waiting"): 1}


@pytest.mark.parametrize("lie", sorted(lie for lie in LIES if not lie.startswith(("another", "no_code", "other"))))
def test_a_node_that_begins_to_lie_is_unavailable_and_leads_to_no_anchor(waiting: Home, lie: str) -> None:
    """Confirmed a moment ago; what it says from now on is wrong. The head goes on waiting."""
    city = waiting.city
    with node(LIES[lie](waiting.chain.url)) as url, Rpc(url, timeout=1.0) as rpc:
        chain = EvmChain(rpc, city.deployment, final=lambda newest: newest)
        with pytest.raises(ChainUnavailable):
            Publisher(city.database, chain, city.transactor(PUBLISHER)).step()
    assert waiting.ask("SELECT * FROM anchor") == [] and waiting.outbox() == {("head", "waiting"): 1}


@pytest.fixture(scope="module")
def shown(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[bytes, Trust]]:
    """A bundle of an anchored certificate that was suspended and given back, and the trust file; the chain answers."""
    with copied(founded, tmp_path_factory.mktemp("shown")) as home:
        (one,) = home.issued(1)
        home.change(one.identifier, Change.SUSPEND)
        home.change(one.identifier, Change.REINSTATE)
        home.publish()
        yield encode(bundle_of(home.city, one.identifier)), trust_of(home.city, days=1)


@pytest.mark.parametrize("lie", sorted(LIES.keys() - {"no_answer_at_all"}))
def test_a_lying_node_makes_verifying_indeterminate_and_never_an_error(shown: tuple[bytes, Trust], lie: str) -> None:
    file, trust = shown
    assert verify(file, trust, datetime.now(UTC), offline=False).verdict.result is Result.VALID
    with node(LIES[lie](trust.nodes[0])) as url:
        lied_to = verify(file, replace(trust, nodes=(url,)), datetime.now(UTC), offline=False)
        beside = verify(file, replace(trust, nodes=(url, *trust.nodes)), datetime.now(UTC), offline=False)
    assert lied_to.verdict.result is Result.INDETERMINATE and lied_to.claims == {}
    assert beside.verdict.result is Result.VALID


def test_a_receipt_of_another_transaction(home: Home) -> None:
    """The wrong receipt would anchor a head that nobody published."""
    home.issued(1)
    home.publish()
    genuine = home.city.rpc.call("eth_getTransactionReceipt", "0x" + home.transactions("publish")[0].hash.hex())
    home.issued(1, start=2)
    before = home.ask("SELECT * FROM anchor")
    with node(changed(home.chain.url, "eth_getTransactionReceipt", genuine)) as url, Rpc(url) as rpc:
        city = home.city
        chain = EvmChain(rpc, city.deployment, final=lambda newest: newest)
        lied_to = Publisher(city.database, chain, city.transactor(PUBLISHER))
        lied_to._transactor._wire = chain
        lied_to.step()
        with pytest.raises(ChainUnavailable) as refused:
            lied_to.catch_up(1.0)
    assert refused.value.code == "CHAIN_MALFORMED"
    assert home.ask("SELECT * FROM anchor") == before


def test_answers_altered_anywhere_are_facts_or_a_refusal_and_never_another_exception(
    shown: tuple[bytes, Trust],
) -> None:
    """A verifier asks a node it does not run: digit by digit its answers are changed, and then judged."""
    (file, trust), now = shown, datetime.now(UTC)
    verifier = Verifier(trust)
    question = verifier.question(file)
    assert question is not None
    seed, rounds = 5, 400
    rng = random.Random(seed)
    true: list[bytes] = []

    def listen(body: bytes) -> bytes:
        true.append(forwarded(trust.nodes[0], body))
        return true[-1]

    with node(listen) as url, Rpc(url) as rpc:
        EvmChain(rpc, trust.deployment, final=lambda newest: newest).facts(question)
    assert len(true) == 2
    said: list[bytes] = []
    outcomes: dict[str, int] = {}
    with node(lambda body: said[0] if body.lstrip().startswith(b"{") else said[1]) as url, Rpc(url) as rpc:
        chain = EvmChain(rpc, trust.deployment, final=lambda newest: newest)
        for _ in range(rounds):
            said[:] = [altered(rng, answer) for answer in true]
            try:
                live = chain.facts(question)
            except ChainUnavailable as error:
                outcomes[error.code] = outcomes.get(error.code, 0) + 1
                continue
            result = verifier.verify(file, policy(), now, live).verdict.result
            outcomes[result] = outcomes.get(result, 0) + 1
    print(f"seed {seed}: {outcomes}")
    assert sum(outcomes.values()) == rounds and len(outcomes) > 2


def altered(rng: random.Random, answer: bytes) -> bytes:
    """A few hexadecimal digits inside results changed, or a stretch of them replaced."""
    digits = [i for i, byte in enumerate(answer) if byte in b"0123456789abcdef"]
    changed_answer = bytearray(answer)
    for _ in range(rng.choice([0, 1, 1, 4])):
        at = rng.choice(digits)
        for i in range(at, min(at + rng.choice([1, 1, 2, 16, 64]), len(answer))):
            if changed_answer[i] in b"0123456789abcdef":
                changed_answer[i] = rng.choice(b"0123456789abcdeffff")
    return bytes(changed_answer)


@pytest.mark.parametrize(
    "kid", ["", "x", "ü", "A" * 42, "A" * 44, b64url(bytes(31)), b64url(bytes(33)), "A" * 42 + "B"]
)
def test_a_bundle_whose_kid_is_no_thumbprint_is_a_finding_online_too(shown: tuple[bytes, Trust], kid: str) -> None:
    """The header is the forger's: what is asked of the node because of it must not break the question."""
    header = b64url(json.dumps({"alg": "ES256", "typ": "dc+sd-jwt", "kid": kid}).encode())
    forged = forge.GENUINE.presenting(lambda text: header + text[text.index(".") :])
    assert verify(forged.file, shown[1], datetime.now(UTC), offline=True).verdict.result is Result.INVALID
    assert verify(forged.file, shown[1], datetime.now(UTC), offline=False).verdict.result is Result.INVALID
