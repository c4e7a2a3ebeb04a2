"""Step 5, BINDING: the recorded statement is about this certificate and no other, by the agency that signed it.

Without it a proof of certificate A could be shown beside certificate B, or a statement replayed in another log.
"""

from __future__ import annotations

from certs import certificate, identifier
from certs.errors import IdentifierError
from certs.verify.finding import failed, passed
from certs.verify.material import Material
from certs.verify.reasons import Reason
from ledger.logid import CERTIFICATE, log_id
from ledger.verdict import Finding


def check(material: Material) -> Finding:
    statement, visible, body = material.statement, material.visible, material.statement.body
    if (statement.stream, statement.type) != (CERTIFICATE, certificate.ISSUE):
        return failed(Reason.BINDING_STATEMENT_TYPE, type=statement.type)
    if body.get("digest") != material.digest.hex() or body.get("suite") != visible.suite:
        return failed(Reason.BINDING_DIGEST, certificate=material.digest.hex(), statement=body.get("digest"))
    try:
        parts = identifier.parse(visible.identifier)
    except IdentifierError as error:
        return failed(Reason.BINDING_IDENTIFIER, problem=error.code)
    if body.get("identifier") != visible.identifier:
        return failed(Reason.BINDING_IDENTIFIER, certificate=visible.identifier, statement=body.get("identifier"))
    agencies = {statement.agency, visible.issuer, visible.issuer_code, parts.issuer}
    if len(agencies) != 1:
        return failed(Reason.BINDING_AGENCY, agencies=" ".join(sorted(agencies)))
    types = {str(body.get("certificate_type")), visible.type_code, parts.type_code}
    if len(types) != 1:
        return failed(Reason.BINDING_TYPE, types=" ".join(sorted(types)))
    expected = log_id(material.bundle.city, CERTIFICATE, material.bundle.epoch)
    if statement.log != expected:
        return failed(Reason.BINDING_LOG, statement=statement.log.hex(), city_log=expected.hex())
    return passed(Reason.BINDING_OK, digest=material.digest.hex(), identifier=visible.identifier)
