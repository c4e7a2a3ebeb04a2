"""Whether books are what the chain says of them. Of an export offline: trust file, its snapshots, the office's key.

From outside in: the files are those of the manifest, the snapshots are cosigned, each tree leads to every root on
chain, no log is shorter than the chain knows it, and every entry opens to its leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from api import books, exporting
from api.books import Books, Office
from api.checking import Checked, Outcome
from audit import reading
from audit.export import Manifest
from audit.reading import Line
from ledger import bookkeeping, integrity, tile
from ledger.errors import VerificationError
from ledger.integrity import Difference
from ledger.store import logs
from ledger.store.logs import LogRow
from ledger.types import Head

Progress = Callable[[int, int], None]
"""(entries opened, entries there are)."""
REPORT_EVERY = 500
ALTERED = {"OPENING_MISMATCH", "ENVELOPE_ALTERED", "ENVELOPE_FORM", "OPENINGS_FORM"}
"""Why private members are hidden although somebody has not let their retention end."""


def of_export(folder: Path, office: Office, progress: Progress) -> Iterator[Checked]:
    """Raises `VerificationError` where the snapshots are not cosigned: then nothing else means anything."""
    manifest = books.read_manifest(folder)
    yield _files(folder, dict(manifest.files))
    with books.of_export(folder, office) as opened:
        yield Checked("snapshots", Outcome.OK, f"{len(opened.facts)}, k = {office.trust.k}")
        yield _described(opened, manifest, office)
        yield from run(opened, progress)


def run(opened: Books, progress: Progress) -> Iterator[Checked]:
    """Heads and entries of whatever books, by what the chain says of them."""
    total = sum(end - start for start, end in map(opened.span, opened.rows))
    done = 0
    for row in opened.rows:
        yield _judged("heads", row, list(_heads(opened, row)), _against(opened, row))
        faults: list[Difference] = []
        for fault in _entries(opened, row):
            done += 1
            if fault is not None:
                faults.append(fault)
            if done % REPORT_EVERY == 0:
                progress(done, total)
        yield _judged("leaves", row, faults, "{}–{}".format(*opened.span(row)))
    progress(total, total)


def refuse_unsound(opened: Books, progress: Progress) -> None:
    """Nothing is concluded from books that are not what the chain says. Raises `VerificationError` BOOKS_UNSOUND."""
    for line in run(opened, progress):
        if line.outcome is Outcome.WRONG:
            raise VerificationError("BOOKS_UNSOUND", "not what the chain says", city=opened.city, problem=line.detail)


def _files(folder: Path, listed: dict[str, bytes]) -> Checked:
    found = dict(exporting.digests(folder))
    wrong = sorted(name for name in listed.keys() | found.keys() if listed.get(name) != found.get(name))
    if not wrong:
        return Checked("files", Outcome.OK, str(len(listed)))
    error = VerificationError("EXPORT_FILE_DIFFERS", "a file is missing, altered or too many", file=wrong[0])
    return Checked("files", Outcome.WRONG, ", ".join(wrong[:8]), error)


def _described(opened: Books, manifest: Manifest, office: Office) -> Checked:
    """The manifest speaks of the ledger that the trust file names, and its parts are the logs that are in there."""
    listed = {part.log: part.head for part in manifest.parts}
    same = listed == {row.name: row.head for row in opened.rows} and all(row.id == row.name.id for row in opened.rows)
    if manifest.consortium == office.trust.deployment.consortium and same:
        return Checked("manifest", Outcome.OK, f"{manifest.name} {manifest.made_at}")
    error = VerificationError("EXPORT_OTHER_BOOKS", "the manifest does not describe these books")
    return Checked("manifest", Outcome.WRONG, manifest.made_at, error)


def _heads(opened: Books, row: LogRow) -> Iterator[Difference]:
    """Tiles against the log's own head, and against every head on chain; anchors against what the chain confirms."""
    chain = opened.chain.get(row.id, ())
    newest = chain[-1] if chain else None
    if newest is not None and newest.size > row.head.size:
        yield Difference("DATABASE_BEHIND_CHAIN", row, None, "log", "size")
    read = logs.tile_reader(opened.connection, row.no)
    for head in (row.head, *(Head(each.size, each.root) for each in chain if each.size <= row.head.size)):
        if _root(read, head.size) != head.root:
            yield Difference("ROOT_DIFFERS", row, head.size - 1, "tile", "hashes")
    yield from bookkeeping.anchors(opened.connection, row, list(chain))


def _root(read: tile.ReadTile, size: int) -> bytes | None:
    try:
        return tile.root(read, size)
    except VerificationError:
        return None


def _entries(opened: Books, row: LogRow) -> Iterator[Difference | None]:
    """What is wrong with each entry, or None; entries that are missing are told where they should stand."""
    start, end = opened.span(row)
    read = logs.tile_reader(opened.connection, row.no)
    expected = start
    for each in reading.lines(opened.connection, row, opened.keys, start, end):
        for missing in range(expected, each.index):
            yield Difference("ENTRY_MISSING", row, missing, "entry", "idx")
        expected = each.index + 1
        if not isinstance(each, Line):
            yield Difference("ENTRY_ALTERED", row, each.index, "entry", "sealed")
        elif _leaf(read, each.index) != each.leaf:
            yield Difference("LEAF_DIFFERS", row, each.index, "tile", "hashes")
        elif each.fault in ALTERED:
            yield Difference("OPENING_ALTERED", row, each.index, "opening", "sealed")
        else:
            yield None
    for missing in range(expected, end):
        yield Difference("ENTRY_MISSING", row, missing, "entry", "idx")
    yield from integrity.tiles(opened.connection, row, 0)


def _leaf(read: tile.ReadTile, index: int) -> bytes | None:
    try:
        return tile.leaves(read, index, index + 1)[0]
    except VerificationError:
        return None


def _against(opened: Books, row: LogRow) -> str:
    chain = opened.chain.get(row.id, ())
    return f"{row.head.size} / {chain[-1].size if chain else 0}"


def _judged(name: str, row: LogRow, differences: list[Difference], detail: str) -> Checked:
    detail = f"{row.name.stream}/{row.name.epoch}: {detail}"
    if not differences:
        return Checked(name, Outcome.OK, detail)
    first = differences[0]
    place = f"#{first.index if first.index is not None else '-'} {first.table}.{first.column}"
    more = f" (+{len(differences) - 1})" if len(differences) > 1 else ""
    return Checked(name, Outcome.WRONG, f"{detail}: {first.code} {place}{more}", difference=first)
