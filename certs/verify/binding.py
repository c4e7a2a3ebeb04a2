"""Step 5, BINDING: the recorded statement is about this certificate and no other, by the agency that signed it.

Without it a proof of certificate A could be shown beside certificate B, or a statement replayed in another log. A file
that is shown beside the bundle is bound here too: to the digests that the agency signed (docs/adr/0014).
"""

from __future__ import annotations

from certs import certificate, identifier
from certs.errors import IdentifierError
from certs.identifier import ISSUER_IS_REGION_CODE, Identifier
from certs.source_file import SourceFile
from certs.verify.finding import failed, passed
from certs.verify.material import Material
from certs.verify.reasons import Reason
from certs.verify.view import View
from ledger.logid import CERTIFICATE, log_id
from ledger.verdict import Finding


def check(material: Material, view: View, file: SourceFile | None = None) -> Finding:
    """`file`: what was shown beside the bundle; None: nothing was."""
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
    origin = certificate.IMPORTED if visible.imported else None
    if body.get("origin") != origin:
        return failed(Reason.BINDING_ORIGIN, certificate=origin, statement=body.get("origin"))
    refused = (
        _issuer(material, view, parts)
        or _type(material, parts)
        or _log(material)
        or (_file(material, file) if file else None)
    )
    more = _of_a_twin(material, parts, file)
    return refused or passed(Reason.BINDING_OK, digest=material.digest.hex(), identifier=visible.identifier, **more)


def _issuer(material: Material, view: View, parts: Identifier) -> Finding | None:
    """One agency everywhere. A region code names none, and only a twin may have one: of its agency's own city."""
    visible = material.visible
    agencies = {material.statement.agency, visible.issuer, visible.issuer_code, parts.issuer}
    if visible.imported and ISSUER_IS_REGION_CODE in parts.notes:
        agencies.remove(parts.issuer)
        # Without facts of the chain ISSUER has not passed either, so nothing is let through here.
        for city in view.facts.cities if view.facts else ():
            division = f"{city.division:06d}"
            if city.city == material.bundle.city and not identifier.region_fits(parts.issuer, division):
                return failed(Reason.BINDING_REGION, region=parts.issuer, division=division)
    if len(agencies) != 1:
        return failed(Reason.BINDING_AGENCY, agencies=" ".join(sorted(agencies)))
    return None


def _type(material: Material, parts: Identifier) -> Finding | None:
    types = {str(material.statement.body.get("certificate_type")), material.visible.type_code, parts.type_code}
    if len(types) != 1:
        return failed(Reason.BINDING_TYPE, types=" ".join(sorted(types)))
    return None


def _log(material: Material) -> Finding | None:
    expected = log_id(material.bundle.city, CERTIFICATE, material.bundle.epoch)
    if material.statement.log != expected:
        return failed(Reason.BINDING_LOG, statement=material.statement.log.hex(), city_log=expected.hex())
    return None


def _file(material: Material, file: SourceFile) -> Finding | None:
    """Byte for byte one of those that the agency registered, by both digests."""
    registered = material.visible.source_files
    if not registered:
        return failed(Reason.BINDING_NO_FILE, sha256=file.sha256.hex())
    if not any(file.same_bytes(each) for each in registered):
        known = " ".join(each.sha256.hex() for each in registered)
        return failed(Reason.BINDING_FILE, sha256=file.sha256.hex(), sm3=file.sm3.hex(), registered=known)
    return None


def _of_a_twin(material: Material, parts: Identifier, file: SourceFile | None) -> dict[str, object]:
    """What a verdict on a certificate issued here need not say."""
    compared: dict[str, object] = {"notes": " ".join(parts.notes)} if parts.notes else {}
    if material.visible.imported:
        compared["origin"] = certificate.IMPORTED
    return compared | ({"sha256": file.sha256.hex(), "sm3": file.sm3.hex()} if file else {})
