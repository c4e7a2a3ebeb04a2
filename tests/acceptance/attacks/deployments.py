"""Two ledgers that look alike: one chain id, one deployer, hence the same addresses. Only the consortium differs."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from prepared_city import LICENCE, MARKET, MARKET_NAME, Home, licences, write

from attacks.attack import Attack, Outcome
from attacks.judged import Court, said
from attacks.statuses import NO_SNAPSHOT
from attacks.weakening import PRODUCT, Change, Target

SNAPSHOT = Change(
    "ledger/snapshot.py",
    "if (claimed.consortium, claimed.chain_id) != (trust.deployment.consortium, trust.deployment.chain_id):",
    "if False:",
)
NODE = (
    Change("ledger/evm/client.py", "if _bytes(named) != expected.consortium:", "if False:"),
    Change("ledger/evm/client.py", "if keccak(_bytes(code)) != contract.code_hash:", "if False:"),
)

SILENT = "INDETERMINATE: ISSUER_CHAIN_SILENT, ANCHOR_CHAIN_SILENT, STATUS_CHAIN_SILENT"


@dataclass(frozen=True, slots=True)
class Double:
    """A second ledger of the same city: a rehearsal with the keys of the real one, say."""

    real: Home
    rehearsal: Home
    bundle: bytes
    """Of a certificate that exists in the rehearsal only."""


def rehearsed(real: Home, folder: Path) -> Double:
    """By the commands: keystore and settings copied, another consortium and chain, and everything made anew."""
    rehearsal = Home(folder / "city", folder / "trust.json")
    rehearsal.path.mkdir(mode=0o700)
    for name in ("keystore.json", "password.txt"):
        shutil.copy(real.path / name, rehearsal.path)
    settings = (real.path / "certledger.toml").read_text(encoding="utf-8")
    consortium = json.loads((real.path / "deployment.json").read_text())["consortium"]
    assert settings.count(consortium) == 1
    settings = re.sub(
        '^rpc_url = ".*"$', 'rpc_url = ""', settings.replace(consortium, secrets.token_hex(32)), flags=re.M
    )
    (rehearsal.path / "certledger.toml").write_text(settings, encoding="utf-8")
    rehearsal.run("init")
    rehearsal.run("member", "add", "--agency", MARKET, "--name", MARKET_NAME, "--type", LICENCE)
    rehearsal.issue(write(folder / "rows.csv", licences()[:2]))
    rehearsal.run("trust", "export", "--out", rehearsal.trust)
    (bundle,) = rehearsal.export(*rehearsal.identifiers(1))
    return Double(real, rehearsal, bundle.read_bytes())


def look_alikes(double: Double, court: Court) -> list[Attack]:
    """(13) What holds in the rehearsal is shown to a verifier of the real ledger."""
    for contract in ("member_registry", "log_anchor", "status_registry"):
        assert double.real.address(contract) == double.rehearsal.address(contract)
    ours, theirs = (json.loads(home.trust.read_bytes()) for home in (double.real, double.rehearsal))
    assert ours["deployment"]["chain_id"] == theirs["deployment"]["chain_id"] == 31337
    assert ours["witnesses"] == theirs["witnesses"]
    assert said(court.verdict(PRODUCT, double.bundle, trust=double.rehearsal.trust)) == "VALID"
    redirected = court.folder / "redirected.json"
    redirected.write_text(json.dumps({**ours, "nodes": [double.rehearsal.url]}))
    offline = ("--offline",)
    return [
        _shown("the rehearsal's bundle, offline", double, court, double.real.trust, offline, NO_SNAPSHOT, SNAPSHOT),
        _shown("the rehearsal's node in its place", double, court, redirected, ("",), SILENT, *NODE),
    ]


def _shown(
    name: str, double: Double, court: Court, trust: Path, options: tuple[str, ...], expected: str, *defences: Change
) -> Attack:
    def play(target: Target) -> Outcome:
        verdict = court.verdict(target, double.bundle, *options, trust=trust)
        return Outcome(verdict["result"] == "VALID", said(verdict))

    return Attack(name, play, expected, defences)
