"""The life of a certificate: what may follow what, by the same table that the contract has."""

from __future__ import annotations

from itertools import product

import pytest

from certs import lifecycle
from certs.errors import LifecycleError
from certs.lifecycle import KINDS, Change
from ledger.statement import Statement
from ledger.status import FINAL, Reason, Status, allowed

IDENTIFIER = "1.2.156.3005.2.X"
NOW = 1_795_000_000
CLOSED = {Status.REVOKED, Status.CANCELLED, Status.SUPERSEDED}
STEPS = {
    Status.ACTIVE: {Status.SUSPENDED, *CLOSED},
    Status.SUSPENDED: {Status.ACTIVE, *CLOSED},
}
"""IStatusRegistry: ACTIVE and SUSPENDED lead on, everything else is final or cannot be made yet."""


def judged(current: Status, change: Change, reason: Reason, effective_from: int = 0) -> None:
    lifecycle.check(current, change, reason, identifier=IDENTIFIER, effective_from=effective_from, now=NOW)


@pytest.mark.parametrize(("reason", "effective_from"), [(Reason.PENALTY, NOW - 1), (Reason.ANNULLED, NOW + 1)])
def test_only_an_annulment_has_a_date_and_a_past_one(reason: Reason, effective_from: int) -> None:
    """The contract refuses anything else: recorded here, it would be told and never hold."""
    with pytest.raises(LifecycleError) as refused:
        judged(Status.ACTIVE, Change.REVOKE, reason, effective_from)
    assert refused.value.code == "EFFECTIVE_FROM_NOT_POSSIBLE"
    judged(Status.ACTIVE, Change.REVOKE, Reason.ANNULLED, NOW - 1)
    judged(Status.ACTIVE, Change.REVOKE, reason, 0)


@pytest.mark.parametrize(("current", "wanted"), list(product(Status, Status)))
def test_exactly_the_steps_of_the_contract_are_allowed(current: Status, wanted: Status) -> None:
    assert allowed(current, wanted) == (wanted in STEPS.get(current, set()))


def test_final_is_final() -> None:
    assert {Status.REVOKED, Status.CANCELLED, Status.SUPERSEDED, Status.TRANSFERRED} == FINAL
    assert not any(allowed(status, wanted) for status in FINAL for wanted in Status)


@pytest.mark.parametrize(("current", "change"), list(product(Status, Change)))
def test_a_change_is_possible_exactly_where_its_status_is(current: Status, change: Change) -> None:
    kind = KINDS[change]
    if allowed(current, kind.status):
        judged(current, change, kind.reasons[0])
        return
    with pytest.raises(LifecycleError) as refused:
        judged(current, change, kind.reasons[0])
    assert refused.value.code == "STATUS_NOT_POSSIBLE"
    assert refused.value.params == {"identifier": IDENTIFIER, "status": current.name, "change": change}


@pytest.mark.parametrize(("change", "reason"), list(product(Change, Reason)))
def test_a_reason_goes_with_its_changes_alone(change: Change, reason: Reason) -> None:
    current = Status.SUSPENDED if change is Change.REINSTATE else Status.ACTIVE
    if reason in KINDS[change].reasons:
        judged(current, change, reason)
        return
    with pytest.raises(LifecycleError) as refused:
        judged(current, change, reason)
    assert refused.value.code == "REASON_NOT_FOR_CHANGE"


def test_suspending_twice_and_reinstating_what_is_active_are_refused() -> None:
    for current, change in ((Status.SUSPENDED, Change.SUSPEND), (Status.ACTIVE, Change.REINSTATE)):
        with pytest.raises(LifecycleError):
            judged(current, change, KINDS[change].reasons[0])


def test_every_change_makes_a_statement_of_the_certificate_stream() -> None:
    kinds = [KINDS[change].statement for change in Change]
    assert len(set(kinds)) == len(Change)
    body = lifecycle.change_body(digest=bytes(32), identifier=IDENTIFIER, reason=Reason.PENALTY, effective_from=0)
    for kind in kinds:
        Statement(bytes(32), "certificate", kind, "2026-11-20T08:00:00.000Z", "11330100XXXX33013C", body).encode()
    assert set(body) == {"digest", "identifier", "reason", "effective_from"}


def test_the_reason_numbers_are_those_of_the_contract() -> None:
    numbers = {"SUSPENDED": 1, "REINSTATED": 2, "ANNULLED": 3, "PENALTY": 4}
    numbers |= {"CANCELLED": 5, "RENEWED": 6, "CORRECTED": 7, "OTHER": 99}
    assert {reason.name: int(reason) for reason in Reason} == numbers
    assert [int(status) for status in Status] == list(range(7))
