"""Receipts: a city's signed promise that what it recorded will stand on chain in time, and whether it kept it. Pure.

One signature covers all entries of one act as a list, so that a hundred thousand certificates cost a few hundred
signatures; each entry is judged by itself. Broken, a receipt is evidence of omission that needs no cooperation: the
promise carries the city's signature, and what is on chain carries the other cities'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger import accreditation as rules
from ledger import canonical, jws, merkle
from ledger import schema as s
from ledger.errors import VerificationError
from ledger.facts import Facts, PublishedHead
from ledger.logid import log_id
from ledger.statement import parse_timestamp, seconds
from ledger.types import LogName

TYP = "certledger-receipt+jws"
VERSION = 1
MAX_BYTES = 1024 * 1024
MAX_LEAVES = 8192
_STREAM = {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}$"}
FORM = s.Form(
    "RECEIPT_FORM",
    s.record(
        v={"const": VERSION},
        city=s.CITY,
        stream=_STREAM,
        epoch={"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        first=s.NATURAL,
        leaves={**s.rows(s.HEX32, MAX_LEAVES), "minItems": 1},
        at=s.TIMESTAMP,
        anchor_by=s.NATURAL,
    ),
)


class Kept(StrEnum):
    """What became of one promised entry. Frozen."""

    KEPT = "kept"
    NOT_DUE = "not-due"
    """Nothing covers it yet, and there is time."""
    UNPROVEN = "unproven"
    """A head in time covers its index; that it is this entry was not shown."""
    NOT_ANCHORED = "not-anchored"
    """Broken: the time is over and no head covers it."""
    LATE = "late"
    """Broken: the first head that covers it came after the time."""
    OTHER_ENTRY = "other-entry"
    """Broken: under that head another entry stands in its place."""
    DISOWNED = "disowned"
    """Broken: its log was closed without it."""


BROKEN = frozenset({Kept.NOT_ANCHORED, Kept.LATE, Kept.OTHER_ENTRY, Kept.DISOWNED})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is signed."""

    log: LogName
    first: int
    """Index of the first entry."""
    leaves: tuple[bytes, ...]
    """Leaf hashes of the entries, in order."""
    at: str
    """The time in their statements."""
    anchor_by: int
    """Seconds since 1970, by the chain's clock: the first head that covers them is not younger."""

    def sign(self, signer: jws.Signer) -> str:
        """Compact JWS by the city's key of use *receipt*."""
        payload: dict[str, Any] = {
            "v": VERSION,
            "city": self.log.city,
            "stream": self.log.stream,
            "epoch": self.log.epoch,
            "first": self.first,
            "leaves": [leaf.hex() for leaf in self.leaves],
            "at": self.at,
            "anchor_by": self.anchor_by,
        }
        return jws.sign_compact(canonical.dumps(payload), typ=TYP, signer=signer)


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as the log hands it out: its leaf, and the way to the root of the head that first covers it."""

    leaf: bytes
    proof: tuple[bytes, ...]


def kid(untrusted: str) -> str:
    """The key a receipt names; nothing verified."""
    return jws.parse_compact(untrusted, typ=TYP).kid


def read(untrusted: str) -> Receipt:
    """In form, not verified. Raises `VerificationError` or `CanonicalError`."""
    payload = jws.parse_compact(untrusted, typ=TYP).payload
    v = FORM.check(canonical.loads_canonical(payload, max_bytes=MAX_BYTES))
    parse_timestamp(v["at"])
    name = LogName(v["city"], v["stream"], v["epoch"])
    leaves = tuple(bytes.fromhex(leaf) for leaf in v["leaves"])
    return Receipt(name, v["first"], leaves, v["at"], v["anchor_by"])


def verify(untrusted: str, facts: Facts) -> Receipt:
    """A promise of the city whose log it names. Raises `VerificationError` RECEIPT_KEY, SIGNATURE, …

    The key must have been in force when it says that it recorded; a key reported stolen for a later time leaves it.
    """
    receipt, compact = read(untrusted), jws.parse_compact(untrusted, typ=TYP)
    key, at = rules.find_key(facts, compact.kid), seconds(receipt.at)
    ours = key is not None and key.use == rules.RECEIPT and not key.agency and key.city == receipt.log.city
    if key is None or not ours or not rules.key_valid(key, at, facts.block):
        raise VerificationError("RECEIPT_KEY", "not a receipt key of that city, then", kid=compact.kid)
    jws.verify(compact, x=key.x, y=key.y)
    return receipt


def covering(heads: Sequence[PublishedHead], log: bytes, index: int) -> PublishedHead | None:
    """The first head that covers the entry, if it is among them."""
    return next((h for h in heads if h.log == log and h.prev_size <= index < h.size), None)


def judge(receipt: Receipt, index: int, facts: Facts, shown: Shown | None) -> Kept:
    """One entry, `receipt.first <= index`, by what the chain held at `facts.time`."""
    log = log_id(receipt.log.city, receipt.log.stream, receipt.log.epoch)
    end = next((each for each in facts.closings if each.log == log), None)
    if end is not None and index >= end.last_good_size:
        return Kept.DISOWNED
    head = covering(facts.heads, log, index)
    if head is None:
        beyond = any(each.log == log and each.size > index for each in facts.heads)
        if beyond:
            return Kept.UNPROVEN
        return Kept.NOT_ANCHORED if facts.time > receipt.anchor_by else Kept.NOT_DUE
    if head.time > receipt.anchor_by:
        return Kept.LATE
    if shown is None or not _in_log(shown, index, head):
        return Kept.UNPROVEN
    return Kept.KEPT if shown.leaf == receipt.leaves[index - receipt.first] else Kept.OTHER_ENTRY


def _in_log(shown: Shown, index: int, head: PublishedHead) -> bool:
    try:
        merkle.verify_inclusion(leaf_hash=shown.leaf, index=index, size=head.size, proof=shown.proof, root=head.root)
    except VerificationError:
        return False
    return True
