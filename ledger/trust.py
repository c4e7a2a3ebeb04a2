"""The trust file: the few things a verifier must hold beforehand. Everything else is proven to it.

Consortium id + chain id + addresses + code hashes identify a deployment; genesis hashes and the chain id alone
do not (two development chains share them).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger import canonical
from ledger import schema as s
from ledger.canonical import Json
from ledger.errors import VerificationError
from ledger.jws import b64url, public_key, thumbprint, unb64url
from ledger.statement import parse_timestamp

VERSION = 1
MAX_BYTES = 64 * 1024
CONTRACTS = ("member_registry", "log_anchor", "status_registry")


@dataclass(frozen=True, slots=True)
class Contract:
    address: str
    """EIP-55."""
    code_hash: bytes
    """keccak256 of the runtime code."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which ledger this is."""

    consortium: bytes
    chain_id: int
    member_registry: Contract
    log_anchor: Contract
    status_registry: Contract


@dataclass(frozen=True, slots=True)
class Witness:
    """A city's key that cosigns snapshots (P-256)."""

    city: int
    x: bytes
    y: bytes

    def __post_init__(self) -> None:
        # Here and not when it should verify: a dead witness would silently raise what `k` asks for.
        public_key(self.x, self.y)

    @property
    def kid(self) -> str:
        return b64url(thumbprint(self.x, self.y))


@dataclass(frozen=True, slots=True)
class Trust:
    deployment: Deployment
    witnesses: tuple[Witness, ...]
    k: int
    """How many different cities must cosign a snapshot."""
    valid_until: str
    """RFC 3339 UTC; afterwards the file is refused: keys and cities change."""
    nodes: tuple[str, ...] = ()
    """JSON-RPC addresses that may be asked. Addresses found anywhere else are hints and never asked."""

    def __post_init__(self) -> None:
        parse_timestamp(self.valid_until)
        if not 1 <= self.k <= len({witness.city for witness in self.witnesses}):
            raise VerificationError("TRUST_FORM", "k cities cannot cosign where fewer are listed", k=self.k)


_CONTRACT = s.record(address=s.ADDRESS, code_hash=s.HEX32)
DEPLOYMENT_SCHEMA = s.record(
    consortium=s.HEX32, chain_id=s.NATURAL, contracts=s.record(**dict.fromkeys(CONTRACTS, _CONTRACT))
)
DEPLOYMENT_FORM = s.Form("DEPLOYMENT_FORM", DEPLOYMENT_SCHEMA)
_JWK = s.record(kty={"const": "EC"}, crv={"const": "P-256"}, x=s.KID, y=s.KID)
FORM = s.Form(
    "TRUST_FORM",
    s.record(
        v={"const": VERSION},
        deployment=DEPLOYMENT_SCHEMA,
        witnesses=s.rows(s.record(city=s.CITY, jwk=_JWK), 256),
        k={"type": "integer", "minimum": 1, "maximum": 256},
        valid_until=s.TIMESTAMP,
        nodes=s.rows({"type": "string", "pattern": "^https?://", "maxLength": 200}, 16),
    ),
)


def deployment_json(deployment: Deployment) -> dict[str, Json]:
    contracts: dict[str, Json] = {}
    for name in CONTRACTS:
        contract: Contract = getattr(deployment, name)
        contracts[name] = {"address": contract.address, "code_hash": contract.code_hash.hex()}
    return {"consortium": deployment.consortium.hex(), "chain_id": deployment.chain_id, "contracts": contracts}


def deployment_from(value: Any) -> Deployment:
    v = DEPLOYMENT_FORM.check(value)
    contracts = {
        name: Contract(row["address"], bytes.fromhex(row["code_hash"])) for name, row in v["contracts"].items()
    }
    return Deployment(bytes.fromhex(v["consortium"]), v["chain_id"], **contracts)


def encode(trust: Trust) -> bytes:
    jwks: list[Json] = [
        {"city": w.city, "jwk": {"kty": "EC", "crv": "P-256", "x": b64url(w.x), "y": b64url(w.y)}}
        for w in trust.witnesses
    ]
    return canonical.dumps(
        {
            "v": VERSION,
            "deployment": deployment_json(trust.deployment),
            "witnesses": jwks,
            "k": trust.k,
            "valid_until": trust.valid_until,
            "nodes": list(trust.nodes),
        }
    )


def decode(text: bytes) -> Trust:
    """Raises `VerificationError` or `CanonicalError`."""
    v = FORM.check(canonical.loads(text, max_bytes=MAX_BYTES))
    return Trust(
        deployment=deployment_from(v["deployment"]),
        witnesses=tuple(
            Witness(row["city"], unb64url(row["jwk"]["x"]), unb64url(row["jwk"]["y"])) for row in v["witnesses"]
        ),
        k=v["k"],
        valid_until=v["valid_until"],
        nodes=tuple(v["nodes"]),
    )
