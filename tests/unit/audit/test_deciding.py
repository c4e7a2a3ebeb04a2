"""Decisions under the lock: counted once, by the day in China, by what is stored and by what is revoked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from audit_world import CONSENT, LICENCE, PERSON, SCOPE_OF
from recorded_city import RecordedCity

from audit.deciding import china_day
from audit.decision import DecisionCode
from audit.grants import Revoker
from audit.store import rights
from ledger.status import Status

ALLOW, REPEATED = DecisionCode.ALLOW, DecisionCode.REQUEST_REPEATED


@pytest.fixture
def city(tmp_path: Path) -> Iterator[RecordedCity]:
    found = RecordedCity(tmp_path)
    yield found
    found.place.close()


def test_a_repeated_request_is_refused_and_uses_nothing(city: RecordedCity) -> None:
    id = city.grant()
    assert city.codes(id, ["once", "once", "other", "once"]) == [ALLOW, REPEATED, ALLOW, REPEATED]
    assert city.row(id).uses == 2


def test_a_refused_request_uses_nothing_and_its_repeat_is_a_repeat(city: RecordedCity) -> None:
    id = city.grant()
    assert city.ask(id, "more", fields=("registered_capital",)).decision.code is DecisionCode.FIELD_NOT_NEEDED
    assert city.ask(id, "more").decision.code is REPEATED
    assert (city.row(id).uses, city.row(id).uses_today) == (0, 0)


def test_exactly_so_many_uses(city: RecordedCity) -> None:
    id = city.grant(replace(CONSENT, max_uses=2))
    assert city.codes(id, ["1", "2", "3"]) == [ALLOW, ALLOW, DecisionCode.USES_EXHAUSTED]
    assert city.row(id).uses == 2


def test_a_day_ends_at_midnight_in_china(city: RecordedCity) -> None:
    """16:00 UTC is the next day there."""
    id = city.grant()
    city.place.clock.now = datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)
    city.read_chain()
    assert city.codes(id, ["1", "2"]) == [ALLOW, ALLOW]
    evening = city.row(id)
    city.wait(1)
    assert city.codes(id, ["3"]) == [ALLOW]
    morning = city.row(id)
    assert (evening.uses_today, morning.uses_today, morning.uses) == (2, 1, 3)
    assert morning.day == evening.day + 1 == china_day(int(datetime(2026, 11, 24, 16, tzinfo=UTC).timestamp()))


def test_a_revocation_counts_here_before_the_chain_says_it(city: RecordedCity) -> None:
    id = city.grant()
    assert city.codes(id, ["1"]) == [ALLOW]
    city.granting.revoke(id, Revoker.SUBJECT, reason="本人撤回")
    assert city.codes(id, ["2"]) == [DecisionCode.REVOKED]


def test_a_revocation_on_the_chain_alone_counts(city: RecordedCity) -> None:
    id = city.grant()
    with city.place.database.writing() as connection:
        rights.put_view(connection, {id: Status.REVOKED}, block=2, read_at=int(city.place.clock.now.timestamp()))
    assert city.codes(id, ["1"]) == [DecisionCode.REVOKED]


def test_an_authorization_ends_with_its_mandate(city: RecordedCity) -> None:
    id, named = city.grant_by_agent()
    assert city.codes(id, ["1"]) == [ALLOW]
    city.granting.revoke(named, Revoker.SUBJECT, reason="撤回委托")
    assert city.codes(id, ["2"]) == [DecisionCode.MANDATE_REVOKED]
    assert city.row(id).status is Status.ACTIVE and city.row(id).uses == 1


def test_a_mandate_that_is_gone_binds_nobody(city: RecordedCity) -> None:
    id, named = city.grant_by_agent()
    city.place.edit("DELETE FROM mandate WHERE id = ?", named)
    refused = city.ask(id)
    assert refused.decision.code is DecisionCode.NOT_BOUND and refused.access.mandate == named


def test_an_object_that_was_exchanged_authorizes_nothing(city: RecordedCity) -> None:
    """By another that was recorded here as well, and by one that does not open."""
    small = city.grant()
    large = city.grant(replace(CONSENT, nonce=bytes(16), max_uses=1000))
    city.place.edit('UPDATE "authorization" SET sealed = ? WHERE id = ?', city.row(large).sealed, small)
    assert city.codes(small, ["1"]) == [DecisionCode.NOT_BOUND]
    damaged = bytes([city.row(large).sealed[0]]) + bytes(len(city.row(large).sealed) - 1)
    city.place.edit('UPDATE "authorization" SET sealed = ? WHERE id = ?', damaged, large)
    assert city.codes(large, ["2"]) == [DecisionCode.NOT_BOUND]


def test_what_was_opened_before_does_not_stand_in_for_what_is_stored_now(city: RecordedCity) -> None:
    first, other = city.grant(), city.grant(replace(CONSENT, nonce=bytes(16)))
    decider = city.decider()
    assert city.ask(first, "1", decider).decision.code is ALLOW
    city.place.edit('UPDATE "authorization" SET sealed = ? WHERE id = ?', city.row(other).sealed, first)
    assert city.ask(first, "2", decider).decision.code is DecisionCode.NOT_BOUND


def test_nothing_shown_and_something_unknown(city: RecordedCity) -> None:
    assert city.ask(None, "1").decision.code is DecisionCode.NOT_AUTHORIZED
    assert city.ask(bytes(32), "2").decision.code is DecisionCode.NOT_BOUND


def test_a_stale_view_of_the_chain_allows_nothing(city: RecordedCity) -> None:
    id = city.grant()
    city.place.clock.step(15 * 60 + 1)
    assert city.codes(id, ["1"]) == [DecisionCode.STATUS_STALE]
    city.read_chain()
    assert city.ask(id, "2", subject=PERSON, resource=LICENCE, fields=(SCOPE_OF,)).decision.code is ALLOW
