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

from api import agency_keys, input_file, rulebook
from api.agency_keys import Use
from api.authorizing import holder_of, load
from api.wiring import CITY_KEY, ENC_KEY, RECEIPT_KEY, City
from audit import answer as answers
from audit import asking, authorization, drafting, purpose, status_view
from audit.access import Access, AccessStep
from audit.answer import Answer
from audit.asking import Asking, PresentedRequest
from audit.authorization import Presented
from audit.deciding import Asked, Decider
from audit.decision import DecisionCode, told
from audit.errors import RequestError
from audit.reading import city_keys, of_request
from audit.recording import RecordedAccess, RecordedDecision
from audit.subject import Holder
from audit.terms import FIELDS, RESOURCE
from certs import sdjwt, store
from certs.certificate import read_visible
from certs.crossregion.disclosure import disclose
from certs.crossregion.holding import held
from certs.holder import normalised_code
from ledger import accreditation as rules
from ledger import jwe, jws
from ledger import schema as s
from ledger.canonical import Json
from ledger.errors import ChainUnavailable
from ledger.facts import Question
from ledger.receipt import Receipt
from ledger.statement import seconds

ANCHOR_WITHIN = 3600
"""Seconds in which the record of a decision is promised to be on chain."""
DESCRIPTION = s.Form(
    "REQUEST_FORM",
    s.record(
        provider=s.CITY,
        resource=RESOURCE,
        fields=FIELDS,
        subject=s.record(type={"type": "string"}, code={"type": "string"}),
        purpose={"type": "object"},
    ),
)
_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, recorded as asked."""

    id: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What the provider decided, recorded; and its answer."""

    recorded: RecordedDecision
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
    return input_file.read(path, answers.MAX_BYTES * 2).decode("ascii", "replace").strip()


# ------------------------------------------------------------------------------------------------ the asking city


def ask(city: City, description: Mapping[str, Any], cites: Presented | None) -> Sent:
    """Sign a request for an agency of this city and record that it asks. Raises `VerificationError`, `AuditError`,
    `ApiError`; nothing is recorded then. `description`: {provider, resource, fields, subject {type, code}, purpose}."""
    v = DESCRIPTION.check(dict(description))
    holder, wanted = holder_of(v["subject"]), purpose.from_json(v["purpose"])
    enc = agency_keys.of_city(city, v["provider"], rules.ENC)
    signer = agency_keys.signer(city, wanted.org, Use.HTTP)
    made = Asking(
        consortium=bytes.fromhex(city.settings.consortium),
        nonce=os.urandom(_NONCE_BYTES),
        at=int(city.clock().timestamp()),
        asker_city=city.settings.city,
        agency=wanted.org,
        operator=wanted.operator,
        provider=v["provider"],
        resource=v["resource"],
        fields=tuple(sorted(v["fields"])),
        item=None,
        purpose=wanted,
        authorization=cites.id if cites else None,
        subject=jwe.encrypt(asking.subject_text(holder), enc.x, enc.y, typ=asking.SUBJECT_TYP),
    )
    text = asking.sign(made, signer)
    presented = asking.parse(text)
    access = drafting.asked(
        presented.request(holder),
        cites,
        asker_city=city.settings.city,
        signature=presented.signature,
        kid=presented.untrusted.kid,
        subject_ref=city.keyring.ref(holder).hex(),
    )
    city.recorder.note(access, wanted.org)
    # Crash reuse/asked: recorded, and nothing sent; the provider has no half of it, which reconciling shows.
    return Sent(presented.id, text)


def receive(city: City, untrusted: str) -> Received:
    """Verify the answer to a request of ours, record that it came, and only then hand it out.

    What was asked stands in this city's own log, and nothing else is believed about it. Received again, nothing is
    recorded again. Raises `VerificationError`, `RequestError`, `ChainUnavailable`; nothing is recorded then.
    """
    presented = answers.parse(untrusted)
    asked, came = _asked_here(city, presented.answer.request)
    kid = presented.untrusted.kid
    facts = city.chain.facts(Question(kids=(kid,)))
    key = agency_keys.in_force(facts, kid, rules.RECEIPT, facts.time, agency="", city=asked.provider)
    consortium = bytes.fromhex(city.settings.consortium)
    answer = answers.verify(presented, x=key.x, y=key.y, consortium=consortium, provider=asked.provider)
    content = _opened(city, answer)
    fields = _fields(city, content, asked) if content is not None else {}
    if not came:
        digest = sha256(content).digest() if content is not None else None
        city.recorder.note(drafting.received(asked, answer.code, answer.fields, digest), asked.asker)
        # Crash reuse/received: recorded, and not shown yet; the same answer can be received again.
    return Received(answer.code, fields, answer.receipt)


def _asked_here(city: City, request: bytes) -> tuple[Access, bool]:
    """(what this city recorded as asked, whether an answer to it was received before). Raises `RequestError`."""
    with city.database.reading() as connection:
        keys = city_keys(connection, city.keystore.wrapper(CITY_KEY), city.day_keys)
        found = of_request(connection, request, city.keyring.index_key, keys)
    asked = next((access for access in found if access.step is AccessStep.ASKED), None)
    if asked is None:
        raise RequestError("ANSWER_UNASKED", "this city has asked nothing of the kind")
    return asked, any(access.step is AccessStep.RECEIVED for access in found)


def _opened(city: City, answer: Answer) -> bytes | None:
    if answer.content is None:
        return None
    return jwe.decrypt(answer.content, city.keystore.agreement_secret(ENC_KEY), typ=answers.CONTENT_TYP)


def _fields(city: City, content: bytes, asked: Access) -> Mapping[str, Json]:
    """The values that were asked for, by a certificate whose signature is its issuer's, as the chain knew it then.

    Raises `VerificationError`. Status and place in the log are for whoever verifies a bundle of it.
    """
    presentation = sdjwt.parse(content.decode("ascii", "replace"))
    claims = sdjwt.disclosed(presentation)
    visible, kid = read_visible(claims), presentation.untrusted.kid
    facts = city.chain.facts(Question(kids=(kid,)))
    key = agency_keys.in_force(facts, kid, rules.CERT, visible.issued_at, agency=visible.issuer, city=asked.provider)
    jws.verify(presentation.untrusted, x=key.x, y=key.y)
    return {name: claims[name] for name in asked.fields if name in claims}


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
    key = agency_keys.in_force(facts, kid, rules.HTTP, facts.time, agency=a.agency, city=a.asker_city)
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
    city: City, presented: PresentedRequest, recorded: RecordedDecision, content: bytes | None, x: bytes, y: bytes
) -> str:
    signer = city.keystore.signer(RECEIPT_KEY)
    by = seconds(recorded.at) + ANCHOR_WITHIN
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
