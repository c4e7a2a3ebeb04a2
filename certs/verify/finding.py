"""Findings in short: the step follows from the reason's number."""

from __future__ import annotations

from certs.verify.reasons import Reason
from ledger.verdict import Finding, State, Step


def passed(reason: Reason, /, **compared: object) -> Finding:
    return _finding(State.PASS, reason, compared)


def failed(reason: Reason, /, **compared: object) -> Finding:
    return _finding(State.FAIL, reason, compared)


def unknown(reason: Reason, /, **compared: object) -> Finding:
    return _finding(State.UNKNOWN, reason, compared)


def not_reached(step: Step) -> Finding:
    return Finding(step, State.NOT_REACHED, Reason.NOT_REACHED.name, step * 100 + Reason.NOT_REACHED)


def not_asked(step: Step) -> Finding:
    return Finding(step, State.NOT_ASKED, Reason.NOT_ASKED.name, step * 100 + Reason.NOT_ASKED)


def _finding(state: State, reason: Reason, compared: dict[str, object]) -> Finding:
    return Finding(Step(reason // 100), state, reason.name, int(reason), {k: str(v) for k, v in compared.items()})
