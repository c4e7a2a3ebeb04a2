"""Authorizations from a description to a record: signed by whoever grants, then bound and recorded by a provider.

A description names persons by type and code; in what is signed they stand as salted digests, and the openings go to
the providers beside it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api import agency_keys, input_file, private_file
from api.agency_keys import Use
from api.errors import ApiError
from api.wiring import City
from audit import authorization, mandate, signed_object, stored
from audit.authorization import Presented
from audit.binding import AgencyKey, BoundMandate, HolderKey, KeySource, agency_key, bind, bind_mandate
from audit.errors import BindingError
from audit.grants import Review, Revoker
from audit.mandate import PresentedMandate
from audit.signed_object import SignedObject
from audit.store import rights
from audit.subject import Holder, Opening
from certs.holder import normalised_code
from ledger import canonical, jws
from ledger.canonical import Json
from ledger.commitment import SALT_BYTES
from ledger.facts import Question
from ledger.jws import Signer
from ledger.sequencer import Appended

MAX_BYTES = 64 * 1024
MOST_REASON = 500
_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Signed:
    """What goes to the providers."""

    id: bytes
    kind: str
    """Of the authorization, or `mandate`."""
    object: SignedObject


def create(description: Mapping[str, Any], consortium: bytes, signer: Signer) -> Signed:
    """Sign what `description` says: the members of docs/formats.md §17 without `v`, `suite`, `consortium` and `nonce`,
    persons as {type, code}. Raises `VerificationError` or `AuditError`, naming what is wrong with it."""
    openings: dict[Holder, Opening] = {}
    value = {**description, "v": 1, "suite": "p256-sha256", "consortium": consortium.hex()}
    value["nonce"] = os.urandom(_NONCE_BYTES).hex()
    digest = _digester(openings)
    if "relation" in value:
        value |= {name: digest(value.get(name)) for name in ("principal", "agent")}
        text = mandate.sign(mandate.from_json(value), signer)
        return Signed(mandate.parse(text).id, "mandate", SignedObject(text, tuple(openings.values())))
    grantor = value.get("grantor")
    if isinstance(grantor, dict):
        value["grantor"] = {"agency": None, "mandate": None, **grantor, "holder": digest(grantor.get("holder"))}
    value["subject"] = digest(value.get("subject"))
    made = authorization.from_json(_defaults(value))
    text = authorization.sign(made, signer)
    return Signed(authorization.parse(text).id, made.kind.value, SignedObject(text, tuple(openings.values())))


def record(city: City, presented: SignedObject) -> Appended[bytes]:
    """Bind it to whoever may grant it, and record it here. Raises `BindingError`, `AuthorizationError`; nothing is
    recorded then. Raises `ChainUnavailable` where an agency signed and the chain cannot say whose key it is."""
    city_id, consortium = city.settings.city, bytes.fromhex(city.settings.consortium)
    found = read(presented)
    key = _key(city, found, presented.openings)
    if isinstance(found, PresentedMandate):
        bound = bind_mandate(found, key, presented.openings, consortium=consortium, provider=city_id)
        return city.granting.mandate(bound, presented.signed, presented.openings)
    if city_id not in found.authorization.providers:
        raise BindingError("NOT_BOUND_PROVIDER", "this city is not named as a provider")
    named = _mandate(city, found)
    full = bind(found, key, presented.openings, named, consortium=consortium, provider=city_id)
    return city.granting.grant(full, presented.signed, presented.openings)


def read(presented: SignedObject) -> Presented | PresentedMandate:
    """Raises `VerificationError`, `CanonicalError` or `AuditError`."""
    if jws.typ(presented.signed) == mandate.TYP:
        return mandate.parse(presented.signed)
    return authorization.parse(presented.signed)


def load(path: Path) -> SignedObject:
    """A signed object from a file. Raises `ApiError` FILE_UNREADABLE, `VerificationError`."""
    return signed_object.from_json(input_file.read_json(path, MAX_BYTES))


def description(path: Path) -> Mapping[str, Any]:
    """What is to be granted. Raises `ApiError` FILE_UNREADABLE, DESCRIPTION_FORM."""
    value = input_file.read_json(path, MAX_BYTES)
    if not isinstance(value, dict):
        raise ApiError("DESCRIPTION_FORM", "the description is not an object", path=path)
    return value


def write(path: Path, signed: SignedObject) -> None:
    """For its owner's eyes alone: it names persons. Raises `ApiError` FILE_UNWRITABLE."""
    private_file.write(path, canonical.dumps(signed.to_json()))


def agency_signer(home: Path, agency: str) -> Signer:
    """The agency's witness key. Raises `ApiError` AGENCY_USE_KEY_MISSING."""
    with City(home) as city:
        return agency_keys.signer(city, agency, Use.WITNESS)


def id_of(text: str) -> bytes:
    """Raises `ApiError` USAGE."""
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise ApiError("USAGE", "an id is 64 hexadecimal digits", problem="ID")
    return bytes.fromhex(text)


def revoke(city: City, id: bytes, by: str, reason_file: Path | None) -> Appended[bytes]:
    """Raises `AuthorizationError`, `ApiError`."""
    if by not in {who.value for who in Revoker}:
        raise ApiError("USAGE", f"nobody of this kind revokes: {by}", problem="--by")
    reason = _reason(reason_file) if reason_file else ""
    return city.granting.revoke(id, Revoker(by), reason=reason)


def review(city: City, id: bytes, outcome: str, form: Path, reviewers: tuple[str, ...]) -> Appended[bytes]:
    """Raises `AuthorizationError`, `ApiError`."""
    if outcome not in {each.value for each in Review}:
        raise ApiError("USAGE", f"no such outcome: {outcome}", problem="--outcome")
    digest = input_file.digest(form)
    return city.granting.review(id, Review(outcome), form=digest, reviewers=reviewers)


def holder_of(described: Any) -> Holder:
    """A person of a description, the code in its one spelling. Raises `HolderError`, `AuthorizationError`."""
    if not isinstance(described, dict):
        raise ApiError("HOLDER_DESCRIPTION", "a person is described by type and code")
    kind, code = str(described.get("type")), str(described.get("code"))
    return Holder(kind, normalised_code(kind, code))


def _reason(path: Path) -> str:
    try:
        return input_file.read(path, MAX_BYTES).decode().strip()[:MOST_REASON]
    except UnicodeDecodeError:
        raise ApiError("FILE_UNREADABLE", "not UTF-8", path=path, reason="UTF-8") from None


def _key(city: City, found: Presented | PresentedMandate, openings: Sequence[Opening]) -> HolderKey | AgencyKey:
    """Whose key signed, as this city knows it: a person's by a statement of its own, an agency's by the chain."""
    kid = found.untrusted.kid
    with city.database.reading() as connection:
        row = rights.holder_key(connection, kid)
    if row is None:
        return _agency_key(city, kid)
    if int(city.clock().timestamp()) >= row.not_after:
        raise BindingError("NOT_BOUND_ENDED", "the key was not in force")
    holder = next((o.holder for o in openings if city.keyring.ref(o.holder) == row.subject_ref), None)
    if holder is None:
        raise BindingError("NOT_BOUND_HOLDER", "the key belongs to somebody else")
    return HolderKey(row.x, row.y, holder, KeySource.STATEMENT, city.settings.city)


def _agency_key(city: City, kid: str) -> AgencyKey:
    facts = city.chain.facts(Question(kids=(kid,)))
    key = next((key for key in facts.keys if key.kid == kid), None)
    if key is not None and key.agency:
        facts = city.chain.facts(Question(kids=(kid,), cities=(key.city,), agencies=((key.agency, key.city),)))
    return agency_key(facts, kid, facts.time)


def _mandate(city: City, found: Presented) -> BoundMandate | None:
    """The mandate that it names, as it was recorded here."""
    named = found.authorization.grantor.mandate
    if named is None:
        return None
    with city.database.reading() as connection:
        kept = stored.mandate(connection, city.keyring, named)
    return kept[0] if kept else None


def _digester(openings: dict[Holder, Opening]) -> Callable[[Any], Json]:
    """Persons of a description as salted digests, one opening each."""

    def digest(person: Any) -> Json:
        if not isinstance(person, dict):
            return person  # type: ignore[no-any-return]  # nobody, or what the form refuses
        holder = holder_of(person)
        return openings.setdefault(holder, Opening(os.urandom(SALT_BYTES), holder)).digest.hex()

    return digest


def _defaults(value: Mapping[str, Any]) -> dict[str, Any]:
    """What a description may leave out is null."""
    optional = ("subject", "daily_limit", "review_by", "method", "witness")
    scopes = value.get("scopes")
    if isinstance(scopes, list):
        scopes = [{"item": None, **scope} if isinstance(scope, dict) else scope for scope in scopes]
    return {**dict.fromkeys(optional), **value, "scopes": scopes}
