"""Every code of the source has its words in both languages, and no words are left over.

The source is read as syntax, not run: whoever adds a code and no words fails here, with file and line.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from api.messages import LANGUAGES, Message, Words
from ledger.verdict import Result, State

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("ledger", "audit", "certs", "api")
ROOTS = {"LedgerError", "CertsError", "ApiError"}

PASSED_ON = {
    "ledger/evm/devnet.py: said['code']": "the supervisor's own EngineError, raised again in the process that started it",
    "ledger/schema.py: self._code": "given to Form(…), whose calls are read",
    "certs/rows.py: error.code": "_Broken carries what a cell raised",
    "certs/rows.py: broken.rule": "_Broken carries what a cell raised",
    "certs/rows.py: raw.fault": "given to RawRow(…, fault), whose calls are read",
}
"""Codes that a line passes on and does not choose."""

LISTED = {
    "certs/identifier.py: code": ("_PARTS", IDENTIFIER := "IdentifierError"),
}
"""Codes that stand in a table of tuples: its name, and the class they are raised with."""
