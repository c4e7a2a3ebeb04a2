"""Three values, and nothing that was not looked at reads VALID."""

from __future__ import annotations

from itertools import product

from ledger.errors import LedgerError
from ledger.verdict import EXIT_CODE, Finding, Result, State, Step, Verdict


def findings(**states: State) -> tuple[Finding, ...]:
    """Every step PASS but those named."""
    return tuple(Finding(s, states.get(s.name, State.PASS), "REASON", s * 100) for s in Step)


def verdict(**states: State) -> Verdict:
    return Verdict(findings(**states))


def valid(found: tuple[Finding, ...]) -> bool:
    """Whether a verdict of these findings reads VALID; refusing to be made is as good as another result."""
    try:
        return Verdict(found).result is Result.VALID
    except (LedgerError, ValueError):
        return False


def test_any_failure_is_invalid_else_any_unknown_indeterminate_else_valid() -> None:
    for one, other in product(State, repeat=2):
        result = verdict(HOLDER=one, ACCESS=other).result
        if State.FAIL in (one, other):
            assert result is Result.INVALID
        elif {one, other} & {State.UNKNOWN, State.NOT_REACHED}:
            assert result is Result.INDETERMINATE
        else:
            assert result is Result.VALID


def test_exit_codes_are_frozen() -> None:
    assert {result.value: code for result, code in EXIT_CODE.items()} == {"VALID": 0, "INVALID": 1, "INDETERMINATE": 2}
    assert verdict(STATUS=State.UNKNOWN).exit_code == 2


def test_no_findings_are_invalid() -> None:
    assert Verdict(()).result is Result.INVALID


def test_steps_1_to_8_cannot_be_left_unasked() -> None:
    assert [step.name for step in list(Step)[:8] if valid(findings(**{step.name: State.NOT_ASKED}))] == []


def test_a_verdict_without_one_of_steps_1_to_8_is_not_valid() -> None:
    assert [s.name for s in list(Step)[:8] if valid(tuple(f for f in findings() if f.step != s))] == []


def test_a_finding_is_found_by_its_step() -> None:
    assert verdict(STATUS=State.FAIL).at(Step.STATUS).state is State.FAIL
    assert [step.value for step in Step] == list(range(1, 13))
