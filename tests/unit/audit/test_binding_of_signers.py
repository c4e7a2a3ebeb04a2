"""Whose signature counts: the person's own, the witnessing agency's, an agent's along his mandate; else NOT_BOUND."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from audit_world import (
    AGENT,
    AGENT_KEY,
    AGREEMENT,
    ASKING,
    CLERK,
    CONSENT,
    CONSORTIUM,
    COUNTER,
    EMERGENCY,
    GRANTEE,
    HERE,
    MANDATE,
    MATTER_CODE,
    NOW,
    OPENINGS,
    OTHER,
    OTHER_MATTER,
    PERSON,
    PERSON_KEY,
    SECOND_CLERK,
    STRANGER,
    THERE,
    WITNESS_KEY,
    WITNESSED,
    bound,
    bound_mandate,
    by_agent,
    opening,
    person_key,
    shown,
    shown_mandate,
    witness_key,
)

from audit import mandate as mandates
from audit.authorization import Authorization
from audit.binding import AgencyKey, BoundMandate, HolderKey, KeySource, agency_key, bind, bind_mandate
from audit.errors import AuditError, BindingError
from audit.mandate import LONGEST, Mandate, Relation
from audit.subject import Holder, Opening
from audit.terms import DAY, Method, Witness
from ledger.accreditation import CERT, P256, WITNESS
from ledger.errors import LedgerError
from ledger.facts import Agency, City, Compromise, Facts, Key, Term
from ledger.jws import b64url
from ledger.keys.p256 import P256Signer

ALWAYS = (Term(0, None, 1, 0),)


def refusal(
    authorization: Authorization,
    signer: P256Signer,
    proven: HolderKey | AgencyKey,
    mandate: BoundMandate | None = None,
    openings: tuple[Opening, ...] = OPENINGS,
    consortium: bytes = CONSORTIUM,
) -> str:
    with pytest.raises(BindingError) as refused:
        bind(shown(authorization, signer), proven, openings, mandate, consortium=consortium, provider=HERE)
    return refused.value.code


# Consents by the person


def test_a_consent_is_bound_by_the_persons_own_key() -> None:
    assert bound().subject == PERSON
    assert bound().mandate is None
    assert bound().id == shown().id


@pytest.mark.parametrize("source", KeySource)
def test_a_key_is_proven_by_a_certificate_of_anywhere_or_a_statement_of_this_city(source: KeySource) -> None:
    there = person_key(source=source, city=THERE)
    if source is KeySource.STATEMENT:
        assert refusal(CONSENT, PERSON_KEY, there) == "NOT_BOUND_CITY"
        there = person_key(source=source, city=HERE)
    assert bind(shown(), there, OPENINGS, consortium=CONSORTIUM, provider=HERE).subject == PERSON


def test_whoever_is_not_the_subject_cannot_consent_for_it() -> None:
    assert refusal(CONSENT, AGENT_KEY, person_key(AGENT_KEY, AGENT)) == "NOT_BOUND_HOLDER"
    assert refusal(CONSENT, AGENT_KEY, person_key()) == "NOT_BOUND_KEY", "the proven key is another one"
    assert refusal(CONSENT, WITNESS_KEY, witness_key()) == "NOT_BOUND_HOLDER", "an agency is nobody's hand"


def test_a_signature_of_nobody_is_found_although_it_names_the_right_key() -> None:
    presented = shown()
    forged = replace(presented, untrusted=replace(presented.untrusted, signature=bytes(63) + b"\x01"))
    with pytest.raises(BindingError) as refused:
        bind(forged, person_key(), OPENINGS, consortium=CONSORTIUM, provider=HERE)
    assert refused.value.code == "NOT_BOUND_SIGNATURE"


def test_without_the_right_opening_nobody_knows_whom_it_is_about() -> None:
    assert refusal(CONSENT, PERSON_KEY, person_key(), openings=()) == "NOT_BOUND_SUBJECT"
    assert refusal(CONSENT, PERSON_KEY, person_key(), openings=(opening(OTHER),)) == "NOT_BOUND_SUBJECT"
    salted_otherwise = (opening(PERSON, "x"),)
    assert refusal(CONSENT, PERSON_KEY, person_key(), openings=salted_otherwise) == "NOT_BOUND_SUBJECT"


def test_a_consent_for_another_ledger_is_none_here() -> None:
    assert refusal(CONSENT, PERSON_KEY, person_key(), consortium=bytes(32)) == "NOT_BOUND_LEDGER"


# Witnessed consents and agencies


def test_a_witnessed_consent_is_signed_by_the_agency_it_names() -> None:
    assert bound(WITNESSED).subject == PERSON
    assert refusal(WITNESSED, WITNESS_KEY, witness_key(STRANGER)) == "NOT_BOUND_AGENCY"
    assert refusal(WITNESSED, PERSON_KEY, person_key()) == "NOT_BOUND_AGENCY"


def test_the_reader_alone_is_no_witness() -> None:
    def by(agency: str, *operators: str) -> Authorization:
        return replace(WITNESSED, witness=Witness(agency, operators, sha256(b"form").digest()))

    assert refusal(by(GRANTEE, CLERK), WITNESS_KEY, witness_key(GRANTEE)) == "NOT_BOUND_WITNESS"
    assert bound(by(GRANTEE, CLERK, SECOND_CLERK)).authorization.grantee == GRANTEE
    for agency, operators in ((COUNTER, (ASKING,)), (GRANTEE, (ASKING, CLERK)), (COUNTER, (ASKING, CLERK))):
        assert refusal(by(agency, *operators), WITNESS_KEY, witness_key(agency)) == "NOT_BOUND_WITNESS"


@pytest.mark.parametrize("authorization", [AGREEMENT, EMERGENCY], ids=["agreement", "emergency"])
def test_agencies_grant_by_their_own_key(authorization: Authorization) -> None:
    assert bound(authorization).subject is None
    assert refusal(authorization, WITNESS_KEY, witness_key(GRANTEE)) == "NOT_BOUND_AGENCY"
    assert refusal(authorization, PERSON_KEY, person_key()) == "NOT_BOUND_AGENCY"


def facts(**changes: Any) -> Facts:
    row = Key(WITNESS_KEY.kid, 3, COUNTER, P256, WITNESS, WITNESS_KEY.x, WITNESS_KEY.y, ALWAYS, ())
    return Facts(
        consortium=CONSORTIUM,
        chain_id=1,
        block=9,
        block_hash=bytes(32),
        time=NOW,
        cities=(City(3, 340100, ALWAYS),),
        agencies=(Agency(COUNTER, 3, ALWAYS),),
        accreditations=(),
        keys=(replace(row, **changes),),
        statuses=(),
        heads=(),
    )


def test_the_chain_says_whose_witness_key_it_is() -> None:
    assert agency_key(facts(), WITNESS_KEY.kid, NOW) == witness_key(COUNTER)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("NOT_BOUND_KEY", {"kid": "x"}),
        ("NOT_BOUND_KEY", {"use": CERT}),
        ("NOT_BOUND_KEY", {"suite": 2}),
        ("NOT_BOUND_ENDED", {"terms": (Term(0, NOW, 1, 0),)}),
        ("NOT_BOUND_ENDED", {"compromises": (Compromise(NOW - 1, 2),)}),
        ("NOT_BOUND_AGENCY", {"agency": ""}),
        ("NOT_BOUND_AGENCY", {"agency": STRANGER}),
        ("NOT_BOUND_AGENCY", {"city": 4}),
    ],
)
def test_a_key_that_is_not_that_of_a_member_then_binds_nothing(code: str, changes: dict[str, Any]) -> None:
    with pytest.raises(BindingError) as refused:
        agency_key(facts(**changes), WITNESS_KEY.kid, NOW)
    assert refused.value.code == code


# Mandates


def test_a_consent_by_an_agent_walks_to_the_principal() -> None:
    mandate = bound_mandate()
    walked = bound(by_agent(mandate), mandate)
    assert (walked.subject, walked.mandate) == (PERSON, mandate)
    assert (mandate.principal, mandate.agent) == (PERSON, AGENT)


def test_a_mandate_that_is_not_shown_or_another_one_is_none() -> None:
    mandate = bound_mandate()
    signer, proven = AGENT_KEY, person_key(AGENT_KEY, AGENT)
    assert refusal(by_agent(mandate), signer, proven) == "NOT_BOUND_MANDATE"
    another = bound_mandate(replace(MANDATE, nonce=bytes(16)))
    assert another.id != mandate.id
    assert refusal(by_agent(mandate), signer, proven, another) == "NOT_BOUND_MANDATE"
    assert refusal(by_agent(mandate), PERSON_KEY, person_key(), mandate) == "NOT_BOUND_HOLDER"


def test_a_mandate_between_others_gives_no_right() -> None:
    def between(principal: str, agent: str) -> BoundMandate:
        who = {"person": PERSON, "agent": AGENT, "other": OTHER}
        return replace(bound_mandate(), principal=who[principal], agent=who[agent])

    signer, proven = AGENT_KEY, person_key(AGENT_KEY, AGENT)
    for principal, agent in (("other", "agent"), ("person", "other"), ("agent", "person")):
        mandate = between(principal, agent)
        assert refusal(by_agent(mandate), signer, proven, mandate) == "NOT_BOUND_MANDATE"


def test_a_mandate_is_the_principals_word_not_the_agents() -> None:
    def refused(signer: P256Signer, proven: HolderKey | AgencyKey, mandate: Mandate = MANDATE, **more: Any) -> str:
        with pytest.raises(BindingError) as error:
            arguments: dict[str, Any] = {"consortium": CONSORTIUM, "provider": HERE, "openings": OPENINGS, **more}
            openings = arguments.pop("openings")
            bind_mandate(shown_mandate(mandate, signer), proven, openings, **arguments)
        return error.value.code

    assert refused(AGENT_KEY, person_key(AGENT_KEY, AGENT)) == "NOT_BOUND_HOLDER"
    assert refused(PERSON_KEY, person_key(), openings=(opening(PERSON),)) == "NOT_BOUND_SUBJECT"
    assert refused(PERSON_KEY, person_key(), consortium=bytes(32)) == "NOT_BOUND_LEDGER"
    assert refused(AGENT_KEY, person_key()) == "NOT_BOUND_KEY"
    himself = replace(MANDATE, agent=opening(PERSON, "x").digest)
    both = (opening(PERSON), opening(PERSON, "x"))
    assert refused(PERSON_KEY, person_key(), himself, openings=both) == "NOT_BOUND_MANDATE"


def test_a_guardian_is_witnessed_and_the_reader_is_not_the_only_witness() -> None:
    def guardian(agency: str, *operators: str) -> BoundMandate:
        form = Witness(agency, operators, sha256(b"form").digest())
        changes = {"method": Method.CLERK_WITNESS, "witness": form, "principal": opening(OTHER).digest}
        mandate = replace(MANDATE, relation=Relation.GUARDIAN, **changes)
        presented = shown_mandate(mandate, WITNESS_KEY)
        return bind_mandate(presented, witness_key(agency), OPENINGS, consortium=CONSORTIUM, provider=HERE)

    def of_the_ward(mandate: BoundMandate) -> Authorization:
        return replace(by_agent(mandate), subject=opening(OTHER).digest)

    mandate = guardian(COUNTER, CLERK)
    assert bound(of_the_ward(mandate), mandate).mandate == mandate
    for mandate in (guardian(GRANTEE, CLERK), guardian(COUNTER, ASKING)):
        signer, proven = AGENT_KEY, person_key(AGENT_KEY, AGENT)
        assert refusal(of_the_ward(mandate), signer, proven, mandate) == "NOT_BOUND_WITNESS"


@pytest.mark.parametrize(
    ("relation", "principal", "agent", "fits"),
    [
        (Relation.LEGAL_REPRESENTATIVE, PERSON, AGENT, True),
        (Relation.LEGAL_REPRESENTATIVE, OTHER, AGENT, False),
        (Relation.LEGAL_REPRESENTATIVE, PERSON, Holder("001", "91320104XXXX000355"), False),
        (Relation.HELPER, OTHER, AGENT, True),
        (Relation.HELPER, PERSON, AGENT, False),
    ],
)
def test_a_body_acts_through_its_representative_and_an_agent_is_a_person(
    relation: Relation, principal: Holder, agent: Holder, fits: bool
) -> None:
    openings = (opening(principal), opening(agent))
    mandate = replace(MANDATE, relation=relation, principal=openings[0].digest, agent=openings[1].digest)
    arguments: dict[str, Any] = {"consortium": CONSORTIUM, "provider": HERE}
    presented, proven = shown_mandate(mandate), person_key(holder=principal)
    if fits:
        assert bind_mandate(presented, proven, openings, **arguments).agent == agent
        return
    with pytest.raises(BindingError) as refused:
        bind_mandate(presented, proven, openings, **arguments)
    assert refused.value.code == "NOT_BOUND_MANDATE"


FORM = sha256(b"form").digest()
BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("MANDATE_WINDOW", {"not_after": MANDATE.not_before}),
    ("MANDATE_WINDOW", {"not_after": MANDATE.not_before + LONGEST + 1}),
    ("MANDATE_ORDER", {"matters": (OTHER_MATTER, MATTER_CODE)}),
    ("MANDATE_ORDER", {"matters": (MATTER_CODE, MATTER_CODE)}),
    ("MANDATE_FORM", {"matters": ()}),
    ("MANDATE_FORM", {"matters": ("*",)}),
    ("MANDATE_FORM", {"basis": "x" * 201}),
    ("MANDATE_ONESELF", {"agent": MANDATE.principal}),
    ("MANDATE_METHOD", {"method": Method.CLERK_WITNESS}),
    ("MANDATE_METHOD", {"witness": Witness(COUNTER, (CLERK,), FORM)}),
    ("MANDATE_METHOD", {"method": Method.CLERK_WITNESS, "witness": Witness(COUNTER, (CLERK,), None)}),
    ("MANDATE_GUARDIAN", {"relation": Relation.GUARDIAN}),
]


@pytest.mark.parametrize(("code", "changes"), BROKEN, ids=[f"{code}-{i}" for i, (code, _) in enumerate(BROKEN)])
def test_a_mandate_that_may_not_exist_does_not(code: str, changes: dict[str, Any]) -> None:
    with pytest.raises((AuditError, LedgerError)) as refused:
        replace(MANDATE, **changes)
    assert refused.value.code == code


def test_a_mandate_is_read_back_and_its_id_is_no_authorizations() -> None:
    presented = shown_mandate()
    assert presented.mandate == MANDATE
    assert presented.id == sha256(b"certledger/mandate/v1\x00" + presented.untrusted.signing_input).digest()
    with pytest.raises(LedgerError, match="signed as something else"):
        mandates.parse(shown_text())
    assert MANDATE.covers(NOW) and not MANDATE.covers(NOW + DAY)


def shown_text() -> str:
    compact = shown().untrusted
    return f"{compact.signing_input.decode()}.{b64url(compact.signature)}"
