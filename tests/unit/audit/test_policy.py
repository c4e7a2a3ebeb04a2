"""Deny by default: with everything right it is ALLOW, with any one thing wrong it is that thing's code, recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from audit_world import (
    AGREEMENT,
    CARD,
    CODE,
    CONSENT,
    COUNTER,
    EMERGENCY,
    FRESH,
    GRANTEE,
    LICENCE,
    MANDATE,
    MATTER_CODE,
    NAME,
    NOW,
    OTHER,
    OTHER_MATTER,
    PROVIDER,
    PURPOSE,
    REQUEST,
    RULES,
    SCOPE_OF,
    SECRET_RESOURCE,
    STRANGER,
    THERE,
    bound,
    bound_mandate,
    by_agent,
    matter,
    resource,
)
from hypothesis import given
from hypothesis import strategies as st

from audit.authorization import Authorization
from audit.binding import Bound
from audit.decision import Decision, DecisionCode, told
from audit.errors import PolicyError
from audit.lists import Forbidden
from audit.matter import Matters
from audit.own import Ground, OwnReading, decide_own
from audit.policy import CLOCK_SKEW, MAX_STATUS_AGE, decide
from audit.purpose import Purpose
from audit.request import Request, Rules, StatusView, Unbound, Uses
from audit.resource import ResourceCatalogue
from audit.subject import Holder
from audit.terms import DAY, Scope
from ledger.errors import VerificationError
from ledger.status import FINAL, Status

C = DecisionCode
MANDATE_BOUND = bound_mandate()


@dataclass
class Situation:
    """Everything a decision is made from; right, until a breaker touches it."""

    authorization: Authorization = CONSENT
    request: Request = REQUEST
    purpose: Purpose = PURPOSE
    rules: Rules = RULES
    statuses: dict[str, dict[str, Status]] = field(default_factory=lambda: {"chain": {}, "local": {}})
    read_at: int = FRESH.read_at
    uses: Uses = field(default_factory=Uses)
    now: int = NOW
    held: bool = True
    shown: str = "bound"
    mandate: Any = None

    def bound(self) -> Bound:
        mandate = self.mandate and replace(MANDATE_BOUND, mandate=self.mandate)
        return replace(bound(self.authorization), mandate=mandate)

    def decide(self) -> Decision:
        made = self.bound()
        names = {"authorization": made.id, "mandate": MANDATE_BOUND.id}
        statuses = {source: {names[n]: s for n, s in known.items()} for source, known in self.statuses.items()}
        view = StatusView(self.read_at, statuses["chain"], statuses["local"])
        shown = {"bound": made, "nothing": None, "unbound": Unbound(made.id)}[self.shown]
        request = replace(self.request, purpose=self.purpose)
        return decide(request, shown, self.rules, view, self.uses, self.now, held=self.held)


def asking(s: Situation, **changes: Any) -> None:
    s.request = replace(s.request, **changes)


def asking_also(s: Situation, name: str) -> None:
    asking(s, fields=tuple(sorted({*s.request.fields, name})))


def purpose(s: Situation, **changes: Any) -> None:
    s.purpose = replace(s.purpose, **changes)


def granted(s: Situation, **changes: Any) -> None:
    s.authorization = replace(s.authorization, **changes)


def counted(s: Situation, **changes: Any) -> None:
    s.uses = replace(s.uses, **changes)


def status(s: Situation, source: str, what: str, status: Status) -> None:
    s.statuses[source][what] = status
    if what == "mandate":
        s.mandate = s.mandate or MANDATE


def mandated(s: Situation, **changes: Any) -> None:
    s.mandate = replace(s.mandate or MANDATE, **changes)


def negative(s: Situation) -> None:
    line = Forbidden(LICENCE, NAME, "某法")
    s.rules = replace(s.rules, lists=replace(s.rules.lists, negative=(line,)))


def unshared(s: Situation) -> None:
    closed = replace(s.rules.catalogue[SECRET_RESOURCE], code=LICENCE, items=s.rules.catalogue[LICENCE].items)
    s.rules = Rules(ResourceCatalogue((closed,)), s.rules.matters, s.rules.lists)


def needs_less(s: Situation) -> None:
    lesser = matter(MATTER_CODE, PURPOSE.matter_name, {LICENCE: frozenset({NAME, CODE})})
    s.rules = Rules(s.rules.catalogue, Matters((lesser, s.rules.matters[OTHER_MATTER])), s.rules.lists)


BREAKERS: list[tuple[DecisionCode, Callable[[Situation], None]]] = [
    (C.REQUEST_REPEATED, lambda s: counted(s, repeated=True)),
    (C.MATTER_UNKNOWN, lambda s: purpose(s, matter_code=MATTER_CODE[:-1] + "9")),
    (C.MATTER_NAME_DIFFERS, lambda s: purpose(s, matter_name="核验")),
    (C.MATTER_NOT_OF_AGENCY, lambda s: asking(s, agency=STRANGER)),
    (C.CASE_MISSING, lambda s: purpose(s, business_code=None)),
    (C.PURPOSE_OF_ANOTHER, lambda s: purpose(s, org=COUNTER)),
    (C.PURPOSE_OF_ANOTHER, lambda s: purpose(s, operator="op-somebody")),
    (C.RESOURCE_UNKNOWN, lambda s: asking(s, resource="nothing")),
    (C.RESOURCE_NOT_SHARED, unshared),
    (C.FIELD_UNKNOWN, lambda s: asking_also(s, "no_such_field")),
    (C.FIELD_NOT_NEEDED, lambda s: asking_also(s, "registered_capital")),
    (C.FIELD_FORBIDDEN, negative),
    (C.NOT_AUTHORIZED, lambda s: setattr(s, "shown", "nothing")),
    (C.NOT_BOUND, lambda s: setattr(s, "shown", "unbound")),
    (C.OTHER_GRANTEE, lambda s: granted(s, grantee=COUNTER, purpose=replace(PURPOSE, org=COUNTER))),
    (C.OTHER_PROVIDER, lambda s: granted(s, providers=(THERE,))),
    (C.OTHER_SUBJECT, lambda s: asking(s, subject=OTHER)),
    (C.OTHER_SUBJECT, lambda s: asking(s, subject=Holder("099", REQUEST.subject.code))),
    (C.OTHER_PURPOSE, lambda s: purpose(s, business_code="320100202611249999")),
    (C.OTHER_PURPOSE, lambda s: purpose(s, system="另一系统")),
    (C.REVOKED, lambda s: status(s, "chain", "authorization", Status.REVOKED)),
    (C.REVOKED, lambda s: status(s, "local", "authorization", Status.REVOKED)),
    (C.REVOKED, lambda s: status(s, "local", "authorization", Status.CANCELLED)),
    (C.SUSPENDED, lambda s: status(s, "local", "authorization", Status.SUSPENDED)),
    (C.SUSPENDED, lambda s: status(s, "chain", "authorization", Status.TRANSFERRING)),
    (C.NOT_YET_VALID, lambda s: granted(s, not_before=NOW + 1, not_after=NOW + DAY)),
    (C.EXPIRED, lambda s: granted(s, not_before=NOW - 100, not_after=NOW)),
    (C.STATUS_STALE, lambda s: setattr(s, "read_at", NOW - MAX_STATUS_AGE - 1)),
    (C.STATUS_STALE, lambda s: setattr(s, "read_at", NOW + CLOCK_SKEW + 1)),
    (C.MANDATE_REVOKED, lambda s: status(s, "local", "mandate", Status.REVOKED)),
    (C.MANDATE_SUSPENDED, lambda s: status(s, "chain", "mandate", Status.SUSPENDED)),
    (C.MANDATE_NOT_YET_VALID, lambda s: mandated(s, not_before=NOW + 1, not_after=NOW + DAY)),
    (C.MANDATE_EXPIRED, lambda s: mandated(s, not_before=NOW - 100, not_after=NOW)),
    (C.MANDATE_OTHER_MATTER, lambda s: mandated(s, matters=(OTHER_MATTER,))),
    (C.AUTHORIZED_TOO_MUCH, needs_less),
    (C.AUTHORIZED_TOO_MUCH, lambda s: granted(s, scopes=(*s.authorization.scopes, Scope("other", ("name",))))),
    (C.FIELD_NOT_AUTHORIZED, lambda s: asking_also(s, CODE)),
    (C.FIELD_NOT_AUTHORIZED, lambda s: granted(s, scopes=(Scope(CARD, ("name",)),))),
    (C.ITEM_NOT_AUTHORIZED, lambda s: granted(s, scopes=(Scope(LICENCE, (SCOPE_OF, NAME), bytes(32)),))),
    (C.USES_EXHAUSTED, lambda s: counted(s, total=CONSENT.max_uses)),
    (C.NOTHING_HELD, lambda s: setattr(s, "held", False)),
]


def test_with_everything_right_it_is_allowed() -> None:
    decision = Situation().decide()
    assert (decision.code, decision.fields, decision.allowed) == (C.ALLOW, (NAME,), True)
    assert decision.request == REQUEST.id and decision.authorization is not None and decision.mandate is None
    assert decision.policy == RULES.version and decision.decided_at == NOW
    assert decision.params is not None and decision.params.keys() == {"agency", "matter", "resource", "fields"}
    assert decision.status is not None and decision.status.read_at == FRESH.read_at


@pytest.mark.parametrize(("code", "breaks"), BREAKERS, ids=[f"{c.name}-{i}" for i, (c, _) in enumerate(BREAKERS)])
def test_one_thing_wrong_is_refused_by_its_name(code: DecisionCode, breaks: Callable[[Situation], None]) -> None:
    situation = Situation()
    breaks(situation)
    decision = situation.decide()
    assert (decision.code.name, decision.allowed) == (code.name, False)
    assert decision.policy == situation.rules.version


@given(st.sets(st.integers(0, len(BREAKERS) - 1), min_size=1, max_size=8))
def test_no_combination_of_wrongs_is_allowed(chosen: set[int]) -> None:
    situation = Situation()
    for index in sorted(chosen):
        BREAKERS[index][1](situation)
    decision = situation.decide()
    assert not decision.allowed
    assert decision.params is not None and not {REQUEST.subject.code, OTHER.code} & set(decision.params.values())


FIRST_OF = [i for i, (code, _) in enumerate(BREAKERS) if code not in {c for c, _ in BREAKERS[:i]}]
OVERWRITING = {C.NOT_BOUND, C.OTHER_PURPOSE, C.EXPIRED, C.MANDATE_EXPIRED}
"""Their breakers undo that of the code before them."""
ORDERED = [i for i in FIRST_OF if BREAKERS[i][0] not in OVERWRITING]


@given(st.lists(st.sampled_from(ORDERED), min_size=2, max_size=4, unique=True).map(sorted))
def test_of_several_wrongs_the_first_in_the_fixed_order_is_named(chosen: list[int]) -> None:
    situation = Situation()
    for index in chosen:
        BREAKERS[index][1](situation)
    assert situation.decide().code is BREAKERS[chosen[0]][0]
    assert [BREAKERS[index][0] for index in chosen] == sorted(BREAKERS[index][0] for index in chosen)


def test_every_refusal_can_be_reached() -> None:
    elsewhere = {C.ALLOW, C.NOT_OWN, C.NOT_AVAILABLE, C.DAILY_LIMIT}
    elsewhere |= {C.GRANTOR_NOT_RESPONSIBLE, C.AGREEMENT_NOT_LISTED, C.REVIEW_OVERDUE}
    assert {code for code, _ in BREAKERS} == set(C) - elsewhere


# Boundaries


@pytest.mark.parametrize(("age", "allowed"), [(MAX_STATUS_AGE, True), (-CLOCK_SKEW, True), (MAX_STATUS_AGE + 1, False)])
def test_a_status_view_counts_for_fifteen_minutes(age: int, allowed: bool) -> None:
    assert Situation(read_at=NOW - age).decide().allowed is allowed


def test_a_window_is_half_open() -> None:
    starts, ends = Situation(now=CONSENT.not_before), Situation(now=CONSENT.not_after)
    for situation in (starts, ends):
        situation.read_at = situation.now
    assert (starts.decide().code, ends.decide().code) == (C.ALLOW, C.EXPIRED)


@given(st.sampled_from(list(Status)), st.sampled_from(list(Status)))
def test_the_worst_source_wins(chain: Status, local: Status) -> None:
    situation = Situation(statuses={"chain": {"authorization": chain}, "local": {"authorization": local}})
    code = situation.decide().code
    if FINAL & {chain, local}:
        assert code is C.REVOKED
    elif {chain, local} == {Status.ACTIVE}:
        assert code is C.ALLOW
    else:
        assert code is C.SUSPENDED


def test_a_revocation_never_ages() -> None:
    situation = Situation(read_at=NOW - 100 * DAY)
    status(situation, "chain", "authorization", Status.REVOKED)
    assert situation.decide().code is C.REVOKED


@given(st.integers(0, 30), st.integers(1, 20))
def test_uses_left_are_counted_for_this_provider(total: int, most: int) -> None:
    situation = Situation(uses=Uses(total=total))
    granted(situation, max_uses=most)
    assert situation.decide().allowed is (total < most)


def test_an_agent_is_decided_by_his_mandate() -> None:
    authorization = bound(by_agent(MANDATE_BOUND), MANDATE_BOUND)
    decision = decide(REQUEST, authorization, RULES, FRESH, Uses(), NOW)
    assert (decision.code, decision.mandate) == (C.ALLOW, MANDATE_BOUND.id)


@given(st.sets(st.sampled_from([NAME, SCOPE_OF, CODE, "registered_capital"]), min_size=1))
def test_fields_asked_authorized_and_needed_are_nested(asked: set[str]) -> None:
    fields = tuple(sorted(asked))
    decision = decide(replace(REQUEST, fields=fields), bound(), RULES, FRESH, Uses(), NOW)
    assert decision.allowed is (asked <= {NAME, SCOPE_OF})
    over = {"registered_capital"} & asked or {CODE} & asked
    assert set(decision.fields) == (over or asked)


# Agencies


def agreed(
    uses: Uses | None = None, rules: Rules = RULES, base: Authorization = AGREEMENT, **changes: Any
) -> DecisionCode:
    authorization = bound(replace(base, **changes))
    return decide(REQUEST, authorization, rules, FRESH, uses or Uses(), NOW).code


def test_an_agreement_is_within_its_line_of_the_responsibility_list() -> None:
    assert agreed() is C.ALLOW
    assert agreed(daily_limit=51) is C.AGREEMENT_NOT_LISTED
    assert agreed(scopes=(Scope(LICENCE, (NAME, CODE)),)) is C.AGREEMENT_NOT_LISTED
    nothing_listed = replace(RULES, lists=replace(RULES.lists, shares=()))
    assert agreed(rules=nothing_listed) is C.AGREEMENT_NOT_LISTED


def test_an_agreement_has_a_limit_a_day() -> None:
    assert agreed(Uses(today=49)) is C.ALLOW
    assert agreed(Uses(today=50)) is C.DAILY_LIMIT
    assert agreed(Uses(total=AGREEMENT.max_uses)) is C.USES_EXHAUSTED


def test_an_agreement_is_about_anybody_and_any_case_of_its_matter() -> None:
    request = replace(REQUEST, subject=OTHER, purpose=replace(PURPOSE, business_code="320100202611240099"))
    assert decide(request, bound(AGREEMENT), RULES, FRESH, Uses(), NOW).allowed


@pytest.mark.parametrize("base", [AGREEMENT, EMERGENCY], ids=["agreement", "emergency"])
def test_an_agency_grants_what_it_provides_and_nothing_else(base: Authorization) -> None:
    lent = replace(base, grantor=replace(base.grantor, agency=COUNTER), witness=replace(base.witness, agency=COUNTER))  # type: ignore[type-var]
    assert decide(REQUEST, bound(lent), RULES, FRESH, Uses(), NOW).code is C.GRANTOR_NOT_RESPONSIBLE


def test_an_emergency_spares_the_consent_and_nothing_else() -> None:
    assert agreed(base=EMERGENCY) is C.ALLOW
    assert agreed(Uses(review_overdue=True), base=EMERGENCY) is C.REVIEW_OVERDUE
    assert agreed(Uses(review_overdue=True)) is C.ALLOW, "an agreement has no review"
    card = replace(REQUEST, resource=CARD, fields=("id_number",))
    authorization = bound(replace(EMERGENCY, scopes=(Scope(CARD, ("id_number",)),)))
    assert decide(card, authorization, RULES, FRESH, Uses(), NOW).code is C.FIELD_FORBIDDEN


# Requests, versions, words


def test_the_version_changes_with_every_part_of_the_rules() -> None:
    lists = replace(RULES.lists, negative=())
    catalogue = ResourceCatalogue([*RULES.catalogue.values(), resource("more", "name")])
    matters = Matters([RULES.matters[MATTER_CODE]])
    others = (replace(RULES, lists=lists), replace(RULES, catalogue=catalogue), replace(RULES, matters=matters))
    versions = {RULES.version, *(other.version for other in others)}
    assert len(versions) == 4
    assert Rules(RULES.catalogue, RULES.matters, RULES.lists).version == RULES.version


@pytest.mark.parametrize(
    "changes",
    [
        {"fields": ()},
        {"fields": ("身份证号码",)},
        {"fields": ("a" * 65,)},
        {"fields": tuple(f"f{i}" for i in range(65))},
        {"resource": "*"},
        {"operator": "王建国"},
        {"agency": "x"},
        {"provider": 0},
        {"id": b"short"},
    ],
)
def test_a_request_holds_names_and_no_text_of_a_strangers_choosing(changes: dict[str, Any]) -> None:
    with pytest.raises(VerificationError) as refused:
        replace(REQUEST, **changes)
    assert refused.value.code == "REQUEST_FORM"


@pytest.mark.parametrize("fields", [(NAME, SCOPE_OF), (CODE, NAME)])
def test_fields_are_asked_for_in_order(fields: tuple[str, ...]) -> None:
    with pytest.raises(PolicyError) as refused:
        replace(REQUEST, fields=fields)
    assert refused.value.code == "REQUEST_FIELDS"


def test_none_and_refused_look_alike_to_the_asker() -> None:
    hidden = {code for code in C if told(code) is C.NOT_AVAILABLE}
    assert hidden == {C.NOT_BOUND, C.OTHER_SUBJECT, C.NOTHING_HELD, C.NOT_AVAILABLE}


# One's own


def own(**changes: Any) -> DecisionCode:
    base = OwnReading(bytes(32), Ground.OWN_HOLDER, REQUEST.subject, PROVIDER, REQUEST.subject, LICENCE, (NAME,))
    repeated = changes.pop("repeated", False)
    decision = decide_own(replace(base, **changes), RULES, NOW, repeated=repeated)
    assert decision.policy == RULES.version
    return decision.code


def test_the_holder_reads_his_own_and_staff_what_its_agency_keeps() -> None:
    assert own() is C.ALLOW
    assert own(reader=OTHER) is C.NOT_OWN
    assert own(reader=None) is C.NOT_OWN
    assert own(ground=Ground.OWN_STAFF, reader=None) is C.ALLOW
    assert own(ground=Ground.OWN_STAFF, reader=None, agency=GRANTEE) is C.NOT_OWN
    assert own(ground=Ground.AUTHORIZATION) is C.NOT_OWN
    assert own(resource="nothing") is C.RESOURCE_UNKNOWN
    assert own(fields=("nothing",)) is C.FIELD_UNKNOWN
    assert own(fields=()) is C.FIELD_UNKNOWN
    assert own(repeated=True) is C.REQUEST_REPEATED
