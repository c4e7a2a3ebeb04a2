"""The same city today: certificates issued by the real command, and the attacker's means around them."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from command_line import certledger, environment
from prepared_city import LICENCE, licences, write

from attacks.judged import Court
from attacks.past import MARKET, Story
from attacks.weakening import PRODUCT
from certs import sdjwt, store
from certs.certificate import issue_body
from ledger import jws, snapshot
from ledger.canonical import dumps
from ledger.keys.p256 import P256Signer
from ledger.logid import CERTIFICATE
from ledger.snapshot import Snapshot
from ledger.statement import Statement, timestamp

STRANGER = P256Signer(bytes(range(1, 33)))
"""A key that nobody listed."""


@dataclass
class Listener:
    """A real socket at which nobody is answered: it counts who comes, and hangs up."""

    server: socket.socket
    came: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.getsockname()[1]}"

    def listen(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.came += 1
            connection.close()


@contextmanager
def listening() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Listener(server)
        thread = Thread(target=listener.listen, daemon=True)
        thread.start()
        yield listener
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@dataclass
class Present:
    """Three licences of today in one head, the last revoked; and somebody who holds the agency's key."""

    story: Story
    court: Court
    folder: Path
    listener: Listener
    identifiers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """By the commands; the certificates name the listener as the place of their status lists."""
        rows = licences()
        file = write(self.folder / "today.csv", [rows[0], *rows[100:103]])
        env = environment(CERTLEDGER_STATUS_URI=f"{self.listener.url}/lists/")
        arguments = ("cert", "issue", file, "--agency", MARKET, "--type", LICENCE, "--home", self.home)
        certledger(*arguments, env=env)
        with self.story.past.city.database.reading() as connection:
            self.identifiers = [row.identifier for row in store.newest(connection, 3)]
        # A snapshot of the time before the revocation, and one of after it.
        self.genuine, self.neighbour, self.before = (self.export(each) for each in self.identifiers)
        PRODUCT.run("cert", "revoke", self.identifiers[2], "--agency", MARKET, "--home", self.home, expect=0)
        self.revoked = self.court.refreshed(self.before)

    @property
    def home(self) -> Path:
        return self.court.home

    def export(self, identifier: str) -> bytes:
        out = self.folder / "bundles"
        ran = PRODUCT.run("bundle", "export", identifier, "--out", out, "--home", self.home, "--json", expect=0)
        return Path(ran.json["bundles"][0]).read_bytes()

    @property
    def agency_key(self) -> P256Signer:
        return self.story.past.city.keystore.signer(f"cert/{MARKET}")

    def forged(self, **claims: str) -> str:
        """A certificate that the agency's key signed and nobody recorded: the genuine one with other claims."""
        shown = sdjwt.parse(json.loads(self.genuine)["presentation"])
        hidden = {d.name: d.value for d in shown.disclosures if d.name is not None}
        visible = {n: v for n, v in sdjwt.payload(shown).items() if n not in ("_sd", "_sd_alg")}
        hidden |= {name: value for name, value in claims.items() if name in hidden}
        visible |= {name: value for name, value in claims.items() if name in visible}
        salts = os.urandom(sdjwt.SALT_BYTES * len(hidden))
        return sdjwt.issue(visible, hidden, salts=salts, signer=self.agency_key)

    def statement(self, presentation: str, log: bytes) -> dict[str, Any]:
        """What the city would have recorded of this certificate, in that log, now."""
        shown = sdjwt.parse(presentation)
        payload = sdjwt.payload(shown)
        type_code = str(payload["vct"]).split(":")[3]
        identifier = str(payload["certificate_identifier"])
        body = issue_body(digest=shown.digest, identifier=identifier, type_code=type_code)
        at = timestamp(self.story.past.today)
        return dict(Statement(log, CERTIFICATE, "certificate/issue", at, MARKET, body).to_json())

    def snapshot_of(self, facts: dict[str, Any], signer: P256Signer, kid: str = "") -> dict[str, Any]:
        """These facts as a snapshot that `signer` signed, under the name `kid` if one is given."""
        payload = jws.b64url(dumps(facts))
        protected = jws.header(typ=snapshot.TYP, kid=kid or signer.kid)
        signature = jws.b64url(signer.sign(f"{protected}.{payload}".encode()))
        return dict(Snapshot(payload, ((protected, signature),)).to_json())
