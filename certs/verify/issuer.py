"""Step 3, ISSUER: who signed was this agency, in this city, accredited for this type — when it says, and when anchored.

T is the block time of the first published head that covers the leaf: nobody can choose it later. So the signature's
own date counts only within narrow bounds around T, and a key stolen afterwards cannot date itself back.
"""

from __future__ import annotations

from datetime import timedelta

from certs.verify.finding import failed, passed, unknown
from certs.verify.material import Material
from certs.verify.reasons import Reason
from certs.verify.view import Policy, View
from ledger import accreditation as rules
from ledger.facts import Facts, Key
from ledger.statement import parse_timestamp
from ledger.verdict import Finding

SKEW = timedelta(minutes=5)
"""How far the clocks of agency, city and chain may be apart."""


def check(material: Material, view: View, policy: Policy) -> Finding:
    if view.facts is None:
        if view.silent is not None:
            return unknown(Reason.ISSUER_CHAIN_SILENT, source="node", problem=view.silent.reason)
        return failed(Reason.ISSUER_SNAPSHOT_INVALID, problem=view.problem)
    key = rules.find_key(view.facts, material.presentation.untrusted.kid)
    if key is None:
        return failed(Reason.ISSUER_KEY_UNKNOWN, kid=material.presentation.untrusted.kid)
    return (
        _key(material, key)
        or _times(material, policy)
        or _in_force(material, view.facts, key)
        or passed(
            Reason.ISSUER_OK,
            agency=material.agency,
            city=material.bundle.city,
            type=material.visible.type_code,
            source=view.source,
            block=view.facts.block,
        )
    )


def _key(material: Material, key: Key) -> Finding | None:
    """The key on chain is this agency's certificate key, and the very key the signature was checked with."""
    same = (key.x, key.y, key.suite) == (material.bundle.x, material.bundle.y, rules.P256)
    if not same or key.use != rules.CERT or key.agency != material.agency:
        return failed(Reason.ISSUER_KEY_OF_ANOTHER, kid=key.kid, owner=key.agency, issuer=material.agency)
    return None


def _times(material: Material, policy: Policy) -> Finding | None:
    """iat ≤ at + skew, at ≤ T + skew, T − iat ≤ lag."""
    issued, anchored = material.visible.issued_at, material.bundle.head.time
    at = parse_timestamp(material.statement.at).timestamp()
    skew = SKEW.total_seconds()
    if issued > at + skew or at > anchored + skew:
        return failed(Reason.ISSUER_BACKDATED, issued_at=issued, recorded_at=int(at), anchored_at=anchored)
    lag = policy.anchor_lag(material.visible.type_code)
    if anchored - issued > lag:
        return failed(Reason.ISSUER_LATE_ANCHOR, issued_at=issued, anchored_at=anchored, allowed=lag)
    return None


def _in_force(material: Material, facts: Facts, key: Key) -> Finding | None:
    """Key, membership and accreditation hold both when it was signed and when it was anchored."""
    agency, city, type_code = material.agency, material.bundle.city, material.visible.type_code
    anchored = material.bundle.head.time
    if rules.compromised(key, anchored, facts.block):
        return failed(Reason.ISSUER_KEY_COMPROMISED, kid=key.kid, anchored_at=anchored)
    for time in (material.visible.issued_at, anchored):
        if not rules.key_valid(key, time, facts.block):
            return failed(Reason.ISSUER_KEY_NOT_VALID, kid=key.kid, time=time)
        if rules.city_of(facts, agency, time) != city:
            return failed(Reason.ISSUER_NOT_MEMBER, agency=agency, city=city, time=time)
        if not rules.accredited(facts, agency, type_code, time):
            return failed(Reason.ISSUER_NOT_ACCREDITED, agency=agency, type=type_code, time=time)
    return None
