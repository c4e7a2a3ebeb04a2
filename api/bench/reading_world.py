"""A provider of the product's own parts, in a database of its own: rules, one agreement, a recorder. No chain."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path

import audit.store.tables
from audit import authorization
from audit.access import Access
from audit.authorization import Authorization
from audit.binding import AgencyKey, bind
from audit.deciding import Asked, Decider
from audit.granting import Granting
from audit.keyring import Keyring
from audit.lists import Lists, Share
from audit.matter import Matter, Matters
from audit.purpose import Purpose
from audit.recording import RecordedDecision, Recorder, record_all
from audit.request import Request, Rules
from audit.resource import Item, Resource, ResourceCatalogue, Sharing
from audit.store import rights
from audit.subject import Holder
from audit.terms import DAY, Grantor, Kind, Scope, Witness
from ledger.keys.day_keys import DayKeys
from ledger.keys.p256 import P256Signer, generate_secret
from ledger.keys.wrapping import WrappingKey
from ledger.logid import ACCESS, AUTHORIZATION
from ledger.sequencer import Decided, Sequencer, Turn
from ledger.store import schema
from ledger.store.database import Database
from ledger.store.guard import Guard
from ledger.types import LogName

PROVIDER, ASKER = "11330100XXXX33013C", "11320100XXXX32010P"
RESOURCE, FIELDS = "11100000MB0143028R001", ("business_scope", "enterprise_name")
MATTER = "11320100XXXX32010P3000131901000"
OPERATOR, CONSORTIUM = "op-9f2c41d07a", bytes(32)
ITEM = sha256(b"a certificate").digest()
PERSONS = 1000
BULK = 500
PURPOSE = Purpose("系统", "核验", "办理", "内资公司分公司设立登记", MATTER, None, ASKER, OPERATOR)


class World:
    """Safe to use from many threads."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder / 'readings.sqlite'}")
        schema.metadata.create_all(self.database.engine)
        audit.store.tables.metadata.create_all(self.database.engine)
        self.city_key = WrappingKey(os.urandom(32))
        self.day_keys = DayKeys(self.city_key)
        self.keyring = Keyring(self.day_keys, os.urandom(32), os.urandom(32))
        guard = Guard(folder / "readings-guard.sqlite")
        self._sequencer = Sequencer(self.database, guard, self.city_key, lambda: datetime.now(UTC), self.day_keys)
        self.log = LogName(1, ACCESS)
        self._recorder = Recorder(self._sequencer, self.log, self.keyring, 1)
        self._numbers = count()
        self._agreement = self._agreed()
        self._decider = Decider(_rules(), self.keyring, lambda *_: ITEM)

    def read(self) -> RecordedDecision:
        """One request, decided and recorded; durable."""
        number = next(self._numbers)
        asked = Asked(_request(number), self._agreement, 2, ITEM, "8NRDLnhZErc_MzTbAf3jFQ8nCjnET8nw4p4JK_6hE4k")
        recorded = self._recorder.decide(asked, self._decider, PROVIDER)
        assert recorded.decision.allowed  # noqa: S101  # a refusal would measure something else
        return recorded

    def fill(self, records: int) -> None:
        """As many records as one act may hold at a time, of many persons in turn."""
        template = self.read().access
        for first in range(0, records, BULK):
            self._sequencer.append(self.log, _Fill(self.keyring, template, first))

    def ref(self, person: int) -> bytes:
        """The city's reference of a person of `fill`."""
        return self.keyring.ref(_holder(person))

    def _agreed(self) -> bytes:
        signer, now = P256Signer(generate_secret()), int(time.time())
        made = Authorization(
            consortium=CONSORTIUM,
            nonce=os.urandom(16),
            kind=Kind.AGREEMENT,
            grantor=Grantor(agency=PROVIDER),
            grantee=ASKER,
            providers=(1,),
            subject=None,
            scopes=(Scope(RESOURCE, FIELDS),),
            purpose=PURPOSE,
            not_before=now - DAY,
            not_after=now + DAY,
            max_uses=10**9,
            daily_limit=10**9,
            review_by=None,
            method=None,
            witness=Witness(PROVIDER, ("op-0123456789",), None),
            basis="责任清单",
        )
        text = authorization.sign(made, signer)
        key = AgencyKey(signer.x, signer.y, PROVIDER)
        bound = bind(authorization.parse(text), key, consortium=CONSORTIUM, provider=1)
        granting = Granting(self._sequencer, LogName(1, AUTHORIZATION), self.keyring, PROVIDER)
        with self.database.writing() as connection:
            rights.put_view(connection, {}, block=0, read_at=now)
        return granting.grant(bound, text, ()).value


class _Fill:
    """An act of many records."""

    def __init__(self, keyring: Keyring, template: Access, first: int) -> None:
        self._keys = keyring
        self._template = template
        self._first = first

    def decide(self, turn: Turn) -> Decided[None]:
        made = [self._record(number) for number in range(self._first, self._first + BULK)]
        return Decided(record_all(turn, [(access, PROVIDER) for access in made], self._keys), None)

    def _record(self, number: int) -> Access:
        ref = self._keys.ref(_holder(number % PERSONS)).hex()
        return replace(self._template, request=sha256(b"bulk %d" % number).digest(), subject_ref=ref)


def _request(number: int) -> Request:
    purpose = replace(PURPOSE, business_code=f"32010020261124{number:06d}")
    id, who = sha256(b"request %d" % number).digest(), _holder(number % PERSONS)
    return Request(id, ASKER, OPERATOR, 1, who, RESOURCE, FIELDS, purpose)


def _holder(number: int) -> Holder:
    return Holder("099", f"DEMO{number:08d}")


def _rules() -> Rules:
    items = tuple(Item(name, name) for name in FIELDS)
    how = (Sharing.CONDITIONAL, "协议", "接口", False, "实时")
    resource = Resource(RESOURCE, "营业执照", PROVIDER, "演示", "", "", *how, items, frozenset())
    matter = Matter(MATTER, PURPOSE.matter_name, {RESOURCE: frozenset(FIELDS)}, frozenset({ASKER}), {})
    share = Share(PROVIDER, RESOURCE, ASKER, frozenset(FIELDS), frozenset({MATTER}), 10**9)
    return Rules(ResourceCatalogue((resource,)), Matters((matter,)), Lists((), (share,)))
