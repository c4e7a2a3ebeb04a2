"""Streams of evidence: another system records what it did, typed, in a log of its own, and gets the same proofs.

A type is registered once, with a JSON Schema for each member: those in the clear, and those that stand as salted
digests. A statement has exactly the members of its type. What the evidence means is the client's business.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from audit.errors import EvidenceError
from audit.openings import seal_openings
from audit.private import MAX_MEMBERS, conceal
from audit.rulebook import STREAM as POLICY
from audit.store import evidence_types as store
from audit.store.accesses import put_openings
from ledger import canonical
from ledger import schema as s
from ledger.canonical import Json
from ledger.commitment import SALT_BYTES
from ledger.errors import CanonicalError
from ledger.keys.day_keys import DayKeys
from ledger.logid import BUILT_IN_STREAMS
from ledger.sequencer import Decided, Turn
from ledger.statement import Draft

REGISTERED = "registered"
MAX_ITEMS = 1000
"""In one act."""
MAX_SCHEMA = 32 * 1024
_OURS = {*BUILT_IN_STREAMS, POLICY, "log"}
_STREAM = re.compile(r"[a-z][a-z0-9-]{0,31}")
_MEMBERS: s.Schema = {
    "type": "object",
    "propertyNames": {"type": "string", "pattern": "^[a-z][a-z_]{0,31}$"},
    "additionalProperties": {"type": "object"},
    "maxProperties": MAX_MEMBERS,
}
FORM = s.Form("EVIDENCE_TYPE_FORM", s.record(clear=_MEMBERS, private=_MEMBERS))


@dataclass(frozen=True, slots=True)
class EvidenceType:
    """Members of a statement. Raises `VerificationError` EVIDENCE_TYPE_FORM; `EvidenceError` EVIDENCE_SCHEMA."""

    clear: Mapping[str, Any]
    """Member → JSON Schema."""
    private: Mapping[str, Any]

    def __post_init__(self) -> None:
        FORM.check(self.to_json())
        text = canonical.dumps(self.to_json())
        # A reference would have the checker fetch what somebody else names.
        if (
            set(self.clear) & set(self.private)
            or len(text) > MAX_SCHEMA
            or b'"$ref"' in text
            or b'"$dynamicRef"' in text
        ):
            raise EvidenceError("EVIDENCE_SCHEMA", "doubled members, references, or too long")
        self.validator()

    def to_json(self) -> dict[str, Json]:
        return {"clear": dict(self.clear), "private": dict(self.private)}

    def validator(self) -> Any:
        members = {**self.clear, **self.private}
        whole = {"type": "object", "properties": members, "required": [*members], "additionalProperties": False}
        try:
            return jsonschema_rs.Draft202012Validator(whole)
        except ValueError:
            raise EvidenceError("EVIDENCE_SCHEMA", "a member's schema is no JSON Schema") from None


@dataclass(frozen=True, slots=True)
class RegisterType:
    """An act for the sequencer; the same again records nothing."""

    type: str
    content: EvidenceType
    agency: str

    def decide(self, turn: Turn) -> Decided[bool]:
        """Raises `EvidenceError` EVIDENCE_STREAM, EVIDENCE_TYPE_TAKEN (stream, type)."""
        stream, content = turn.log.stream, canonical.dumps(self.content.to_json())
        if stream in _OURS or self.type == REGISTERED or not _STREAM.fullmatch(self.type):
            raise EvidenceError(
                "EVIDENCE_STREAM", "not a stream or type of a client", stream=stream, type=self.type[:64]
            )
        known = store.find(turn.connection, stream, self.type)
        if known == content:
            return Decided((), False)
        if known is not None:
            raise EvidenceError("EVIDENCE_TYPE_TAKEN", "a type is never changed", stream=stream, type=self.type)
        store.put(turn.connection, stream, self.type, content, turn.log_no, turn.first_index)
        # Crash evidence/registered: rolled back with the whole append.
        body: dict[str, Json] = {"type": self.type, **self.content.to_json()}
        return Decided([Draft(f"{stream}/{REGISTERED}", self.agency, body)], True)


@dataclass(frozen=True, slots=True)
class AppendEvidence:
    """An act for the sequencer: all items, or none."""

    type: str
    items: Sequence[Any]
    agency: str
    day_keys: DayKeys

    def decide(self, turn: Turn) -> Decided[None]:
        """Raises `EvidenceError` EVIDENCE_TYPE_UNKNOWN (stream, type), EVIDENCE_ITEM (place), EVIDENCE_ITEMS."""
        stream = turn.log.stream
        content = store.find(turn.connection, stream, self.type)
        if content is None:
            raise EvidenceError("EVIDENCE_TYPE_UNKNOWN", "not registered", stream=stream, type=self.type[:64])
        if not 0 < len(self.items) <= MAX_ITEMS:
            raise EvidenceError("EVIDENCE_ITEMS", "nothing, or too much at once", limit=MAX_ITEMS)
        kind = EvidenceType(**canonical.loads_canonical(content, max_bytes=MAX_SCHEMA))  # type: ignore[arg-type]
        validator, drafts, sealed = kind.validator(), [], []
        key = self.day_keys.of(turn.connection, turn.at)
        for at, item in enumerate(self.items, turn.first_index):
            v = _checked(item, validator, at - turn.first_index)
            salts = os.urandom(SALT_BYTES * len(kind.private))
            digests, openings = conceal({name: v[name] for name in kind.private}, salts)
            clear = {name: v[name] for name in kind.clear}
            drafts.append(Draft(f"{stream}/{self.type}", self.agency, {"clear": clear, "private": dict(digests)}))
            envelope = seal_openings(openings, log_id=turn.log.id, index=at, recipients=(key,))
            sealed.append((turn.log_no, at, envelope))
        put_openings(turn.connection, sealed)
        # Crash evidence/openings: rolled back with the whole append.
        return Decided(drafts, None)


def _checked(item: Any, validator: Any, number: int) -> dict[str, Json]:
    try:
        canonical.dumps(item)  # whatever cannot be hashed is refused before anybody looks at it
    except (CanonicalError, TypeError, ValueError):
        raise EvidenceError("EVIDENCE_ITEM", "not JSON that can be signed", place=str(number)) from None
    if not isinstance(item, dict) or not validator.is_valid(item):
        error = next(validator.iter_errors(item))
        place = "/".join(str(part) for part in (number, *error.instance_path))
        raise EvidenceError("EVIDENCE_ITEM", "not of the registered form", place=place)
    return item
