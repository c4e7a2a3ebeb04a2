"""Authorizations recorded: once each, final once revoked; an act that is refused leaves nothing anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from audit_world import AGREEMENT, CONSENT, EMERGENCY, GRANTEE, PERSON, PERSON_KEY, WITNESS_KEY, bound
from recorded_city import AUTHORIZATIONS, RecordedCity

from audit import authorization as authorizations
from audit import grants
from audit.errors import AuthorizationError
from audit.grants import Review, Revoker
from audit.terms import Method
from ledger.publisher import decode_change
from ledger.status import Status
from ledger.store import outbox


@pytest.fixture
def city(tmp_path: Path) -> Iterator[RecordedCity]:
    found = RecordedCity(tmp_path)
    yield found
    found.place.close()


def emergency(city: RecordedCity) -> bytes:
    signed = authorizations.sign(EMERGENCY, WITNESS_KEY)
    return city.granting.grant(bound(EMERGENCY), signed, ()).value


def person_key(city: RecordedCity) -> str:
    kept = {"evidence": None, "not_after": CONSENT.not_after}
    return city.granting.holder_key(PERSON_KEY.x, PERSON_KEY.y, PERSON, Method.CLERK_WITNESS, **kept).value  # type: ignore[arg-type]


def review(city: RecordedCity, id: bytes) -> None:
    city.granting.review(id, Review.JUSTIFIED, form=bytes(32), reviewers=("op-1", "op-2"))


def revoke(city: RecordedCity, id: bytes) -> None:
    city.granting.revoke(id, Revoker.SUBJECT, reason="本人撤回")


Refused = Callable[[RecordedCity], object]
REFUSED: list[tuple[str, Refused, Refused]] = [
    ("AUTHORIZATION_KNOWN", lambda c: c.grant(), lambda c: c.grant()),
    ("AUTHORIZATION_KNOWN", lambda c: c.mandate(), lambda c: c.mandate()),
    ("AUTHORIZATION_KNOWN", person_key, person_key),
    ("AUTHORIZATION_UNKNOWN", lambda c: None, lambda c: revoke(c, bytes(32))),
    ("AUTHORIZATION_UNKNOWN", lambda c: None, lambda c: review(c, bytes(32))),
    ("AUTHORIZATION_ENDED", lambda c: revoke(c, c.grant()), lambda c: revoke(c, bound().id)),
    ("REVIEW_NOT_DUE", lambda c: c.grant(), lambda c: review(c, bound().id)),
    ("REVIEW_NOT_DUE", lambda c: review(c, emergency(c)), lambda c: review(c, bound(EMERGENCY).id)),
]


@pytest.mark.parametrize(("code", "before", "act"), REFUSED)
def test_a_refused_act_leaves_nothing(city: RecordedCity, code: str, before: Refused, act: Refused) -> None:
    before(city)
    stood = city.counts()
    with pytest.raises(AuthorizationError) as refused:
        act(city)
    assert refused.value.code == code
    assert city.counts() == stood


def test_each_kind_is_one_statement_with_its_openings(city: RecordedCity) -> None:
    consent = city.grant()
    agreement = city.granting.grant(bound(AGREEMENT), authorizations.sign(AGREEMENT, WITNESS_KEY), ()).value
    review(city, emergency(city))
    city.mandate()
    person_key(city)
    revoke(city, consent)
    said = [statement.type for statement in city.place.read(AUTHORIZATIONS)]
    wanted = [grants.GRANT, grants.GRANT, grants.GRANT, grants.REVIEW, grants.MANDATE, grants.HOLDER_KEY, grants.REVOKE]
    assert said == wanted
    assert city.counts()["opening"] == len(wanted)
    assert city.row(agreement).subject_ref is None
    assert city.row(consent).subject_ref == city.keyring.ref(PERSON)


def test_nothing_of_a_person_stands_in_the_clear(city: RecordedCity) -> None:
    city.grant()
    (statement,) = city.place.read(AUTHORIZATIONS)
    assert PERSON.code.encode() not in statement.encode() and GRANTEE.encode() in statement.encode()
    assert PERSON.code.encode() not in city.place.database_file.read_bytes()


def test_a_revocation_waits_for_the_chain_with_the_statement(city: RecordedCity) -> None:
    id = city.grant()
    revoke(city, id)
    assert city.row(id).status is Status.REVOKED
    with city.place.database.reading() as connection:
        (waiting,) = outbox.waiting(connection, outbox.STATUS, 10)
    change = decode_change(waiting.body)
    assert (change.digest, change.status) == (id, Status.REVOKED)
