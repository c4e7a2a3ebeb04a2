"""Step 2, SIGNATURE: the key that `kid` names signed exactly these claims, and every disclosure belongs to them.

Whose key it is, is the next step's question; so this one needs nothing of the chain.
"""

from __future__ import annotations

from certs import sdjwt
from certs.certificate import SUITE
from certs.verify.finding import failed, passed
from certs.verify.material import Material
from certs.verify.reasons import Reason
from ledger import jws
from ledger.errors import CanonicalError, VerificationError
from ledger.verdict import Finding


def check(material: Material) -> Finding:
    bundle, jwt = material.bundle, material.presentation.untrusted
    if material.visible.suite != SUITE:
        return failed(Reason.SIGNATURE_SUITE, suite=material.visible.suite, accepted=SUITE)
    if jws.b64url(jws.thumbprint(bundle.x, bundle.y)) != jwt.kid:
        return failed(Reason.SIGNATURE_KEY_NOT_NAMED, kid=jwt.kid)
    try:
        jws.verify(jwt, x=bundle.x, y=bundle.y)
    except VerificationError as error:
        return failed(Reason.SIGNATURE_WRONG, kid=jwt.kid, problem=error.code)
    try:
        shown = sdjwt.disclosed(material.presentation)
    except (VerificationError, CanonicalError) as error:
        return failed(Reason.SIGNATURE_DISCLOSURES, problem=error.code)
    return passed(Reason.SIGNATURE_OK, kid=jwt.kid, claims_shown=len(shown))
