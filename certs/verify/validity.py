"""Step 4, VALIDITY: the certificate's own dates, by the verifier's clock."""

from __future__ import annotations

from certs.verify.finding import failed, passed
from certs.verify.material import Material
from certs.verify.reasons import Reason
from certs.verify.view import View
from ledger.verdict import Finding


def check(material: Material, view: View) -> Finding:
    start, end = material.visible.not_before, material.visible.not_after
    compared = {"from": start, "to": end or "open-ended", "now": view.seconds}
    if view.seconds < start:
        return failed(Reason.VALIDITY_NOT_YET, **compared)
    if end is not None and view.seconds >= end:
        return failed(Reason.VALIDITY_EXPIRED, **compared)
    return passed(Reason.VALIDITY_OK, **compared)
