"""What the cities decide together: who has a vote, what counts, and what it does."""

from __future__ import annotations

from typing import Any

import pytest
from consortium import (
    AGENCY,
    CHANGSHA,
    CONSORTIUM,
    HANGZHOU,
    NANJING,
    TYPE_A,
    TYPE_B,
    Consortium,
    deploy_consortium,
)
from decisions import (
    ADMIT,
    CANCELLED,
    CLOSE_EPOCH,
    DAY,
    DELAY,
    END_TYPES,
    EXECUTED,
    GRANT_TYPES,
    HEFEI,
    LIFETIME,
    NOBODY,
    OPEN,
    REINSTATE,
    REKEY,
    REMOVE,
    SUSPEND,
    SUZHOU,
    action,
    active,
    admission,
    approve,
    decide,
    execute,
    governors,
    proposal_id,
    propose,
    with_four,
)
from evm_chain import FOREVER, Chain, code, events

from ledger import governance
from ledger.accreditation import accredited
from ledger.errors import LedgerError
from ledger.evm.contracts import governance as calls
from ledger.evm.contracts import member_registry
from ledger.facts import Facts

PUBLISH, STATUS = 1, 2


# ------------------------------------------------- making and approving a proposal


def test_a_proposal_is_its_proposers_approval(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, _) = consortium.registry, governors(consortium)
    wanted = admission(consortium, types=[TYPE_A], hot=[consortium.spare[1]], endpoint="https://suzhou.example")
    receipt = chain.send(registry.functions.propose(wanted), first)
    made, expected = chain.time, proposal_id(consortium, 0, wanted)
    expires = made + LIFETIME
    seen = events(registry, receipt)
    assert [(*e[:5],) for e in seen[:1]] == [("ProposalMade", expected, HANGZHOU, 0, expires)]
    assert seen[1] == ("ProposalApproved", expected, HANGZHOU, first)
    approve(chain, consortium, expected, second)
    row, stored, approvals = registry.functions.proposal(expected).call()
    assert row == (OPEN, HANGZHOU, 0, made, expires, 0)
    assert tuple(stored) == wanted
    assert approvals == [(HANGZHOU, first), (CHANGSHA, second)]
    assert registry.functions.tally(expected).call() == [2, 2]
    assert registry.functions.proposalCount().call() == 1
    assert [registry.functions.proposalIdAt(i).call() for i in (0, 1)] == [expected, bytes(32)]


def test_reads_of_a_proposal_that_is_not_there_are_zero(consortium: Consortium) -> None:
    read = consortium.registry.functions
    row, empty, approvals = read.proposal(b"\1" * 32).call()
    assert (row, approvals) == ((0, 0, 0, 0, 0, 0), [])
    assert tuple(empty) == action(0, 0)
    assert read.tally(b"\1" * 32).call() == [0, 0]
    assert read.cityRemoved(HANGZHOU).call() is False


def test_the_same_action_proposed_again_is_another_proposal(chain: Chain, consortium: Consortium) -> None:
    first, second, third = governors(consortium)
    one = decide(chain, consortium, action(SUSPEND, NANJING), first, second)
    decide(chain, consortium, action(REINSTATE, NANJING), first, second)
    two = propose(chain, consortium, action(SUSPEND, NANJING), first)
    assert one != two
    assert consortium.registry.functions.tally(two).call() == [1, 2]
    refused = chain.refused(consortium.registry.functions.execute(two), third)
    assert refused == ("NotEnoughApprovals", two, 1, 2)


def test_approving_twice_changes_nothing(chain: Chain, consortium: Consortium) -> None:
    registry, (first, _, _) = consortium.registry, governors(consortium)
    proposal = propose(chain, consortium, admission(consortium), first)
    for _ in range(2):
        assert events(registry, chain.send(registry.functions.approve(proposal), first)) == []
    assert registry.functions.tally(proposal).call() == [1, 2]
    assert chain.refused(registry.functions.execute(proposal), first) == ("NotEnoughApprovals", proposal, 1, 2)


@pytest.mark.parametrize("act", ["propose", "approve", "execute"])
def test_only_governors_of_active_cities_take_part(chain: Chain, consortium: Consortium, act: str) -> None:
    registry, (first, second, third) = consortium.registry, governors(consortium)
    proposal = propose(chain, consortium, admission(consortium), first)
    call = registry.functions[act](admission(consortium) if act == "propose" else proposal)
    for nobody in (consortium.stranger, consortium.deployer, consortium.hot[HANGZHOU]):
        assert chain.refused(call, nobody) == ("NotGovernor", nobody)
    decide(chain, consortium, action(SUSPEND, NANJING), first, second)
    assert chain.refused(call, third) == ("NotGovernor", third)


@pytest.mark.parametrize(
    "about", [action(SUSPEND, HANGZHOU), action(REMOVE, HANGZHOU), action(GRANT_TYPES, HANGZHOU, types=[TYPE_A])]
)
def test_a_city_has_no_vote_about_itself(chain: Chain, consortium: Consortium, about: tuple[Any, ...]) -> None:
    registry, (target, second, _) = consortium.registry, governors(consortium)
    assert chain.refused(registry.functions.propose(about), target) == ("NoVoteOnOneself", HANGZHOU)
    proposal = propose(chain, consortium, about, second)
    assert chain.refused(registry.functions.approve(proposal), target) == ("NoVoteOnOneself", HANGZHOU)
    assert chain.refused(registry.functions.execute(proposal), target) == ("NotEnoughApprovals", proposal, 1, 2)


GOVERNOR = "0x" + 40 * "1"
BAD = [
    ("no kind", action(0, SUZHOU), ("BadAction", 0)),
    ("no city", action(SUSPEND, 0), ("BadAction", SUSPEND)),
    ("admission without governor", action(ADMIT, SUZHOU, division=320500), ("BadAction", ADMIT)),
    ("admission with an epoch", action(ADMIT, SUZHOU, account=GOVERNOR, epoch=1), ("BadAction", ADMIT)),
    ("admission with a stream", action(ADMIT, SUZHOU, account=GOVERNOR, stream=code("a")), ("BadAction", ADMIT)),
    ("suspension with an account", action(SUSPEND, NANJING, account=GOVERNOR), ("BadAction", SUSPEND)),
    ("suspension with types", action(SUSPEND, NANJING, types=[TYPE_A]), ("BadAction", SUSPEND)),
    ("suspension with a division", action(SUSPEND, NANJING, division=1), ("BadAction", SUSPEND)),
    ("removal with hot accounts", action(REMOVE, NANJING, hot=[GOVERNOR]), ("BadAction", REMOVE)),
    ("removal with an endpoint", action(REMOVE, NANJING, endpoint="https://a.example"), ("BadAction", REMOVE)),
    ("removal with a size", action(REMOVE, NANJING, size=1), ("BadAction", REMOVE)),
    ("re-key without account", action(REKEY, NANJING), ("BadAction", REKEY)),
    ("grant without types", action(GRANT_TYPES, NANJING), ("BadAction", GRANT_TYPES)),
    ("end without types", action(END_TYPES, NANJING), ("BadAction", END_TYPES)),
    ("closing without stream", action(CLOSE_EPOCH, NANJING, account=GOVERNOR), ("BadAction", CLOSE_EPOCH)),
    ("closing without anchor", action(CLOSE_EPOCH, NANJING, stream=code("a")), ("BadAction", CLOSE_EPOCH)),
    ("unknown city", action(SUSPEND, 77), ("UnknownCity", 77)),
    ("no type code", action(GRANT_TYPES, NANJING, types=[code("SHORT")]), ("BadCode", code("SHORT"), 21)),
    ("no endpoint", action(ADMIT, SUZHOU, account=GOVERNOR, endpoint="x"), ("BadEndpoint", "x")),
]


@pytest.mark.parametrize(("given", "error"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_could_never_be_executed_cannot_be_proposed(
    chain: Chain, consortium: Consortium, given: tuple[Any, ...], error: tuple[Any, ...]
) -> None:
    assert chain.refused(consortium.registry.functions.propose(given), consortium.governor[HANGZHOU]) == error


@pytest.mark.parametrize("given", [b[1] for b in BAD if b[2][0] == "BadAction"][1:])
def test_python_refuses_the_same_actions(given: tuple[Any, ...]) -> None:
    kind, city, division, account, epoch, size, stream, types, hot, endpoint = given
    with pytest.raises(LedgerError) as refused:
        governance.Action(
            governance.Kind(kind),
            city,
            division=division,
            account=account,
            epoch=epoch,
            size=size,
            stream=code_text(stream),
            types=tuple(map(code_text, types)),
            hot=tuple(hot),
            endpoint=endpoint,
        )
    assert refused.value.code == "ACTION_FORM"


# --------------------------------------------------------------------- majorities


def test_three_cities_admit_and_remove_a_fourth(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, third) = consortium.registry, governors(consortium)
    governor, hot = consortium.spare
    wanted = admission(consortium, types=[TYPE_A], hot=[hot], endpoint="https://suzhou.example")
    proposal = propose(chain, consortium, wanted, first)
    approve(chain, consortium, proposal, second, third)
    seen = execute(chain, consortium, proposal, third)
    now = chain.time
    assert seen == [
        ("CityAdmitted", SUZHOU, 320500, governor, now, FOREVER),
        ("ScopeGranted", SUZHOU, TYPE_A, now, FOREVER),
        ("AccountAdded", hot, SUZHOU, bytes(32), 3, now, FOREVER),
        ("EndpointChanged", SUZHOU, "https://suzhou.example"),
        ("ProposalExecuted", proposal, 3, 2),
    ]
    assert registry.functions.actsFor(hot, PUBLISH).call() == [SUZHOU, bytes(32)]
    assert registry.functions.governs(governor).call() == SUZHOU
    assert registry.functions.proposal(proposal).call()[0][0] == EXECUTED

    removal = propose(chain, consortium, action(REMOVE, SUZHOU), third)
    approve(chain, consortium, removal, first, second)
    assert execute(chain, consortium, removal, first) == [
        ("CityRemoved", SUZHOU, chain.time),
        ("ProposalExecuted", removal, 3, 2),
    ]
    assert registry.functions.cityRemoved(SUZHOU).call() is True
    assert chain.refused(registry.functions.actsFor(hot, PUBLISH), hot) == ("Unregistered", hot)
    assert chain.refused(registry.functions.governs(governor), first) == ("NotGovernor", governor)


def test_of_four_cities_two_cannot(chain: Chain, consortium: Consortium) -> None:
    first, second, third, _ = with_four(chain, consortium)
    proposal = propose(chain, consortium, admission(consortium, HEFEI, consortium.stranger), first)
    approve(chain, consortium, proposal, second)
    call = consortium.registry.functions.execute(proposal)
    for sender in (first, second, third):
        assert chain.refused(call, sender) == ("NotEnoughApprovals", proposal, 2, 3)
    approve(chain, consortium, proposal, third)
    assert execute(chain, consortium, proposal, first)[-1] == ("ProposalExecuted", proposal, 3, 3)


def test_one_of_three_cannot(chain: Chain, consortium: Consortium) -> None:
    """The target is no voter: of the two left over, both are needed."""
    for about in (action(REMOVE, NANJING), action(SUSPEND, NANJING), admission(consortium)):
        proposal = propose(chain, consortium, about, consortium.governor[HANGZHOU])
        call = consortium.registry.functions.execute(proposal)
        assert chain.refused(call, consortium.governor[HANGZHOU]) == ("NotEnoughApprovals", proposal, 1, 2)


def test_the_number_needed_is_the_sentences_for_any_number_of_cities(chain: Chain, consortium: Consortium) -> None:
    """Differential: the contract's number, Python's, and the protocol's formula, from 1 city to 9."""
    accounts = [*chain.w3.eth.accounts]
    found = [(i, 330100, accounts[i], [], [], "") for i in range(1, 10)]
    for cities in range(1, 10):
        registry = chain.deploy("MemberRegistry", CONSORTIUM, found[:cities], False)
        for target, voters in ((99, cities), (1, cities - 1)):
            wanted = 1 if voters == 1 else max(2, voters // 2 + 1)
            assert registry.functions.approvalsNeeded(target).call() == wanted == governance.needed(voters)


def test_two_cities_one_of_them_can(chain: Chain, consortium: Consortium) -> None:
    first, second, _ = governors(consortium)
    decide(chain, consortium, action(REMOVE, NANJING), first, second)
    proposal = propose(chain, consortium, action(REMOVE, CHANGSHA), first)
    assert execute(chain, consortium, proposal, first)[-1] == ("ProposalExecuted", proposal, 1, 1)


def test_the_last_city_cannot_remove_itself(chain: Chain, consortium: Consortium) -> None:
    first, second, _ = governors(consortium)
    decide(chain, consortium, action(REMOVE, NANJING), first, second)
    decide(chain, consortium, action(REMOVE, CHANGSHA), first)
    registry = consortium.registry.functions
    assert chain.refused(registry.propose(action(REMOVE, HANGZHOU)), first) == ("NoVoteOnOneself", HANGZHOU)
    assert registry.approvalsNeeded(HANGZHOU).call() == 2
    assert active(consortium, HANGZHOU, chain)
    # What concerns others it decides alone, as a development ledger of one city does from the beginning.
    decide(chain, consortium, admission(consortium), first)
    assert active(consortium, SUZHOU, chain)


def test_who_has_left_or_is_suspended_does_not_count(chain: Chain, consortium: Consortium) -> None:
    """The departed city's approval falls away, and with it the city itself: 3 of 4 becomes 2 of 3."""
    registry, (first, second, third, fourth) = consortium.registry, with_four(chain, consortium)
    proposal = propose(chain, consortium, admission(consortium, HEFEI, consortium.stranger), fourth)
    approve(chain, consortium, proposal, third)
    assert registry.functions.tally(proposal).call() == [2, 3]
    decide(chain, consortium, action(SUSPEND, NANJING), first, second)
    assert registry.functions.tally(proposal).call() == [1, 2]
    decide(chain, consortium, action(REINSTATE, NANJING), first, second)
    assert registry.functions.tally(proposal).call() == [2, 3]
    decide(chain, consortium, action(REMOVE, SUZHOU), first, second)
    assert registry.functions.tally(proposal).call() == [1, 2]
    assert chain.refused(registry.functions.execute(proposal), first) == ("NotEnoughApprovals", proposal, 1, 2)
    for call in (registry.functions.approve(proposal), registry.functions.execute(proposal)):
        assert chain.refused(call, fourth) == ("NotGovernor", fourth)
    approve(chain, consortium, proposal, first)
    assert execute(chain, consortium, proposal, third)[-1] == ("ProposalExecuted", proposal, 2, 2)


# ------------------------------------------------------ once, in time, here alone


def test_a_proposal_is_executed_once(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, third) = consortium.registry, governors(consortium)
    proposal = decide(chain, consortium, action(SUSPEND, NANJING), first, second)
    decide(chain, consortium, action(REINSTATE, NANJING), first, second)
    for call in (registry.functions.execute(proposal), registry.functions.approve(proposal)):
        assert chain.refused(call, third if call.fn_name == "execute" else first)[0] == "ProposalOver"
    assert active(consortium, NANJING, chain)


def test_a_proposal_expires_after_30_days(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, _) = consortium.registry, governors(consortium)
    proposal = propose(chain, consortium, admission(consortium), first)
    expires = chain.time + LIFETIME
    approve(chain, consortium, proposal, second)
    for call in (registry.functions.approve(proposal), registry.functions.execute(proposal)):
        assert chain.refused(call, first, at=expires) == ("ProposalExpired", proposal, expires)
    execute(chain, consortium, proposal, first, at=expires - 1)
    assert active(consortium, SUZHOU, chain)


def test_approvals_are_worth_nothing_in_another_contract(chain: Chain, consortium: Consortium) -> None:
    """The same cities, governors, action and number: another contract has another id and no approvals."""
    other = deploy_consortium(chain)
    first, second, _ = governors(consortium)
    here = propose(chain, consortium, admission(consortium), first)
    approve(chain, consortium, here, second)
    there = propose(chain, other, admission(other), first)
    assert here != there
    for act in ("approve", "execute", "cancel"):
        assert chain.refused(other.registry.functions[act](here), first) == ("UnknownProposal", here)
    assert chain.refused(other.registry.functions.execute(there), first) == ("NotEnoughApprovals", there, 1, 2)


def test_an_id_names_consortium_chain_contract_number_and_action(consortium: Consortium) -> None:
    """Differential: Python's id is the interface's sentence, and changes with each of the five."""
    wanted = governance.Action(governance.Kind.ADMIT, SUZHOU, division=320500, account=consortium.spare[0])
    suspension = governance.Action(governance.Kind.SUSPEND, SUZHOU)
    registry, chain_id = consortium.registry.address, consortium.registry.w3.eth.chain_id
    named = calls.proposal_id(CONSORTIUM, chain_id, registry, 3, wanted)
    assert named == proposal_id(consortium, 3, admission(consortium))
    others = {
        calls.proposal_id(bytes(32), chain_id, registry, 3, wanted),
        calls.proposal_id(CONSORTIUM, chain_id + 1, registry, 3, wanted),
        calls.proposal_id(CONSORTIUM, chain_id, consortium.anchor.address, 3, wanted),
        calls.proposal_id(CONSORTIUM, chain_id, registry, 4, wanted),
        calls.proposal_id(CONSORTIUM, chain_id, registry, 3, suspension),
    }
    assert len(others | {named}) == 6


def test_python_reads_back_what_it_proposed(chain: Chain, consortium: Consortium) -> None:
    registry, (first, _, _) = consortium.registry, governors(consortium)
    wanted = governance.Action(
        governance.Kind.ADMIT,
        SUZHOU,
        division=320500,
        account=consortium.spare[0],
        hot=(consortium.spare[1],),
        types=(TYPE_A.rstrip(b"\0").decode(),),
        endpoint="https://suzhou.example",
    )
    receipt = chain.w3.eth.wait_for_transaction_receipt(
        chain.w3.eth.send_transaction({"from": first, "to": registry.address, "data": calls.propose(wanted)})
    )
    [made] = [e for e in events(registry, receipt) if e[0] == "ProposalMade"]
    answer = chain.w3.eth.call({"to": registry.address, "data": calls.proposal_call(made[1])})
    read = calls.proposal(made[1], bytes(answer))
    assert read is not None
    assert (read.action, read.state, read.proposer) == (wanted, governance.State.OPEN, HANGZHOU)
    assert read.approvals == (governance.Approval(HANGZHOU, first),)
    none = chain.w3.eth.call({"to": registry.address, "data": calls.proposal_call(bytes(32))})
    assert calls.proposal(bytes(32), bytes(none)) is None


# ------------------------------------------------------------ suspend and remove


def test_a_suspended_city_rests_and_returns(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, third) = consortium.registry, governors(consortium)
    hot = consortium.hot[NANJING]
    proposal = propose(chain, consortium, action(SUSPEND, NANJING), first)
    approve(chain, consortium, proposal, second)
    seen = execute(chain, consortium, proposal, second)
    suspended = chain.time
    assert seen == [("CitySuspended", NANJING, suspended), ("ProposalExecuted", proposal, 2, 2)]
    assert chain.refused(registry.functions.actsFor(hot, PUBLISH), hot) == ("Unregistered", hot)
    assert chain.refused(registry.functions.addAgency(AGENCY, 0, FOREVER), third) == ("NotGovernor", third)
    again = propose(chain, consortium, action(SUSPEND, NANJING), first)
    approve(chain, consortium, again, second)
    assert chain.refused(registry.functions.execute(again), first) == ("CityIsSuspended", NANJING)
    back = propose(chain, consortium, action(REINSTATE, NANJING), first)
    approve(chain, consortium, back, second)
    seen = execute(chain, consortium, back, first)
    assert seen[0] == ("CityReinstated", NANJING, chain.time, FOREVER)
    assert registry.functions.actsFor(hot, PUBLISH).call() == [NANJING, bytes(32)]
    for twice in (back, propose(chain, consortium, action(REINSTATE, NANJING), first)):
        if twice != back:
            approve(chain, consortium, twice, second)
            assert chain.refused(registry.functions.execute(twice), first) == ("CityIsActive", NANJING)
    block = chain.block
    was = [registry.functions.cityActive(NANJING, t, block).call() for t in (suspended - 1, suspended, chain.time)]
    assert was == [True, False, True]


def test_a_removed_city_is_gone_for_ever(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, _) = consortium.registry, governors(consortium)
    decide(chain, consortium, action(SUSPEND, NANJING), first, second)
    decide(chain, consortium, action(REMOVE, NANJING), first, second)
    for about in (
        action(REINSTATE, NANJING),
        action(REMOVE, NANJING),
        action(SUSPEND, NANJING),
        action(REKEY, NANJING, account=consortium.stranger),
        action(GRANT_TYPES, NANJING, types=[TYPE_A]),
    ):
        proposal = propose(chain, consortium, about, first)
        approve(chain, consortium, proposal, second)
        if about[0] == REKEY:
            execute(chain, consortium, proposal, first)
            chain.pass_to(chain.time + DELAY)
        assert chain.refused(registry.functions.execute(proposal), first) == ("CityGone", NANJING)
    readmitted = propose(chain, consortium, admission(consortium, NANJING), first)
    approve(chain, consortium, readmitted, second)
    assert chain.refused(registry.functions.execute(readmitted), first) == ("CityGone", NANJING)


def test_an_admission_that_cannot_be_done_leaves_nothing(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, third) = consortium.registry, governors(consortium)
    taken = [
        (admission(consortium, HANGZHOU), ("BadCityId", HANGZHOU)),
        (admission(consortium, governor=consortium.hot[HANGZHOU]), ("AccountTaken", consortium.hot[HANGZHOU])),
        (admission(consortium, hot=[consortium.governor[NANJING]]), ("AccountTaken", consortium.governor[NANJING])),
    ]
    for about, error in taken:
        by = (second, third) if about[1] == HANGZHOU else (first, second)
        proposal = propose(chain, consortium, about, by[0])
        approve(chain, consortium, proposal, by[1])
        assert chain.refused(registry.functions.execute(proposal), by[0]) == error
    assert registry.functions.cityCount().call() == 3
    assert registry.functions.city(SUZHOU).call() == [(0, NOBODY, ""), []]


def test_agencies_of_a_removed_city_may_be_taken_over(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, third) = consortium.registry, governors(consortium)
    chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), third)
    add = registry.functions.addAgency(AGENCY, 0, FOREVER)
    decide(chain, consortium, action(SUSPEND, NANJING), first, second)
    assert chain.refused(add, first) == ("AgencyElsewhere", AGENCY, NANJING)  # a suspended city may return
    decide(chain, consortium, action(REMOVE, NANJING), first, second)
    seen = events(registry, chain.send(add, first))
    now = chain.time
    assert seen == [("AgencyEnded", AGENCY, NANJING, now), ("AgencyAdded", AGENCY, HANGZHOU, now, FOREVER)]
    city_of = registry.functions.cityOfAgency
    assert [city_of(AGENCY, t, chain.block).call() for t in (now - 1, now)] == [NANJING, HANGZHOU]


# ------------------------------------------------------------------------- scopes


def test_the_cities_grant_and_end_types(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, third) = consortium.registry, governors(consortium)
    proposal = propose(chain, consortium, action(GRANT_TYPES, NANJING, types=[TYPE_A, TYPE_B]), first)
    approve(chain, consortium, proposal, second)
    seen = execute(chain, consortium, proposal, first)
    granted = chain.time
    assert seen[:2] == [("ScopeGranted", NANJING, each, granted, FOREVER) for each in (TYPE_A, TYPE_B)]
    proposal = propose(chain, consortium, action(END_TYPES, NANJING, types=[TYPE_B]), first)
    approve(chain, consortium, proposal, second)
    assert execute(chain, consortium, proposal, second)[0] == ("ScopeEnded", NANJING, TYPE_B, chain.time)
    ended, scope = chain.time, registry.functions.inScope
    assert [scope(NANJING, TYPE_B, t, chain.block).call() for t in (granted, ended - 1, ended)] == [True, True, False]
    assert scope(NANJING, TYPE_A, ended, chain.block).call() is True
    chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), third)
    out = registry.functions.accredit(AGENCY, TYPE_B, 0, FOREVER)
    assert chain.refused(out, third) == ("OutOfScope", NANJING, TYPE_B, chain.time + 1)


def accreditation_now(chain: Chain, c: Consortium, time: int, as_of: int) -> tuple[bool, bool]:
    """(the contract's answer, Python's from the contract's rows)."""
    read, name = c.registry.functions, code_text(AGENCY)
    answers = {
        call: chain.w3.eth.call({"to": c.registry.address, "data": call})
        for call in (
            member_registry.city_call(HANGZHOU),
            member_registry.agency_call(name, HANGZHOU),
            member_registry.accreditation_call(name, HANGZHOU, code_text(TYPE_A)),
        )
    }
    city, agency, accreditation = (bytes(answer) for answer in answers.values())
    facts = Facts(
        CONSORTIUM,
        31337,
        as_of,
        bytes(32),
        time,
        cities=(member_registry.city_row(HANGZHOU, city),),
        agencies=(member_registry.agency_row(name, HANGZHOU, agency),),
        accreditations=(member_registry.accreditation_row(name, HANGZHOU, code_text(TYPE_A), accreditation),),
    )
    return read.accredited(AGENCY, TYPE_A, time, as_of).call(), accredited(facts, name, code_text(TYPE_A), time)


def code_text(value: bytes) -> str:
    return value.rstrip(b"\0").decode()


def test_an_accreditation_ends_with_the_scope_and_does_not_return_with_it(chain: Chain, consortium: Consortium) -> None:
    registry, (own, first, second) = consortium.registry, governors(consortium)
    accredit = registry.functions.accredit(AGENCY, TYPE_A, 0, FOREVER)
    chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), own)
    chain.send(accredit, own)
    moments, blocks = [chain.time - 1, chain.time], [chain.block]
    decide(chain, consortium, action(END_TYPES, HANGZHOU, types=[TYPE_A]), first, second)
    moments, blocks = [*moments, chain.time - 1, chain.time], [*blocks, chain.block - 1, chain.block]
    assert registry.functions.accredited(AGENCY, TYPE_A, chain.time, chain.block).call() is False
    decide(chain, consortium, action(GRANT_TYPES, HANGZHOU, types=[TYPE_A]), first, second)
    moments, blocks = [*moments, chain.time], [*blocks, chain.block]
    assert registry.functions.accredited(AGENCY, TYPE_A, chain.time, chain.block).call() is False
    seen = events(registry, chain.send(accredit, own))
    moments, blocks = [*moments, chain.time - 1, chain.time], [*blocks, chain.block]
    assert [e[0] for e in seen] == ["AccreditationEnded", "Accredited"]
    assert registry.functions.accredited(AGENCY, TYPE_A, chain.time, chain.block).call() is True
    answers = {(t, b): accreditation_now(chain, consortium, t, b) for t in moments for b in blocks}
    assert {key: pair for key, pair in answers.items() if pair[0] != pair[1]} == {}
    assert {pair[0] for pair in answers.values()} == {True, False}


def test_an_accreditation_that_has_not_begun_ends_with_the_scope_too(chain: Chain, consortium: Consortium) -> None:
    registry, (own, first, second) = consortium.registry, governors(consortium)
    begin = chain.time + 100 * DAY
    chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), own)
    chain.send(registry.functions.accredit(AGENCY, TYPE_A, begin, FOREVER), own)
    assert registry.functions.accredited(AGENCY, TYPE_A, begin, chain.block).call() is True
    decide(chain, consortium, action(END_TYPES, HANGZHOU, types=[TYPE_A]), first, second)
    assert accreditation_now(chain, consortium, begin, chain.block) == (False, False)


# ----------------------------------------------------------------- a lost governor


def rekey(chain: Chain, c: Consortium) -> bytes:
    """A proposal with enough approvals to give NANJING the stranger as its governor."""
    first, second, _ = governors(c)
    proposal = propose(chain, c, action(REKEY, NANJING, account=c.stranger), first)
    approve(chain, c, proposal, second)
    return proposal


def test_a_lost_governor_is_replaced_after_seven_days(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, old) = consortium.registry, governors(consortium)
    new, hot = consortium.stranger, consortium.hot[NANJING]
    proposal = rekey(chain, consortium)
    seen = execute(chain, consortium, proposal, first)
    due = chain.time + DELAY
    assert seen == [("RekeyBegun", proposal, NANJING, due, due + LIFETIME)]
    call = registry.functions.execute(proposal)
    assert chain.refused(call, first, at=due - 1) == ("TooEarly", proposal, due)
    seen = execute(chain, consortium, proposal, second, at=due)
    assert seen == [("GovernorReplaced", NANJING, old, new), ("ProposalExecuted", proposal, 2, 2)]
    assert registry.functions.city(NANJING).call()[0][1] == new
    assert registry.functions.governs(new).call() == NANJING
    add = registry.functions.addAgency(AGENCY, 0, FOREVER)
    assert chain.refused(add, old) == ("NotGovernor", old)
    chain.send(add, new)
    assert registry.functions.actsFor(hot, PUBLISH).call() == [NANJING, bytes(32)]  # hot accounts stay
    back = propose(chain, consortium, action(REKEY, NANJING, account=old), first)
    approve(chain, consortium, back, second)
    execute(chain, consortium, back, first)
    assert chain.refused(registry.functions.execute(back), first, at=chain.time + DELAY) == ("AccountTaken", old)


def test_the_delay_needs_enough_approvals_and_so_does_its_end(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, _) = consortium.registry, governors(consortium)
    alone = propose(chain, consortium, action(REKEY, NANJING, account=consortium.stranger), first)
    assert chain.refused(registry.functions.execute(alone), first) == ("NotEnoughApprovals", alone, 1, 2)
    first, second, _, fourth = with_four(chain, consortium)
    proposal = propose(chain, consortium, action(REKEY, NANJING, account=consortium.stranger), first)
    approve(chain, consortium, proposal, fourth)
    execute(chain, consortium, proposal, first)
    due = chain.time + DELAY
    decide(chain, consortium, action(REMOVE, SUZHOU), first, second)
    refused = chain.refused(registry.functions.execute(proposal), first, at=due)
    assert refused == ("NotEnoughApprovals", proposal, 1, 2)
    approve(chain, consortium, proposal, second)
    execute(chain, consortium, proposal, first, at=due)
    assert registry.functions.governs(consortium.stranger).call() == NANJING


def test_the_old_governor_cancels(chain: Chain, consortium: Consortium) -> None:
    registry, (first, _, old) = consortium.registry, governors(consortium)
    for begun in (False, True):
        proposal = rekey(chain, consortium)
        if begun:
            execute(chain, consortium, proposal, first)
        call = registry.functions.cancel(proposal)
        for other in (first, consortium.stranger, consortium.hot[NANJING]):
            assert chain.refused(call, other) == ("NotGovernor", other)
        assert events(registry, chain.send(call, old)) == [("ProposalCancelled", proposal)]
        over = ("ProposalOver", proposal, CANCELLED)
        assert chain.refused(registry.functions.execute(proposal), first, at=chain.time + DELAY) == over
        assert chain.refused(call, old) == over


def test_a_suspended_governor_still_cancels(chain: Chain, consortium: Consortium) -> None:
    """Otherwise a majority could suspend a city and take it over."""
    registry, (first, second, old) = consortium.registry, governors(consortium)
    proposal = rekey(chain, consortium)
    execute(chain, consortium, proposal, first)
    decide(chain, consortium, action(SUSPEND, NANJING), first, second)
    assert events(registry, chain.send(registry.functions.cancel(proposal), old))[0][0] == "ProposalCancelled"


def test_nothing_but_a_rekey_is_cancelled(chain: Chain, consortium: Consortium) -> None:
    first, _, old = governors(consortium)
    proposal = propose(chain, consortium, action(REMOVE, NANJING), first)
    for sender in (first, old):
        assert chain.refused(consortium.registry.functions.cancel(proposal), sender) == ("NotCancellable", proposal)


def test_a_rekey_expires_thirty_days_after_its_delay(chain: Chain, consortium: Consortium) -> None:
    registry, first = consortium.registry, consortium.governor[HANGZHOU]
    proposal = rekey(chain, consortium)
    execute(chain, consortium, proposal, first)
    expires = chain.time + DELAY + LIFETIME
    refused = chain.refused(registry.functions.execute(proposal), first, at=expires)
    assert refused == ("ProposalExpired", proposal, expires)


def test_an_approval_of_a_replaced_governor_does_not_count(chain: Chain, consortium: Consortium) -> None:
    registry, (first, second, old) = consortium.registry, governors(consortium)
    pending = propose(chain, consortium, admission(consortium), old)
    proposal = rekey(chain, consortium)
    execute(chain, consortium, proposal, first)
    execute(chain, consortium, proposal, first, at=chain.time + DELAY)
    assert registry.functions.tally(pending).call() == [0, 2]
    approve(chain, consortium, pending, consortium.stranger, second)  # the city votes anew
    assert registry.functions.tally(pending).call() == [2, 2]
