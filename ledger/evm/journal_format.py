"""The journal's lines: what stands in one, how each is chained to the one before. Reads, never writes.

`<32 hex> <JSON>\\n`: the hex digits are the first half of SHA-256(previous digits ‖ JSON), which finds an edited,
lost, doubled or moved line. The first line names the chain, every other one a block or a run of empty blocks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import orjson

from ledger.errors import EngineError

FORMAT = "certledger-devnet-journal/1"
SEED = b"certledger/devnet-journal/v1"

_DIGITS = 32
_LINE_LIMIT = 256 * 1024 * 1024
_HASH = re.compile(r"0x[0-9a-f]{64}")
_RAW = re.compile(r"0x(?:[0-9a-f]{2})+")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Genesis:
    """What block 0 is made of, besides the flags every engine is started with."""

    chain_id: int
    time: int
    """Unix seconds."""
    hash: str
    engine: str
    """The version that began the journal; another one may rebuild it as long as every hash comes out the same."""

    def __post_init__(self) -> None:
        if self.chain_id < 1 or self.time < 1 or not _HASH.fullmatch(self.hash):
            raise ValueError("a genesis has a chain id, a time and a hash")


@dataclass(frozen=True, slots=True)
class BlockRun:
    """One block with its transactions, or `count` empty blocks in a row, `step` seconds apart."""

    number: int
    """Number of the run's last block, from 1."""
    time: int
    """Its time, Unix seconds."""
    hash: str
    """Its hash: covers parent, state, receipts, so a rebuilt run is compared by this one value."""
    transactions: tuple[str, ...] = ()
    """Raw signed transactions, 0x-hex, in block order."""
    count: int = 1
    step: int = 0

    def __post_init__(self) -> None:
        whole = 1 <= self.count <= self.number and self.first_time > 0 and _HASH.fullmatch(self.hash)
        many = self.count == 1 or (self.step >= 1 and not self.transactions)
        if not (whole and many and all(map(_RAW.fullmatch, self.transactions))):
            raise ValueError("not a block or a run of empty blocks")

    @property
    def first_time(self) -> int:
        """Time of the run's first block, Unix seconds."""
        return self.time - (self.count - 1) * self.step


def first_body(genesis: Genesis) -> dict[str, object]:
    """JSON of the first line."""
    body = {"format": FORMAT, "chain_id": genesis.chain_id, "time": genesis.time}
    return body | {"hash": genesis.hash, "engine": genesis.engine}


def body_of(run: BlockRun) -> dict[str, object]:
    """JSON of a run; members that say nothing are left out."""
    body: dict[str, object] = {"number": run.number, "time": run.time, "hash": run.hash}
    if run.count > 1:
        return body | {"count": run.count, "step": run.step}
    return body | {"transactions": run.transactions} if run.transactions else body


def sealed(previous: bytes, body: dict[str, object]) -> tuple[bytes, bytes]:
    """(whole line, its digits)."""
    text = orjson.dumps(body)
    digits = _digest(previous, text)
    return digits + b" " + text + b"\n", digits


def _digest(previous: bytes, text: bytes) -> bytes:
    return hashlib.sha256(previous + text).hexdigest()[:_DIGITS].encode()


def lines(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes, dict[str, object]]]:
    """(offset after the line, its digits, its JSON) of each whole line; a tail without a newline ends the walk.

    Dropping that tail is safe: a line is written in full before it is fsynced, and fsynced before its block is
    called final, so a line cut short was never promised. Where a promise was made the height file has it and
    the caller compares. Everything else that is not as it was written raises JOURNAL_DAMAGED.
    """
    previous, end = SEED, 0
    while (line := file.readline(_LINE_LIMIT)).endswith(b"\n"):
        digits, text = line[:_DIGITS], line[_DIGITS + 1 : -1]
        if line[_DIGITS : _DIGITS + 1] != b" " or digits != _digest(previous, text):
            raise damaged(path, end, "a line is not the one that was written")
        end += len(line)
        previous = digits
        yield end, digits, _object(text, path, end)


def _object(text: bytes, path: Path, end: int) -> dict[str, object]:
    body = orjson.loads(text)
    if not isinstance(body, dict):
        raise damaged(path, end, "a line is no object")
    return body


def first(walk: Iterator[tuple[int, bytes, T]], path: Path) -> tuple[int, bytes, T]:
    """The first line of a walk. Raises EngineError JOURNAL_DAMAGED when there is none."""
    for found in walk:
        return found
    raise damaged(path, 0, "the first line is missing or cut short")


def genesis_in(body: dict[str, object], path: Path) -> Genesis:
    """What the first line says. Raises EngineError JOURNAL_FOREIGN, JOURNAL_DAMAGED."""
    if body.pop("format", None) != FORMAT:
        raise EngineError("JOURNAL_FOREIGN", f"{path} is not in the format {FORMAT}", path=path)
    try:
        return Genesis(**body)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise damaged(path, 0, "the first line names no chain") from error


def run_in(body: dict[str, object], end: int, path: Path) -> BlockRun:
    """What another line says. Raises EngineError JOURNAL_DAMAGED."""
    try:
        return BlockRun(**body | {"transactions": tuple(body.get("transactions", ()))})  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise damaged(path, end, "a line is no block") from error


def damaged(path: Path, offset: int, why: str) -> EngineError:
    """The refusal that names the place."""
    return EngineError("JOURNAL_DAMAGED", f"{path} near byte {offset}: {why}", path=path, offset=offset, reason=why)
