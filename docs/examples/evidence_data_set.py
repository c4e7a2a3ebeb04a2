"""数据开放: a published data set names its bytes, its licence and its sources; each source is an entry too."""

from __future__ import annotations

from hashlib import sha256

from api import evidence
from api.evidence import Receipted
from api.wiring import City
from audit.evidence_stream import EvidenceType

STREAM, TYPE = "open-data", "published"
HEX = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
DATA_SET = EvidenceType(
    clear={
        "title": TEXT,
        "digest": HEX,
        "licence": TEXT,
        "method": TEXT,
        "sources": {"type": "array", "items": HEX, "maxItems": 100},
    },
    private={"approved_by": TEXT},
)


def publish(city: City, agency: str, title: str, content: bytes, sources: list[bytes]) -> Receipted:
    """`sources`: leaf hashes of the entries that it was made from, in whatever stream."""
    evidence.register(city, STREAM, TYPE, DATA_SET, agency=agency)
    item = {
        "title": title,
        "digest": sha256(content).hexdigest(),
        "licence": "CC-BY-4.0",
        "method": "按月汇总，少于十条的格不公布",
        "sources": [source.hex() for source in sources],
        "approved_by": "op-4d1f77a0",
    }
    return evidence.append(city, STREAM, TYPE, [item], agency=agency)
