"""校核纠错: somebody reports that an entry is wrong, its provider settles it in time, and both stand in the log.

What was wrong about whom is in the report, which the agencies keep; here stand its digest, the resource and the field.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.clock import Calendar, Deadline, day_of
from audit.errors import PolicyError
from audit.lists import Act
from audit.request import Rules
from audit.signed import optional_hex
from audit.stewardship import Settled
from audit.store import corrections as store
from audit.store.corrections import CorrectionRow
from audit.terms import FIELD, RESOURCE
from ledger import schema as s
from ledger.sequencer import Decided, Turn
from ledger.statement import Draft, seconds

OPENED = "policy/correction-opened"
CLOSED = "policy/correction-closed"
_DAY: s.Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}


OPENED_FORM = s.Form(
    "CORRECTION_FORM",
    s.record(
        correction=s.HEX32,
        resource=RESOURCE,
        field=FIELD,
        agency=s.AGENCY,
        due=_DAY,
        provisional={"type": "boolean"},
        policy=s.HEX32,
        report=s.optional(s.HEX32),
    ),
)
CLOSED_FORM = s.Form(
    "CORRECTION_FORM",
    s.record(
        correction=s.HEX32,
        outcome={"enum": [each.value for each in Settled]},
        late={"type": "boolean"},
        report=s.optional(s.HEX32),
    ),
)


@dataclass(frozen=True, slots=True)
class OpenCorrection:
    """An act for the sequencer. Its provider and its clock are those of the rules that count."""

    id: bytes
    """32 random bytes."""
    resource: str
    field: str
    agency: str
    """USCC of the agency that records it."""
    report: bytes | None
    """SHA-256 of what was reported."""
    rules: Rules
    calendar: Calendar

    def decide(self, turn: Turn) -> Decided[Deadline]:
        """Raises `PolicyError` CORRECTION_PLACE (resource, field)."""
        resource = self.rules.catalogue.get(self.resource)
        if resource is None or self.field not in resource.fields:
            raise PolicyError(
                "CORRECTION_PLACE", "no such field in the catalogue", resource=self.resource, field=self.field
            )
        today = day_of(seconds(turn.at))
        due = self.rules.lists.due(Act.CORRECT, resource.provider, today, self.calendar)
        assert due is not None  # noqa: S101  # nothing stops this clock
        place = (self.resource, self.field, resource.provider, today.isoformat(), due.day.isoformat())
        store.put(turn.connection, CorrectionRow(self.id, *place, None, turn.log_no, turn.first_index))
        # Crash correction/stored: rolled back with the whole append.
        return Decided([self._draft(resource.provider, due)], due)

    def _draft(self, provider: str, due: Deadline) -> Draft:
        body = OPENED_FORM.check(
            {
                "correction": self.id.hex(),
                "resource": self.resource,
                "field": self.field,
                "agency": provider,
                "due": due.day.isoformat(),
                "provisional": due.provisional,
                "policy": self.rules.version.hex(),
                "report": optional_hex(self.report),
            }
        )
        return Draft(OPENED, self.agency, dict(body))


@dataclass(frozen=True, slots=True)
class CloseCorrection:
    """An act for the sequencer."""

    id: bytes
    agency: str
    outcome: Settled
    report: bytes | None

    def decide(self, turn: Turn) -> Decided[bool]:
        """Whether it was late. Raises `PolicyError` CORRECTION_UNKNOWN, CORRECTION_CLOSED (correction)."""
        row = store.find(turn.connection, self.id)
        if row is None:
            raise PolicyError("CORRECTION_UNKNOWN", "no such correction", correction=self.id.hex())
        if row.closed is not None:
            raise PolicyError("CORRECTION_CLOSED", "it was settled before", correction=self.id.hex())
        today = day_of(seconds(turn.at)).isoformat()
        store.close(turn.connection, self.id, today)
        late = today > row.due
        body = CLOSED_FORM.check(
            {
                "correction": self.id.hex(),
                "outcome": self.outcome.value,
                "late": late,
                "report": optional_hex(self.report),
            }
        )
        return Decided([Draft(CLOSED, self.agency, dict(body))], late)
