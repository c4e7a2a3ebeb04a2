"""Receipts in files: written as entries are recorded, checked against the chain or a cosigned snapshot.

One line an act: {"receipt": <compact JWS>, "entries": [[identifier, index], …]}. The identifiers are for whoever
keeps the file; what is promised is what is signed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import orjson

from api.errors import ApiError
from api.verify import ask
from certs.verify.view import Silent
from ledger import receipt as receipts
from ledger import snapshot, tile, tiles_export
from ledger.errors import ChainUnavailable, VerificationError
from ledger.facts import Facts, PublishedHead, Question
from ledger.ports import Chain
from ledger.receipt import Kept, Receipt, Shown
from ledger.snapshot import Snapshot
from ledger.statement import seconds
from ledger.trust import Trust
from ledger.types import LogName

if TYPE_CHECKING:
    from api.wiring import City
    from ledger.sequencer import Appended

_NOTHING = bytes(32)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file; nothing verified."""

    text: str
    receipt: Receipt
    entries: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Judged:
    identifier: str
    log: LogName
    index: int
    outcome: Kept


class Writer:
    """Appends a line for each act. A line that a crash cut off is lost with it: the entries stand, and are asked
    for again by issuing the file again, which says that they are there."""

    def __init__(self, city: City, file: TextIO, lag: int) -> None:
        """`lag`: seconds within which entries are promised to be on chain."""
        from api.wiring import RECEIPT_KEY

        self._signer = city.keystore.signer(RECEIPT_KEY)
        self._file = file
        self._lag = lag

    def write(self, appended: Appended[Any], entries: Sequence[tuple[str, int]]) -> None:
        if not entries:
            return
        by = seconds(appended.at) + self._lag
        made = Receipt(appended.log, appended.first_index, appended.leaves, appended.at, by)
        line = {"receipt": made.sign(self._signer), "entries": [list(each) for each in entries]}
        self._file.write(orjson.dumps(line).decode() + "\n")
        self._file.flush()


def read(path: Path) -> list[Line]:
    """Raises `ApiError` FILE_UNREADABLE, RECEIPT_FILE (line); `VerificationError`."""
    try:
        texts = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ApiError("FILE_UNREADABLE", str(error), path=path, reason=type(error).__name__) from None
    return [_line(number, text) for number, text in enumerate(texts, 1) if text]


def question(lines: Sequence[Line], chain: Chain) -> Question:
    """What a judgement needs: keys, cities, the first heads that cover the entries, and the newest head of each log."""
    logs = {line.receipt.log.id: line for line in lines}
    heads: list[PublishedHead] = []
    for log in logs:
        history = chain.history(log)
        indices = [index for line in lines if line.receipt.log.id == log for _, index in line.entries]
        first = dict.fromkeys(filter(None, (receipts.covering(history, log, index) for index in indices)))
        heads += first or [PublishedHead(log, 1, _NOTHING, 0, 0, 0)]  # asks for the newest alone
    return Question(
        kids=tuple(dict.fromkeys(receipts.kid(line.text) for line in lines)),
        cities=tuple(dict.fromkeys(line.receipt.log.city for line in lines)),
        heads=tuple(heads),
    )


def known(lines: Sequence[Line], trust: Trust, snapshot_file: Snapshot | None) -> Facts:
    """From a cosigned snapshot, or from a node of the trust file. Raises `VerificationError`, `ChainUnavailable`."""
    if snapshot_file is not None:
        return snapshot.verify(snapshot_file, trust)
    found = ask(trust, lambda chain: question(lines, chain))
    if isinstance(found, Silent):
        raise ChainUnavailable("NODES_SILENT", "no node of the trust file answered", problem=found.reason)
    return found


def judge(lines: Sequence[Line], facts: Facts, log_folder: Path | None) -> Iterator[Judged]:
    """`log_folder`: the log as `log export` wrote it; without it nothing is KEPT or OTHER_ENTRY."""
    for line in lines:
        receipt = receipts.verify(line.text, facts)
        for identifier, index in line.entries:
            head = receipts.covering(facts.heads, receipt.log.id, index)
            shown = _shown(log_folder, index, head) if log_folder and head else None
            yield Judged(identifier, receipt.log, index, receipts.judge(receipt, index, facts, shown))


def counted(found: Sequence[Judged]) -> dict[str, int]:
    return dict(Counter(each.outcome.value for each in found))


def _line(number: int, text: str) -> Line:
    try:
        row = orjson.loads(text)
        signed, entries = row["receipt"], tuple((str(name), int(index)) for name, index in row["entries"])
    except (ValueError, KeyError, TypeError):
        raise ApiError("RECEIPT_FILE", "not a line of receipts", line=number) from None
    receipt = receipts.read(str(signed))
    if not all(receipt.first <= index < receipt.first + len(receipt.leaves) for _, index in entries):
        raise VerificationError("RECEIPT_FORM", "an entry that the receipt does not promise", place=f"line {number}")
    return Line(str(signed), receipt, entries)


def _shown(folder: Path, index: int, head: PublishedHead) -> Shown | None:
    """The entry as the exported tiles have it; None where they do not reach."""
    read_tile = tiles_export.reader(folder)
    try:
        (leaf,) = tile.leaves(read_tile, index, index + 1)
        return Shown(leaf, tuple(tile.prove_inclusion(read_tile, index, head.size)))
    except VerificationError:
        return None
