"""What a city promised about a record: where it stands, and until when it is anchored. Unkept, it is a finding.

Whoever caused a record keeps its receipt. A log that does not hold the leaf in that place, or not in time, has broken
its word, and the receipt shows it. Signing is the ledger's; this is what the promise means for accesses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.access import Recorded
from audit.finding import SEVERITY, Evidence, Finding, FindingCode


@dataclass(frozen=True, slots=True)
class Receipt:
    """Of one record."""

    city: int
    agency: str
    """USCC of the agency that recorded."""
    request: bytes
    log: bytes
    index: int
    leaf: bytes
    anchor_by: int
    """Seconds."""


def receipt(recorded: Recorded, *, anchor_within: int) -> Receipt:
    """What is handed out with the answer; `anchor_within` seconds from when it was recorded."""
    access = recorded.access
    by = recorded.at + anchor_within
    return Receipt(recorded.city, recorded.agency, access.request, recorded.log, recorded.index, recorded.leaf, by)


def broken(receipts: Iterable[Receipt], records: Iterable[Recorded], now: int) -> tuple[Finding, ...]:
    """RECEIPT_BROKEN: no such leaf in that place, or anchored too late. What is not due yet is left out."""
    placed: Mapping[tuple[bytes, int], Recorded] = {(record.log, record.index): record for record in records}
    code = FindingCode.RECEIPT_BROKEN
    return tuple(
        Finding(code, SEVERITY[code], each.city, each.agency, each.request, (_evidence(each),))
        for each in receipts
        if not _kept(each, placed.get((each.log, each.index)), now)
    )


def _kept(promised: Receipt, record: Recorded | None, now: int) -> bool:
    if record is not None and record.leaf != promised.leaf:
        return False
    anchored = record.anchored if record is not None and record.anchored is not None else now
    return anchored <= promised.anchor_by


def _evidence(promised: Receipt) -> Evidence:
    return Evidence(promised.city, promised.log, promised.index, promised.leaf)
