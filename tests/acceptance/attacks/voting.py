"""Attacks on what the cities decide, by raw transactions from the governors' accounts."""

from __future__ import annotations

from functools import partial

from attacks import engine
from attacks.attack import Attack, Outcome
from attacks.three_cities import CHANGSHA, GOVERNOR, HANGZHOU, HEFEI, NANJING, SUZHOU, TYPE, Cities, Ground, account
from attacks.weakening import Change, Target
from ledger.evm.account import Account
from ledger.evm.contracts import governance
from ledger.governance import REKEY_DELAY_SECONDS, Action, Kind

A, B, C, D = (GOVERNOR[city] for city in (HANGZHOU, NANJING, CHANGSHA, SUZHOU))
NEW = account("another governor")
FILE = "contracts/members/Governance.sol"
ENOUGH = Change(FILE, "if (counted < needed) revert NotEnoughApprovals(id, counted, needed);", "")
MONTH = 30 * 86_400
GENESIS = 1_800_000_000


def admission(city: int = HEFEI) -> Action:
    return Action(Kind.ADMIT, city, division=340100, account=GOVERNOR[city].address, types=(TYPE,))


def proposed(cities: Cities, action: Action, first: Account, *others: Account) -> bytes:
    """A proposal with the approvals of these governors."""
    said = cities.attempt(first, "MemberRegistry", governance.propose(action))
    assert said == "ProposalMade, ProposalApproved", said
    number = cities.chain.read("MemberRegistry", "proposalCount") - 1
    made: bytes = cities.chain.read("MemberRegistry", "proposalIdAt", number)
    for each in others:
        approve(cities, each, made)
    return made


def approve(cities: Cities, who: Account, proposal: bytes) -> str:
    return cities.attempt(who, "MemberRegistry", governance.approve(proposal))


def execute(cities: Cities, who: Account, proposal: bytes) -> str:
    return cities.attempt(who, "MemberRegistry", governance.execute(proposal))


def decided(cities: Cities, action: Action, *governors: Account) -> bytes:
    made = proposed(cities, action, *governors)
    said = execute(cities, governors[0], made)
    assert "ProposalExecuted" in said, said
    return made


def four(ground: Ground, target: Target) -> Cities:
    """The three founders and the city they admitted."""
    cities = ground.deploy(target)
    decided(cities, admission(SUZHOU), A, B)
    return cities


# ------------------------------------------------ (14) too few, or not entitled


def one_of_three(ground: Ground, target: Target) -> Outcome:
    """Of four cities one removes another: three vote, two are needed."""
    cities = four(ground, target)
    said = execute(cities, A, proposed(cities, Action(Kind.REMOVE, SUZHOU), A))
    return Outcome(not cities.active(SUZHOU), said)


def two_of_four(ground: Ground, target: Target) -> Outcome:
    """Half is no majority."""
    cities = four(ground, target)
    said = execute(cities, A, proposed(cities, admission(), A, B))
    return Outcome(cities.active(HEFEI), said)


def vote_left_behind(ground: Ground, act: Kind, target: Target) -> Outcome:
    """C approves and leaves (or is suspended); its approval is all that is missing to two of three."""
    cities = four(ground, target)
    pending = proposed(cities, admission(), A, C)
    decided(cities, Action(act, CHANGSHA), A, B, D)
    said = execute(cities, A, pending)
    return Outcome(cities.active(HEFEI), said)


def vote_after_leaving(ground: Ground, target: Target) -> Outcome:
    """C was removed and approves all the same; with it, and with its execution, there would be two."""
    cities = four(ground, target)
    pending = proposed(cities, admission(), A)
    decided(cities, Action(Kind.REMOVE, CHANGSHA), A, B, D)
    said = approve(cities, C, pending)
    approvals = cities.chain.read("MemberRegistry", "proposal", pending)[2]
    return Outcome(len(approvals) > 1, said)


def vote_of_a_replaced_governor(ground: Ground, target: Target) -> Outcome:
    """C's governor approves, is replaced, and its approval still is one of two."""
    cities = ground.deploy(target)
    rekey = proposed(cities, Action(Kind.REKEY, CHANGSHA, account=NEW.address), A, B)
    execute(cities, A, rekey)
    cities.wait(REKEY_DELAY_SECONDS)
    pending = proposed(cities, admission(), A, C)
    execute(cities, A, rekey)
    said = execute(cities, A, pending)
    return Outcome(cities.active(HEFEI), said)


def vote_about_oneself(ground: Ground, target: Target) -> Outcome:
    """A city that was to be removed votes too; of two cities one would be enough to keep it."""
    cities = four(ground, target)
    pending = proposed(cities, Action(Kind.GRANT_TYPES, CHANGSHA, types=("11100000MB03271699001",)), A)
    said = approve(cities, C, pending)
    execute(cities, A, pending)
    return Outcome(bool(cities.chain.read("MemberRegistry", "proposal", pending)[0][0] == 2), said)


def too_few(ground: Ground) -> list[Attack]:
    active = Change(FILE, "governor == given.governor && _activeNow(given.city)) ++counted;",
                    "governor == given.governor) ++counted;")  # fmt: skip
    governs = Change(
        "contracts/members/Cities.sol", "governor != who || !_activeNow(id)) revert", "governor != who) revert"
    )
    replaced = Change(FILE, "if (_cities[given.city].row.governor == given.governor && _activeNow(given.city))",
                      "if (_activeNow(given.city))")  # fmt: skip
    oneself = Change(FILE, "if (own == target) revert NoVoteOnOneself(own);", "")
    left = partial(vote_left_behind, ground)
    return [
        Attack("one city of three removes a fourth", partial(one_of_three, ground), "NotEnoughApprovals", (ENOUGH,)),
        Attack("two of four admit a fifth", partial(two_of_four, ground), "NotEnoughApprovals", (ENOUGH,)),
        Attack("with the vote of one that left", partial(left, Kind.REMOVE), "NotEnoughApprovals", (active,)),
        Attack("with the vote of a suspended one", partial(left, Kind.SUSPEND), "NotEnoughApprovals", (active,)),
        Attack("one that left approves", partial(vote_after_leaving, ground), "NotGovernor", (governs,)),
        Attack("with the vote of a replaced governor", partial(vote_of_a_replaced_governor, ground),
               "NotEnoughApprovals", (replaced,)),
        Attack("a city votes about itself", partial(vote_about_oneself, ground), "NoVoteOnOneself", (oneself,)),
    ]  # fmt: skip


# ---------------------------------------------------------- (15) approvals again


def approved_twice(ground: Ground, target: Target) -> Outcome:
    """One governor approves until there are enough."""
    cities = four(ground, target)
    pending = proposed(cities, Action(Kind.REMOVE, SUZHOU), A)
    again = approve(cities, A, pending)
    said = execute(cities, A, pending)
    return Outcome(not cities.active(SUZHOU), f"{again}, {said}")


def executed_twice(ground: Ground, target: Target) -> Outcome:
    """A suspension that was lifted is executed once more."""
    cities = four(ground, target)
    suspension = decided(cities, Action(Kind.SUSPEND, SUZHOU), A, B)
    cities.wait()
    decided(cities, Action(Kind.REINSTATE, SUZHOU), A, B)
    cities.wait()
    said = execute(cities, C, suspension)
    return Outcome(not cities.active(SUZHOU), said)


def proposed_again(ground: Ground, target: Target) -> Outcome:
    """The same suspension proposed anew, by one city, on the approvals of before."""
    cities = four(ground, target)
    first = decided(cities, Action(Kind.SUSPEND, SUZHOU), A, B)
    cities.wait()
    decided(cities, Action(Kind.REINSTATE, SUZHOU), A, B)
    cities.wait()
    cities.attempt(C, "MemberRegistry", governance.propose(Action(Kind.SUSPEND, SUZHOU)))
    number = cities.chain.read("MemberRegistry", "proposalCount") - 1
    again = cities.chain.read("MemberRegistry", "proposalIdAt", number)
    said = execute(cities, C, again)
    return Outcome(not cities.active(SUZHOU), f"{'the same' if again == first else 'another'} id, {said}")


def after_a_month(ground: Ground, target: Target) -> Outcome:
    """Enough approvals of a matter that everybody has forgotten."""
    cities = ground.deploy(target)
    pending = proposed(cities, admission(), A, B)
    cities.wait(MONTH)
    said = execute(cities, A, pending)
    return Outcome(cities.active(HEFEI), said)


def of_a_rehearsal(target: Target) -> Outcome:
    """B approved in a rehearsal: two chains with one id, one deployer and so the same addresses, the same governors.
    A proposes the same in earnest, as the same number, and sends B's signed approval of the rehearsal.
    """
    with engine.running(GENESIS) as rehearsal, engine.running(GENESIS) as real:
        played = Ground(rehearsal).deploy(target, b"rehearsal")
        earnest = Ground(real).deploy(target, b"in earnest")
        assert played.chain.contracts == earnest.chain.contracts
        pending = proposed(played, admission(), A)
        approval = played.raw(B, "MemberRegistry", governance.approve(pending))
        assert played.replayed(approval) == "ProposalApproved"
        wanted = proposed(earnest, admission(), A)
        again = earnest.replayed(approval)
        said = execute(earnest, A, wanted)
        return Outcome(earnest.active(HEFEI), f"{again}, {said}")


def replayed(ground: Ground) -> list[Attack]:
    once = Change(FILE, "if (approvals[i].governor == msg.sender) return;", "")
    over = Change(FILE, "if (state != ProposalState.OPEN) revert ProposalOver(id, state);", "")
    counter = Change(FILE, "address(this), number, action", "address(this), uint64(0), action")
    consortium = Change(FILE, "abi.encode(consortiumId, block.chainid,", "abi.encode(block.chainid,")
    expiry = Change(
        FILE, "if (block.timestamp >= record.row.expires) revert ProposalExpired(id, record.row.expires);", ""
    )
    return [
        Attack("one governor approves twice", partial(approved_twice, ground), "NotEnoughApprovals", (once,)),
        Attack("a decision executed again", partial(executed_twice, ground), "ProposalOver", (over,)),
        Attack("the same action proposed again", partial(proposed_again, ground), "another id", (counter,)),
        Attack("an approval of a rehearsal", of_a_rehearsal, "reverted, reverted: NotEnoughApprovals", (consortium,)),
        Attack("executed after 30 days", partial(after_a_month, ground), "ProposalExpired", (expiry,)),
    ]
