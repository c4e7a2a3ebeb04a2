"""Publishing: interrupted anywhere, twice at once, against a chain that loses or lies: never a wrong anchor."""

from __future__ import annotations

import http.server
import json
import random
import shutil
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import forge
import pytest
from homes import HANG_SECONDS, MARKET, Home, copied, licences

from api import wiring
from api.cli.main import main
from api.trusting import trust_of
from api.verify import policy, verify
from api.wiring import PUBLISHER, City
from certs.bundle import encode
from certs.errors import LifecycleError
from certs.lifecycle import Change
from certs.verify.verifier import Verifier
from ledger.errors import AppendRefused, ChainMismatch, ChainUnavailable, StoreConflict
from ledger.evm.anvil import find_engine
from ledger.evm.client import EvmChain
from ledger.evm.engine import DevChain
from ledger.evm.rpc import Rpc
from ledger.jws import b64url
from ledger.ports import StatusChange
from ledger.publisher import Publisher
from ledger.status import Reason, Status
from ledger.store import outbox
from ledger.trust import Trust
from ledger.verdict import Result


def publisher(city: City) -> Publisher:
    """A new one, as another process would have it."""
    return Publisher(city.database, city.chain, city.transactor(PUBLISHER))


def anchored_once(home: Home, size: int) -> None:
    """The chain's newest head is ours, is kept as an anchor, and nothing is under way or waiting."""
    assert home.contiguous() == size
    (head,) = home.city.chain.heads([home.city.log.id])
    assert head is not None and head.size == size
    newest = home.ask("SELECT size, root, prev_size, block, time FROM anchor ORDER BY size DESC LIMIT 1")
    assert newest == [(head.size, head.root, head.prev_size, head.block, head.time)]
    assert {state for _, state in home.outbox()} == {outbox.DONE}
    assert not home.wrong()
    assert all(home.verify(each.identifier).verdict.result is Result.VALID for each in home.certificates()[:5])


# ---------------------------------------------------------------------- crashes


def test_a_crash_between_store_and_send(home: Home) -> None:
    """Signed and stored, never sent: another publisher sends the very same bytes."""
    home.issued(5)
    first = publisher(home.city)
    plans = first._plans()
    signed = first._transactor.sign([plan.call for plan in plans])
    with home.city.database.writing() as connection:
        kept = first._transactor.store(connection, signed[0], plans[0].label)
        outbox.take(connection, plans[0].items[0].id, plans[0].bodies[0], kept.id)
    assert home.city.wire.receipt(kept.hash) is None
    home.reopen()
    publisher(home.city).catch_up(HANG_SECONDS)
    (only,) = home.transactions("publish")
    assert (only.raw, only.state) == (kept.raw, outbox.FINAL)
    anchored_once(home, 5)


def test_a_crash_between_send_and_settle(home: Home) -> None:
    home.issued(5)
    publisher(home.city).step()
    (sent,) = home.transactions("publish")
    assert sent.state == outbox.SIGNED and home.outbox() == {("head", "sent"): 1}
    home.reopen()
    publisher(home.city).catch_up(HANG_SECONDS)
    assert [each.hash for each in home.transactions("publish")] == [sent.hash]
    anchored_once(home, 5)


def test_a_crash_between_send_and_settle_while_the_log_grows(home: Home) -> None:
    """What is under way proves the old size; what came since waits its turn and is proven from there."""
    home.issued(5)
    publisher(home.city).step()
    home.issued(3, start=6)
    assert home.outbox() == {("head", "sent"): 1, ("head", "waiting"): 1}
    home.reopen()
    publisher(home.city).catch_up(HANG_SECONDS)
    sizes = [size for (size,) in home.ask("SELECT size FROM anchor ORDER BY size")]
    assert sizes == [5, 8]
    anchored_once(home, 8)


def test_the_same_transaction_sent_again_and_again(home: Home) -> None:
    home.issued(5)
    one = publisher(home.city)
    one.step()
    stored = home.transactions("publish")
    for _ in range(3):
        one._transactor.send(stored)
    one.catch_up(HANG_SECONDS)
    one._transactor.send(stored)
    assert home.city.wire.next_nonce(one._transactor.address) == 1
    anchored_once(home, 5)


def test_a_transaction_that_the_chain_lost_is_sent_again(home: Home) -> None:
    """The engine dies with the transaction in its pool or in a block that was not journaled."""
    home.issued(5)
    publisher(home.city).step()
    home.chain.stop()
    home.chain.start()
    home.reopen()
    publisher(home.city).catch_up(HANG_SECONDS)
    assert len(home.transactions("publish")) == 1
    anchored_once(home, 5)


def test_the_chain_lost_its_newest_unfinal_block(home: Home) -> None:
    """One confirmation is wanted; the block with our head goes away before it has one: never called final."""
    home.issued(5)
    shallow, city = [0], home.city
    chain = EvmChain(city.rpc, city.deployment, final=lambda newest: newest - shallow[0], gas_price=0)
    chain.confirm()
    undo = city.rpc.call("evm_snapshot")
    shallow[0] = 1_000_000
    one = Publisher(city.database, chain, city.transactor(PUBLISHER))
    one._transactor._wire = chain
    one.step()
    (sent,) = home.transactions("publish")
    until(lambda: chain.receipt(sent.hash) is not None)
    one.step()
    assert home.transactions("publish")[0].state == outbox.SIGNED and not home.ask("SELECT * FROM anchor")
    assert city.rpc.call("evm_revert", undo) is True
    assert chain.receipt(sent.hash) is None
    shallow[0] = 0
    one.catch_up(HANG_SECONDS)
    assert [each.hash for each in home.transactions("publish")] == [sent.hash]
    (head,) = chain.heads([city.log.id])
    assert head is not None and home.ask("SELECT size, block FROM anchor") == [(5, head.block)]


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_publishing_transaction_reverts_however_soon_it_follows(home: Home) -> None:
    """A head proven right after the one before it must reserve the gas of being accepted, not of TOO_SOON."""
    for start in range(1, 6):
        home.issued(1, start=start)
        home.publish()
    states = [each.state for each in home.transactions("publish")]
    anchored_once(home, 5)
    assert states == [outbox.FINAL] * 5


# ------------------------------------------------------------------- two at once


def test_two_publishers_at_once(home: Home) -> None:
    """A service and a command, say: whoever comes second finds the work taken, and both come to an end."""
    home.issued(5)
    home.change(home.certificates()[0].identifier, Change.SUSPEND)
    cities = [City(home.folder) for _ in range(2)]
    problems: list[BaseException] = []
    start = threading.Barrier(len(cities))

    def catch_up(city: City) -> None:
        mine = publisher(city)
        try:
            for round_no in range(2):
                start.wait(HANG_SECONDS)
                mine.catch_up(HANG_SECONDS)
                start.wait(HANG_SECONDS)
                if city is cities[0]:
                    home.issued(2, start=10 + 2 * round_no)
        except BaseException as error:
            problems.append(error)
            start.abort()

    threads = [threading.Thread(target=catch_up, args=(city,)) for city in cities]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * HANG_SECONDS)
    for city in cities:
        city.close()
    assert not problems
    home.publish()
    nonces = [each.nonce for label in ("publish", "status") for each in home.transactions(label)]
    assert sorted(nonces) == list(range(len(nonces)))
    assert home.contiguous() == 10 and not home.wrong()
    assert {state for _, state in home.outbox()} == {outbox.DONE}


def test_a_publisher_that_planned_before_another_one_sent(home: Home) -> None:
    home.issued(5)
    slow, fast = publisher(home.city), publisher(home.city)
    plans = slow._plans()
    fast.catch_up(HANG_SECONDS)
    slow_step(slow, plans)
    slow.catch_up(HANG_SECONDS)
    assert len(home.transactions("publish")) == 1
    anchored_once(home, 5)


def slow_step(slow: Publisher, plans: Any) -> None:
    """What `step` does after planning; the conflict is one that `step` itself swallows."""
    with pytest.raises(StoreConflict) as lost:
        slow._send(plans)
    assert lost.value.code in {"OUTBOX_TAKEN", "STORE_CONFLICT"}


# ------------------------------------------------------------- memory that is lost


def test_an_outbox_emptied_while_the_chain_has_the_head(home: Home) -> None:
    """The head is there already: its anchor is kept from what the chain says, and nothing is sent twice."""
    home.issued(5)
    home.publish()
    before = home.ask("SELECT * FROM anchor")
    for table in ("outbox", "anchor", "chain_transaction WHERE label = 'publish'"):
        home.edit(f"DELETE FROM {table}")
    with home.city.database.writing() as connection:
        outbox.put_head(connection, home.city.log.id)
    home.reopen()
    publisher(home.city).catch_up(HANG_SECONDS)
    assert home.ask("SELECT * FROM anchor") == before and not home.transactions("publish")
    anchored_once(home, 5)


def test_an_outbox_emptied_after_several_heads(home: Home) -> None:
    """The anchors of older leaves are on the chain too: without them an old certificate can prove nothing."""
    (old,) = home.issued(1)
    home.publish()
    home.issued(1, start=2)
    home.publish()
    assert home.verify(old.identifier).verdict.result is Result.VALID
    for table in ("outbox", "anchor"):
        home.edit(f"DELETE FROM {table}")
    with home.city.database.writing() as connection:
        outbox.put_head(connection, home.city.log.id)
    home.publish()
    assert home.verify(old.identifier).verdict.result is Result.VALID


# --------------------------------------------------------------------- statuses


def test_a_status_that_the_chain_refuses_is_told(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Another of the city's accounts was faster: the certificate is closed on chain, and ours cannot be recorded."""
    (one,) = home.issued(1)
    home.publish()
    home.change(one.identifier, Change.SUSPEND)
    cancel_on_chain(home, one.digest)
    home.publish()
    assert home.outbox()["status", "refused"] == 1
    home.city.close()
    assert main(["anchor", "status", "--home", str(home.folder), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {"kind": "status", "state": "refused", "items": 1} in shown["outbox"]
    assert main(["anchor", "status", "--home", str(home.folder), "--lang", "en"]) == 0
    assert "refused" in capsys.readouterr().out


def cancel_on_chain(home: Home, digest: bytes) -> None:
    """The same account, from another machine: the transaction is not in this outbox."""
    city = home.city
    call = city.chain.set_status([StatusChange(MARKET, digest, Status.CANCELLED, Reason.CANCELLED, 0)])
    (signed,) = city.transactor(PUBLISHER).sign([call])
    city.chain.send(signed.raw)
    until(lambda: city.chain.receipt(signed.hash) is not None)


def test_one_refused_status_does_not_mark_its_neighbours(home: Home) -> None:
    """Two certificates in one transaction; and two changes of one certificate, of which the first took."""
    first, second = home.issued(2)
    home.publish()
    home.change(first.identifier, Change.SUSPEND)
    home.change(second.identifier, Change.SUSPEND)
    cancel_on_chain(home, second.digest)
    home.publish()
    assert home.outbox()["status", "refused"] == 1 and home.outbox()["status", "done"] == 1
    verdicts = [home.verify(each.identifier).verdict.findings[7].reason for each in (first, second)]
    assert verdicts == ["STATUS_SUSPENDED", "STATUS_CANCELLED"]


def test_a_change_that_the_contract_would_refuse_is_refused_before_it_is_recorded(home: Home) -> None:
    """Only 撤销 reaches back. Recorded here and refused there, the certificate could never be revoked any more."""
    (one,) = home.issued(1)
    home.publish()
    yesterday = int(datetime.now(UTC).timestamp()) - 86_400
    with pytest.raises(LifecycleError):
        home.change(one.identifier, Change.REVOKE, Reason.PENALTY, effective_from=yesterday)
    home.change(one.identifier, Change.REVOKE, Reason.ANNULLED, effective_from=yesterday)
    home.publish()
    assert home.verify(one.identifier).verdict.findings[7].reason == "STATUS_REVOKED"


def test_many_statuses_in_their_order(home: Home) -> None:
    certificates = home.issued(3)
    for each in certificates:
        home.change(each.identifier, Change.SUSPEND)
        home.change(each.identifier, Change.REINSTATE)
        home.change(each.identifier, Change.REVOKE)
    home.publish()
    assert len(home.transactions("status")) == 1 and home.outbox()["status", "done"] == 9
    for each in certificates:
        verified = home.verify(each.identifier, online=True)
        assert verified.verdict.findings[7].reason == "STATUS_REVOKED"


# -------------------------------------------------------------- another, or a liar


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
        yield encode(home.city.bundler.bundle(one.identifier)), trust_of(home.city, days=1)


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


# ---------------------------------------------------------------------- older copies


def test_appending_is_refused_once_the_database_was_restored_from_an_older_copy(home: Home) -> None:
    home.issued(2)
    home.publish()
    copy = kept_copy(home)
    home.issued(2, start=3)
    home.publish()
    restored(home, copy)
    with pytest.raises(AppendRefused) as refused:
        home.issue(licences(home.folder / "more.csv", 1, start=20))
    assert refused.value.code == "DATABASE_BEHIND_GUARD"
    assert refused.value.params["size"] == "2" and refused.value.params["guard"] == "4"


@pytest.mark.parametrize(("again", "code"), [(1, "DATABASE_BEHIND_CHAIN"), (2, "LOG_DIVERGED"), (5, "LOG_DIVERGED")])
def test_publishing_is_refused_when_the_guard_is_gone_too(home: Home, again: int, code: str) -> None:
    home.issued(2)
    home.publish()
    copy = kept_copy(home)
    home.issued(2, start=3)
    home.publish()
    restored(home, copy)
    (home.folder / "guard.sqlite").unlink()
    home.issued(again, start=20)
    with pytest.raises(AppendRefused) as refused:
        home.publish()
    assert refused.value.code == code
    assert len(home.transactions("publish")) == 1
    assert "heads" in [line.check for line in home.wrong()]
    (head,) = home.city.chain.heads([home.city.log.id])
    assert head is not None and head.size == 4


def kept_copy(home: Home) -> Path:
    home.city.close()
    copy = home.folder.parent / "backup.sqlite"
    shutil.copy(home.folder / "ledger.sqlite", copy)
    home.reopen()
    return copy


def restored(home: Home, copy: Path) -> None:
    home.city.close()
    for beside in home.folder.glob("ledger.sqlite-*"):
        beside.unlink()
    shutil.copy(copy, home.folder / "ledger.sqlite")
    home.reopen()


def test_a_restored_database_that_lost_nothing_goes_on(home: Home) -> None:
    """The copy was made after the last append and before it was anchored: guard and chain agree with it."""
    home.issued(3)
    copy = kept_copy(home)
    home.publish()
    restored(home, copy)
    home.publish()
    anchored_once(home, 3)
    home.issued(2, start=4)
    home.publish()
    anchored_once(home, 5)


def test_two_copies_of_a_city_cannot_both_publish(home: Home, tmp_path: Path) -> None:
    """Split brain: a second machine started from the same backup. The chain keeps the first history it saw."""
    home.issued(2)
    twin_folder = Path(shutil.copytree(home.folder, tmp_path / "twin", ignore=shutil.ignore_patterns("chain")))
    (twin_folder / "chain").symlink_to(home.folder / "chain")
    home.issued(2, start=3)
    home.publish()
    with City(twin_folder) as twin:
        from homes import LICENCE, WORDS

        from api.issue import issue_file

        path = licences(twin_folder / "rows.csv", 3, start=10)
        issue_file(twin, path, type_id=LICENCE, agency=MARKET, words=WORDS, progress=lambda *_: None)
        with pytest.raises(AppendRefused) as refused:
            publisher(twin).step()
    assert refused.value.code == "LOG_DIVERGED"
    anchored_once(home, 4)
