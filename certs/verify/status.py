"""Step 8, STATUS: nothing recorded under this issuer says that the certificate no longer holds.

A bad status never ages: a revocation in an old snapshot counts whatever happened since. A good one must be fresh.
"""

from __future__ import annotations

from collections.abc import Mapping

from certs.verify.finding import failed, passed, unknown
from certs.verify.issuer import SKEW
from certs.verify.material import Material
from certs.verify.reasons import Reason
from certs.verify.view import NODE_BEHIND, Policy, View
from ledger.facts import Facts
from ledger.status import Status, history, status_at
from ledger.verdict import Finding

_ENDED: Mapping[int, Reason] = {
    Status.SUSPENDED: Reason.STATUS_SUSPENDED,
    Status.REVOKED: Reason.STATUS_REVOKED,
    Status.CANCELLED: Reason.STATUS_CANCELLED,
    Status.SUPERSEDED: Reason.STATUS_SUPERSEDED,
    Status.TRANSFERRING: Reason.STATUS_TRANSFERRED,
    Status.TRANSFERRED: Reason.STATUS_TRANSFERRED,
}


def check(material: Material, view: View, policy: Policy) -> Finding:
    if view.facts is None:
        if view.silent is not None:
            return unknown(Reason.STATUS_CHAIN_SILENT, problem=view.silent.reason)
        return failed(Reason.STATUS_SNAPSHOT_INVALID, problem=view.problem)
    return _recorded(material, view, view.facts) or _fresh(view, view.facts, policy)


def _recorded(material: Material, view: View, facts: Facts) -> Finding | None:
    """A failure if the records say that it does not hold."""
    row = history(facts, material.agency, material.digest)
    if row is None:
        return failed(Reason.STATUS_MISSING, digest=material.digest.hex(), source=view.source)
    record = status_at(row, _moment(view, facts), facts.block)
    if record is not None and record.status != Status.ACTIVE:
        reason = _ENDED.get(record.status)
        if reason is None:
            return failed(Reason.STATUS_NOT_KNOWN, status=record.status, block=record.recorded, source=view.source)
        known = {"since": record.effective_from, "reason": record.reason, "status": record.status}
        return failed(reason, **known, block=record.recorded, source=view.source)
    if record is None and material.status_at_import != Status.ACTIVE:
        # Its status follows its head to the chain; in between, the statement itself says that it does not hold.
        return failed(Reason.STATUS_ENDED_AT_IMPORT, status=material.status_at_import.name, source=view.source)
    return _closed(material, view, facts)


def _moment(view: View, facts: Facts) -> int:
    """Now by the later of the two clocks: what the chain has recorded counts, however far behind ours is."""
    return max(view.seconds, facts.time)


def _closed(material: Material, view: View, facts: Facts) -> Finding | None:
    """A certificate that renews another holds only if the other one's record names it as the next."""
    if material.replaces is None:
        return None
    row = history(facts, material.agency, material.replaces)
    record = status_at(row, _moment(view, facts), facts.block) if row else None
    if record and (record.status, record.next_issuer, record.next_digest) == (
        Status.SUPERSEDED,
        material.agency,
        material.digest,
    ):
        return None
    return failed(Reason.STATUS_REPLACED_NOT_CLOSED, replaces=material.replaces.hex(), source=view.source)


def _fresh(view: View, facts: Facts, policy: Policy) -> Finding:
    compared = {
        "status": "ACTIVE",
        "as_of": facts.time,
        "block": facts.block,
    }
    if view.source == "node":
        return passed(Reason.STATUS_OK, source="node", **compared)
    if view.silent is not None and view.silent.reason == NODE_BEHIND:
        return unknown(Reason.STATUS_NODE_BEHIND, **compared)
    if view.silent is not None:
        return unknown(Reason.STATUS_CHAIN_SILENT, problem=view.silent.reason, **compared)
    age = view.seconds - facts.time
    if age < -SKEW.total_seconds():
        return unknown(Reason.STATUS_CLOCK, now=view.now.isoformat(), **compared)
    if age > policy.max_status_age.total_seconds():
        return unknown(Reason.STATUS_STALE, age=age, allowed=int(policy.max_status_age.total_seconds()), **compared)
    return passed(Reason.STATUS_OK, source="snapshot", age=max(age, 0), **compared)
