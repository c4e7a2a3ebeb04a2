"""External enforcement by the commands: the gateway of docs/examples before a double of an existing exchange, which
speaks real HTTP and knows nothing of us; a request of another city; a permit, its report, and one nobody reports."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from command_line import ROOT
from evidence import Shown
from reading_cities import GRANTED, Reading, founded

from api.wiring import CITY_KEY, City
from audit import permit
from audit.access import Recorded
from audit.decision import DecisionCode
from audit.finding import FindingCode
from audit.reading import Records, city_keys
from ledger.jws import unb64url
from ledger.logid import ACCESS
from ledger.store import logs

ENTRY = {"enterprise_name": "西溪博远（演示）", "business_scope": "文化传媒", "registered_capital": "1000000"}


class Exchange(BaseHTTPRequestHandler):
    """An exchange platform as it exists: answers every entry whole, to whoever reaches it."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(ENTRY).encode())

    def log_message(self, *_: object) -> None:
        pass


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


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    with founded(tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.fixture
def gateway(cities: Reading, tmp_path: Path) -> Iterator[str]:
    """Its address; decisions and reports go through the command."""
    spec = importlib.util.spec_from_file_location("gateway_example", ROOT / "docs" / "examples" / "gateway.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    Exchange.asked.clear()
    key = cities.provider.run("permit", "key", "--json").json
    with serving(Exchange) as exchange:
        made = module.Gateway(
            exchange,
            decider(cities, tmp_path),
            lambda text, digest: report(cities, tmp_path, text, digest),
            (unb64url(key["x"]), unb64url(key["y"])),
            bytes.fromhex(key["consortium"]),
        )
        handler = module.handler(made)
        handler.log_message = lambda *_: None
        with serving(handler) as url:
            yield url


def decider(cities: Reading, folder: Path) -> Callable[[str], tuple[str, str | None]]:
    def decide(text: str) -> tuple[str, str | None]:
        request, out = folder / "request.txt", folder / "permit.txt"
        request.write_text(text)
        ran = cities.provider.run("permit", "decide", request, "--out", out, "--json", expect=None)
        return ran.json["code"], out.read_text() if ran.code == 0 else None

    return decide


def report(cities: Reading, folder: Path, text: str, digest: str) -> None:
    (folder / "report.txt").write_text(text)
    cities.provider.run("permit", "close", folder / "report.txt", "--response", digest)


def post(url: str, request: Path) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, request.read_bytes()), timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def records(cities: Reading) -> list[Recorded]:
    with City(cities.provider.path) as city, city.database.reading() as connection:
        row = logs.find(connection, city.log_of(ACCESS).id)
        keys = city_keys(connection, city.keystore.wrapper(CITY_KEY), city.day_keys)
        return list(Records(connection, row, keys).every()) if row else []


def test_nothing_passes_the_gateway_without_a_permit(cities: Reading, gateway: str, shown: Shown) -> None:
    id, consent = cities.authorize("gateway")
    status, answer = post(gateway, cities.ask("good", consent))
    assert (status, answer) == (200, {name: ENTRY[name] for name in GRANTED})
    refused = post(gateway, cities.ask("over", consent, (*GRANTED, "registered_capital")))
    assert refused == (403, {"code": "FIELD_NOT_NEEDED"}) and len(Exchange.asked) == 1
    cities.provider.run("authorize", "revoke", id, "--by", "subject")
    revoked = post(gateway, cities.ask("revoked", consent))
    assert revoked == (403, {"code": "REVOKED"}) and len(Exchange.asked) == 1
    codes = [each.access.code for each in records(cities)]
    assert codes == [DecisionCode.ALLOW, None, DecisionCode.FIELD_NOT_NEEDED, DecisionCode.REVOKED]
    assert [each.access.step.name for each in records(cities)] == ["DECIDED", "CLOSED", "DECIDED", "DECIDED"]
    text = json.dumps(answer, ensure_ascii=False, sort_keys=True).encode()
    assert records(cities)[1].access.response == sha256(text).digest()
    shown("a gateway before an existing exchange", "1 released against a permit and reported, 2 refused and recorded")


def test_a_permit_that_nobody_closes_is_found(cities: Reading, tmp_path: Path, shown: Shown) -> None:
    _, consent = cities.authorize("unclosed", number=1)
    request = cities.ask("unclosed", consent, number=1)
    code, given = decider(cities, tmp_path)(request.read_text())
    assert code == "ALLOW" and given is not None
    found = records(cities)
    over = found[-1].at + permit.LONGEST + permit.REPORT_WITHIN + 1
    assert [each.code for each in permit.unclosed(found, over)] == [FindingCode.PERMIT_UNCLOSED]
    assert cities.provider.run("permit", "close", tmp_path / "permit.txt", "--json").json == {"new": True}
    assert cities.provider.run("permit", "close", tmp_path / "permit.txt", "--json").json == {"new": False}
    refused = cities.provider.run("permit", "close", tmp_path / "permit.txt", "--response", "00" * 32, expect=1)
    assert "PERMIT_CLOSED" in refused.said
    assert permit.unclosed(records(cities), over) == ()
    shown("a permit that is never closed", "PERMIT_UNCLOSED, gone when it is reported; another digest refused")
