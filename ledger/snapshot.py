"""Snapshots: facts read from the chain at one block, cosigned by cities, so that offline means proven.

JWS general JSON serialization (RFC 7515 §7.2.1) over the canonical facts, one signature a city.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger import canonical, facts, jws
from ledger import schema as s
from ledger.canonical import Json
from ledger.errors import VerificationError
from ledger.facts import Facts
from ledger.trust import Trust

TYP = "certledger-snapshot+jws"
MAX_PAYLOAD_BYTES = 512 * 1024
MAX_FILE_BYTES = 1024 * 1024
"""Of a snapshot that travels alone."""
_BASE64URL = "^[A-Za-z0-9_-]+$"

SCHEMA = s.record(
    payload={"type": "string", "pattern": _BASE64URL, "maxLength": -(-MAX_PAYLOAD_BYTES * 4 // 3)},
    signatures={
        **s.rows(
            s.record(
                protected={"type": "string", "pattern": _BASE64URL, "maxLength": 1024},
                signature={"type": "string", "pattern": _BASE64URL, "maxLength": 86},
            ),
            256,
        ),
        "minItems": 1,
    },
)
FORM = s.Form("SNAPSHOT_FORM", SCHEMA)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Not verified yet."""

    payload: str
    signatures: tuple[tuple[str, str], ...]
    """(protected, signature), both base64url."""

    def to_json(self) -> dict[str, Json]:
        signatures: list[Json] = [{"protected": p, "signature": sig} for p, sig in self.signatures]
        return {"payload": self.payload, "signatures": signatures}


def from_json(value: Any) -> Snapshot:
    v = FORM.check(value)
    return Snapshot(v["payload"], tuple((row["protected"], row["signature"]) for row in v["signatures"]))


def sign(said: Facts, signer: jws.Signer) -> Snapshot:
    """One city's word for what the chain says; `cosign` adds the next city's."""
    return cosign(Snapshot(jws.b64url(canonical.dumps(facts.to_json(said))), ()), signer)


def cosign(snapshot: Snapshot, signer: jws.Signer) -> Snapshot:
    """`snapshot` with one more signature. The signer has compared the facts with its own node before."""
    protected = jws.header(typ=TYP, kid=signer.kid)
    signature = signer.sign(f"{protected}.{snapshot.payload}".encode("ascii"))
    return Snapshot(snapshot.payload, (*snapshot.signatures, (protected, jws.b64url(signature))))


def verify(snapshot: Snapshot, trust: Trust) -> Facts:
    """The facts, if at least `trust.k` different cities signed them and they speak of this deployment."""
    signers = {_signing_city(snapshot.payload, pair, trust) for pair in snapshot.signatures} - {None}
    if len(signers) < trust.k:
        raise VerificationError("SNAPSHOT_COSIGNERS", "too few known cities signed", k=trust.k, signed=len(signers))
    claimed = read(snapshot)
    if (claimed.consortium, claimed.chain_id) != (trust.deployment.consortium, trust.deployment.chain_id):
        raise VerificationError("SNAPSHOT_CONSORTIUM", "the snapshot is of another ledger")
    return claimed


def read(snapshot: Snapshot) -> Facts:
    """What it claims, whoever signed it."""
    payload = jws.unb64url(snapshot.payload)
    return facts.from_json(canonical.loads_canonical(payload, max_bytes=MAX_PAYLOAD_BYTES))


def signers(snapshot: Snapshot) -> list[str]:
    """Thumbprints that its signatures name; nothing verified."""
    parts = [jws.parse_compact(f"{p}.{snapshot.payload}.{signature}", typ=TYP) for p, signature in snapshot.signatures]
    return [part.kid for part in parts]


def _signing_city(payload: str, pair: tuple[str, str], trust: Trust) -> int | None:
    """The city behind one signature; None for an unknown key. A known key's false signature is an error."""
    compact = jws.parse_compact(f"{pair[0]}.{payload}.{pair[1]}", typ=TYP)
    witness = next((w for w in trust.witnesses if w.kid == compact.kid), None)
    if witness is None:
        return None
    jws.verify(compact, x=witness.x, y=witness.y)
    return witness.city
