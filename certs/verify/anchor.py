"""Step 7, ANCHOR: the chain accepted exactly this head of this log, at this block and time."""

from __future__ import annotations

from certs.verify.finding import failed, passed, unknown
from certs.verify.material import Material
from certs.verify.reasons import Reason
from certs.verify.view import Policy, View
from ledger.statement import parse_timestamp
from ledger.verdict import Finding


def check(material: Material, view: View, policy: Policy) -> Finding:
    head = material.bundle.head
    compared: dict[str, object] = {
        "log": head.log.hex(),
        "size": head.size,
        "block": head.block,
        "source": view.source,
    }
    if head.log != material.statement.log:
        return failed(Reason.ANCHOR_OTHER_LOG, statement=material.statement.log.hex(), **compared)
    if view.facts is None:
        if view.silent is not None:
            return unknown(Reason.ANCHOR_CHAIN_SILENT, problem=view.silent.reason, **compared)
        return failed(Reason.ANCHOR_SNAPSHOT_INVALID, problem=view.problem, **compared)
    end = next((each for each in view.facts.closings if each.log == head.log), None)
    if end is not None and head.size > end.last_good_size:
        # Whether it was ever published or not: of a closed log nothing above counts, and nothing more is coming.
        return failed(Reason.ANCHOR_DISOWNED, last_good=end.last_good_size, since=end.time, **compared)
    if head in view.facts.heads:
        return passed(Reason.ANCHOR_OK, time=head.time, **compared)
    newest = max((known.size for known in view.facts.heads if known.log == head.log), default=0)
    if head.size > newest and view.seconds <= _deadline(material, policy):
        return unknown(Reason.ANCHOR_NOT_YET, newest=newest, **compared)
    return failed(Reason.ANCHOR_NEVER_PUBLISHED, newest=newest, **compared)


def _deadline(material: Material, policy: Policy) -> int:
    """Until when a recorded leaf may wait for its head."""
    at = parse_timestamp(material.statement.at).timestamp()
    return int(at) + policy.anchor_lag(material.visible.type_code)
