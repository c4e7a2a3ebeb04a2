"""The holder's view: one line a reading, refusals too; what is lawfully hidden is counted with its day of release."""

from __future__ import annotations

from dataclasses import replace

import pytest
from audit_records import CITY_KEYS, access, digest, reading, recorded
from audit_world import HERE, NAME, NOW, OTHER, PERSON, PROVIDER, SCOPE_OF

from audit import withholding
from audit.access import AccessStep, Recorded
from audit.decision import DecisionCode
from audit.errors import AccessError
from audit.history import History, Outcome, history
from audit.own import Ground
from audit.subject import subject_ref
from audit.terms import DAY
from audit.trace import of_subject
from audit.withholding import Order
from ledger.errors import VerificationError
from ledger.logid import log_id
from ledger.statement import Statement

MINE = of_subject((subject_ref(PERSON, CITY_KEYS[HERE]),))
OPERATORS = ("op-order-001", "op-order-002")
ORDER = Order(digest("r"), NOW + DAY, "刑事诉讼法", OPERATORS)


def view(*records: Recorded, hidden: dict[bytes, int] | None = None) -> History:
    return history(records, MINE, hidden or {})


def decided(**changes: object) -> Recorded:
    return recorded(access(AccessStep.DECIDED, **changes), index=1)


def released(**changes: object) -> Recorded:
    return recorded(access(AccessStep.RELEASED, **changes), at=NOW + 1, index=2)


def outcomes(found: History) -> list[Outcome]:
    return [line.outcome for line in found.lines]


def test_one_line_for_a_reading_that_went_well() -> None:
    steps = reading()
    found = view(steps[AccessStep.DECIDED], steps[AccessStep.RELEASED])
    (line,) = found.lines
    assert (line.outcome, line.fields, line.ended) == (Outcome.RELEASED, (NAME,), steps[AccessStep.RELEASED])
    assert line.record is steps[AccessStep.DECIDED]
    assert (found.withheld, found.closed) == ((), 0)


@pytest.mark.parametrize(
    ("records", "outcome"),
    [
        ((decided(code=DecisionCode.FIELD_NOT_NEEDED),), Outcome.REFUSED),
        ((decided(),), Outcome.ALLOWED),
        ((decided(permit=digest("permit")),), Outcome.PERMITTED),
        ((decided(permit=digest("permit")), recorded(access(AccessStep.CLOSED), index=2)), Outcome.RELEASED),
        ((decided(ground=Ground.OWN_STAFF, matter=None, authorization=None),), Outcome.RELEASED),
    ],
)
def test_what_became_of_it(records: tuple[Recorded, ...], outcome: Outcome) -> None:
    assert outcomes(view(*records)) == [outcome]


@pytest.mark.parametrize(
    ("told", "outcome"),
    [(None, Outcome.ASKED), (DecisionCode.ALLOW, Outcome.RELEASED), (DecisionCode.NOT_AVAILABLE, Outcome.REFUSED)],
)
def test_the_asking_city_shows_what_it_asked_and_heard(told: DecisionCode | None, outcome: Outcome) -> None:
    mine = {"subject_ref": subject_ref(PERSON, CITY_KEYS[HERE])}
    records = [recorded(access(AccessStep.ASKED, **mine))]
    if told is not None:
        records.append(recorded(access(AccessStep.RECEIVED, code=told, **mine), at=NOW + 2, index=3))
    assert outcomes(view(*records)) == [outcome]


def test_of_what_went_out_those_fields_are_shown_that_did() -> None:
    found = view(decided(fields=(SCOPE_OF, NAME)), released(fields=(NAME,)))
    assert found.lines[0].fields == (NAME,)


def test_a_repeated_request_does_not_look_as_if_it_got_something() -> None:
    again = recorded(access(AccessStep.DECIDED, code=DecisionCode.REQUEST_REPEATED), at=NOW + 9, index=9)
    found = view(decided(), released(), again)
    assert outcomes(found) == [Outcome.REFUSED, Outcome.RELEASED]
    assert found.lines[0].ended is None


def test_others_are_not_shown_and_what_is_not_open_is_counted() -> None:
    other = decided(subject_ref=subject_ref(OTHER, CITY_KEYS[HERE]))
    mine = decided()
    erased = replace(mine, access=replace(mine.access, subject_ref=None, hidden=frozenset({"subject_ref"})))
    found = view(other, erased)
    assert (found.lines, found.closed) == ((), 1)


def test_what_is_withheld_is_counted_with_the_day_it_comes_free() -> None:
    plain, secret = decided(request="a"), decided(request="b")
    found = view(plain, secret, hidden={digest("b"): NOW + DAY})
    assert [line.record for line in found.lines] == [plain]
    assert found.withheld == ((NOW + DAY, 1),)


def test_the_newest_stands_first() -> None:
    old, new = decided(request="a"), replace(decided(request="b"), at=NOW + 5, index=7)
    assert [line.record.at for line in view(old, new).lines] == [NOW + 5, NOW]


def test_orders_are_read_back_and_end_by_themselves() -> None:
    made, openings = withholding.draft(ORDER, PROVIDER, now=NOW, salts=bytes(range(64)))
    place = log_id(HERE, withholding.STREAM)
    statement = Statement(place, withholding.STREAM, made.type, "2026-11-24T06:00:00.000Z", made.agency, made.body)
    assert withholding.decode(statement, openings) == ORDER
    closed = withholding.decode(statement, {})
    assert (closed.until, closed.basis, closed.operators) == (ORDER.until, None, None)
    assert "刑事诉讼法" not in statement.encode().decode() and OPERATORS[0] not in statement.encode().decode()
    assert withholding.in_force([ORDER, closed], ORDER.until - 1) == {ORDER.request: ORDER.until}
    assert withholding.in_force([ORDER], ORDER.until) == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"until": NOW}, "WITHHOLDING_WINDOW"),
        ({"until": NOW + 400 * DAY}, "WITHHOLDING_WINDOW"),
        ({"basis": None}, "WITHHOLDING_UNFOUNDED"),
        ({"operators": None}, "WITHHOLDING_UNFOUNDED"),
    ],
)
def test_an_order_without_end_law_or_names_is_refused(changes: dict[str, object], code: str) -> None:
    with pytest.raises(AccessError) as refused:
        withholding.draft(replace(ORDER, **changes), PROVIDER, now=NOW, salts=bytes(64))
    assert refused.value.code == code


def test_one_operator_alone_cannot_hide_anything() -> None:
    for operators in (("op-order-001",), ("op-order-001", "op-order-001"), ()):
        with pytest.raises(VerificationError):
            replace(ORDER, operators=operators)
