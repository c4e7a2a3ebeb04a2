"""Authorizations and accesses of fictitious persons, recorded in bulk through the city's own sequencer."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import case as case_of
from sqlalchemy import update
from stdnum.iso7064 import mod_11_2

from api import correcting, rulebook
from api.wiring import INDEX_KEY, SUBJECT_KEY, City
from audit import authorization as authorizations
from audit import mandate as mandates
from audit.access import Access, AccessStep
from audit.authorization import Authorization
from audit.binding import Bound, BoundMandate
from audit.correcting import Settled
from audit.deciding import china_day
from audit.decision import DecisionCode, StatusBlock
from audit.granting import Granting
from audit.keyring import Keyring
from audit.mandate import Mandate, Relation
from audit.own import Ground
from audit.purpose import Purpose
from audit.recording import record_all
from audit.store import tables
from audit.subject import Holder, Opening
from audit.terms import DAY, Grantor, Kind, Method, Scope, Witness
from ledger.keys.p256 import P256Signer
from ledger.logid import ACCESS, AUTHORIZATION
from ledger.sequencer import Decided, Turn
from ledger.statement import seconds
from ledger.status import Status
from ledger.store.database import Connection
from ledger.types import LogName

ASKER = "11320100XXXX32010P"
STEWARD = "11330100XXXX33013C"
MATTER = "11320100XXXX32010P3000131901000"
RESOURCE = "11100000MB0143028R001"
FIELDS = ("business_scope", "enterprise_name")
POLICY = sha256(b"policy").digest()
IN_ONE_ACT = 1000


def person(number: int) -> Holder:
    """With a number whose last digit is right, as the commands ask for."""
    first = f"330106{1980 + number // 1000}0615{number % 1000:03d}"
    return Holder("111", first + mod_11_2.calc_check_digit(first))


def keyring(city: City) -> Keyring:
    return Keyring(city.day_keys, city.keystore.mac_key(SUBJECT_KEY), city.keystore.mac_key(INDEX_KEY))


def purpose(number: int) -> Purpose:
    return Purpose(
        system="政务服务平台（演示）",
        cause="核验营业执照",
        category="办理",
        matter_name="内资公司分公司设立登记",
        matter_code=MATTER,
        business_code=case(number),
        org=ASKER,
        operator=operator(number),
    )


def case(number: int) -> str:
    return f"3201002026{number:08d}"


def operator(number: int) -> str:
    return f"op-clerk-{number % 50:04d}"


USE_CAUSE = purpose(0).use_cause


def grant(city: City, number: int) -> bytes:
    """A consent, witnessed by two operators of the agency; its id."""
    now = int(city.clock().timestamp())
    opening = Opening(sha256(b"salt %d" % number).digest(), person(number))
    made = Authorization(
        consortium=city.deployment.consortium,
        nonce=os.urandom(16),
        kind=Kind.WITNESSED_CONSENT,
        grantor=Grantor(opening.digest, None, None),
        grantee=ASKER,
        providers=(city.settings.city,),
        subject=opening.digest,
        scopes=(Scope(RESOURCE, FIELDS, None),),
        purpose=purpose(number),
        not_before=now - DAY,
        not_after=now + 30 * DAY,
        max_uses=1000,
        daily_limit=None,
        review_by=None,
        method=Method.CLERK_WITNESS,
        witness=Witness(STEWARD, ("op-witness-1", "op-witness-2"), sha256(b"form").digest()),
        basis="本人同意",
    )
    signed = authorizations.sign(made, P256Signer(sha256(b"witness").digest()))
    bound = Bound(authorizations.parse(signed).id, made, person(number), None)
    return granting(city).grant(bound, signed, (opening,)).value


def mandate(city: City, number: int) -> bytes:
    """One person acts for another, by his own key; its id."""
    now = int(city.clock().timestamp())
    principal = Opening(sha256(b"principal %d" % number).digest(), person(number))
    agent = Opening(sha256(b"agent %d" % number).digest(), person(number + 5000))
    made = Mandate(
        consortium=city.deployment.consortium,
        nonce=os.urandom(16),
        relation=Relation.HELPER,
        principal=principal.digest,
        agent=agent.digest,
        matters=(MATTER,),
        not_before=now - DAY,
        not_after=now + 30 * DAY,
        method=Method.HOLDER_KEY,
        witness=None,
        basis="委托书",
    )
    signed = mandates.sign(made, P256Signer(sha256(b"person").digest()))
    bound = BoundMandate(mandates.parse(signed).id, made, principal.holder, agent.holder)
    return granting(city).mandate(bound, signed, (principal, agent)).value


def holder_key(city: City, number: int) -> str:
    """A person's key, identified at a counter; its thumbprint."""
    key = P256Signer(sha256(b"key of person %d" % number).digest())
    later = int(city.clock().timestamp()) + 30 * DAY
    recorded = granting(city).holder_key(
        key.x, key.y, person(number), Method.CLERK_WITNESS, evidence=None, not_after=later
    )
    return recorded.value


def corrections(city: City, number: int) -> None:
    """The automatic rules adopted, and corrections of its first item; every second one settled."""
    catalogue = rulebook.current(city).catalogue
    resource = catalogue[next(iter(catalogue))]
    for each in range(number):
        opened = correcting.start(city, resource.code, resource.items[0].field, agency=STEWARD, report=None)
        if each % 2:
            correcting.settle(city, opened.id, Settled.CONFIRMED, agency=STEWARD, report=None)


def granting(city: City) -> Granting:
    return Granting(city.sequencer, LogName(city.settings.city, AUTHORIZATION), keyring(city), STEWARD)


def allowed(city: City, number: int, authorization: bytes, keys: Keyring) -> Access:
    """What was decided about reading `number`."""
    return Access(
        step=AccessStep.DECIDED,
        request=sha256(b"request %d" % number).digest(),
        asker=ASKER,
        asker_city=2,
        provider=city.settings.city,
        resource=RESOURCE,
        fields=FIELDS,
        ground=Ground.AUTHORIZATION,
        matter=MATTER,
        authorization=authorization,
        mandate=None,
        code=DecisionCode.ALLOW,
        policy=POLICY,
        status=StatusBlock(Status.ACTIVE, Status.ACTIVE, int(city.clock().timestamp())),
        signature=sha256(b"signature %d" % number).digest(),
        kid="8NRDLnhZErc_MzTbAf3jFQ8nCjnET8nw4p4JK_6hE4k",
        permit=None,
        operator=operator(number),
        subject_ref=keys.ref(person(number % 1000)).hex(),
        item=sha256(b"item %d" % (number % 1000)).digest(),
        case=case(number),
        purpose=USE_CAUSE,
        response=sha256(b"response %d" % number).digest(),
    )


@dataclass(frozen=True, slots=True)
class _Readings:
    """Many readings as one act, counted as the real decisions would have counted them, one by one."""

    records: Sequence[Access]
    keys: Keyring

    def decide(self, turn: Turn) -> Decided[None]:
        today = china_day(seconds(turn.at))
        for id, number in Counter(record.authorization for record in self.records).items():
            _count(turn.connection, id, number, today)
        return Decided(record_all(turn, [(record, STEWARD) for record in self.records], self.keys), None)


def _count(connection: Connection, id: bytes | None, number: int, today: int) -> None:
    used = tables.authorization.c
    on_the_day = case_of((used.day == today, used.uses_today), else_=0) + number
    counted = {"uses": used.uses + number, "day": today, "uses_today": on_the_day}
    connection.execute(update(tables.authorization).where(used.id == id).values(**counted))


def read(city: City, authorizations_: Sequence[bytes], number: int, *, start: int = 0) -> None:
    """So many allowed readings, by turns under each authorization."""
    keys, log = keyring(city), LogName(city.settings.city, ACCESS)
    for records in _acts(city, authorizations_, range(start, start + number), keys):
        city.sequencer.append(log, _Readings(records, keys))


def _acts(city: City, ids: Sequence[bytes], numbers: range, keys: Keyring) -> Iterator[list[Access]]:
    for first in range(numbers.start, numbers.stop, IN_ONE_ACT):
        part = range(first, min(first + IN_ONE_ACT, numbers.stop))
        yield [allowed(city, number, ids[number % len(ids)], keys) for number in part]
