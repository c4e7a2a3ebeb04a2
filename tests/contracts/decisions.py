"""Actions as the contract takes them, and the way of a proposal from its first approval to its execution."""

from __future__ import annotations

from typing import Any

from consortium import CHANGSHA, CONSORTIUM, HANGZHOU, NANJING, Consortium
from eth_abi import encode
from eth_utils import keccak
from evm_chain import Chain, events

ADMIT, SUSPEND, REINSTATE, REMOVE, REKEY, GRANT_TYPES, END_TYPES, CLOSE_EPOCH = range(1, 9)
OPEN, EXECUTED, CANCELLED = 1, 2, 3
NOBODY = "0x" + 40 * "0"
DAY = 86_400
LIFETIME, DELAY = 30 * DAY, 7 * DAY
SUZHOU, HEFEI = 4, 5
ACTION = "(uint8,uint32,uint32,address,uint32,uint64,bytes32,bytes32[],address[],string)"
FIELDS = ("division", "account", "epoch", "size", "stream", "types", "hot", "endpoint")
EMPTY = (0, NOBODY, 0, 0, bytes(32), [], [], "")


def action(kind: int, city: int, **given: Any) -> tuple[Any, ...]:
    """An action with only the fields given."""
    fields = dict(zip(FIELDS, EMPTY, strict=True)) | given
    assert fields.keys() == set(FIELDS)
    return kind, city, *fields.values()


def admission(c: Consortium, city: int = SUZHOU, governor: str | None = None, **given: Any) -> tuple[Any, ...]:
    return action(ADMIT, city, division=320500, account=governor or c.spare[0], **given)


def proposal_id(c: Consortium, number: int, proposed: tuple[Any, ...], chain_id: int | None = None) -> bytes:
    """As the interface writes it."""
    types = ["bytes32", "uint256", "address", "uint256", ACTION]
    chain = chain_id or c.registry.w3.eth.chain_id
    return keccak(encode(types, [CONSORTIUM, chain, c.registry.address, number, proposed]))


def propose(chain: Chain, c: Consortium, proposed: tuple[Any, ...], by: str) -> bytes:
    """Id of the proposal that the governor `by` makes."""
    receipt = chain.send(c.registry.functions.propose(proposed), by)
    [made] = [e for e in events(c.registry, receipt) if e[0] == "ProposalMade"]
    return bytes(made[1])


def approve(chain: Chain, c: Consortium, proposal: bytes, *governors: str) -> None:
    for governor in governors:
        chain.send(c.registry.functions.approve(proposal), governor)


def execute(chain: Chain, c: Consortium, proposal: bytes, by: str, at: int | None = None) -> list[tuple[Any, ...]]:
    return events(c.registry, chain.send(c.registry.functions.execute(proposal), by, at=at))


def decide(chain: Chain, c: Consortium, proposed: tuple[Any, ...], *governors: str) -> bytes:
    """Proposed by the first governor, approved by the others, executed."""
    first, *others = governors
    proposal = propose(chain, c, proposed, first)
    approve(chain, c, proposal, *others)
    execute(chain, c, proposal, first)
    return proposal


def governors(c: Consortium) -> tuple[str, str, str]:
    return c.governor[HANGZHOU], c.governor[CHANGSHA], c.governor[NANJING]


def with_four(chain: Chain, c: Consortium) -> tuple[str, str, str, str]:
    """The governors of four cities: the founders have admitted SUZHOU."""
    a, b, d = governors(c)
    decide(chain, c, admission(c, hot=[c.spare[1]]), a, b)
    return a, b, d, c.spare[0]


def active(c: Consortium, city: int, chain: Chain) -> bool:
    return bool(c.registry.functions.cityActive(city, chain.time, chain.block).call())
