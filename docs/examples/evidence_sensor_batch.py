"""全域感知: a batch of readings leaves one root; any single reading is proven later, and the others stay unseen."""

from __future__ import annotations

from dataclasses import dataclass

from api import evidence
from api.wiring import City
from audit.evidence_stream import EvidenceType
from ledger import canonical, merkle
from ledger.canonical import Json

STREAM, TYPE = "sensors", "batch"
BATCH = EvidenceType(
    clear={
        "network": {"type": "string", "maxLength": 60},
        "readings": {"type": "integer", "minimum": 1},
        "root": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    },
    private={},
)


@dataclass(frozen=True, slots=True)
class Batch:
    index: int
    leaves: tuple[bytes, ...]


def append(city: City, agency: str, readings: list[Json]) -> Batch:
    """One entry, however many readings: RFC 9162 hashing over their canonical bytes."""
    evidence.register(city, STREAM, TYPE, BATCH, agency=agency)
    leaves = tuple(merkle.leaf_hash(canonical.dumps(reading)) for reading in readings)
    item: Json = {"network": "hydrology", "readings": len(leaves), "root": merkle.tree_root(leaves).hex()}
    return Batch(evidence.append(city, STREAM, TYPE, [item], agency=agency).first_index, leaves)


def prove(batch: Batch, number: int) -> list[bytes]:
    """The path from one reading to the batch's root."""
    return merkle.prove_inclusion(batch.leaves, number, len(batch.leaves))


def verify(root: bytes, count: int, number: int, reading: Json, proof: list[bytes]) -> None:
    """Raises `VerificationError` unless this very reading is in the batch, at its place."""
    leaf = merkle.leaf_hash(canonical.dumps(reading))
    merkle.verify_inclusion(leaf_hash=leaf, index=number, size=count, proof=proof, root=root)
