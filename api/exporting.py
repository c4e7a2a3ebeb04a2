"""An export: a city's books, or a part of them, as files that its audit office checks without the city.

The order is the safety argument: everything is written, then recorded, and only then does the manifest appear without
which an export is none. So no export is complete that the city's own log does not name.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from api import books, dictionary, input_file, office
from api.errors import ApiError
from api.migrations import runner
from api.wiring import CITY_KEY, HEAD_KEY, WITNESS, City
from audit import export, oversight, reading, rulebook
from audit.export import Manifest, Part
from audit.store import copying as audit_copying
from ledger import canonical, checkpoint, snapshot
from ledger.errors import VerificationError
from ledger.logid import ACCESS, AUTHORIZATION
from ledger.statement import timestamp
from ledger.store import copying, logs
from ledger.store.database import Connection, Database
from ledger.store.logs import LogRow

Progress = Callable[[int, int], None]
"""(rows written, rows there are about)."""


WHOLE = (AUTHORIZATION, rulebook.STREAM)
"""Streams that are never cut to a period, and that come along with accesses: those are judged by them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    streams: tuple[str, ...] = ()
    """Empty: all."""

    start: str | None = None
    """RFC 3339 UTC with milliseconds; entries recorded from then on. None: from the beginning."""
    end: str | None = None

    def takes(self, stream: str) -> bool:
        return not self.streams or stream in self.streams or (ACCESS in self.streams and stream in WHOLE)


def export_books(city: City, folder: Path, wanted: Wanted, progress: Progress) -> Manifest:
    """Raises `ApiError` FOLDER_NOT_EMPTY, NOTHING_TO_EXPORT, OFFICE_UNKNOWN, STEWARD_MISSING, FILE_UNWRITABLE;
    `ChainUnavailable`: without the chain's word an export proves nothing.
    """
    agency, kid = city.steward, office.shared_with(city)
    _prepare(folder)
    try:
        manifest = _written(city, folder, wanted, kid, progress)
        beside = folder / f"{export.FILE}.new"
        beside.write_bytes(export.encode(manifest))
        # Crash export/written: files without a manifest, which nothing reads, and nothing recorded.
        city.sequencer.append(city.log_of(oversight.STREAM), office.Said(oversight.exported(agency, manifest)))
        # Crash export/recorded: recorded, and not complete: it is made again, and both are on record.
        beside.rename(folder / export.FILE)
    except OSError as error:
        raise ApiError("FILE_UNWRITABLE", str(error), path=folder, reason=error.strerror) from None
    return manifest


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        taken = next(folder.iterdir(), None)
    except OSError as error:
        raise ApiError("FILE_UNWRITABLE", str(error), path=folder, reason=error.strerror) from None
    if taken is not None:
        raise ApiError("FOLDER_NOT_EMPTY", "an export is written into an empty folder", path=folder)


def _written(city: City, folder: Path, wanted: Wanted, kid: str, progress: Progress) -> Manifest:
    with city.database.reading() as connection:
        keys = reading.city_keys(connection, city.keystore.wrapper(CITY_KEY), city.day_keys)
        rows = tuple(r for r in logs.every(connection) if wanted.takes(r.name.stream))
        if not rows:
            raise ApiError("NOTHING_TO_EXPORT", "this city has no such log", streams=", ".join(wanted.streams))
        parts = tuple(_part(connection, row, keys, wanted) for row in rows)
        _copy(connection, folder / export.DATABASE, rows, parts, progress)
        _write_csv(folder)
        _write_heads(city, folder, connection, rows)
    dictionary.write(folder)
    return Manifest(
        consortium=city.deployment.consortium,
        city=city.settings.city,
        name=city.settings.name,
        made_at=timestamp(city.clock()),
        office=kid,
        parts=parts,
        files=dict(digests(folder)),
    )


def _part(connection: Connection, row: LogRow, keys: reading.Keys, wanted: Wanted) -> Part:
    if row.name.stream in WHOLE:
        return Part(row.name, row.head, 0, row.head.size)
    records = reading.Records(connection, row, keys)
    start, end = export.within(row.head.size, lambda index: _at(records, index, row), wanted.start, wanted.end)
    return Part(row.name, row.head, start, end)


def _at(records: reading.Records, index: int, row: LogRow) -> str:
    """When an entry was recorded; of one that cannot be read, when the next that can be was."""
    for later in range(index, row.head.size):
        try:
            return records.line(later).statement.at
        except VerificationError:
            continue
    return row.last_at


def _copy(source: Connection, path: Path, rows: Sequence[LogRow], parts: Sequence[Part], progress: Progress) -> None:
    """The same tables as a city's own, so that the same commands read them."""
    total, done = sum(part.end - part.start for part in parts), 0

    def told(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, max(done, total))

    database = Database(f"sqlite:///{path}")
    try:
        runner.upgrade(database)
        for row, part in zip(rows, parts, strict=True):
            with database.writing() as target:
                copying.copy_log(source, target, row, part.start, part.end, told)
                audit_copying.copy_beside(source, target, row, part.start, part.end, lambda _: None)
                audit_copying.copy_rights(source, target, row)
        with database.writing() as target:
            copying.copy_day_keys(source, target)
        database.freeze()
    finally:
        database.close()


def _write_csv(folder: Path) -> None:
    """The tables once more, for whoever opens them in a spreadsheet. Bytes are hexadecimal."""
    (folder / "csv").mkdir()
    database = Database.frozen(folder / export.DATABASE)
    try:
        with database.reading() as connection:
            for table in dictionary.tables():
                with (folder / "csv" / f"{table.name}.csv").open("w", encoding="utf-8-sig", newline="") as file:
                    writer = csv.writer(file)
                    writer.writerow(table.c.keys())
                    for row in copying.rows(connection, table):
                        writer.writerow([cell.hex() if isinstance(cell, bytes) else cell for cell in row])
    finally:
        database.close()


def _write_heads(city: City, folder: Path, connection: Connection, rows: tuple[LogRow, ...]) -> None:
    """What the chain says, signed by this city's witness, to be cosigned by others; and each head as a signed note."""
    witness, key = city.keystore.signer(WITNESS), city.keystore.note_signer(HEAD_KEY)
    public = key.public_key().public_bytes_raw()
    (folder / export.SNAPSHOTS).mkdir()
    (folder / "checkpoints").mkdir()
    for number, facts in enumerate(books.chain_facts(city, connection, rows), 1):
        text = canonical.dumps(snapshot.sign(facts, witness).to_json())
        (folder / export.SNAPSHOTS / f"{number:04d}.json").write_bytes(text)
    for row in rows:
        name = checkpoint.origin(city.deployment.consortium, row.name)
        note = checkpoint.sign(name, row.head, public=public, signature=key.sign)
        (folder / "checkpoints" / f"{row.name.stream}-{row.name.epoch}.txt").write_text(note, encoding="utf-8")


def digests(folder: Path) -> Iterator[tuple[str, bytes]]:
    """SHA-256 of each file but the manifest, by its path in the folder."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != export.FILE:
            yield name, input_file.digest(path)
