"""A finding: something that is not as it should be, where, how grave, and by which records it can be shown.

A finding names agencies, cities and places in logs, never a person. Somebody who reports his own mistake before it is
found is marked so: 容错 asks for that difference, and the mistake is on record all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from audit.access import Recorded


class Severity(StrEnum):
    """How grave; in the order in which a report lists them."""

    GRAVE = "grave"
    """A right was broken, or the log was."""
    SERIOUS = "serious"
    """A duty was not done."""
    MINOR = "minor"
    """Refused or repaired in time; worth a look when it repeats."""
    SELF_REPORTED = "self_reported"
    """容错: reported by whoever did it, before it was found."""


class FindingCode(StrEnum):
    """What was found. Names are frozen; words and remedies stand in `api/messages` under them."""

    ASKED_MISSING = "ASKED_MISSING"
    DECIDED_MISSING = "DECIDED_MISSING"
    RECEIVED_MISSING = "RECEIVED_MISSING"
    RELEASE_MISSING = "RELEASE_MISSING"
    RECORD_DOUBLED = "RECORD_DOUBLED"
    RECORD_LATE = "RECORD_LATE"
    RECORD_DATED_AHEAD = "RECORD_DATED_AHEAD"
    REQUEST_DIFFERS = "REQUEST_DIFFERS"
    FIELDS_DIFFER = "FIELDS_DIFFER"
    DECISION_DIFFERS = "DECISION_DIFFERS"
    RESPONSE_DIFFERS = "RESPONSE_DIFFERS"
    RELEASED_REFUSED = "RELEASED_REFUSED"
    OVER_ASKED = "OVER_ASKED"
    OVER_RELEASED = "OVER_RELEASED"
    UNAUTHORIZED = "UNAUTHORIZED"
    AFTER_REVOCATION = "AFTER_REVOCATION"
    PERMIT_UNCLOSED = "PERMIT_UNCLOSED"
    RECEIPT_BROKEN = "RECEIPT_BROKEN"
    BULK_READS = "BULK_READS"
    READS_WITHOUT_CASE = "READS_WITHOUT_CASE"
    SOURCE_CONTESTED = "SOURCE_CONTESTED"
    ENTRY_STALE = "ENTRY_STALE"
    VALUES_CONFLICT = "VALUES_CONFLICT"
    CORRECTION_OVERDUE = "CORRECTION_OVERDUE"


SEVERITY: Mapping[FindingCode, Severity] = {
    FindingCode.ASKED_MISSING: Severity.GRAVE,
    FindingCode.DECIDED_MISSING: Severity.GRAVE,
    FindingCode.RECEIVED_MISSING: Severity.SERIOUS,
    FindingCode.RELEASE_MISSING: Severity.GRAVE,
    FindingCode.RECORD_DOUBLED: Severity.SERIOUS,
    FindingCode.RECORD_LATE: Severity.SERIOUS,
    FindingCode.RECORD_DATED_AHEAD: Severity.SERIOUS,
    FindingCode.REQUEST_DIFFERS: Severity.GRAVE,
    FindingCode.FIELDS_DIFFER: Severity.GRAVE,
    FindingCode.DECISION_DIFFERS: Severity.GRAVE,
    FindingCode.RESPONSE_DIFFERS: Severity.GRAVE,
    FindingCode.RELEASED_REFUSED: Severity.GRAVE,
    FindingCode.OVER_ASKED: Severity.MINOR,
    FindingCode.OVER_RELEASED: Severity.GRAVE,
    FindingCode.UNAUTHORIZED: Severity.GRAVE,
    FindingCode.AFTER_REVOCATION: Severity.GRAVE,
    FindingCode.PERMIT_UNCLOSED: Severity.SERIOUS,
    FindingCode.RECEIPT_BROKEN: Severity.GRAVE,
    FindingCode.BULK_READS: Severity.SERIOUS,
    FindingCode.READS_WITHOUT_CASE: Severity.SERIOUS,
    FindingCode.SOURCE_CONTESTED: Severity.MINOR,
    FindingCode.ENTRY_STALE: Severity.MINOR,
    FindingCode.VALUES_CONFLICT: Severity.SERIOUS,
    FindingCode.CORRECTION_OVERDUE: Severity.SERIOUS,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A leaf that shows it; whoever holds the log can prove it."""

    city: int
    log: bytes
    index: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    code: FindingCode
    severity: Severity
    city: int
    """Whose record is missing, late or wrong; who is asked to explain."""
    agency: str
    """USCC of the agency it concerns."""
    request: bytes | None
    """None: about a pattern, not about one access."""
    evidence: tuple[Evidence, ...]
    fields: tuple[str, ...] = ()
    """Names of fields it is about."""
    count: int = 1

    @property
    def params(self) -> Mapping[str, str]:
        """For the words."""
        request = self.request.hex() if self.request else "–"
        named = {"request": request, "fields": ", ".join(self.fields) or "–", "count": str(self.count)}
        return {"city": str(self.city), "agency": self.agency, **named}


def found(
    code: FindingCode,
    records: Iterable[Recorded],
    *,
    city: int,
    agency: str,
    request: bytes | None,
    fields: Iterable[str] = (),
    count: int = 1,
) -> Finding:
    evidence = tuple(Evidence(r.city, r.log, r.index, r.leaf) for r in records)
    return Finding(code, SEVERITY[code], city, agency, request, evidence, tuple(sorted(fields)), count)


def self_reported(finding: Finding) -> Finding:
    """The same, reported by whoever did it before anybody found it. What happened is not softened, how it counts is."""
    return replace(finding, severity=Severity.SELF_REPORTED)
