"""Statements of the stream `audit`: what a city told its audit office, and which office that is.

That the books left the house is an act like every other: whoever copied them, and what he took, is in the log.
"""

from __future__ import annotations

from audit.export import Manifest
from ledger import schema as s
from ledger.canonical import Json
from ledger.statement import Draft

STREAM = "audit"
OFFICE = "audit/office"
EXPORTED = "audit/exported"

_PART = s.record(log=s.HEX32, size=s.NATURAL, root=s.HEX32, start=s.NATURAL, end=s.NATURAL)
_FORMS = {
    OFFICE: s.Form("AUDIT_STATEMENT_FORM", s.record(kid=s.KID, days=s.NATURAL)),
    EXPORTED: s.Form("AUDIT_STATEMENT_FORM", s.record(manifest=s.HEX32, office=s.KID, parts=s.rows(_PART, 256))),
}


def office(agency: str, kid: str, days: int) -> Draft:
    """From now on the keys of the days go to the office with this key, those of `days` days past too."""
    return _draft(OFFICE, agency, {"kid": kid, "days": days})


def exported(agency: str, manifest: Manifest) -> Draft:
    """The books were handed out as this manifest lists them."""
    parts: list[Json] = [
        {"log": p.log.id.hex(), "size": p.head.size, "root": p.head.root.hex(), "start": p.start, "end": p.end}
        for p in manifest.parts
    ]
    return _draft(EXPORTED, agency, {"manifest": manifest.digest.hex(), "office": manifest.office, "parts": parts})


def _draft(type_: str, agency: str, body: dict[str, Json]) -> Draft:
    _FORMS[type_].check(body)
    return Draft(type_, agency, body)
