"""One city asks another for somebody's fields: asked, decided, released, received. Each is recorded before it happens.

Requests and answers are signed texts; how they travel is no matter of this module.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from api import agency_keys, rulebook
from api.agency_keys import Use
from api.authorizing import holder_of, load, read_bytes
from api.wiring import ENC_KEY, RECEIPT_KEY, City
from audit import answer as answers
from audit import asking, authorization, drafting, purpose, status_view
from audit.access import Access
from audit.answer import Answer
from audit.asking import Asking, PresentedRequest
from audit.authorization import Presented
from audit.deciding import Asked, Decider
from audit.decision import DecisionCode, told
from audit.errors import RequestError
from audit.recording import Recorded, RecordedAccess
from audit.subject import Holder
from certs import sdjwt, store
from certs.crossregion.disclosure import disclose
from certs.crossregion.holding import held
from certs.holder import normalised_code
from ledger import accreditation as rules
from ledger import jwe, jws
from ledger.canonical import Json
from ledger.errors import ChainUnavailable
from ledger.facts import Question
from ledger.receipt import Receipt
from ledger.statement import parse_timestamp

ANCHOR_WITHIN = 3600
"""Seconds in which the record of a decision is promised to be on chain."""
_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, recorded as asked."""

    id: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What the provider decided, recorded; and its answer."""

    recorded: Recorded
    text: str


@dataclass(frozen=True, slots=True)
class Received:
    """What came back, recorded."""

    code: DecisionCode
    """As it was told."""
    fields: Mapping[str, Json]
    receipt: str


def cited(path: Path | None) -> Presented | None:
    """The authorization in a file. Raises `ApiError`, `VerificationError`, `AuditError`."""
    return authorization.parse(load(path).signed) if path else None


def read_text(path: Path) -> str:
    """A request or an answer from a file; what is not ASCII is refused by whoever reads it."""
    return read_bytes(path)[: answers.MAX_BYTES * 2 + 1].decode("ascii", "replace").strip()


# ------------------------------------------------------------------------------------------------ the asking city


def ask(city: City, description: Mapping[str, Any], cites: Presented | None) -> Sent:
    """Sign a request for an agency of this city and record that it asks. Raises `VerificationError`, `AuditError`,
    `ApiError`; nothing is recorded then. `description`: {provider, resource, fields, subject {type, code}, purpose}."""
    holder = holder_of(description.get("subject"))
    wanted = purpose.from_json(description.get("purpose"))
    provider = int(description.get("provider") or 0)
    enc = agency_keys.of_city(city, provider, rules.ENC)
    signer = agency_keys.signer(city, wanted.org, Use.HTTP)
    made = Asking(
        consortium=bytes.fromhex(city.settings.consortium),
        nonce=os.urandom(_NONCE_BYTES),
        at=int(city.clock().timestamp()),
        asker_city=city.settings.city,
        agency=wanted.org,
        operator=wanted.operator,
        provider=provider,
        resource=str(description.get("resource")),
        fields=tuple(sorted({str(name) for name in description.get("fields") or ()})),
        item=None,
        purpose=wanted,
        authorization=cites.id if cites else None,
        subject=jwe.encrypt(asking.subject_text(holder), enc.x, enc.y, typ=asking.SUBJECT_TYP),
    )
    text = asking.sign(made, signer)
    presented = asking.parse(text)
    city.recorder.note(_asked(city, presented, holder, cites), wanted.org)
    # Crash reuse/asked: recorded, and nothing sent; the provider has no half of it, which reconciling shows.
    return Sent(presented.id, text)


def receive(city: City, request: str, untrusted: str, holder: Holder, cites: Presented | None) -> Received:
    """Verify the answer to a request of ours, record that it came, and only then hand it out.

    Raises `VerificationError`, `RequestError`, `ChainUnavailable`; nothing is recorded then.
    """
    presented = asking.parse(request)
    facts = city.chain.facts(Question(kids=(answers.kid(untrusted),)))
    key = agency_keys.in_force(facts, answers.kid(untrusted), rules.RECEIPT, agency="", city=presented.asking.provider)
    consortium = bytes.fromhex(city.settings.consortium)
    answer = answers.verify(untrusted, x=key.x, y=key.y, consortium=consortium, request=presented.id)
    content = None
    if answer.content is not None:
        secret = city.keystore.agreement_secret(ENC_KEY)
        content = jwe.decrypt(answer.content, secret, typ=answers.CONTENT_TYP)
    fields = _fields(city, content, presented)
    digest = sha256(content).digest() if content is not None else None
    asked = _asked(city, presented, holder, cites)
    access = drafting.received(asked, answer.code, answer.fields, digest)
    city.recorder.note(access, presented.asking.agency)
    # Crash reuse/received: recorded, and not shown yet; the same answer can be received again.
    return Received(answer.code, fields, answer.receipt)


def _asked(city: City, presented: PresentedRequest, holder: Holder, cites: Presented | None) -> Access:
    return drafting.asked(
        presented.request(holder),
        cites,
        asker_city=city.settings.city,
        signature=presented.signature,
        kid=presented.untrusted.kid,
        subject_ref=city.keyring.ref(holder).hex(),
    )


def _fields(city: City, content: bytes | None, presented: PresentedRequest) -> Mapping[str, Json]:
    """The values that were asked for, by a certificate whose signature is its issuer's.

    Raises `VerificationError`. Status and place in the log are for whoever verifies a bundle of it.
    """
    if content is None:
        return {}
    presentation = sdjwt.parse(content.decode("ascii", "replace"))
    kid = presentation.untrusted.kid
    key = agency_keys.in_force(city.chain.facts(Question(kids=(kid,))), kid, rules.CERT, city=presented.asking.provider)
    jws.verify(presentation.untrusted, x=key.x, y=key.y)
    claims = sdjwt.disclosed(presentation)
    return {name: claims[name] for name in presented.asking.fields if name in claims}


# ---------------------------------------------------------------------------------------------- the providing city


def answer(city: City, untrusted: str) -> Answered:
    """Verify a request, decide and record it, release what was allowed. A refusal is recorded and answered too.

    Raises `VerificationError`, `RequestError`, `AuditError` for whoever cannot be told who he is: nothing is recorded
    then. Raises `ChainUnavailable` where the chain cannot say whose key it is.
    """
    presented = asking.parse(untrusted)
    asked = verified(city, presented)
    reply_to = agency_keys.of_city(city, presented.asking.asker_city, rules.ENC)
    recorded = city.recorder.decide(asked, Decider(rulebook.current(city), city.keyring, held), city.steward)
    content = _release(city, recorded.opens) if recorded.opens else None
    return Answered(recorded, _signed(city, presented, recorded, content, reply_to.x, reply_to.y))


def verified(city: City, presented: PresentedRequest) -> Asked:
    """A request to be decided: for this city, fresh, signed by whom it names, its person opened. Raises as `answer`."""
    now = int(city.clock().timestamp())
    asking.check(presented, consortium=bytes.fromhex(city.settings.consortium), provider=city.settings.city, now=now)
    _identify(city, presented)
    secret = city.keystore.agreement_secret(ENC_KEY)
    holder = asking.subject_of(jwe.decrypt(presented.asking.subject, secret, typ=asking.SUBJECT_TYP))
    holder = Holder(holder.type, normalised_code(holder.type, holder.code))
    look_at_statuses(city, now)
    return Asked(
        presented.request(holder),
        presented.asking.authorization,
        presented.asking.asker_city,
        presented.signature,
        presented.untrusted.kid,
    )


def _identify(city: City, presented: PresentedRequest) -> None:
    """The key is the asking agency's, of the city it names, and it signed. Raises `VerificationError`."""
    a = presented.asking
    kid = presented.untrusted.kid
    facts = city.chain.facts(Question(kids=(kid,), cities=(a.asker_city,), agencies=((a.agency, a.asker_city),)))
    key = agency_keys.in_force(facts, kid, rules.HTTP, agency=a.agency, city=a.asker_city)
    if rules.city_of(facts, a.agency, facts.time) != a.asker_city:
        raise RequestError("REQUEST_AGENCY", "the agency is no member of that city")
    jws.verify(presented.untrusted, x=key.x, y=key.y)


def look_at_statuses(city: City, now: int) -> None:
    """Read the chain's statuses if it is time; a chain that is away lets the view age, and old views refuse."""
    if not status_view.stale(city.database, now):
        return
    try:
        status_view.refresh(city.database, city.chain, city.keyring, city.settings.city, now)
    except ChainUnavailable:
        return


def _release(city: City, recorded: RecordedAccess) -> bytes:
    """The presentation, whose digest is recorded before it leaves."""
    with city.database.reading() as connection:
        certificate = store.by_digest(connection, recorded.access.item or b"")
    assert certificate is not None  # noqa: S101  # it was held when it was decided, and rows are never taken out
    content = disclose(certificate, recorded, city.content_keys).encode("ascii")
    city.recorder.note(drafting.released(recorded.access, sha256(content).digest()), city.steward)
    # Crash reuse/released: recorded, and nothing left; the asker never received it, which reconciling shows.
    return content


def _signed(
    city: City, presented: PresentedRequest, recorded: Recorded, content: bytes | None, x: bytes, y: bytes
) -> str:
    signer = city.keystore.signer(RECEIPT_KEY)
    by = int(parse_timestamp(recorded.at).timestamp()) + ANCHOR_WITHIN
    receipt = Receipt(recorded.log, recorded.index, (recorded.leaf,), recorded.at, by)
    made = Answer(
        consortium=presented.asking.consortium,
        request=presented.id,
        provider=city.settings.city,
        code=told(recorded.decision.code),
        fields=recorded.access.fields if content is not None else (),
        content=jwe.encrypt(content, x, y, typ=answers.CONTENT_TYP) if content is not None else None,
        receipt=receipt.sign(signer),
    )
    return answers.sign(made, signer)
