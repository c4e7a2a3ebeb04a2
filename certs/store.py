"""The certificates of a city: what was issued under which key, sealed, and its status as we recorded it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)

from ledger.sealing.envelope import KID_BYTES, decode
from ledger.status import Status
from ledger.store.database import Connection, insert_rows

T = TypeVar("T")

metadata = MetaData()

certificate = Table(
    "certificate",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("identifier", Text, nullable=False, unique=True),
    Column("issuer", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    # Keyed hashes: the number of a driving licence is its holder's ID number, so neither stands here in the clear.
    Column("row_key", LargeBinary(32), nullable=False),
    Column("content_key", LargeBinary(32), nullable=False),
    Column("log_no", Integer, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Column("replaces", LargeBinary(32)),
    Column("status", Integer, nullable=False),
    Column("status_place", BigInteger, nullable=False, unique=True),
    # The city's own reference of the holder (audit.subject), by which a reading finds what there is of a person.
    Column("subject_ref", LargeBinary(48)),
    Column("sealed", LargeBinary, nullable=False),
)
Index("certificate_subject", certificate.c.subject_ref, certificate.c.type_code)
Index("certificate_row_key", certificate.c.row_key, certificate.c.version, unique=True)
Index("certificate_log", certificate.c.log_no, certificate.c.log_index)


_status_counter = Table(
    "status_counter",
    metadata,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("next", BigInteger, nullable=False),
)

_agency = Table(
    "agency",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    # What the chain last said of it (ledger.facts): issuing goes on by it while the chain is away.
    Column("facts", LargeBinary, nullable=False),
)

IN_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Certificate:
    """A row, still sealed. Of an erased one both keyed hashes are the digest and the reference is gone: under a key
    that the city goes on using, a guess could be tested against them.
    """

    digest: bytes
    identifier: str
    issuer: str
    type_code: str
    version: int
    row_key: bytes
    """Keyed hash of (issuing agency, type, certificate number)."""
    content_key: bytes
    """Keyed hash of the attributes."""
    log_no: int
    log_index: int
    replaces: bytes | None
    status: Status
    status_place: int
    """Number under which its place in a status list was drawn."""
    subject_ref: bytes | None
    sealed: bytes
    """Its text for its own content key alone; of an erased one the id of the key that is destroyed."""

    @property
    def erased(self) -> bool:
        """Its content is gone, by an erasure or because somebody made it look so: `certs.integrity` tells."""
        return len(self.sealed) == KID_BYTES

    @property
    def content_kid(self) -> bytes:
        """Id of the key of its content. Raises `VerificationError` ENVELOPE_FORM."""
        return self.sealed if self.erased else decode(self.sealed).recipients[0].kid


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """An agency of this city that issues certificates."""

    code: str
    """USCC."""
    name: str
    """As printed on certificates; it does not stand on chain."""
    facts: bytes
    """Canonical JSON of the `Facts` last read about it."""


def context(digest: bytes) -> bytes:
    """What a certificate's envelope is bound to."""
    return b"certledger/certificate/v1\x00" + digest


def put(connection: Connection, certificates: Sequence[Certificate]) -> None:
    insert_rows(connection, certificate, [_row_of(each) for each in certificates])


_row_of = attrgetter(*certificate.c.keys())


def newest_by_row_key(connection: Connection, row_keys: Collection[bytes]) -> dict[bytes, Certificate]:
    """The newest version under each key, for those that exist."""
    found: dict[bytes, Certificate] = {}
    for part in parts(row_keys):
        query = select(certificate).where(certificate.c.row_key.in_(part)).order_by(certificate.c.version)
        for row in connection.execute(query):
            found[row.row_key] = _read(row)
    return found


def versions_taken(connection: Connection, row_keys: Collection[bytes]) -> set[tuple[bytes, int]]:
    """Every (row key, version) there is under these keys."""
    found: set[tuple[bytes, int]] = set()
    columns = (certificate.c.row_key, certificate.c.version)
    for part in parts(row_keys):
        rows = connection.execute(select(*columns).where(certificate.c.row_key.in_(part)))
        found |= {(row.row_key, row.version) for row in rows}
    return found


def by_identifiers(connection: Connection, identifiers: Collection[str]) -> dict[str, Certificate]:
    """The certificates under these identifiers, for those that exist."""
    found: dict[str, Certificate] = {}
    for part in parts(identifiers):
        rows = connection.execute(select(certificate).where(certificate.c.identifier.in_(part)))
        found |= {row.identifier: _read(row) for row in rows}
    return found


def by_identifier(connection: Connection, identifier: str) -> Certificate | None:
    row = connection.execute(select(certificate).where(certificate.c.identifier == identifier)).one_or_none()
    return _read(row) if row else None


def by_digest(connection: Connection, digest: bytes) -> Certificate | None:
    row = connection.execute(select(certificate).where(certificate.c.digest == digest)).one_or_none()
    return _read(row) if row else None


def of_subject(connection: Connection, ref: bytes, type_code: str | None = None) -> list[Certificate]:
    """What a person has, of a type or of any, the newest first."""
    query = select(certificate).where(certificate.c.subject_ref == ref)
    query = query.order_by(certificate.c.log_no.desc(), certificate.c.log_index.desc())
    if type_code is not None:
        query = query.where(certificate.c.type_code == type_code)
    return [_read(row) for row in connection.execute(query)]


def newest(connection: Connection, limit: int, type_code: str | None = None) -> list[Certificate]:
    """The certificates recorded last."""
    query = select(certificate).order_by(certificate.c.log_no.desc(), certificate.c.log_index.desc()).limit(limit)
    if type_code is not None:
        query = query.where(certificate.c.type_code == type_code)
    return [_read(row) for row in connection.execute(query)]


def places(connection: Connection) -> tuple[int, list[Certificate]]:
    """(how many status places were drawn, the certificates that are not active)."""
    query = select(certificate).where(certificate.c.status != int(Status.ACTIVE))
    return places_drawn(connection), [_read(row) for row in connection.execute(query)]


def statuses(connection: Connection) -> Iterator[list[tuple[str, bytes, Status]]]:
    """(issuer, digest, status as we recorded it) of every certificate, so many at a time as one question may name."""
    columns = (certificate.c.issuer, certificate.c.digest, certificate.c.status)
    found = connection.execute(select(*columns), execution_options={"yield_per": IN_LIMIT})
    for part in found.partitions():
        yield [(row.issuer, row.digest, Status(row.status)) for row in part]


def places_drawn(connection: Connection) -> int:
    """How many status places were given out; the next one is this number."""
    drawn = connection.execute(select(_status_counter.c.next).where(_status_counter.c.no == 0)).scalar_one_or_none()
    return drawn or 0


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(certificate)).scalar_one()


def move(connection: Connection, old_no: int, first: int, new_no: int) -> None:
    """Entries from `first` on of one log stand again in another, from index 1 on: their certificates follow them."""
    where = (certificate.c.log_no == old_no, certificate.c.log_index >= first)
    place = {"log_no": new_no, "log_index": certificate.c.log_index - first + 1}
    connection.execute(update(certificate).where(*where).values(**place))


def placed(connection: Connection, log_no: int, start: int, end: int) -> Iterator[list[Certificate]]:
    """The certificates whose entries stand at [start, end) of a log, in their order, some at a time."""
    where = (certificate.c.log_no == log_no, certificate.c.log_index >= start, certificate.c.log_index < end)
    query = select(certificate).where(*where).order_by(certificate.c.log_index)
    found = connection.execute(query, execution_options={"yield_per": IN_LIMIT})
    for part in found.partitions():
        yield [_read(row) for row in part]


def sealed_for(connection: Connection, kids: Collection[bytes]) -> list[bytes]:
    """Digests of certificates whose content stands sealed for one of these keys. Reads every row."""
    kid = func.substr(certificate.c.sealed, 3, KID_BYTES)  # formats §5: version, number of recipients, the first
    whole = func.length(certificate.c.sealed) > KID_BYTES
    return [
        digest
        for part in parts(kids)
        for digest in connection.execute(select(certificate.c.digest).where(whole, kid.in_(part))).scalars()
    ]


def clear(connection: Connection, kids: Mapping[bytes, bytes]) -> None:
    """Take out of these certificates (key id by digest) whatever is of the person or could be tested against one."""
    for digest, kid in kids.items():
        gone = {"row_key": digest, "content_key": digest, "subject_ref": None, "sealed": kid}
        connection.execute(update(certificate).where(certificate.c.digest == digest).values(**gone))


def set_status(connection: Connection, digest: bytes, status: Status) -> None:
    connection.execute(update(certificate).where(certificate.c.digest == digest).values(status=int(status)))


def put_agency(connection: Connection, agency: AgencyRow) -> None:
    """Add it, or replace what is known of it."""
    values = {"code": agency.code, "name": agency.name, "facts": agency.facts}
    if connection.execute(update(_agency).where(_agency.c.code == agency.code).values(**values)).rowcount == 0:
        connection.execute(insert(_agency).values(**values))


def agencies(connection: Connection) -> list[AgencyRow]:
    rows = connection.execute(select(_agency).order_by(_agency.c.code))
    return [AgencyRow(row.code, row.name, row.facts) for row in rows]


def reserve_places(connection: Connection, number: int) -> int:
    """The first of `number` status places nobody else will get. A crash afterwards wastes them, no more."""
    where = _status_counter.c.no == 0
    if connection.execute(select(_status_counter.c.next).where(where).with_for_update()).one_or_none() is None:
        connection.execute(insert(_status_counter).values(no=0, next=0))
    moved = update(_status_counter).where(where).values(next=_status_counter.c.next + number)
    after: int = connection.execute(moved.returning(_status_counter.c.next)).scalar_one()
    return after - number


def skip_places(connection: Connection, number: int, size: int) -> None:
    """Leave out `number` places and begin a new list of `size`: somebody may hold certificates with the places that
    were drawn after the copy that this database was restored from."""
    after = reserve_places(connection, number) + number
    reserve_places(connection, -after % size)


def parts(keys: Collection[T]) -> Iterator[list[T]]:
    """As many at a time as one query may name."""
    every = list(keys)
    for start in range(0, len(every), IN_LIMIT):
        yield every[start : start + IN_LIMIT]


def _read(row: Row[Any]) -> Certificate:
    values = {name: getattr(row, name) for name in certificate.c.keys()}  # noqa: SIM118
    return Certificate(**{**values, "status": Status(row.status)})
