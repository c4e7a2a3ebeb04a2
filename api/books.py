"""A city's books as an auditor opens them: in its own home, or in an export at the audit office. Both read alike.

What differs is in three places: where the rows lie, which keys open them, and who says what the chain holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from api import passwords
from api.errors import ApiError
from api.settings import FILE as SETTINGS
from api.verify import read_bundle
from api.wiring import CITY_KEY, ENC_KEY, City
from audit import export, reading
from audit.export import Manifest
from audit.reading import Keys
from ledger import cosigning, snapshot
from ledger.errors import VerificationError
from ledger.facts import Facts, PublishedHead, Question
from ledger.keys.keystore import Keystore
from ledger.keys.office import OfficeKeys
from ledger.sealing.envelope import Wrapper, kids
from ledger.store import logs, outbox
from ledger.store.database import Connection, Database
from ledger.store.logs import LogRow
from ledger.trust import Trust
from ledger.types import Anchor

HEADS_IN_ONE = 200
"""Heads in one snapshot, which holds the newest of each log beside them."""


@dataclass(frozen=True, slots=True)
class Books:
    """Opened; belongs to the transaction it was opened in."""

    city: int
    name: str
    connection: Connection
    keys: Keys
    rows: tuple[LogRow, ...]
    chain: Mapping[bytes, tuple[PublishedHead, ...]]
    """What the chain holds of each log, by size: every head that was asked for, and the newest."""
    facts: tuple[Facts, ...]
    manifest: Manifest | None = None
    """Of an export."""

    def of(self, stream: str) -> tuple[LogRow, ...]:
        """The logs of a stream, by epoch."""
        return tuple(sorted((r for r in self.rows if r.name.stream == stream), key=lambda row: row.name.epoch))

    def span(self, row: LogRow) -> tuple[int, int]:
        """Which entries of a log are here."""
        parts = self.manifest.parts if self.manifest else ()
        return next(((part.start, part.end) for part in parts if part.log == row.name), (0, row.head.size))


@dataclass(frozen=True)
class Office:
    """What the audit office opens an export with."""

    keystore: Path
    trust: Trust
    password_file: str = ""

    @cached_property
    def secret(self) -> bytes:
        """Asked for once. Raises `KeystoreError`, `ApiError`."""
        return Keystore.open(self.keystore, passwords.read(self.password_file)).agreement_secret(ENC_KEY)


@contextmanager
def opened(place: Path, office: Office | None) -> Iterator[Books]:
    """The books in a folder, whichever it is. Raises `ApiError` BOOKS_NOT_FOUND, OFFICE_MISSING and what those say."""
    if (place / export.FILE).is_file():
        if office is None:
            raise ApiError("OFFICE_MISSING", "an export is opened with the audit office's key", path=place)
        with of_export(place, office) as books:
            yield books
    elif (place / SETTINGS).is_file():
        with City(place) as city, of_city(city) as books:
            yield books
    else:
        raise ApiError("BOOKS_NOT_FOUND", "neither a city's folder nor an export", path=place)


@contextmanager
def of_city(city: City) -> Iterator[Books]:
    """Raises `ChainUnavailable`: what is on the chain is half of what an audit goes by."""
    wrapper = city.keystore.wrapper(CITY_KEY)
    with city.database.reading() as connection:
        rows = tuple(logs.every(connection))
        facts = chain_facts(city, connection, rows)
        yield Books(
            city=city.settings.city,
            name=city.settings.name,
            connection=connection,
            keys=reading.city_keys(connection, wrapper, city.day_keys),
            rows=rows,
            chain=_by_log(facts),
            facts=facts,
        )


@contextmanager
def of_export(folder: Path, office: Office) -> Iterator[Books]:
    """Offline. Raises `ApiError` FILE_UNREADABLE; `VerificationError` for a snapshot that too few cities signed."""
    manifest = read_manifest(folder)
    facts = tuple(verified(folder, name, office.trust) for name in snapshot_files(manifest))
    database = Database.frozen(folder / export.DATABASE)
    keys = OfficeKeys(office.secret)
    try:
        with database.reading() as connection:
            yield Books(
                city=manifest.city,
                name=manifest.name,
                connection=connection,
                keys=_by_day(connection, keys),
                rows=tuple(logs.every(connection)),
                chain=_by_log(facts),
                facts=facts,
                manifest=manifest,
            )
    finally:
        database.close()


def _by_day(connection: Connection, keys: OfficeKeys) -> Keys:
    """Entries and openings alike by the key of their day, whoever else they were sealed for."""
    found: dict[bytes, Wrapper] = {}

    def find(sealed: bytes) -> Wrapper:
        for kid in kids(sealed):
            if kid not in found:
                with suppress(VerificationError):
                    found[kid] = keys.find(connection, kid)
            if kid in found:
                return found[kid]
        raise VerificationError("ENVELOPE_RECIPIENT", "not sealed for this key")

    return Keys(find, find)


def read_manifest(folder: Path) -> Manifest:
    return export.decode(read_bundle(folder / export.FILE))


def snapshot_files(manifest: Manifest) -> list[str]:
    return sorted(name for name in manifest.files if name.startswith(f"{export.SNAPSHOTS}/"))


def verified(folder: Path, name: str, trust: Trust) -> Facts:
    return snapshot.verify(cosigning.read_file(read_bundle(folder / name)), trust)


def chain_facts(city: City, connection: Connection, rows: tuple[LogRow, ...]) -> tuple[Facts, ...]:
    """Every head that the city remembers, as the chain confirms it at one block; so many in one piece as are signed."""
    heads = [_claimed(row, anchor) for row in rows for anchor in outbox.anchors(connection, row.no)]
    if not heads:
        return ()
    block = city.chain.final_height()
    parts = [tuple(heads[first : first + HEADS_IN_ONE]) for first in range(0, len(heads), HEADS_IN_ONE)]
    return tuple(city.chain.facts(Question(heads=part), block) for part in parts)


def _claimed(row: LogRow, anchor: Anchor) -> PublishedHead:
    return PublishedHead(row.id, anchor.size, anchor.root, anchor.prev_size, anchor.block, anchor.time)


def _by_log(facts: tuple[Facts, ...]) -> dict[bytes, tuple[PublishedHead, ...]]:
    found: dict[bytes, dict[int, PublishedHead]] = {}
    for head in (head for each in facts for head in each.heads):
        found.setdefault(head.log, {})[head.size] = head
    return {log: tuple(heads[size] for size in sorted(heads)) for log, heads in found.items()}
