"""What the verifier knows of the chain, and from where: one value, fixed before the first step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from certs.certificate_type import MAX_ANCHOR_LAG
from ledger import snapshot
from ledger.errors import CanonicalError, VerificationError
from ledger.facts import Facts
from ledger.snapshot import Snapshot
from ledger.trust import Trust

MAX_STATUS_AGE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the verifier accepts, apart from what is genuine. The bundle has no say in it."""

    max_status_age: timedelta = MAX_STATUS_AGE
    """How old a cosigned snapshot may be to say that a status is still good."""
    max_anchor_lag: dict[str, int] = field(default_factory=dict)
    """Seconds from issue to anchor, by type code; 7 days for types not named."""

    def anchor_lag(self, type_code: str) -> int:
        return self.max_anchor_lag.get(type_code, MAX_ANCHOR_LAG)


NODE_BEHIND = "NODE_BEHIND"
"""Why a node counts as silent that answers from a chain without the block that cities signed in the bundle."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A node named in the trust file was asked and did not answer. The only source of UNKNOWN but age."""

    reason: str
    """Code of the outage, e.g. CHAIN_UNREACHABLE."""


@dataclass(frozen=True, slots=True)
class View:
    """`facts` None: nothing about the chain is proven here; `problem` says why."""

    facts: Facts | None
    source: str
    """node or snapshot."""
    silent: Silent | None
    """Set if a node was asked in vain; facts, if any, are then the snapshot's."""
    problem: str
    """Code of what is wrong with the snapshot, if it was looked at."""
    now: datetime

    @property
    def seconds(self) -> int:
        return int(self.now.timestamp())


def view(
    live: Facts | Silent | None,
    untrusted: Snapshot,
    trust: Trust,
    now: datetime,
    verified: Callable[[Snapshot, Trust], Facts] = snapshot.verify,
) -> View:
    """Live facts if a node answered; else those of the snapshot, if enough trusted cities signed it.

    `live` None: offline by choice. Facts of another consortium than the trusted one are never used.
    `verified`: `snapshot.verify`, or what remembers its answers.
    """
    if isinstance(live, Facts):
        if (live.consortium, live.chain_id) == (trust.deployment.consortium, trust.deployment.chain_id):
            return View(live, "node", None, "", now)
        live = Silent("CHAIN_CONSORTIUM")
    try:
        return View(verified(untrusted, trust), "snapshot", live, "", now)
    except (VerificationError, CanonicalError) as error:
        return View(None, "snapshot", live, error.code, now)
