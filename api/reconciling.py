"""Comparing the books of several cities: gathers what the pure comparison goes by, from homes and exports alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from api.books import Books
from audit import authorization as authorizations
from audit import grants, rulebook
from audit.access import Recorded
from audit.authorization import Authorization
from audit.errors import AuditError, PolicyError
from audit.finding import Finding
from audit.matter import Matter, Matters
from audit.reading import Line, Records, lines
from audit.reconcile import Known, Revoked, reconcile
from audit.signed_object import open_object
from audit.store import rights
from ledger.errors import CanonicalError, VerificationError
from ledger.logid import ACCESS, AUTHORIZATION
from ledger.statement import seconds

MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Compared:
    findings: tuple[Finding, ...]
    records: int
    """Records of readings that were looked at."""
    hidden: int
    """Of these, records with members that are not open any more and cannot be compared."""


def compare(books: Sequence[Books], now: int) -> Compared:
    """`now`: seconds; the moment by which it is judged whether something is late."""
    records = [record for each in books for record in accesses(each)]
    hidden = sum(bool(record.access.hidden) for record in records)
    return Compared(reconcile(records, known(books), now), len(records), hidden)


def accesses(books: Books) -> Iterator[Recorded]:
    """Every record of the stream `access` that is here, by epoch, in its place."""
    for row in books.of(ACCESS):
        yield from Records(books.connection, row, books.keys).every(*books.span(row))


def known(books: Iterable[Books]) -> Known:
    granted: dict[bytes, Authorization] = {}
    revoked: dict[bytes, tuple[Revoked, ...]] = {}
    matters: dict[str, Matter] = {}
    for each in books:
        granted |= dict(_granted(each))
        for id, when in _revoked(each):
            revoked[id] = (*revoked.get(id, ()), when)
        matters = {**_matters(each), **matters}
    return Known(granted, revoked, Matters(matters.values()))


def _granted(books: Books) -> Iterator[tuple[bytes, Authorization]]:
    """Signed objects that open, and have the id under which they stand; any other was never granted."""
    for row in rights.newest(books.connection, MOST):
        try:
            signed = open_object(row.sealed, id=row.id, key=books.keys.openings(row.sealed)).signed
            presented = authorizations.parse(signed)
        except (VerificationError, CanonicalError, AuditError):
            continue
        if presented.id == row.id:
            yield row.id, presented.authorization


def _revoked(books: Books) -> Iterator[tuple[bytes, Revoked]]:
    """By what each city recorded. It counts at once there, and elsewhere when the chain says it."""
    for row in books.of(AUTHORIZATION):
        for each in lines(books.connection, row, books.keys, 0, row.head.size):
            if isinstance(each, Line) and each.statement.type == grants.REVOKE:
                at = seconds(each.statement.at)
                yield bytes.fromhex(str(each.statement.body["authorization"])), Revoked(at, books.city)


def _matters(books: Books) -> dict[str, Matter]:
    """As the newest version of the rules that was adopted has them, and what only older versions had."""
    found: dict[str, Matter] = {}
    for row in books.of(rulebook.STREAM):
        for each in lines(books.connection, row, books.keys, 0, row.head.size):
            if isinstance(each, Line) and each.statement.type == rulebook.ADOPTED:
                found |= _of_version(books, bytes.fromhex(str(each.statement.body["version"])))
    return found


def _of_version(books: Books, version: bytes) -> Mapping[str, Matter]:
    """A version whose content is not here, or is not what the log names, has none."""
    try:
        return rulebook.at(books.connection, version).matters
    except PolicyError:
        return {}
