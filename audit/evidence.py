"""Evidence: one record of a log in one file, for a third party that verifies it offline (docs/formats.md §17). Pure.

The statement stands there whole; of its private members only those that are opened. The others stay digests, and nobody
can put anything in their place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audit.errors import AccessError
from audit.private import FORM as OPENINGS_FORM
from audit.private import Opened, openings_from, openings_json, reveal
from ledger import canonical, facts, merkle, snapshot, statement
from ledger import schema as s
from ledger.canonical import Json
from ledger.commitment import statement_leaf
from ledger.errors import CanonicalError, VerificationError
from ledger.facts import Facts, PublishedHead
from ledger.logid import log_id
from ledger.snapshot import Snapshot
from ledger.statement import Statement
from ledger.trust import Trust
from ledger.verdict import Result

VERSION = 1
MAX_BYTES = 1024 * 1024
FORM = s.Form(
    "EVIDENCE_FORM",
    s.record(
        v={"const": VERSION},
        kind={"const": "access-evidence"},
        statement={"type": "object", "maxProperties": 7},
        salt=s.HEX32,
        openings={"type": "object", "maxProperties": 16},
        city=s.CITY,
        epoch={"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        inclusion=s.record(index=s.NATURAL, proof=s.rows(s.HEX32, 64)),
        head=facts.PUBLISHED_HEAD,
        snapshot=snapshot.SCHEMA,
    ),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Taken apart, nothing verified."""

    statement: Statement
    salt: bytes
    openings: dict[str, Opened]
    city: int
    epoch: int
    index: int
    proof: tuple[bytes, ...]
    head: PublishedHead
    """The first published head that covers the entry."""
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Judged:
    """`code`: EVIDENCE_HOLDS, or why not."""

    result: Result
    code: str
    evidence: Evidence | None = None
    """Only if it holds: nobody should act on what does not."""


def encode(evidence: Evidence) -> bytes:
    value: dict[str, Json] = {
        "v": VERSION,
        "kind": "access-evidence",
        "statement": evidence.statement.to_json(),
        "salt": evidence.salt.hex(),
        "openings": openings_json(evidence.openings),
        "city": evidence.city,
        "epoch": evidence.epoch,
        "inclusion": {"index": evidence.index, "proof": [node.hex() for node in evidence.proof]},
        "head": facts.published_head_json(evidence.head),
        "snapshot": evidence.snapshot.to_json(),
    }
    return canonical.dumps(value)


def decode(untrusted: bytes) -> Evidence:
    """Raises `VerificationError` or `CanonicalError`."""
    v: Any = FORM.check(canonical.loads_canonical(untrusted, max_bytes=MAX_BYTES))
    OPENINGS_FORM.check(v["openings"])
    return Evidence(
        statement=statement.from_json(v["statement"]),
        salt=bytes.fromhex(v["salt"]),
        openings=openings_from(v["openings"]),
        city=v["city"],
        epoch=v["epoch"],
        index=v["inclusion"]["index"],
        proof=tuple(bytes.fromhex(node) for node in v["inclusion"]["proof"]),
        head=facts.published_head(v["head"]),
        snapshot=snapshot.from_json(v["snapshot"]),
    )


def verify(untrusted: bytes, trust: Trust) -> Judged:
    """Trusts what is in `trust` and nothing else. Raises nothing: whatever is wrong is the verdict's code."""
    # 1. Exactly one piece of evidence of a known version.
    try:
        evidence = decode(untrusted)
    except (VerificationError, CanonicalError):
        return Judged(Result.INVALID, "EVIDENCE_FORM")
    for code, holds in (
        # 2. Every opening is the recorded one.
        ("EVIDENCE_OPENING", _opens),
        # 3. The statement is of this city's log, and of no other.
        ("EVIDENCE_LOG", _of_its_log),
        # 4. It stands there, under a head that is the first to cover it.
        ("EVIDENCE_INCLUSION", _included),
    ):
        if not holds(evidence):
            return Judged(Result.INVALID, code)
    # 5. Enough trusted cities signed what the chain held.
    try:
        known = snapshot.verify(evidence.snapshot, trust)
    except (VerificationError, CanonicalError) as error:
        if error.code == "SNAPSHOT_COSIGNERS":
            return Judged(Result.INDETERMINATE, error.code)
        return Judged(Result.INVALID, "EVIDENCE_SNAPSHOT")
    # 6. The chain had accepted that head, and it counts.
    return _anchored(evidence, known)


def _opens(evidence: Evidence) -> bool:
    said = evidence.statement.body.get("private")
    digests = {name: str(digest) for name, digest in said.items()} if isinstance(said, dict) else {}
    return _passes(lambda: reveal(digests, evidence.openings))


def _of_its_log(evidence: Evidence) -> bool:
    log = evidence.statement.log
    named = log_id(evidence.city, evidence.statement.stream, evidence.epoch)
    return log == named == evidence.head.log


def _included(evidence: Evidence) -> bool:
    head = evidence.head
    leaf = statement_leaf(evidence.statement.encode(), evidence.salt)
    return head.prev_size <= evidence.index and _passes(
        lambda: merkle.verify_inclusion(
            leaf_hash=leaf, index=evidence.index, size=head.size, proof=evidence.proof, root=head.root
        )
    )


def _anchored(evidence: Evidence, known: Facts) -> Judged:
    head = evidence.head
    end = next((each for each in known.closings if each.log == head.log), None)
    if end is not None and evidence.index >= end.last_good_size:
        return Judged(Result.INVALID, "EVIDENCE_DISOWNED")
    if head in known.heads:
        return Judged(Result.VALID, "EVIDENCE_HOLDS", evidence)
    newest = max((each.size for each in known.heads if each.log == head.log), default=0)
    if head.size > newest:
        return Judged(Result.INDETERMINATE, "EVIDENCE_TOO_NEW")
    return Judged(Result.INVALID, "EVIDENCE_NOT_ANCHORED")


def _passes(check: Callable[[], object]) -> bool:
    try:
        check()
    except (VerificationError, CanonicalError, AccessError):
        return False
    return True
