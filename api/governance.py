"""The city's voice in the consortium: proposing, approving, executing and cancelling with its governor's account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from api.errors import ApiError
from api.members import SETTLE_SECONDS, Step, rehearse
from api.wiring import GOVERNOR, City
from ledger.errors import LedgerError
from ledger.evm.contracts import governance as calls
from ledger.evm.contracts import log_anchor, member_registry
from ledger.governance import Action, Kind, Proposal, State, Tally
from ledger.ports import Call
from ledger.store import outbox


@dataclass(frozen=True, slots=True)
class Standing:
    """A proposal and where it stands now."""

    proposal: Proposal
    tally: Tally
    expired: bool

    @property
    def open(self) -> bool:
        return self.proposal.state == State.OPEN and not self.expired


def every(city: City) -> list[Standing]:
    """All proposals ever made, oldest first."""
    chain, registry = city.chain, city.deployment.member_registry.address
    count = calls.count(chain.ask([(registry, calls.count_call())])[0])
    ids = [calls.id_at(a) for a in chain.ask([(registry, calls.id_call(number)) for number in range(count)])]
    return [found for found in (_standing(city, each) for each in ids) if found]


def find(city: City, name: str) -> Standing:
    """By number or by id in hexadecimal. Raises `ApiError` PROPOSAL_UNKNOWN."""
    registry = city.deployment.member_registry.address
    found = None
    if name.isdecimal() and len(name) < 19:
        found = _standing(city, calls.id_at(city.chain.ask([(registry, calls.id_call(int(name)))])[0]))
    elif len(name.removeprefix("0x")) == 64:
        found = _standing(city, _unhex(name))
    if found is None:
        raise ApiError("PROPOSAL_UNKNOWN", "no such proposal", proposal=name)
    return found


def needed(city: City, target: int) -> int:
    """Approvals an action about this city needs now."""
    return calls.needed(city.chain.ask([(city.deployment.member_registry.address, calls.needed_call(target))])[0])


def closing(city: City, target: int, stream: str, size: int) -> Action:
    """Closing the present epoch of another city's log."""
    anchor, epoch = city.deployment.log_anchor.address, city.chain.current_epoch(target, stream)
    return Action(Kind.CLOSE_EPOCH, target, account=anchor, epoch=epoch, size=size, stream=stream)


def propose(city: City, action: Action, *, dry_run: bool) -> Standing | None:
    """Make a proposal; None if it was only rehearsed. One that this city made and that is still open is returned as
    it is, so that a command that was interrupted can be repeated."""
    standing = every(city)
    same = [s for s in standing if s.open and s.proposal.action == action]
    known = next((s for s in same if s.proposal.proposer == city.settings.city), None)
    if known is None:
        data = calls.propose(action)
        carry_out(city, f"propose/{len(standing)}/{sha256(data).hexdigest()[:16]}", _to_registry(city, data), dry_run)
    if known is not None or dry_run:
        return known
    return next(s for s in reversed(every(city)) if s.proposal.action == action)


def approve(city: City, proposal: Proposal, *, dry_run: bool) -> None:
    carry_out(city, f"approve/{proposal.id.hex()}", _to_registry(city, calls.approve(proposal.id)), dry_run)


def cancel(city: City, proposal: Proposal, *, dry_run: bool) -> None:
    carry_out(city, f"cancel/{proposal.id.hex()}", _to_registry(city, calls.cancel(proposal.id)), dry_run)


def execute(city: City, proposal: Proposal, *, dry_run: bool) -> None:
    """Execute; the end of an epoch is then carried out in LogAnchor. Interrupted between the two: run it again."""
    closes = proposal.action.kind == Kind.CLOSE_EPOCH
    if not (closes and proposal.state == State.EXECUTED):
        # A re-key is executed twice, and the second time is not the first one again.
        label = f"execute/{proposal.id.hex()}/{proposal.due}"
        carry_out(city, label, _to_registry(city, calls.execute(proposal.id)), dry_run)
    if closes and not (dry_run and proposal.state == State.OPEN):
        call = Call(city.deployment.log_anchor.address, log_anchor.close_epoch_decided(proposal.id))
        carry_out(city, f"close/{proposal.id.hex()}", call, dry_run)


def act(city: City, label: str, steps: Sequence[Step], *, dry_run: bool) -> None:
    """The governor's own acts about its city, in one transaction; rehearsed first, final on return.

    Done twice the contract refuses, mostly: there is nothing to end any more, the account is known. Raises
    `LedgerError` DECISION_REFUSED.
    """
    data = steps[0].data if len(steps) == 1 else member_registry.multicall([step.data for step in steps])
    governor, call = city.transactor(GOVERNOR), _to_registry(city, data)
    if not dry_run:
        governor.settle_all(SETTLE_SECONDS)  # one of an interrupted run counts before this one is rehearsed
    rehearse(city, governor.address, call)
    if not dry_run:
        governor.once(f"{label}/{sha256(data).hexdigest()[:16]}", lambda: call, finished=False)
        governor.settle_all(SETTLE_SECONDS)


def _standing(city: City, proposal: bytes) -> Standing | None:
    registry = city.deployment.member_registry.address
    row, tally = city.chain.ask([(registry, calls.proposal_call(proposal)), (registry, calls.tally_call(proposal))])
    found = calls.proposal(proposal, row)
    if found is None:
        return None
    return Standing(found, calls.tally(tally), city.clock().timestamp() >= found.expires)


def _to_registry(city: City, data: bytes) -> Call:
    return Call(city.deployment.member_registry.address, data)


def carry_out(city: City, label: str, call: Call, dry_run: bool) -> None:
    """Rehearsed, then stored before it is sent; final on return. Raises `LedgerError` DECISION_REFUSED."""
    governor = city.transactor(GOVERNOR)
    with city.database.reading() as connection:
        known = outbox.transactions(connection, sender=governor.address, label=label)
    # What was sent before is settled, not rehearsed: done already, it would be refused.
    if dry_run or not any(each.state != outbox.REVERTED for each in known):
        rehearse(city, governor.address, call)
    if dry_run:
        return
    sent = governor.once(label, lambda: call)
    governor.settle_all(SETTLE_SECONDS)
    with city.database.reading() as connection:
        states = {t.id: t.state for t in outbox.transactions(connection, sender=governor.address, label=label)}
    if states[sent.id] == outbox.REVERTED:
        rehearse(city, governor.address, call)
        raise LedgerError("DECISION_REFUSED", "the contract refused", rule="-")


def _unhex(name: str) -> bytes:
    try:
        return bytes.fromhex(name.removeprefix("0x"))
    except ValueError:
        raise ApiError("PROPOSAL_UNKNOWN", "no such proposal", proposal=name) from None
