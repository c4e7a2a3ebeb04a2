"""MemberRegistry, the part of IGovernance: proposals, approvals, and what was decided."""

from __future__ import annotations

from typing import Any

from eth_hash.auto import keccak

from ledger.errors import ChainUnavailable, LedgerError
from ledger.evm.contracts.codec import checksummed, codec
from ledger.evm.contracts.member_registry import NAME
from ledger.governance import Action, Approval, Kind, Proposal, State, Tally
from ledger.logid import ascii32, from_ascii32, stream_id


def propose(action: Action) -> bytes:
    return codec(NAME).encode("propose", _row(action))


def approve(proposal: bytes) -> bytes:
    return codec(NAME).encode("approve", proposal)


def execute(proposal: bytes) -> bytes:
    return codec(NAME).encode("execute", proposal)


def cancel(proposal: bytes) -> bytes:
    return codec(NAME).encode("cancel", proposal)


def proposal_id(consortium: bytes, chain_id: int, registry: str, number: int, action: Action) -> bytes:
    """keccak256(abi.encode(consortium, chain id, contract, number, action))."""
    types = ("bytes32", "uint256", "address", "uint256", codec(NAME).input_types("propose")[0])
    return bytes(keccak(codec(NAME).values(types, (consortium, chain_id, registry, number, _row(action)))))


def count_call() -> bytes:
    return codec(NAME).encode("proposalCount")


def count(answer: bytes) -> int:
    return int(codec(NAME).decode("proposalCount", answer))


def id_call(number: int) -> bytes:
    return codec(NAME).encode("proposalIdAt", number)


def id_at(answer: bytes) -> bytes:
    return bytes(codec(NAME).decode("proposalIdAt", answer))


def proposal_call(proposal: bytes) -> bytes:
    return codec(NAME).encode("proposal", proposal)


def proposal(proposal: bytes, answer: bytes) -> Proposal | None:
    """None: no such proposal was ever made here."""
    row, action, approvals = codec(NAME).decode("proposal", answer)
    state, proposer, number, made, expires, due = row
    if not state:
        return None
    try:
        given = tuple(Approval(city, checksummed(governor)) for city, governor in approvals)
        return Proposal(proposal, State(state), proposer, number, made, expires, due, _action(action), given)
    except (ValueError, LedgerError):
        raise ChainUnavailable("CHAIN_MALFORMED", "a proposal that the contract cannot hold", call="proposal") from None


def tally_call(proposal: bytes) -> bytes:
    return codec(NAME).encode("tally", proposal)


def tally(answer: bytes) -> Tally:
    return Tally(*codec(NAME).decode("tally", answer))


def needed_call(target: int) -> bytes:
    return codec(NAME).encode("approvalsNeeded", target)


def needed(answer: bytes) -> int:
    return int(codec(NAME).decode("approvalsNeeded", answer))


def name_successor(agency: str, successor: str) -> bytes:
    """An empty successor takes the name back."""
    return codec(NAME).encode("nameSuccessor", ascii32(agency), ascii32(successor) if successor else bytes(32))


def accept_succession(agency: str, successor: str) -> bytes:
    return codec(NAME).encode("acceptSuccession", ascii32(agency), ascii32(successor))


def successors_call(agency: str) -> bytes:
    return codec(NAME).encode("successors", ascii32(agency))


def successors(answer: bytes) -> tuple[str, ...]:
    """Who may set statuses in an agency's place, next first."""
    return tuple(from_ascii32(each) for each in codec(NAME).decode("successors", answer))


def _row(a: Action) -> tuple[Any, ...]:
    stream = stream_id(a.stream) if a.stream else bytes(32)
    types = [ascii32(code) for code in a.types]
    return (int(a.kind), a.city, a.division, a.account, a.epoch, a.size, stream, types, list(a.hot), a.endpoint)


def _action(row: Any) -> Action:
    kind, city, division, account, epoch, size, stream, types, hot, endpoint = row
    return Action(
        kind=Kind(kind),
        city=city,
        division=division,
        account=checksummed(account),
        epoch=epoch,
        size=size,
        stream=from_ascii32(stream),
        types=tuple(from_ascii32(each) for each in types),
        hot=tuple(checksummed(each) for each in hot),
        endpoint=endpoint,
    )
