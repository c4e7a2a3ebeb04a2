"""What the cities decide together: actions, proposals, and how many approvals one needs. The rules of IGovernance.

A city has no vote about itself; an approval counts while its city is active and the account that gave it governs
that city. The contract reckons both when the proposal is executed; a test compares its numbers with these.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ledger.errors import LedgerError

NOBODY = "0x" + 40 * "0"
REKEY_DELAY_SECONDS = 7 * 86_400


class Kind(IntEnum):
    """Frozen: the numbers of IGovernance.ActionKind."""

    ADMIT = 1
    SUSPEND = 2
    REINSTATE = 3
    REMOVE = 4
    REKEY = 5
    GRANT_TYPES = 6
    END_TYPES = 7
    CLOSE_EPOCH = 8


class State(IntEnum):
    """Frozen: the numbers of IGovernance.ProposalState."""

    OPEN = 1
    EXECUTED = 2
    CANCELLED = 3


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done about `city`. Raises `LedgerError` ACTION_FORM for a field that its kind does not have."""

    kind: Kind
    city: int
    division: int = 0
    """GB/T 2260; of ADMIT, as the next fields where nothing else is said."""
    account: str = NOBODY
    """ADMIT: the city's governor; REKEY: the new one; CLOSE_EPOCH: the LogAnchor. EIP-55."""
    epoch: int = 0
    """CLOSE_EPOCH: the current epoch."""
    size: int = 0
    """CLOSE_EPOCH: how many entries stand."""
    stream: str = ""
    """CLOSE_EPOCH."""
    types: tuple[str, ...] = ()
    """21-character codes; also of GRANT_TYPES and END_TYPES."""
    hot: tuple[str, ...] = ()
    endpoint: str = ""

    def __post_init__(self) -> None:
        if not self._has_its_fields():
            raise LedgerError("ACTION_FORM", "a field is missing or does not belong there", kind=self.kind.name)

    def _has_its_fields(self) -> bool:
        admits, closes = self.kind == Kind.ADMIT, self.kind == Kind.CLOSE_EPOCH
        scopes = self.kind in {Kind.GRANT_TYPES, Kind.END_TYPES}
        return (
            self.city > 0
            and (self.account != NOBODY) == (admits or closes or self.kind == Kind.REKEY)
            and bool(self.stream) == closes
            and (bool(self.types) if scopes else admits or not self.types)
            and (admits or not (self.division or self.hot or self.endpoint))
            and (closes or not (self.epoch or self.size))
        )


@dataclass(frozen=True, slots=True)
class Approval:
    city: int
    governor: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as the chain holds it; times in seconds."""

    id: bytes
    state: State
    proposer: int
    number: int
    made: int
    expires: int
    due: int
    """REKEY: from when on the governor can be replaced; 0: the delay has not begun."""
    action: Action
    approvals: tuple[Approval, ...]
    """All that were ever given, whether they count now or not."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Where a proposal stands at a block."""

    counted: int
    needed: int

    @property
    def enough(self) -> bool:
        return self.counted >= self.needed > 0


def needed(voters: int) -> int:
    """Approvals needed of so many active cities, the target left out: max(2, ⌊n/2⌋+1), and 1 if there is one."""
    return 1 if voters == 1 else max(2, voters // 2 + 1)
