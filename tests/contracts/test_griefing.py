"""What one city's governor can do to another city's costs and names: nothing that lasts, and nothing that grows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from consortium import AGENCY, CHANGSHA, HANGZHOU, NANJING, OTHER_AGENCY, Consortium
from decisions import REMOVE, action, decide
from evm_chain import FOREVER, Chain, events

from ledger.evm.client import CHANGE_GAS, TRANSACTION_GAS

ROUNDS, A_TRANSACTION = 100, 25
SLACK = 1_000  # gas; less than one more cold slot of storage (EIP-2929: 2,100)
ZERO, REVOKED, PENALTY = bytes(32), 3, 4
Round = Callable[[Chain, Consortium, str, int], None]


def held_for_a_second(chain: Chain, c: Consortium, by: str, rounds: int) -> None:
    registry = c.registry.functions
    for _ in range(rounds):
        chain.send(registry.addAgency(AGENCY, 0, FOREVER), by)
        chain.send(registry.endAgency(AGENCY, 0), by)


def never_held(chain: Chain, c: Consortium, by: str, rounds: int) -> None:
    batch(chain, c, by, rounds, lambda n: [("addAgency", (AGENCY, 0, FOREVER)), ("endAgency", (AGENCY, 0))])


def never_came(chain: Chain, c: Consortium, by: str, rounds: int) -> None:
    """Periods that would begin next year, each cut to nothing by an end that lies before it, still in the future."""
    year = chain.time + 366 * 86_400
    batch(chain, c, by, rounds, lambda n: [("addAgency", (AGENCY, year + n, FOREVER)), ("endAgency", (AGENCY, year))])


def batch(
    chain: Chain, c: Consortium, by: str, rounds: int, acts: Callable[[int], list[tuple[str, tuple[object, ...]]]]
) -> None:
    for first in range(0, rounds, A_TRANSACTION):
        calls = [acts(n) for n in range(first, min(rounds, first + A_TRANSACTION))]
        encoded = [c.registry.encode_abi(name, arguments) for pair in calls for name, arguments in pair]
        chain.send(c.registry.functions.multicall(encoded), by)


def cost(chain: Chain, c: Consortium) -> dict[str, int]:
    """Gas of what HANGZHOU does with its agency, whoever had it before."""
    registry, status, governor = c.registry.functions, c.status.functions, c.governor[HANGZHOU]

    def change(number: int) -> tuple[object, ...]:
        return AGENCY, number.to_bytes(32, "big"), REVOKED, PENALTY, 0, ZERO, ZERO

    clerk = registry.addAccount(c.spare[0], AGENCY, 2, 0, FOREVER)
    calls = {
        "addAgency": (registry.addAgency(AGENCY, 0, FOREVER), governor),
        "addAccount": (clerk, governor),
        "setStatus": (status.setStatus(change(1)), c.hot[HANGZHOU]),
        "setStatus, the agency's account": (status.setStatus(change(2)), c.spare[0]),
        "setStatusMany of 100": (status.setStatusMany([change(n) for n in range(3, 103)]), c.hot[HANGZHOU]),
        "nameSuccessor": (registry.nameSuccessor(AGENCY, OTHER_AGENCY), governor),
        "acceptSuccession": (registry.acceptSuccession(AGENCY, OTHER_AGENCY), c.governor[NANJING]),
        "endAgency": (registry.endAgency(AGENCY, 0), governor),
    }
    receipts = {name: chain.send(call, sender) for name, (call, sender) in calls.items()}
    assert len(events(c.status, receipts["setStatusMany of 100"])) == 100
    assert receipts["setStatusMany of 100"]["gasUsed"] < TRANSACTION_GAS + 100 * CHANGE_GAS
    return {name: receipt["gasUsed"] for name, receipt in receipts.items()}


@pytest.mark.parametrize("one", [held_for_a_second, never_held, never_came])
@pytest.mark.parametrize("by", [CHANGSHA, HANGZHOU], ids=["by another city", "by itself"])
def test_an_agency_added_and_ended_100_times_costs_what_it_costs_once(
    chain: Chain, consortium: Consortium, by: int, one: Round
) -> None:
    chain.send(consortium.registry.functions.addAgency(OTHER_AGENCY, 0, FOREVER), consortium.governor[NANJING])
    measured = {}
    for rounds in (1, ROUNDS):
        undo = chain.rpc("evm_snapshot")
        one(chain, consortium, consortium.governor[by], rounds)
        assert len(consortium.registry.functions.agencyTerms(AGENCY, by).call()) == 2 * rounds
        measured[rounds] = cost(chain, consortium)
        chain.rpc("evm_revert", undo)
    grown = {name: gas - measured[1][name] for name, gas in measured[ROUNDS].items()}
    assert max(grown.values()) < SLACK, grown


def test_a_removed_city_leaves_two_periods_to_end_at_most(chain: Chain, consortium: Consortium) -> None:
    """Otherwise a city on its way out could lock an agency away behind more endings than a block has room for."""
    registry, governor = consortium.registry, consortium.governor
    never_came(chain, consortium, governor[CHANGSHA], ROUNDS)
    later = chain.time + 1000
    chain.send(registry.functions.addAgency(AGENCY, 0, later), governor[CHANGSHA])
    chain.send(registry.functions.addAgency(AGENCY, later, later + 1), governor[CHANGSHA])
    third = registry.functions.addAgency(AGENCY, later + 1, later + 2)
    assert chain.refused(third, governor[CHANGSHA]) == ("TermAhead", later + 1, later)
    decide(chain, consortium, action(REMOVE, CHANGSHA), governor[HANGZHOU], governor[NANJING])
    receipt = chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), governor[HANGZHOU])
    assert [e[0] for e in events(registry, receipt)] == ["AgencyEnded", "AgencyAdded"]
    assert len(registry.functions.agencyTerms(AGENCY, CHANGSHA).call()) == 2 * ROUNDS + 4
    assert receipt["gasUsed"] < 250_000
    city_of = registry.functions.cityOfAgency
    assert [city_of(AGENCY, t, chain.block).call() for t in (chain.time, later)] == [HANGZHOU, HANGZHOU]


# ------------------------------------------------------------------- first come


def test_an_agency_claimed_first_is_its_citys_again_when_the_others_remove_the_claimant(
    chain: Chain, consortium: Consortium
) -> None:
    registry, governor = consortium.registry.functions, consortium.governor
    chain.send(registry.addAgency(AGENCY, 0, FOREVER), governor[CHANGSHA])
    claim = registry.addAgency(AGENCY, 0, FOREVER)
    assert chain.refused(claim, governor[HANGZHOU]) == ("AgencyElsewhere", AGENCY, CHANGSHA)
    decide(chain, consortium, action(REMOVE, CHANGSHA), governor[HANGZHOU], governor[NANJING])
    chain.send(claim, governor[HANGZHOU])
    assert registry.cityOfAgency(AGENCY, chain.time, chain.block).call() == HANGZHOU


def test_a_thumbprint_claimed_first_speaks_for_nobody_else(chain: Chain, consortium: Consortium) -> None:
    """The claimed key is the claimant's on chain, so it is good for nothing that HANGZHOU signs: it takes another."""
    registry, governor = consortium.registry.functions, consortium.governor
    wanted, another = b"\x01" * 32, b"\x02" * 32

    def http_key(thumbprint: bytes, city: int) -> tuple[object, ...]:
        return thumbprint, city, ZERO, 1, 2, b"\x03" * 32, b"\x04" * 32

    chain.send(registry.addKey(http_key(wanted, CHANGSHA), 0, FOREVER), governor[CHANGSHA])
    refused = chain.refused(registry.addKey(http_key(wanted, HANGZHOU), 0, FOREVER), governor[HANGZHOU])
    assert refused == ("KeyTaken", wanted)
    assert registry.key(wanted).call()[0][1] == CHANGSHA
    chain.send(registry.addKey(http_key(another, HANGZHOU), 0, FOREVER), governor[HANGZHOU])
    assert registry.keyValid(another, chain.time, chain.block).call() is True


def test_an_address_claimed_first_acts_for_the_claimant(chain: Chain, consortium: Consortium) -> None:
    """Whoever holds its key then writes into the claimant's logs, never into HANGZHOU's, which takes another."""
    registry, governor, (wanted, another) = consortium.registry.functions, consortium.governor, consortium.spare
    chain.send(registry.addAccount(wanted, ZERO, 3, 0, FOREVER), governor[CHANGSHA])
    claim = registry.addAccount(wanted, ZERO, 3, 0, FOREVER)
    assert chain.refused(claim, governor[HANGZHOU]) == ("AccountTaken", wanted)
    assert registry.actsFor(wanted, 1).call() == [CHANGSHA, ZERO]
    chain.send(registry.addAccount(another, ZERO, 3, 0, FOREVER), governor[HANGZHOU])
    assert registry.actsFor(another, 1).call() == [HANGZHOU, ZERO]
