"""External enforcement on a real city: no release without a permit, no permit without a record, none left unclosed
unseen. The gateway of docs/examples stands before a double of an existing exchange; both speak real HTTP."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import readings
from access_records import ASKER, FIELDS, STEWARD, person, purpose
from homes import Home

from api import auditing, holder, permits, rulebook
from api.wiring import CITY_KEY, City
from audit import asking, permit
from audit.access import AccessStep, Recorded
from audit.asking import Asking
from audit.deciding import Asked
from audit.errors import PermitError
from audit.finding import FindingCode
from audit.history import Outcome
from audit.permit import LONGEST, REPORT_WITHIN
from audit.reading import Records, city_keys
from ledger.errors import VerificationError
from ledger.keys.p256 import P256Signer
from ledger.logid import ACCESS
from ledger.store import logs

ROOT = Path(__file__).resolve().parents[2]
ASKING_KEY = P256Signer(sha256(b"asking agency").digest())
ENTRY = {"enterprise_name": "西溪博远", "business_scope": "文化传媒", "registered_capital": "100"}


def example() -> Any:
    spec = importlib.util.spec_from_file_location("gateway_example", ROOT / "docs" / "examples" / "gateway.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Exchange(BaseHTTPRequestHandler):
    """An exchange platform as it exists: answers every entry whole, and remembers that it was asked."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(ENTRY).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def city(home: Home) -> City:
    readings.prepare(home.city)
    return home.city


def request(city: City, authorization: bytes | None, fields: tuple[str, ...] = FIELDS) -> str:
    said = purpose(0)
    made = Asking(
        consortium=bytes.fromhex(city.settings.consortium),
        nonce=bytes(range(16)),
        at=int(city.clock().timestamp()),
        asker_city=2,
        agency=ASKER,
        operator=said.operator,
        provider=city.settings.city,
        resource=readings.RESOURCE,
        fields=fields,
        item=None,
        purpose=said,
        authorization=authorization,
        subject="e30.e30.e30.e30.e30",
    )
    return asking.sign(made, ASKING_KEY)


def verified(text: str) -> Asked:
    """As the city reads a request whose signature and person it has opened."""
    presented = asking.parse(text)
    made = presented.asking
    kid = presented.untrusted.kid
    return Asked(presented.request(person(0)), made.authorization, made.asker_city, presented.signature, kid)


def decide(city: City, text: str) -> tuple[str, str | None]:
    found = permits.decide(city, verified(text), rulebook.current(city), STEWARD)
    return found.recorded.decision.code.name, found.permit


def close(city: City, permitted: str, digest: str) -> None:
    permits.close(city, permitted, bytes.fromhex(digest), STEWARD)


def records(city: City) -> list[Recorded]:
    with city.database.reading() as connection:
        row = logs.find(connection, city.log_of(ACCESS).id)
        assert row is not None
        return list(
            Records(connection, row, city_keys(connection, city.keystore.wrapper(CITY_KEY), city.day_keys)).every()
        )


@contextmanager
def gateway(city: City) -> Iterator[str]:
    module = example()
    signer = city.keystore.signer("receipt")
    Exchange.asked.clear()
    with serving(Exchange) as exchange:
        made = module.Gateway(
            exchange,
            lambda text: decide(city, text),
            lambda permitted, digest: close(city, permitted, digest),
            (signer.x, signer.y),
            bytes.fromhex(city.settings.consortium),
        )
        handler = module.handler(made)
        handler.log_message = lambda *_: None
        with serving(handler) as url:
            yield url


def post(url: str, text: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, text.encode()), timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def test_the_gateway_releases_what_was_permitted_and_reports_it(city: City) -> None:
    authorization = readings.grant(city, 0)
    with gateway(city) as url:
        status, answer = post(url, request(city, authorization))
    assert (status, answer) == (200, {name: ENTRY[name] for name in FIELDS})
    decided, closed = records(city)
    assert [decided.access.step, closed.access.step] == [AccessStep.DECIDED, AccessStep.CLOSED]
    assert decided.access.permit == closed.access.permit is not None
    text = json.dumps(answer, ensure_ascii=False, sort_keys=True).encode()
    assert closed.access.response == sha256(text).digest()
    view = holder.look(city, person(0), STEWARD, lambda *_: None)
    assert [line.outcome for line in view.history.lines] == [Outcome.RELEASED, Outcome.RELEASED]


def test_what_is_refused_never_reaches_the_exchange_and_is_recorded(city: City) -> None:
    authorization = readings.grant(city, 0)
    with gateway(city) as url:
        too_much = post(url, request(city, authorization, (*FIELDS, "registered_capital")))
        without = post(url, request(city, None))
    assert [too_much, without] == [(403, {"code": "FIELD_NOT_NEEDED"}), (403, {"code": "NOT_AUTHORIZED"})]
    assert Exchange.asked == []
    assert [record.access.code.name for record in records(city) if record.access.code] == [
        "FIELD_NOT_NEEDED",
        "NOT_AUTHORIZED",
    ]


def test_a_repeated_request_gets_no_second_permit(city: City) -> None:
    text = request(city, readings.grant(city, 0))
    with gateway(city) as url:
        assert [post(url, text)[0], post(url, text)] == [200, (403, {"code": "REQUEST_REPEATED"})]
    assert len(Exchange.asked) == 1


def test_a_permit_nobody_closes_is_found(city: City) -> None:
    _, given = decide(city, request(city, readings.grant(city, 0)))
    assert given is not None
    (decided,) = records(city)
    over = decided.at + LONGEST + REPORT_WITHIN + 1
    assert [found.code for found in permit.unclosed(records(city), over)] == [FindingCode.PERMIT_UNCLOSED]
    assert permit.unclosed(records(city), over)[0].evidence[0].leaf == decided.leaf
    close(city, given, "00" * 32)
    assert permit.unclosed(records(city), over) == ()


def test_a_report_counts_once_and_another_digest_is_refused(city: City) -> None:
    _, given = decide(city, request(city, readings.grant(city, 0)))
    assert given is not None
    assert permits.close(city, given, bytes(32), STEWARD).value
    assert not permits.close(city, given, bytes(32), STEWARD).value
    with pytest.raises(PermitError) as refused:
        permits.close(city, given, b"\x01" * 32, STEWARD)
    assert refused.value.code == "PERMIT_CLOSED"
    assert len(records(city)) == 2
    assert list(auditing.differences(city, auditing.Looked(), stream=None, told=lambda *_: None)) == []


def test_a_permit_of_nobody_s_closes_nothing(city: City) -> None:
    _, given = decide(city, request(city, readings.grant(city, 0)))
    assert given is not None
    made = permit.verify(
        given, x=(own := city.keystore.signer("receipt")).x, y=own.y, consortium=bytes.fromhex(city.settings.consortium)
    )
    forged = permit.sign(made, ASKING_KEY)
    invented = permit.sign(permit.from_json(made.to_json() | {"request": "11" * 32}), own)
    for text, error in ((forged, PermitError), (invented, PermitError), (given[:-8] + "AAAAAAAA", VerificationError)):
        with pytest.raises(error):
            permits.close(city, text, None, STEWARD)
    assert len(records(city)) == 1
