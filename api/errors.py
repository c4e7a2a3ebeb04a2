"""Errors of the outside: how a command was called, where a city's files are. Codes stand in `api/messages`."""

from __future__ import annotations


class ApiError(Exception):
    """`code` is stable; `params` never carry personal data."""

    def __init__(self, code: str, message: str, **params: object) -> None:
        super().__init__(message)
        self.code = code
        self.params = {name: str(value) for name, value in params.items()}
