"""The import rules of pyproject.toml hold, and each of them would be broken by the module it forbids."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ledger", "audit", "certs", "api")
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
]
BREACHES = {
    "imports point down: api, certs, audit, ledger": [
        ("ledger/upwards.py", "import audit\n"),
        ("audit/upwards.py", "from certs import identifier\n"),
        ("certs/upwards.py", "import api.settings\n"),
    ],
    "only ledger.evm speaks to a chain": [
        ("ledger/chatty.py", "import web3\n"),
        ("certs/verify/chatty.py", "def late():\n    from eth_account import Account\n"),
        ("api/chatty.py", "from web3 import Web3\n"),
    ],
    "only stores and migrations speak SQL": [
        ("ledger/querying.py", "import sqlalchemy\n"),
        ("certs/querying.py", "from sqlalchemy import select\n"),
        ("api/querying.py", "import alembic\n"),
    ],
    "few modules open what is sealed": [
        ("certs/peeking.py", "from ledger.sealing.open import open_sealed\n"),
        ("certs/crossregion/peeking.py", "def late():\n    import ledger.sealing.open\n"),
        ("audit/peeking.py", "from ledger.sealing import open\n"),
        ("api/peeking.py", "from ledger.sealing.open import open_sealed\n"),
    ],
    "offline verification needs no chain client, no database, no web server": [
        ("certs/verify/heavy.py", "import ledger.evm.client\n"),
        ("certs/verify/stored.py", "def late():\n    import certs.store\n"),
        ("certs/verify/served.py", "import fastapi\n"),
    ],
}


def lint(folder: Path) -> tuple[int, str]:
    """Exit code and report of import-linter over the packages in `folder`."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and the rules, where a test may add a bad module."""
    folder = tmp_path_factory.mktemp("imports")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_rules_hold(copy: Path) -> None:
    code, report = lint(copy)
    assert code == 0 and f"{len(CONTRACTS)} kept, 0 broken" in report, report


def test_every_rule_has_a_breach() -> None:
    assert BREACHES.keys() == set(CONTRACTS)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [(rule, path, text) for rule, breaches in BREACHES.items() for path, text in breaches],
    ids=[path for breaches in BREACHES.values() for path, _ in breaches],
)
def test_every_rule_can_be_broken(copy: Path, rule: str, path: str, text: str) -> None:
    bad = copy / path
    bad.write_text(text, encoding="utf-8")
    try:
        code, report = lint(copy)
    finally:
        bad.unlink()
    assert code == 1 and f"{rule} BROKEN" in report, report
    assert path.removesuffix(".py").replace("/", ".") in report
