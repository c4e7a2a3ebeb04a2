"""Drawing a sample from a city's books, each line with the proof that it stands in the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api.books import Books
from api.errors import ApiError
from audit import sample
from audit.reading import Line, Records
from ledger import tile
from ledger.facts import PublishedHead
from ledger.store import logs
from ledger.store.logs import LogRow


@dataclass(frozen=True, slots=True)
class Drawn:
    """One entry, with its audit path to the anchored head that the sample was drawn from."""

    line: Line
    path: tuple[bytes, ...]

    def to_json(self) -> dict[str, object]:
        """What a third party needs to see that it stands there; private members stay closed."""
        line = self.line
        proven = {"index": line.index, "leaf": line.leaf.hex(), "path": [each.hex() for each in self.path]}
        return {**proven, "salt": line.salt.hex(), "statement": line.statement.to_json()}


def head_of(books: Books, stream: str) -> tuple[LogRow, PublishedHead]:
    """The newest log of a stream, and its newest head on chain. Raises `ApiError` NOTHING_ANCHORED."""
    rows = [row for row in books.of(stream) if books.chain.get(row.id)]
    if not rows:
        raise ApiError("NOTHING_ANCHORED", "no head of this log is final yet")
    return rows[-1], books.chain[rows[-1].id][-1]


def draw(books: Books, row: LogRow, head: PublishedHead, seed: str, size: int) -> Iterator[Drawn]:
    """Raises `AuditError` SAMPLE_SEED, SAMPLE_SIZE; `VerificationError` for an entry that is not here."""
    records = Records(books.connection, row, books.keys)
    read = logs.tile_reader(books.connection, row.no)
    for index in sample.indices(seed, head.root, head.size, size):
        yield Drawn(records.line(index), tuple(tile.prove_inclusion(read, index, head.size)))
