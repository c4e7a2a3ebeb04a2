"""Which of several status records counts at a time, as known at a block."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import Facts, StatusHistory, StatusRecord
from ledger.status import FINAL, Reason, Status, allowed, history, status_at

ISSUER, DIGEST = "11330105002500287C", bytes(32)


def record(status: Status, effective: int, recorded: int) -> StatusRecord:
    return StatusRecord(status, 99, effective, "", bytes(32), recorded, 0)


def test_the_numbers_are_frozen() -> None:
    assert [(s.name, s.value) for s in Status] == [
        ("ACTIVE", 0),
        ("SUSPENDED", 1),
        ("TRANSFERRING", 2),
        ("REVOKED", 3),
        ("CANCELLED", 4),
        ("SUPERSEDED", 5),
        ("TRANSFERRED", 6),
    ]
    assert [r.value for r in Reason] == [1, 2, 3, 4, 5, 6, 7, 99]


def test_nothing_follows_a_final_status() -> None:
    for current, wanted in product(Status, Status):
        if current in FINAL or current is Status.TRANSFERRING:
            assert not allowed(current, wanted)
    plain = {Status.SUSPENDED, Status.REVOKED, Status.CANCELLED, Status.SUPERSEDED}
    assert {s for s in Status if allowed(Status.ACTIVE, s)} == plain
    assert {s for s in Status if allowed(Status.SUSPENDED, s)} == (plain - {Status.SUSPENDED}) | {Status.ACTIVE}


@given(st.lists(st.tuples(st.sampled_from(Status), st.integers(0, 6), st.integers(0, 6)), max_size=6))
def test_the_newest_record_that_was_known_and_in_force_counts(drawn: list[tuple[Status, int, int]]) -> None:
    records = [record(*row) for row in drawn]
    row = StatusHistory(ISSUER, DIGEST, tuple(records))
    for time, as_of in product(range(8), range(8)):
        wanted = None
        for one in records:
            if one.recorded <= as_of and one.effective_from <= time:
                wanted = one
        assert status_at(row, time, as_of) is wanted


def test_an_annulment_reaches_back_and_is_not_known_before_it_was_recorded() -> None:
    row = StatusHistory(ISSUER, DIGEST, (record(Status.SUSPENDED, 50, 5), record(Status.REVOKED, 10, 9)))
    seen = [getattr(status_at(row, time, 9), "status", None) for time in (9, 10, 49, 50, 99)]
    assert seen == [None, Status.REVOKED, Status.REVOKED, Status.REVOKED, Status.REVOKED]
    assert status_at(row, 49, 8) is None and status_at(row, 50, 8) == row.records[0]


def test_a_status_is_read_under_its_issuer_only_and_silence_is_not_active() -> None:
    row = StatusHistory(ISSUER, DIGEST, ())
    facts = Facts(bytes(32), 1, 1, bytes(32), 1, statuses=(row,))
    assert history(facts, ISSUER, DIGEST) is row
    assert history(facts, ISSUER[::-1], DIGEST) is None and history(facts, ISSUER, b"\x01" * 32) is None
