"""The ports of the ledger: what it needs from a chain. Their comments are the contract; `ledger.evm` fills them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.facts import EpochClosing, Facts, PublishedHead, Question
from ledger.trust import Deployment


@dataclass(frozen=True, slots=True)
class HeadItem:
    """A head to publish, with the consistency proof from the newest one on chain."""

    stream: str
    size: int
    root: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One change for StatusRegistry."""

    issuer: str
    digest: bytes
    status: int
    reason: int
    effective_from: int
    """Seconds; 0: the block's time."""
    next_issuer: str = ""
    next_digest: bytes = bytes(32)


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """A change that StatusRegistry recorded."""

    issuer: str
    digest: bytes
    status: int


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction not yet signed. `to` None creates a contract."""

    to: str | None
    data: bytes
    gas: int | None = None
    """Limit to sign with; None: the node's estimate, which fails or falls short where the answer depends on time."""
    value: int = 0
    """Wei that goes along. Contracts of ours take none."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed transaction: the same bytes can be sent any number of times."""

    sender: str
    nonce: int
    hash: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    block: int
    succeeded: bool
    gas_used: int
    created: str | None
    """Address of the contract it created."""
    published: tuple[PublishedHead, ...]
    """Heads that LogAnchor accepted in it."""
    refusals: tuple[str, ...]
    """What the contracts refused in it, in words for the operator's log."""


class Sender(Protocol):
    """An account that signs transactions (secp256k1); never leaves its keeper."""

    @property
    def address(self) -> str:
        """EIP-55."""

    def sign(self, call: Call, *, nonce: int, gas: int, gas_price: int, chain_id: int) -> Signed:
        """Deterministic (RFC 6979): the same arguments give the same bytes."""


class Wire(Protocol):
    """What carrying transactions needs of a node. Every method may raise `ChainUnavailable`; none retries."""

    @property
    def chain_id(self) -> int: ...

    @property
    def gas_price(self) -> int:
        """Wei, by configuration: 0 on a free-gas network, at least 1 elsewhere."""

    def newest(self) -> int:
        """Number of the newest block."""

    def final_height(self) -> int:
        """Number of the newest block that cannot go away any more, by this engine's finality rule."""

    def next_nonce(self, address: str, block: int | None = None) -> int:
        """How many transactions of the account are mined, up to a block; None: the newest."""

    def gas_for(self, sender: str, call: Call) -> int:
        """Gas limit to sign with."""

    def send(self, raw: bytes) -> None:
        """Safe to call twice: a transaction the node already has, or has mined, is no error."""

    def receipt(self, transaction: bytes) -> Receipt | None:
        """None while it is not mined."""


class Chain(Wire, Protocol):
    """One node of the consortium's chain, with the contracts on it.

    Reads are of the newest block. Nothing read is believed before `confirm` has passed.
    """

    @property
    def deployment(self) -> Deployment: ...

    def confirm(self) -> None:
        """Raises `ChainMismatch` unless the node serves exactly this deployment (id, chain, code hashes)."""

    def heads(self, logs: Sequence[bytes]) -> list[PublishedHead | None]:
        """The newest head of each log; None where nothing was published."""

    def history(self, log: bytes) -> list[PublishedHead]:
        """Every head of a log that was ever published, oldest first. Reads the whole chain's events: for recovery."""

    def closings(self, logs: Sequence[bytes]) -> list[EpochClosing | None]:
        """How the epoch that each log is was closed: it takes no head any more. None: it is open."""

    def current_epoch(self, city: int, stream: str) -> int:
        """The epoch in which the chain takes the stream's next head."""

    def publish(self, items: Sequence[HeadItem]) -> Call:
        """The call that publishes them, at most 64."""

    def set_status(self, changes: Sequence[StatusChange]) -> Call:
        """The call that records them, at most 200."""

    def facts(self, question: Question, block: int | None = None) -> Facts:
        """Everything asked, read at one block: this one, or the newest. Nodes keep old states for a while only."""

    def status_events(self, since: int) -> tuple[int, list[StatusEvent]]:
        """(block up to which was read, changes recorded from block `since` on, oldest first)."""

    def registered_keys(self, use: int) -> list[str]:
        """Thumbprints of all keys ever registered for a use, in force or not. Reads the whole chain's events."""
