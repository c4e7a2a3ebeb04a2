"""Step 3, ISSUER, and step 4, VALIDITY: who signed had the right, in this city, when it says and when anchored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import forge
import pytest
from forge import (
    AGENCY,
    BEGAN,
    BEGAN_BLOCK,
    CITY,
    GENUINE,
    IAT,
    OPEN,
    OTHER_AGENCY,
    OTHER_CITY,
    SIGNED,
    T,
    ended,
    refused,
    with_key,
)

from certs.certificate_type import MAX_ANCHOR_LAG
from certs.verify.reasons import Reason
from certs.verify.view import Policy
from ledger import accreditation as rules
from ledger.facts import Accreditation, Agency, Compromise, Facts, Term
from ledger.jws import b64url
from ledger.statement import timestamp
from ledger.verdict import Result

SKEW = timedelta(minutes=5)


def valid(case: forge.Case) -> None:
    assert case.verify().verdict.result is Result.VALID, case.verify().verdict


def at(moment: datetime) -> dict[str, str]:
    return {"at": timestamp(moment)}


def test_a_key_of_another_agency() -> None:
    refused(GENUINE, GENUINE.on_chain(with_key(agency=OTHER_AGENCY)), Reason.ISSUER_KEY_OF_ANOTHER)


def test_a_key_of_the_city_itself() -> None:
    refused(GENUINE, GENUINE.on_chain(with_key(agency="")), Reason.ISSUER_KEY_OF_ANOTHER)


@pytest.mark.parametrize("use", [rules.HTTP, rules.RECEIPT, rules.HEAD, rules.WITNESS, rules.ENC, 0, 7])
def test_a_key_for_another_use(use: int) -> None:
    refused(GENUINE, GENUINE.on_chain(with_key(use=use)), Reason.ISSUER_KEY_OF_ANOTHER)


def test_a_key_of_another_suite_under_the_same_thumbprint() -> None:
    refused(GENUINE, GENUINE.on_chain(with_key(suite=rules.ED25519)), Reason.ISSUER_KEY_OF_ANOTHER)


@pytest.mark.parametrize("part", ["x", "y"])
def test_a_thumbprint_registered_with_other_coordinates(part: str) -> None:
    """The contract does not recompute thumbprints: a governor could register ours with a key of his own."""
    refused(GENUINE, GENUINE.on_chain(with_key(**{part: getattr(forge.OTHER_KEY, part)})), Reason.ISSUER_KEY_OF_ANOTHER)


def test_a_key_the_chain_does_not_know() -> None:
    refused(GENUINE, GENUINE.on_chain(lambda facts: replace(facts, keys=())), Reason.ISSUER_KEY_UNKNOWN)
    refused(GENUINE, GENUINE.on_chain(with_key(kid=b64url(bytes(32)))), Reason.ISSUER_KEY_UNKNOWN)


def test_a_key_that_expired_before_the_signature() -> None:
    refused(GENUINE, GENUINE.on_chain(with_key(terms=ended(IAT, recorded=50))), Reason.ISSUER_KEY_NOT_VALID)
    refused(GENUINE, GENUINE.on_chain(with_key(terms=(Term(BEGAN, IAT, 5, 0),))), Reason.ISSUER_KEY_NOT_VALID)


def test_a_key_added_after_the_signature() -> None:
    refused(GENUINE, GENUINE.on_chain(with_key(terms=(Term(IAT + 1, None, 90, 0),))), Reason.ISSUER_KEY_NOT_VALID)
    valid(GENUINE.on_chain(with_key(terms=(Term(IAT, None, 90, 0),))))


def test_a_key_that_ended_between_signature_and_anchor() -> None:
    for end in (IAT + 1, T):
        refused(GENUINE, GENUINE.on_chain(with_key(terms=ended(end))), Reason.ISSUER_KEY_NOT_VALID)
    valid(GENUINE.on_chain(with_key(terms=ended(T + 1))))


def test_a_key_valid_at_both_moments_in_two_terms_with_a_gap_between() -> None:
    terms = (Term(BEGAN, IAT + 1, BEGAN_BLOCK, 0), Term(T, None, 99, 1))
    valid(GENUINE.on_chain(with_key(terms=terms)))


def test_terms_recorded_after_the_block_that_was_read_do_not_count() -> None:
    refused(GENUINE, GENUINE.on_chain(with_key(terms=(Term(BEGAN, None, 201, 0),))), Reason.ISSUER_KEY_NOT_VALID)
    valid(GENUINE.on_chain(with_key(terms=ended(IAT, recorded=201))))


@pytest.mark.parametrize("since", [0, BEGAN, IAT, T])
def test_a_key_compromised_before_the_anchor(since: int) -> None:
    case = GENUINE.on_chain(with_key(compromises=(Compromise(since, 199),)))
    refused(GENUINE, case, Reason.ISSUER_KEY_COMPROMISED)


def test_a_key_compromised_after_the_anchor_leaves_old_certificates_alone() -> None:
    valid(GENUINE.on_chain(with_key(compromises=(Compromise(T + 1, 199),))))


def test_a_compromise_among_several_reports() -> None:
    reports = (Compromise(T + 500, 150), Compromise(T - 1, 160), Compromise(T + 900, 170))
    refused(GENUINE, GENUINE.on_chain(with_key(compromises=reports)), Reason.ISSUER_KEY_COMPROMISED)


def test_a_stolen_key_cannot_date_itself_back() -> None:
    """The thief signs today with yesterday's `iat`: T is today's, and beyond the lag."""
    stolen = T + 1
    today = stolen + MAX_ANCHOR_LAG + 60
    backdated = forge.make(statement=at(datetime.fromtimestamp(today, UTC)), anchored=today)
    late = replace(backdated, now=datetime.fromtimestamp(today + 120, UTC))
    refused(GENUINE, late.on_chain(lambda facts: replace(facts, time=today + 60)), Reason.ISSUER_LATE_ANCHOR)
    reported = late.on_chain(with_key(compromises=(Compromise(stolen, 199),)))
    refused(GENUINE, reported, Reason.ISSUER_LATE_ANCHOR)


def test_an_agency_in_another_city() -> None:
    elsewhere = (Agency(AGENCY, OTHER_CITY, OPEN),)

    def moved(facts: Facts) -> Facts:
        cities = (*facts.cities, replace(facts.cities[0], city=OTHER_CITY))
        accredited = (Accreditation(AGENCY, OTHER_CITY, forge.TYPE.code, OPEN),)
        return replace(facts, cities=cities, agencies=elsewhere, accreditations=accredited)

    refused(GENUINE, GENUINE.on_chain(moved), Reason.ISSUER_NOT_MEMBER)


def agency(terms: tuple[Term, ...]) -> forge.Case:
    return GENUINE.on_chain(lambda facts: replace(facts, agencies=(Agency(AGENCY, CITY, terms),)))


def accreditation(terms: tuple[Term, ...], type_code: str = forge.TYPE.code, city: int = CITY) -> forge.Case:
    row = Accreditation(AGENCY, city, type_code, terms)
    return GENUINE.on_chain(lambda facts: replace(facts, accreditations=(row,)))


@pytest.mark.parametrize(
    "terms", [(), (Term(IAT + 1, None, 90, 0),), ended(IAT), ended(T), (Term(BEGAN, None, 201, 0),)]
)
def test_an_agency_that_was_no_member(terms: tuple[Term, ...]) -> None:
    refused(GENUINE, agency(terms), Reason.ISSUER_NOT_MEMBER)


def test_an_agency_whose_city_was_not_active() -> None:
    for terms in ((), ended(IAT), ended(T)):
        case = GENUINE.on_chain(lambda facts, t=terms: replace(facts, cities=(replace(facts.cities[0], terms=t),)))
        refused(GENUINE, case, Reason.ISSUER_NOT_MEMBER)


def test_an_agency_that_left_after_the_anchor_leaves_old_certificates_alone() -> None:
    valid(agency(ended(T + 1)))


@pytest.mark.parametrize(
    "terms", [(), (Term(IAT + 1, None, 90, 0),), ended(IAT), ended(T), (Term(BEGAN, None, 201, 0),)]
)
def test_an_agency_that_was_not_accredited(terms: tuple[Term, ...]) -> None:
    refused(GENUINE, accreditation(terms), Reason.ISSUER_NOT_ACCREDITED)


def test_an_accreditation_that_ended_after_the_anchor_leaves_old_certificates_alone() -> None:
    valid(accreditation(ended(T + 1)))


def test_an_accreditation_for_another_type_or_by_another_city() -> None:
    refused(GENUINE, accreditation(OPEN, type_code=forge.OTHER_TYPE.code), Reason.ISSUER_NOT_ACCREDITED)
    refused(GENUINE, accreditation(OPEN, city=OTHER_CITY), Reason.ISSUER_NOT_ACCREDITED)


def test_facts_that_leave_rows_out_are_a_failure_and_not_unknown() -> None:
    for part in ("cities", "agencies", "accreditations"):
        case = GENUINE.on_chain(lambda facts, p=part: replace(facts, **{p: ()}))
        assert case.verify().verdict.result is Result.INVALID


def test_signed_after_it_was_recorded() -> None:
    valid(forge.make(statement=at(SIGNED - SKEW)))
    refused(GENUINE, forge.make(statement=at(SIGNED - SKEW - timedelta(milliseconds=1))), Reason.ISSUER_BACKDATED)


def test_recorded_after_it_was_anchored() -> None:
    anchored = datetime.fromtimestamp(T, UTC)
    valid(forge.make(statement=at(anchored + SKEW)))
    refused(GENUINE, forge.make(statement=at(anchored + SKEW + timedelta(seconds=1))), Reason.ISSUER_BACKDATED)


def anchored_late(lag: int) -> forge.Case:
    made = forge.make(anchored=IAT + lag)
    later = datetime.fromtimestamp(IAT + lag + 200, UTC)
    return replace(made.on_chain(lambda facts: replace(facts, time=IAT + lag + 100)), now=later)


def test_anchored_beyond_the_lag() -> None:
    valid(anchored_late(MAX_ANCHOR_LAG))
    refused(GENUINE, anchored_late(MAX_ANCHOR_LAG + 1), Reason.ISSUER_LATE_ANCHOR)


def test_the_lag_is_the_verifiers_and_a_types_own() -> None:
    strict = Policy(max_anchor_lag={forge.TYPE.code: 59})
    refused(GENUINE, replace(GENUINE, policy=strict), Reason.ISSUER_LATE_ANCHOR)
    other = Policy(max_anchor_lag={forge.OTHER_TYPE.code: 1})
    valid(replace(GENUINE, policy=other))


def test_a_successor_in_the_same_minute_cannot_sign_for_the_one_before() -> None:
    """iss names the agency; a key of the other agency is never its key, whoever holds both."""
    signed_by_other = forge.make(signer=forge.OTHER_KEY).on_chain(with_key(agency=OTHER_AGENCY))
    refused(GENUINE, signed_by_other, Reason.ISSUER_KEY_OF_ANOTHER)


def test_before_the_first_day_and_after_the_last() -> None:
    start = datetime(2026, 11, 19, 16, 0, tzinfo=UTC)
    end = datetime(2036, 11, 19, 16, 0, tzinfo=UTC)
    early = replace(GENUINE, now=start - timedelta(seconds=1))
    assert early.verify().verdict.at(forge.Step.VALIDITY).reason == "VALIDITY_NOT_YET"
    trusted = replace(forge.TRUST, valid_until="2037-01-01T00:00:00.000Z")
    fresh = GENUINE.on_chain(lambda facts: replace(facts, time=int(end.timestamp()) - 60))
    valid(replace(fresh, now=end - timedelta(seconds=1), trust=trusted))
    refused(GENUINE, replace(fresh, now=end, trust=trusted), Reason.VALIDITY_EXPIRED)
    valid(replace(forge.make(visible={"exp": None}), now=GENUINE.now))
    refused(GENUINE, forge.make(visible={"nbf": int(GENUINE.now.timestamp()) + 1}), Reason.VALIDITY_NOT_YET)
