"""Rules for every test of the project: with CI set nothing may be left out, and hypothesis watches no clock."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TypeVar

import pytest
from hypothesis import settings

R = TypeVar("R", pytest.TestReport, pytest.CollectReport)

# Hypothesis has a profile of its own for CI (derandomized); only its deadline is ours: tests measure no time.
settings.register_profile("certledger", deadline=None, print_blob=True)
settings.load_profile("certledger")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _left_out_is_failed((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _left_out_is_failed((yield))


def _left_out_is_failed(report: R) -> R:
    if os.environ.get("CI") and (report.skipped or hasattr(report, "wasxfail")):
        # The mark goes away: pytest's exit code ignores a failed report that carries it.
        reason = vars(report).pop("wasxfail", report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"with CI set nothing may be skipped or expected to fail: {report.nodeid}: {reason}"
    return report
