"""What a holder is shown: who read what of mine, when, why, by which right, and what became of it.

One line for each decision, refusals too: that somebody tried is the holder's business. In the city that asked, where
the decision stands in another city's log, one line for each request it sent. Lines that are lawfully hidden are counted
with the day on which they come free; what is not open any more is counted as well. Nothing is left out in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from audit.access import AccessStep, Recorded
from audit.own import Ground
from audit.trace import Filter, trace


class Outcome(StrEnum):
    """What became of a reading, as far as this city's log tells."""

    RELEASED = "released"
    """It went out, or was shown at the counter."""
    ALLOWED = "allowed"
    """Allowed; that anything went out is not on record."""
    PERMITTED = "permitted"
    """Allowed to a gateway, which has not reported yet."""
    REFUSED = "refused"
    ASKED = "asked"
    """Asked of another city, whose log has the decision."""


@dataclass(frozen=True, slots=True)
class Line:
    """One reading."""

    record: Recorded
    """The decision; in the city that asked, what it asked. Its place in the log is what is proven."""
    outcome: Outcome
    fields: tuple[str, ...]
    """That went out; of what did not, that were asked for."""
    ended: Recorded | None
    """The record that says what became of it."""

    @property
    def is_own(self) -> bool:
        """The holder's own look."""
        return self.record.access.ground is Ground.OWN_HOLDER


@dataclass(frozen=True, slots=True)
class History:
    lines: tuple[Line, ...]
    """By time, the newest first."""
    withheld: tuple[tuple[int, int], ...]
    """(until when, how many lines): lawfully hidden, by day on which they come free."""
    closed: int
    """Records that may be of this person and are not open any more."""


_ENDS = {AccessStep.RELEASED, AccessStep.CLOSED, AccessStep.RECEIVED}


def history(records: Iterable[Recorded], of_holder: Filter, hidden_until: Mapping[bytes, int]) -> History:
    """`hidden_until`: seconds, by request (`audit.withholding.in_force`)."""
    found = trace(records, of_holder)
    lines = _lines(found.lines)
    open_lines = [line for line in lines if line.record.access.request not in hidden_until]
    withheld = Counter(
        hidden_until[line.record.access.request] for line in lines if line.record.access.request in hidden_until
    )
    newest_first = sorted(open_lines, key=lambda line: (line.record.at, line.record.index), reverse=True)
    return History(tuple(newest_first), tuple(sorted(withheld.items())), found.hidden)


def _lines(records: Iterable[Recorded]) -> list[Line]:
    listed = list(records)
    ends = {each.access.request: each for each in listed if each.access.step in _ENDS}
    decided = {each.access.request for each in listed if each.access.step is AccessStep.DECIDED}
    return [
        _line(each, ends.get(each.access.request))
        for each in listed
        if each.access.step is AccessStep.DECIDED
        or (each.access.step is AccessStep.ASKED and each.access.request not in decided)
    ]


def _line(record: Recorded, end: Recorded | None) -> Line:
    access = record.access
    if access.step is AccessStep.ASKED:
        outcome = _told(end)
    elif not access.allowed:
        # A repeated request ends like its first: what went out then is not what this one got.
        return Line(record, Outcome.REFUSED, access.fields, None)
    elif access.permit is not None:
        outcome = Outcome.RELEASED if end else Outcome.PERMITTED
    else:
        # The counter that shows the holder or its own staff an entry reports no release: showing is the release.
        outcome = Outcome.RELEASED if end or access.ground is not Ground.AUTHORIZATION else Outcome.ALLOWED
    fields = end.access.fields if end and outcome is Outcome.RELEASED else access.fields
    return Line(record, outcome, fields, end)


def _told(end: Recorded | None) -> Outcome:
    """What the asking city heard."""
    if end is None:
        return Outcome.ASKED
    return Outcome.RELEASED if end.access.allowed else Outcome.REFUSED
