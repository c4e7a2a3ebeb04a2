"""AI 预审: a pre-review leaves model, version and outcome in the clear; what it saw stays a salted digest."""

from __future__ import annotations

from hashlib import sha256

from api import evidence
from api.evidence import Receipted
from api.wiring import City
from audit.evidence_stream import EvidenceType

STREAM, TYPE = "ai-review", "decided"
TEXT = {"type": "string", "minLength": 1, "maxLength": 100}
DECISION = EvidenceType(
    clear={
        "model": TEXT,
        "version": TEXT,
        "outcome": {"enum": ["pass", "ask_more", "to_person"]},
        "reasons": {"type": "array", "items": TEXT, "maxItems": 10},
    },
    # The digest of a short form could be guessed, so it is salted; whoever has form and opening can prove which it was.
    private={"input": {"type": "string", "pattern": "^[0-9a-f]{64}$"}, "case": TEXT},
)


def decide(city: City, agency: str, form: bytes, case: str) -> Receipted:
    """Record the decision before anybody is told; the receipt goes to whoever applied."""
    evidence.register(city, STREAM, TYPE, DECISION, agency=agency)
    complete = b"business_scope" in form  # here the model would be asked
    outcome = {"outcome": "pass" if complete else "ask_more", "reasons": [] if complete else ["缺少经营范围"]}
    seen = {"input": sha256(form).hexdigest(), "case": case}
    made_by = {"model": "pre-review", "version": "2026.11.3"}
    return evidence.append(city, STREAM, TYPE, [{**made_by, **outcome, **seen}], agency=agency)
