"""One city's database in a folder: authorizations recorded by the real sequencer, requests decided under its lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from audit_world import (
    AGENT,
    CONSENT,
    HERE,
    MANDATE,
    NOW,
    PERSON,
    PERSON_KEY,
    PROVIDER,
    REQUEST,
    RULES,
    THERE,
    bound,
    bound_mandate,
    by_agent,
    key,
    opening,
)
from ledger_acts import KEY, Place
from sqlalchemy import func, select

from audit import authorization as authorizations
from audit import mandate as mandates
from audit.authorization import Authorization
from audit.binding import Bound
from audit.deciding import Asked, Decider
from audit.decision import DecisionCode
from audit.granting import Granting
from audit.keyring import Keyring
from audit.mandate import Mandate
from audit.recording import RecordedDecision, Recorder
from audit.request import Request
from audit.store import rights, tables
from audit.store.rights import AuthorizationRow
from ledger.keys.day_keys import DayKeys
from ledger.keys.p256 import P256Signer
from ledger.logid import ACCESS, AUTHORIZATION
from ledger.store import schema
from ledger.store.database import Connection
from ledger.types import LogName

ACCESSES, AUTHORIZATIONS = LogName(HERE, ACCESS), LogName(HERE, AUTHORIZATION)
ITEM = sha256(b"licence").digest()


class RecordedCity:
    def __init__(self, folder: Path) -> None:
        self.place = Place(folder)
        self.place.clock.now = datetime.fromtimestamp(NOW, UTC)
        with self.place.database.writing() as connection:
            tables.metadata.create_all(connection)
        self.keyring = Keyring(DayKeys(KEY), sha256(b"subjects").digest(), sha256(b"index").digest())
        self.granting = Granting(self.place.sequencer, AUTHORIZATIONS, self.keyring, PROVIDER)
        self.recorder = Recorder(self.place.sequencer, ACCESSES, self.keyring, HERE)
        self.read_chain()

    def read_chain(self) -> None:
        """The statuses were read from the chain just now; nothing was revoked there."""
        with self.place.database.writing() as connection:
            rights.put_view(connection, {}, block=1, read_at=int(self.place.clock.now.timestamp()))

    def wait(self, seconds: float) -> None:
        self.place.clock.now += timedelta(seconds=seconds)
        self.read_chain()

    def grant(self, authorization: Authorization = CONSENT, found: Bound | None = None) -> bytes:
        """By the person himself, or by his agent; its id."""
        signer = PERSON_KEY if found is None else key("agent")
        signed = authorizations.sign(authorization, signer)
        persons = (opening(PERSON),) if found is None else (opening(PERSON), opening(AGENT))
        return self.granting.grant(found or bound(authorization), signed, persons).value

    def mandate(self, made: Mandate = MANDATE, signer: P256Signer = PERSON_KEY) -> bytes:
        signed = mandates.sign(made, signer)
        return self.granting.mandate(bound_mandate(made), signed, (opening(PERSON), opening(AGENT))).value

    def grant_by_agent(self) -> tuple[bytes, bytes]:
        """(authorization, the mandate it needs)."""
        named, id = bound_mandate(), self.mandate()
        authorization = by_agent(named)
        return self.grant(authorization, bound(authorization, named)), id

    def ask(
        self, id: bytes | None, name: str = "request", decider: Decider | None = None, **changes: Any
    ) -> RecordedDecision:
        """Decide a request, each under its own name."""
        request: Request = replace(REQUEST, id=sha256(name.encode()).digest(), **changes)
        asked = Asked(request, id, THERE, sha256(b"signature").digest(), key("http").kid)
        return self.recorder.decide(asked, decider or self.decider(), PROVIDER)

    def codes(self, id: bytes | None, names: Sequence[str]) -> list[DecisionCode]:
        return [self.ask(id, name).decision.code for name in names]

    def decider(self) -> Decider:
        """A new one, that has opened nothing yet."""
        return Decider(RULES, self.keyring, held)

    def row(self, id: bytes) -> AuthorizationRow:
        with self.place.database.reading() as connection:
            found = rights.find(connection, id)
        assert found is not None
        return found

    def counts(self) -> dict[str, int]:
        """Rows of every table that an act writes, and entries of both logs."""
        every = [*tables.metadata.sorted_tables, schema.outbox, schema.entry, schema.day_key]
        with self.place.database.reading() as connection:
            return {t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in every}


def held(connection: Connection, ref: bytes, resource: str, item: bytes | None) -> bytes | None:
    return ITEM
