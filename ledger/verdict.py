"""Verdicts: three values, and a finding for every step, so that an outage is never told as a forgery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Step(IntEnum):
    """The steps of verification in their order; numbers and names are frozen."""

    FORMAT = 1
    SIGNATURE = 2
    ISSUER = 3
    VALIDITY = 4
    BINDING = 5
    INCLUSION = 6
    ANCHOR = 7
    STATUS = 8
    HOLDER = 9
    RECOGNITION = 10
    AUTHORIZATION = 11
    ACCESS = 12


ALWAYS_ASKED = frozenset(step for step in Step if step <= Step.STATUS)
"""Steps 1 to 8: no policy can leave them out."""


class State(StrEnum):
    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    """A source named in the trust file did not answer. Nothing else may yield it."""
    NOT_ASKED = "NOT_ASKED"
    """By the verifier's own policy, never by what the bundle left out, never for steps 1 to 8."""
    NOT_REACHED = "NOT_REACHED"
    """An earlier failure left nothing to look at."""


class Result(StrEnum):
    VALID = "VALID"
    INVALID = "INVALID"
    INDETERMINATE = "INDETERMINATE"


EXIT_CODE: Mapping[Result, int] = {Result.VALID: 0, Result.INVALID: 1, Result.INDETERMINATE: 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one step."""

    step: Step
    state: State
    reason: str
    """Stable name, e.g. STATUS_REVOKED; words and remedy stand under it in the message catalogue."""
    code: int
    """Frozen number of the reason: step * 100 + n."""
    compared: Mapping[str, str] = field(default_factory=dict)
    """What was compared with what. Never a personal value."""


@dataclass(frozen=True, slots=True)
class Verdict:
    findings: tuple[Finding, ...]

    @property
    def result(self) -> Result:
        """VALID only if every step that may not be left out passed, and none failed or went unanswered."""
        states = {finding.state for finding in self.findings}
        if State.FAIL in states or not self.findings:
            return Result.INVALID
        passed = {finding.step for finding in self.findings if finding.state is State.PASS}
        if passed >= ALWAYS_ASKED and not states & {State.UNKNOWN, State.NOT_REACHED}:
            return Result.VALID
        return Result.INDETERMINATE

    @property
    def exit_code(self) -> int:
        return EXIT_CODE[self.result]

    def at(self, step: Step) -> Finding:
        return next(finding for finding in self.findings if finding.step == step)
