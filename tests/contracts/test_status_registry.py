"""StatusRegistry: what no longer holds, said only by the issuer or its city, and never unsaid."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from consortium import AGENCY, CHANGSHA, CONSORTIUM, HANGZHOU, OTHER_AGENCY, Consortium
from evm_chain import FOREVER, Chain, code, events

ACTIVE, SUSPENDED, TRANSFERRING, REVOKED, CANCELLED, SUPERSEDED, TRANSFERRED = range(7)
WITHHELD, REINSTATED, ANNULLED, PENALTY, CANCELLATION, RENEWED, CORRECTED, OTHER = 1, 2, 3, 4, 5, 6, 7, 99
NOT_ENTITLED, NO_DIGEST, BAD_TRANSITION, NO_REASON, BAD_EFFECTIVE_FROM, BAD_NEXT = range(1, 7)
ZERO, DIGEST, NEXT = bytes(32), b"\xd1" * 32, b"\xd2" * 32
NO_RECORD = (ACTIVE, 0, 0, ZERO, ZERO, "0x" + 40 * "0", 0, 0)


def change(status: int, reason: int = OTHER, since: int = 0, **other: bytes) -> tuple[Any, ...]:
    given = {"issuer": AGENCY, "digest": DIGEST, "next_issuer": ZERO, "next_digest": ZERO} | other
    if status == SUPERSEDED and not other.keys() & {"next_issuer", "next_digest"}:
        given |= {"next_issuer": AGENCY, "next_digest": NEXT}
    return (
        given["issuer"],
        given["digest"],
        status,
        reason,
        since,
        given["next_issuer"],
        given["next_digest"],
    )


@pytest.fixture
def clerk(chain: Chain, consortium: Consortium) -> str:
    """An account of AGENCY, which belongs to HANGZHOU; OTHER_AGENCY belongs to CHANGSHA."""
    registry, account = consortium.registry.functions, consortium.spare[0]
    chain.send(registry.addAgency(AGENCY, 0, FOREVER), consortium.governor[HANGZHOU])
    chain.send(registry.addAccount(account, AGENCY, 2, 0, FOREVER), consortium.governor[HANGZHOU])
    chain.send(registry.addAgency(OTHER_AGENCY, 0, FOREVER), consortium.governor[CHANGSHA])
    return account


def set_status(chain: Chain, c: Consortium, sender: str, given: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return events(c.status, chain.send(c.status.functions.setStatus(given), sender))


def records(c: Consortium, issuer: bytes = AGENCY) -> Any:
    return c.status.functions.records(issuer, DIGEST).call()


def test_a_change_is_recorded_with_all_its_values(chain: Chain, consortium: Consortium, clerk: str) -> None:
    assert records(consortium) == []
    seen = set_status(chain, consortium, clerk, change(SUPERSEDED, RENEWED, next_issuer=OTHER_AGENCY, next_digest=NEXT))
    now = chain.time
    values = (SUPERSEDED, RENEWED, now, OTHER_AGENCY, NEXT, clerk)
    assert seen == [("StatusChanged", AGENCY, DIGEST, *values)]
    assert records(consortium) == [(*values, chain.block, now)]
    assert consortium.status.functions.statusAt(AGENCY, DIGEST, now, chain.block).call() == (*values, chain.block, now)


def reach(chain: Chain, c: Consortium, sender: str, status: int) -> None:
    """Bring the certificate from ACTIVE to `status`."""
    if status != ACTIVE:
        assert set_status(chain, c, sender, change(status))[0][0] == "StatusChanged"


ALLOWED = {
    *product([ACTIVE], [SUSPENDED, REVOKED, CANCELLED, SUPERSEDED]),
    *product([SUSPENDED], [ACTIVE, REVOKED, CANCELLED, SUPERSEDED]),
}


@pytest.mark.parametrize("before", [ACTIVE, SUSPENDED, REVOKED, CANCELLED, SUPERSEDED])
def test_every_step_is_allowed_or_refused(chain: Chain, consortium: Consortium, clerk: str, before: int) -> None:
    """From every status that can be reached to every number a status can have."""
    reach(chain, consortium, clerk, before)
    for after in (*range(8), 255):
        undo = chain.rpc("evm_snapshot")
        # Another reason than the one that led here: no repeat.
        [event] = set_status(chain, consortium, clerk, change(after, PENALTY))
        if (before, after) in ALLOWED:
            assert event[:4] == ("StatusChanged", AGENCY, DIGEST, after)
        else:
            assert event == ("StatusRefused", AGENCY, DIGEST, after, BAD_TRANSITION)
        chain.rpc("evm_revert", undo)


def test_reinstated_is_active_and_may_be_suspended_again(chain: Chain, consortium: Consortium, clerk: str) -> None:
    for status, reason in [(SUSPENDED, WITHHELD), (ACTIVE, REINSTATED), (SUSPENDED, WITHHELD), (ACTIVE, REINSTATED)]:
        assert set_status(chain, consortium, clerk, change(status, reason))[0][0] == "StatusChanged"
    assert [r[0] for r in records(consortium)] == [SUSPENDED, ACTIVE, SUSPENDED, ACTIVE]
    assert set_status(chain, consortium, clerk, change(REVOKED, PENALTY))[0][0] == "StatusChanged"


REFUSED: list[tuple[str, tuple[Any, ...], int]] = [
    ("another issuer", change(REVOKED, issuer=OTHER_AGENCY), NOT_ENTITLED),
    ("issuer 0", change(REVOKED, issuer=ZERO), NOT_ENTITLED),
    ("digest 0", change(REVOKED, digest=ZERO), NO_DIGEST),
    ("no reason", change(REVOKED, 0), NO_REASON),
    ("annulled from the future", change(REVOKED, ANNULLED, FOREVER), BAD_EFFECTIVE_FROM),
    ("from the past, a penalty", change(REVOKED, PENALTY, 1), BAD_EFFECTIVE_FROM),
    ("from the past, cancelled although annulled", change(CANCELLED, ANNULLED, 1), BAD_EFFECTIVE_FROM),
    ("superseded by nothing", change(SUPERSEDED, next_issuer=ZERO, next_digest=ZERO), BAD_NEXT),
    ("superseded by no digest", change(SUPERSEDED, next_issuer=AGENCY, next_digest=ZERO), BAD_NEXT),
    ("superseded by nobody's", change(SUPERSEDED, next_issuer=ZERO, next_digest=NEXT), BAD_NEXT),
    ("superseded by itself", change(SUPERSEDED, next_issuer=AGENCY, next_digest=DIGEST), BAD_NEXT),
    ("revoked with a next digest", change(REVOKED, next_digest=NEXT), BAD_NEXT),
    ("revoked with a next issuer", change(REVOKED, next_issuer=AGENCY), BAD_NEXT),
]


@pytest.mark.parametrize(("given", "refusal"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_bad_change_is_refused_and_changes_nothing(
    chain: Chain, consortium: Consortium, clerk: str, given: tuple[Any, ...], refusal: int
) -> None:
    [event] = set_status(chain, consortium, clerk, given)
    assert event == ("StatusRefused", given[0], given[1], given[2], refusal)
    assert consortium.status.functions.records(given[0], given[1]).call() == []


def test_effective_now_may_be_said_in_full(chain: Chain, consortium: Consortium, clerk: str) -> None:
    now = chain.time + 5
    call = consortium.status.functions.setStatus(change(REVOKED, PENALTY, now))
    [event] = events(consortium.status, chain.send(call, clerk, at=now))
    assert event[0] == "StatusChanged" and event[5] == now
    call = consortium.status.functions.setStatus(change(CANCELLED, PENALTY, now + 2, digest=NEXT))
    [event] = events(consortium.status, chain.send(call, clerk, at=now + 1))
    assert event[-1] == BAD_EFFECTIVE_FROM


def test_an_annulment_reaches_back_but_not_what_was_known(chain: Chain, consortium: Consortium, clerk: str) -> None:
    issued = chain.time - 1000
    set_status(chain, consortium, clerk, change(SUSPENDED, WITHHELD))
    suspended, known = chain.time, chain.block
    chain.pass_to(suspended + 100)
    set_status(chain, consortium, clerk, change(REVOKED, ANNULLED, issued))
    at = consortium.status.functions.statusAt

    def status(time: int, block: int) -> int:
        return int(at(AGENCY, DIGEST, time, block).call()[0])

    times = (issued - 1, issued, suspended - 1, suspended, FOREVER)
    assert [status(t, known - 1) for t in times] == [ACTIVE] * 5
    assert [status(t, known) for t in times] == [ACTIVE, ACTIVE, ACTIVE, SUSPENDED, SUSPENDED]
    assert [status(t, chain.block) for t in times] == [ACTIVE, REVOKED, REVOKED, REVOKED, REVOKED]
    assert at(AGENCY, DIGEST, issued - 1, chain.block).call() == NO_RECORD


@pytest.mark.parametrize(
    ("status", "reason"),
    [(SUSPENDED, WITHHELD), (REVOKED, PENALTY), (CANCELLED, CANCELLATION), (SUPERSEDED, CORRECTED)],
)
def test_a_repeat_changes_nothing_and_says_nothing(
    chain: Chain, consortium: Consortium, clerk: str, status: int, reason: int
) -> None:
    set_status(chain, consortium, clerk, change(status, reason))
    recorded, before = chain.time, records(consortium)
    for since in (0, recorded):
        assert set_status(chain, consortium, clerk, change(status, reason, since)) == []
    # The city may say it again too; another time is no repeat.
    assert set_status(chain, consortium, consortium.hot[HANGZHOU], change(status, reason)) == []
    assert set_status(chain, consortium, clerk, change(status, reason, recorded - 1))[0][-1] == BAD_TRANSITION
    assert records(consortium) == before


def test_a_repeat_of_an_annulment_with_its_time_is_silent(chain: Chain, consortium: Consortium, clerk: str) -> None:
    given = change(REVOKED, ANNULLED, chain.time - 500)
    assert set_status(chain, consortium, clerk, given)[0][0] == "StatusChanged"
    assert set_status(chain, consortium, clerk, given) == []


def test_active_without_a_record_is_no_repeat(chain: Chain, consortium: Consortium, clerk: str) -> None:
    [event] = set_status(chain, consortium, clerk, change(ACTIVE, 0))
    assert event == ("StatusRefused", AGENCY, DIGEST, ACTIVE, BAD_TRANSITION)


def test_who_may_write_under_an_issuer(chain: Chain, consortium: Consortium, clerk: str) -> None:
    other = consortium.spare[1]
    chain.send(
        consortium.registry.functions.addAccount(other, OTHER_AGENCY, 2, 0, FOREVER),
        consortium.governor[CHANGSHA],
    )
    for sender in (consortium.hot[CHANGSHA], other):
        [event] = set_status(chain, consortium, sender, change(REVOKED))
        assert event == ("StatusRefused", AGENCY, DIGEST, REVOKED, NOT_ENTITLED)
    assert records(consortium) == []
    [event] = set_status(chain, consortium, consortium.hot[HANGZHOU], change(SUSPENDED))
    assert event[-1] == consortium.hot[HANGZHOU]
    [event] = set_status(chain, consortium, clerk, change(REVOKED))
    assert event[-1] == clerk
    # The same digest under another issuer is another record: nobody touches this one through it.
    [event] = set_status(chain, consortium, other, change(CANCELLED, issuer=OTHER_AGENCY))
    assert event[:3] == ("StatusChanged", OTHER_AGENCY, DIGEST)
    assert [r[0] for r in records(consortium)] == [SUSPENDED, REVOKED]


def test_rights_move_with_the_agency(chain: Chain, consortium: Consortium, clerk: str) -> None:
    registry = consortium.registry.functions
    set_status(chain, consortium, clerk, change(SUSPENDED))
    chain.send(registry.endAgency(AGENCY, 0), consortium.governor[HANGZHOU])
    [event] = set_status(chain, consortium, consortium.hot[HANGZHOU], change(REVOKED))
    assert event[-1] == NOT_ENTITLED
    chain.send(registry.addAgency(AGENCY, 0, FOREVER), consortium.governor[CHANGSHA])
    [event] = set_status(chain, consortium, consortium.hot[CHANGSHA], change(REVOKED))
    assert event[0] == "StatusChanged"
    call = consortium.status.functions.setStatus(change(REVOKED))
    assert chain.refused(call, clerk) == ("Unregistered", clerk)


def test_who_may_set_no_status_reverts(chain: Chain, consortium: Consortium, clerk: str) -> None:
    publisher = consortium.spare[1]
    add = consortium.registry.functions.addAccount(publisher, ZERO, 1, 0, FOREVER)
    chain.send(add, consortium.governor[HANGZHOU])
    one, many = consortium.status.functions.setStatus(change(REVOKED)), consortium.status.functions.setStatusMany([])
    for sender in (consortium.stranger, consortium.deployer, consortium.governor[HANGZHOU], publisher):
        assert chain.refused(one, sender) == ("Unregistered", sender)
        assert chain.refused(many, sender) == ("Unregistered", sender)


def test_many_changes_do_not_hinder_each_other(chain: Chain, consortium: Consortium, clerk: str) -> None:
    given = [
        change(SUSPENDED),
        change(SUSPENDED),  # known by now: silent
        change(TRANSFERRING),
        change(REVOKED, issuer=OTHER_AGENCY),
        change(REVOKED, digest=NEXT),
        change(ACTIVE, REINSTATED),
    ]
    receipt = chain.send(consortium.status.functions.setStatusMany(given), clerk)
    assert [(e[0], *e[1:4]) for e in events(consortium.status, receipt)] == [
        ("StatusChanged", AGENCY, DIGEST, SUSPENDED),
        ("StatusRefused", AGENCY, DIGEST, TRANSFERRING),
        ("StatusRefused", OTHER_AGENCY, DIGEST, REVOKED),
        ("StatusChanged", AGENCY, NEXT, REVOKED),
        ("StatusChanged", AGENCY, DIGEST, ACTIVE),
    ]
    # Both records of one second and one block stand; the later one counts.
    assert len(records(consortium)) == 2
    now = consortium.status.functions.statusAt(AGENCY, DIGEST, chain.time, chain.block).call()
    assert now[:2] == (ACTIVE, REINSTATED)


def test_200_changes_fit_and_201_do_not(chain: Chain, consortium: Consortium, clerk: str) -> None:
    many = consortium.status.functions.setStatusMany
    given = [change(REVOKED, digest=i.to_bytes(32, "big")) for i in range(1, 202)]
    assert chain.refused(many(given), clerk) == ("TooManyItems", 201, 200)
    assert len(events(consortium.status, chain.send(many(given[:200]), clerk))) == 200


def test_the_registry_of_status_names_its_deployment(consortium: Consortium) -> None:
    read = consortium.status.functions
    assert read.consortiumId().call() == CONSORTIUM
    assert read.registry().call() == consortium.registry.address
    assert read.statusAt(AGENCY, DIGEST, FOREVER, FOREVER).call() == NO_RECORD


def test_an_agency_does_not_write_under_its_neighbour(chain: Chain, consortium: Consortium, clerk: str) -> None:
    """Two agencies of one city: their city may write under both, neither under the other."""
    neighbour = code("11330100002490213M")
    chain.send(consortium.registry.functions.addAgency(neighbour, 0, FOREVER), consortium.governor[HANGZHOU])
    [event] = set_status(chain, consortium, clerk, change(REVOKED, issuer=neighbour))
    assert event == ("StatusRefused", neighbour, DIGEST, REVOKED, NOT_ENTITLED)
    assert records(consortium, neighbour) == []
    [event] = set_status(chain, consortium, consortium.hot[HANGZHOU], change(REVOKED, issuer=neighbour))
    assert event[0] == "StatusChanged"
