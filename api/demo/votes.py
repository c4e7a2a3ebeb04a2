"""What one city wants, the chain does not do: the others have to agree."""

from __future__ import annotations

from api import governance
from api.demo import world
from api.demo.scene import Scene
from ledger.errors import LedgerError
from ledger.governance import Action, Kind

REFUSED = "DECISION_REFUSED"


def alone(scene: Scene) -> None:
    """Hefei proposes to remove Nanjing, and executes with its own vote alone."""
    hefei, target = scene.others[-1], world.city("B")
    standing = governance.propose(hefei, Action(Kind.REMOVE, target.number), dry_run=False)
    assert standing is not None  # noqa: S101  # not a rehearsal
    refused = ""
    try:
        governance.execute(hefei, standing.proposal, dry_run=False)
    except LedgerError as error:
        refused = error.code
    scene.stage.line(
        "demo.alone",
        ok=refused == REFUSED and not standing.tally.enough,
        ids={"proposal": standing.proposal.id.hex()},
        city=scene.names(world.city("C")),
        target=scene.names(target),
        approvals=standing.tally.counted,
        needed=standing.tally.needed,
    )
