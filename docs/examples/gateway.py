"""A gateway before an exchange that stays as it is: it releases only against a permit, and reports what it releases.

The exchange knows nothing of permits; nobody reaches it but this gateway. `decide` and `close` ask the city
(`certledger permit decide`, `certledger permit close`); `key` is the city's, as `certledger permit key` prints it.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from time import time

from audit import permit
from audit.asking import parse


@dataclass(frozen=True, slots=True)
class Gateway:
    exchange: str
    decide: Callable[[str], tuple[str, str | None]]
    """Signed request → (code of the decision, permit or None)."""
    close: Callable[[str, str], None]
    """(permit, SHA-256 of the answer in hexadecimal): durable on return."""
    key: tuple[bytes, bytes]
    consortium: bytes

    def release(self, request: str) -> tuple[int, bytes]:
        code, permitted = self.decide(request)
        if permitted is None:
            return 403, json.dumps({"code": code}).encode()
        asked = parse(request)
        given = permit.verify(permitted, x=self.key[0], y=self.key[1], consortium=self.consortium)
        wanted = {"grantee": asked.asking.agency, "resource": asked.asking.resource, "fields": asked.asking.fields}
        permit.check(given, request=asked.id, now=int(time()), **wanted)
        address = f"{self.exchange}/{given.resource}/{asked.asking.purpose.business_code}"
        with urllib.request.urlopen(address) as entry:  # noqa: S310  # the exchange is ours, its address a setting
            held = json.load(entry)
        answer = json.dumps({name: held[name] for name in given.fields}, ensure_ascii=False, sort_keys=True).encode()
        self.close(permitted, sha256(answer).hexdigest())
        return 200, answer  # only what was reported leaves


def handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, answer = gateway.release(self.rfile.read(int(self.headers["content-length"])).decode())
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

    return Handler
