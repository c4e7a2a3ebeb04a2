"""Unit tests reach no network: every socket is blocked, in fixtures of any scope too."""

from __future__ import annotations

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    # Unix sockets stay: an asyncio loop wakes itself through a pair of them, and they leave no machine.
    disable_socket(allow_unix_socket=True)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    enable_socket()
