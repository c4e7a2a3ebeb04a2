"""Step 8, STATUS: nothing recorded under this issuer says that the certificate no longer holds."""

from __future__ import annotations

from dataclasses import replace

import forge
import pytest
from forge import AGENCY, GENUINE, IAT, OLD, OTHER_AGENCY, READ, T, record, refused

from certs.verify.reasons import Reason
from ledger.facts import StatusHistory, StatusRecord
from ledger.status import Reason as Why
from ledger.status import Status
from ledger.verdict import Result, State, Step

BAD = {
    Status.SUSPENDED: Reason.STATUS_SUSPENDED,
    Status.TRANSFERRING: Reason.STATUS_TRANSFERRED,
    Status.REVOKED: Reason.STATUS_REVOKED,
    Status.CANCELLED: Reason.STATUS_CANCELLED,
    Status.SUPERSEDED: Reason.STATUS_SUPERSEDED,
    Status.TRANSFERRED: Reason.STATUS_TRANSFERRED,
}


def valid(case: forge.Case) -> None:
    assert case.verify().verdict.result is Result.VALID, case.verify().verdict


def test_every_status_but_active_is_bad() -> None:
    assert set(BAD) == set(Status) - {Status.ACTIVE}


@pytest.mark.parametrize("status", BAD)
@pytest.mark.parametrize("online", [False, True])
def test_every_bad_status(status: Status, online: bool) -> None:
    case = GENUINE.status(record(status))
    refused(GENUINE, replace(case, live=case.facts) if online else case, BAD[status])


def test_reinstated() -> None:
    suspended, back = record(Status.SUSPENDED, since=T + 10), record(Status.ACTIVE, since=T + 20, recorded=160)
    refused(GENUINE, GENUINE.status(suspended), Reason.STATUS_SUSPENDED)
    valid(GENUINE.status(suspended, back))
    again = record(Status.SUSPENDED, since=T + 30, recorded=170)
    refused(GENUINE, GENUINE.status(suspended, back, again), Reason.STATUS_SUSPENDED)


def test_annulled_with_effect_in_the_past() -> None:
    """撤销 voids from the beginning, also what was suspended and given back since."""
    void = record(Status.REVOKED, since=IAT - 86400, reason=Why.ANNULLED, recorded=190)
    refused(GENUINE, GENUINE.status(void), Reason.STATUS_REVOKED)
    history = (record(Status.SUSPENDED, since=T + 10), record(Status.ACTIVE, since=T + 20, recorded=160), void)
    refused(GENUINE, GENUINE.status(*history), Reason.STATUS_REVOKED)


def test_a_record_made_after_the_block_that_was_read_does_not_count() -> None:
    valid(GENUINE.status(record(Status.REVOKED, recorded=201)))


def test_records_under_another_issuer_have_no_effect() -> None:
    """Anybody entitled somewhere may write under that somewhere; the verifier reads under the bound issuer alone."""
    foreign = StatusHistory(OTHER_AGENCY, GENUINE.digest, (record(Status.REVOKED),))
    valid(GENUINE.on_chain(lambda facts: replace(facts, statuses=(foreign, *facts.statuses))))


def test_a_good_record_of_another_issuer_does_not_help() -> None:
    foreign = StatusHistory(OTHER_AGENCY, GENUINE.digest, (record(Status.ACTIVE),))
    revoked = GENUINE.status(record(Status.REVOKED))
    case = revoked.on_chain(lambda facts: replace(facts, statuses=(foreign, *facts.statuses)))
    refused(GENUINE, case, Reason.STATUS_REVOKED)


def test_no_history_is_missing_and_not_active() -> None:
    refused(GENUINE, GENUINE.on_chain(lambda facts: replace(facts, statuses=())), Reason.STATUS_MISSING)
    other = GENUINE.on_chain(lambda facts: replace(facts, statuses=(StatusHistory(AGENCY, OLD, ()),)))
    refused(GENUINE, other, Reason.STATUS_MISSING)
    refused(GENUINE, replace(other, live=other.facts), Reason.STATUS_MISSING)


# ------------------------------------------------------------------ replacement

RENEWAL = forge.make(body={"replaces": OLD.hex()})


def closing(**changes: object) -> forge.Case:
    """The renewal, the old certificate's record as the chain would have it but for `changes`."""
    row = record(Status.SUPERSEDED, reason=Why.RENEWED, successor=RENEWAL.digest)
    return RENEWAL.status(replace(row, **changes), digest=OLD)


def test_a_renewal_whose_old_certificate_names_it_is_valid() -> None:
    valid(closing())


def test_a_renewal_whose_old_certificate_has_no_record() -> None:
    refused(closing(), RENEWAL.status(digest=OLD), Reason.STATUS_REPLACED_NOT_CLOSED)
    refused(closing(), RENEWAL, Reason.STATUS_REPLACED_NOT_CLOSED)


@pytest.mark.parametrize(
    "changes",
    [
        {"next_digest": bytes(32), "next_issuer": ""},
        {"next_digest": OLD},
        {"next_issuer": OTHER_AGENCY},
        {"status": int(Status.REVOKED)},
        {"status": int(Status.CANCELLED)},
        {"status": int(Status.ACTIVE)},
        {"status": int(Status.SUSPENDED)},
        {"recorded": 201},
    ],
)
def test_a_renewal_whose_old_certificate_is_not_closed_in_its_favour(changes: dict[str, object]) -> None:
    refused(closing(), closing(**changes), Reason.STATUS_REPLACED_NOT_CLOSED)


def test_a_renewal_that_hides_what_it_replaces() -> None:
    """`replaces` stands in the leaf: without it the statement is another one."""
    said = dict(closing().bundle.statement)
    said["body"] = {name: value for name, value in said["body"].items() if name != "replaces"}  # type: ignore[union-attr]
    refused(closing(), closing().but(statement=said), Reason.INCLUSION_PROOF)


def test_the_old_certificate_is_superseded() -> None:
    row = record(Status.SUPERSEDED, reason=Why.RENEWED, successor=RENEWAL.digest)
    refused(GENUINE, GENUINE.status(row), Reason.STATUS_SUPERSEDED)


def test_a_renewal_that_is_revoked_itself() -> None:
    both = closing().status(record(Status.REVOKED))
    refused(closing(), both, Reason.STATUS_REVOKED)


# ------------------------------------------------------------------------ robust


@pytest.mark.parametrize("status", [7, 200, 255])
def test_a_status_that_does_not_exist_is_never_valid(status: int) -> None:
    """A node may answer anything: its facts have passed no schema."""
    row = StatusRecord(status, 1, T, "", bytes(32), 150, T)
    odd = replace(GENUINE.facts, statuses=(StatusHistory(AGENCY, GENUINE.digest, (row,)),))
    assert replace(GENUINE, live=odd).verify().verdict.result is not Result.VALID


@pytest.mark.parametrize("time", [2**40, 2**63, 2**255])
def test_a_node_with_an_absurd_block_time_is_never_an_exception(time: int) -> None:
    odd = replace(GENUINE.facts, time=time)
    assert replace(GENUINE, live=odd).verify().verdict.at(Step.INCLUSION).state is State.PASS


def test_what_was_compared_is_told() -> None:
    finding = GENUINE.status(record(Status.REVOKED, since=READ - 5)).verify().verdict.at(Step.STATUS)
    assert finding.compared["block"] == "150" and finding.compared["source"] == "snapshot"
    assert finding.compared["since"] == str(READ - 5)
