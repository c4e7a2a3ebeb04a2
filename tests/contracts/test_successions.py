"""A merged or dissolved agency's certificates can still be suspended and revoked: by its successor, nobody else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from consortium import AGENCY, CHANGSHA, HANGZHOU, NANJING, OTHER_AGENCY, TYPE_A, Consortium
from decisions import REMOVE, SUSPEND, action, decide, governors
from evm_chain import FOREVER, Chain, code, events

from ledger.evm.contracts import governance as calls

THIRD_AGENCY = code("11320100MB0000001X")
DIGEST, ZERO = b"\xd1" * 32, bytes(32)
NOT_ENTITLED = 1
NO_SUCCESSION = (ZERO, 0, 0, 0)


@pytest.fixture
def merging(chain: Chain, consortium: Consortium) -> Consortium:
    """AGENCY of HANGZHOU, OTHER_AGENCY of CHANGSHA, THIRD_AGENCY of NANJING."""
    for city, agency in ((HANGZHOU, AGENCY), (CHANGSHA, OTHER_AGENCY), (NANJING, THIRD_AGENCY)):
        chain.send(consortium.registry.functions.addAgency(agency, 0, FOREVER), consortium.governor[city])
    return consortium


def succeed(chain: Chain, c: Consortium, agency: bytes, successor: bytes, by: int, accepted_by: int) -> None:
    chain.send(c.registry.functions.nameSuccessor(agency, successor), c.governor[by])
    chain.send(c.registry.functions.acceptSuccession(agency, successor), c.governor[accepted_by])


def revokes(chain: Chain, c: Consortium, sender: str, issuer: bytes, digest: bytes = DIGEST) -> bool:
    call = c.status.functions.setStatus((issuer, digest, 3, 4, 0, ZERO, ZERO))
    [event] = events(c.status, chain.send(call, sender))
    assert event[0] == "StatusChanged" or event[-1] == NOT_ENTITLED
    return bool(event[0] == "StatusChanged")


def test_named_and_accepted(chain: Chain, merging: Consortium) -> None:
    registry, governor = merging.registry, merging.governor
    read = registry.functions.succession(AGENCY)
    assert read.call() == NO_SUCCESSION
    named = chain.send(registry.functions.nameSuccessor(AGENCY, OTHER_AGENCY), governor[HANGZHOU])
    assert events(registry, named) == [("SuccessorNamed", AGENCY, OTHER_AGENCY, HANGZHOU)]
    assert read.call() == (OTHER_AGENCY, HANGZHOU, 0, 0)
    assert registry.functions.successors(AGENCY).call() == []
    accepted = chain.send(registry.functions.acceptSuccession(AGENCY, OTHER_AGENCY), governor[CHANGSHA])
    assert events(registry, accepted) == [("SuccessionAccepted", AGENCY, OTHER_AGENCY, CHANGSHA)]
    assert read.call() == (OTHER_AGENCY, HANGZHOU, chain.time, chain.block)
    asked = chain.w3.eth.call({"to": registry.address, "data": calls.successors_call(text(AGENCY))})
    assert calls.successors(bytes(asked)) == (text(OTHER_AGENCY),)


def text(value: bytes) -> str:
    return value.rstrip(b"\0").decode()


def test_a_successor_inherits_status_rights_and_nothing_else(chain: Chain, merging: Consortium) -> None:
    registry, hot = merging.registry.functions, merging.hot
    chain.send(registry.accredit(AGENCY, TYPE_A, 0, FOREVER), merging.governor[HANGZHOU])
    clerk = merging.spare[0]
    chain.send(registry.addAccount(clerk, OTHER_AGENCY, 2, 0, FOREVER), merging.governor[CHANGSHA])
    for sender in (hot[CHANGSHA], clerk):
        assert revokes(chain, merging, sender, AGENCY) is False
    chain.send(registry.nameSuccessor(AGENCY, OTHER_AGENCY), merging.governor[HANGZHOU])
    assert revokes(chain, merging, clerk, AGENCY) is False  # named is not accepted
    chain.send(registry.acceptSuccession(AGENCY, OTHER_AGENCY), merging.governor[CHANGSHA])
    assert revokes(chain, merging, clerk, AGENCY) is True
    assert revokes(chain, merging, hot[CHANGSHA], AGENCY, b"\xd2" * 32) is True
    assert revokes(chain, merging, hot[HANGZHOU], AGENCY, b"\xd3" * 32) is True  # the agency itself, while it is there
    assert revokes(chain, merging, hot[NANJING], AGENCY, b"\xd4" * 32) is False
    assert revokes(chain, merging, hot[HANGZHOU], OTHER_AGENCY) is False  # not the other way round
    assert registry.accredited(OTHER_AGENCY, TYPE_A, chain.time, chain.block).call() is False
    assert registry.accreditationTerms(OTHER_AGENCY, CHANGSHA, TYPE_A).call() == []
    assert registry.cityOfAgency(AGENCY, chain.time, chain.block).call() == HANGZHOU


def test_a_successor_that_was_not_named_gets_nothing(chain: Chain, merging: Consortium) -> None:
    registry, governor = merging.registry.functions, merging.governor
    accept = registry.acceptSuccession
    assert chain.refused(accept(AGENCY, OTHER_AGENCY), governor[CHANGSHA]) == ("NotNamed", AGENCY, OTHER_AGENCY)
    chain.send(registry.nameSuccessor(AGENCY, OTHER_AGENCY), governor[HANGZHOU])
    assert chain.refused(accept(AGENCY, THIRD_AGENCY), governor[NANJING]) == ("NotNamed", AGENCY, THIRD_AGENCY)
    refused = chain.refused(accept(AGENCY, OTHER_AGENCY), governor[NANJING])
    assert refused == ("AgencyNotMember", OTHER_AGENCY, NANJING, chain.time + 1)
    chain.send(registry.nameSuccessor(AGENCY, ZERO), governor[HANGZHOU])  # taken back
    assert chain.refused(accept(AGENCY, OTHER_AGENCY), governor[CHANGSHA]) == ("NotNamed", AGENCY, OTHER_AGENCY)


def test_only_the_agencys_city_names(chain: Chain, merging: Consortium) -> None:
    name = merging.registry.functions.nameSuccessor(AGENCY, OTHER_AGENCY)
    other = merging.governor[CHANGSHA]
    assert chain.refused(name, other) == ("AgencyNotMember", AGENCY, CHANGSHA, chain.time + 1)
    for sender in (merging.hot[HANGZHOU], merging.stranger):
        assert chain.refused(name, sender) == ("NotGovernor", sender)
        accept = merging.registry.functions.acceptSuccession(AGENCY, OTHER_AGENCY)
        assert chain.refused(accept, sender) == ("NotGovernor", sender)
    bad = merging.registry.functions.nameSuccessor(AGENCY, code("SHORT"))
    assert chain.refused(bad, merging.governor[HANGZHOU]) == ("BadCode", code("SHORT"), 18)


def test_what_was_accepted_stands(chain: Chain, merging: Consortium) -> None:
    registry, governor = merging.registry.functions, merging.governor
    succeed(chain, merging, AGENCY, OTHER_AGENCY, HANGZHOU, CHANGSHA)
    done = ("SuccessionDone", AGENCY, OTHER_AGENCY)
    assert chain.refused(registry.nameSuccessor(AGENCY, THIRD_AGENCY), governor[HANGZHOU]) == done
    assert chain.refused(registry.acceptSuccession(AGENCY, OTHER_AGENCY), governor[CHANGSHA]) == done


def test_the_agency_may_end_between_name_and_acceptance(chain: Chain, merging: Consortium) -> None:
    registry, governor = merging.registry.functions, merging.governor
    chain.send(registry.nameSuccessor(AGENCY, OTHER_AGENCY), governor[HANGZHOU])
    chain.send(registry.endAgency(AGENCY, 0), governor[HANGZHOU])
    chain.send(registry.acceptSuccession(AGENCY, OTHER_AGENCY), governor[CHANGSHA])
    assert revokes(chain, merging, merging.hot[CHANGSHA], AGENCY) is True
    assert revokes(chain, merging, merging.hot[HANGZHOU], AGENCY, b"\xd2" * 32) is False


def test_a_name_lapses_with_the_city_that_gave_it(chain: Chain, merging: Consortium) -> None:
    registry, governor = merging.registry.functions, merging.governor
    accept = registry.acceptSuccession(AGENCY, OTHER_AGENCY)
    lapsed = ("NotNamed", AGENCY, OTHER_AGENCY)
    chain.send(registry.nameSuccessor(AGENCY, OTHER_AGENCY), governor[HANGZHOU])
    chain.send(registry.endAgency(AGENCY, 0), governor[HANGZHOU])
    chain.send(registry.addAgency(AGENCY, 0, FOREVER), governor[NANJING])
    assert chain.refused(accept, governor[CHANGSHA]) == lapsed
    chain.send(registry.nameSuccessor(AGENCY, OTHER_AGENCY), governor[NANJING])
    decide(chain, merging, action(SUSPEND, NANJING), governor[HANGZHOU], governor[CHANGSHA])
    assert chain.refused(accept, governor[CHANGSHA]) == lapsed


def test_rights_go_on_along_a_chain_and_never_in_a_circle(chain: Chain, merging: Consortium) -> None:
    registry, governor = merging.registry.functions, merging.governor
    succeed(chain, merging, AGENCY, OTHER_AGENCY, HANGZHOU, CHANGSHA)
    succeed(chain, merging, OTHER_AGENCY, THIRD_AGENCY, CHANGSHA, NANJING)
    assert registry.successors(AGENCY).call() == [OTHER_AGENCY, THIRD_AGENCY]
    assert revokes(chain, merging, merging.hot[NANJING], AGENCY) is True
    for successor, by in ((AGENCY, HANGZHOU), (THIRD_AGENCY, NANJING)):
        chain.send(registry.nameSuccessor(THIRD_AGENCY, successor), governor[NANJING])
        accept = registry.acceptSuccession(THIRD_AGENCY, successor)
        assert chain.refused(accept, governor[by]) == ("SuccessionLoop", THIRD_AGENCY, successor)


def test_a_chain_has_an_end(chain: Chain, merging: Consortium) -> None:
    registry, governor = merging.registry.functions, merging.governor[HANGZHOU]
    row = [code(f"1133010000000{i:04}X") for i in range(6)]
    for agency in row:
        chain.send(registry.addAgency(agency, 0, FOREVER), governor)
    for agency, successor in reversed([*pairwise(row[1:])]):
        succeed(chain, merging, agency, successor, HANGZHOU, HANGZHOU)
    assert len(registry.successors(row[1]).call()) == 4
    chain.send(registry.nameSuccessor(row[0], row[1]), governor)
    accept = registry.acceptSuccession(row[0], row[1])
    assert chain.refused(accept, governor) == ("SuccessionLoop", row[0], row[1])


def test_a_removed_city_inherits_nothing_any_more(chain: Chain, merging: Consortium) -> None:
    succeed(chain, merging, AGENCY, THIRD_AGENCY, HANGZHOU, NANJING)
    first, second, _ = governors(merging)
    decide(chain, merging, action(REMOVE, NANJING), first, second)
    gone, call = merging.hot[NANJING], merging.status.functions.setStatus((AGENCY, DIGEST, 3, 4, 0, ZERO, ZERO))
    assert chain.refused(call, gone) == ("Unregistered", gone)
