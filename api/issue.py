"""Issuing a whole file: rows in, certificates and a file of rejects out, memory flat."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from api import members
from api.errors import ApiError
from api.messages import Words
from api.wiring import CITY_KEY, INDEX_KEY, City, agency_key
from certs import agencies, store
from certs.cells import Cell
from certs.certificate import CHINA
from certs.certificate_type import CertificateType, load_catalogue
from certs.errors import IssuingError
from certs.issuing import Issuing, Outcome
from certs.minting import Mint
from certs.row_file import RejectFile, RowFile, open_rows
from certs.rows import Issuer, Reject, Row, RowReader
from ledger.errors import ChainUnavailable
from ledger.facts import Facts

Progress = Callable[[int, int], None]
"""Told (rows done, rows in all)."""


@dataclass(slots=True)
class IssueReport:
    """What became of a file."""

    rows: int = 0
    issued: int = 0
    renewed: int = 0
    already: int = 0
    rejected: int = 0
    rejects: Path | None = None
    """Where the rejected rows are listed; None if there are none."""
    first: str = ""
    """Identifier of the first certificate this run issued."""
    last: str = ""
    rules: dict[str, int] = field(default_factory=dict)
    """How many rows each rule rejected."""


def issue_file(
    city: City, path: Path, *, type_id: str, agency: str, words: Words, progress: Progress, renew: bool = False
) -> IssueReport:
    """Issue every good row of `path`. Raises before anything is issued, or not at all.

    Run twice, or again after a crash, it issues nothing twice: see `certs.issuing`.
    """
    certificate_type = load_catalogue().find(type_id)
    issuer = _issuer(city, agency)
    mint = _mint(city, certificate_type, issuer)
    issuing = Issuing(city.database, city.sequencer, city.log, mint, city.clock, renew=renew)
    with open_rows(path, certificate_type) as rows:
        reader = RowReader(certificate_type, rows.columns, issuer, city.clock().astimezone(CHINA).date())
        with RejectFile(path, rows.columns, lambda reject: words.rule(reject.rule, reject.params)) as rejects:
            try:
                _make_room(rejects.path)
                return _Run(rows, reader, rejects, progress).through(issuing)
            except OSError as error:
                raise ApiError(
                    "FILE_UNWRITABLE", str(error), path=rejects.path, reason=error.strerror or type(error).__name__
                ) from None


def _make_room(rejects: Path) -> None:
    """Before anything is issued: a list of an earlier run would read as this one's, and this one must be writable."""
    rejects.unlink(missing_ok=True)
    if not os.access(rejects.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


class _Run:
    """One pass over a file; rejects are written in the order of lines, whichever step found them."""

    def __init__(self, rows: RowFile, reader: RowReader, rejects: RejectFile, progress: Progress) -> None:
        self._rows = rows
        self._reader = reader
        self._rejects = rejects
        self._progress = progress
        self._held: list[tuple[Reject, Sequence[Cell]]] = []
        self._cells: dict[int, Sequence[Cell]] = {}
        self._report = IssueReport()

    def through(self, issuing: Issuing) -> IssueReport:
        report = self._report
        for result in issuing.run(self._good()):
            cells = self._cells.pop(result.line)
            if result.reject is not None:
                self._held.append((result.reject, cells))
                continue
            if result.outcome == Outcome.ALREADY:
                report.already += 1
                continue
            report.first, report.last = report.first or result.identifier, result.identifier
            if result.outcome == Outcome.RENEWED:
                report.renewed += 1
            else:
                report.issued += 1
        self._flush()
        report.rejects = self._rejects.path if self._rejects.count else None
        self._progress(self._rows.rows, self._rows.rows)
        return report

    def _good(self) -> Iterator[Row]:
        """The rows that can be issued; the others are held until their neighbours are decided."""
        for raw in self._rows:
            self._report.rows += 1
            row = self._reader.read(raw)
            if isinstance(row, Reject):
                self._held.append((row, raw.cells))
                continue
            if not self._cells:  # the batch before is decided
                self._flush()
                self._progress(self._report.rows, self._rows.rows)
            self._cells[row.line] = raw.cells
            yield row

    def _flush(self) -> None:
        for reject, cells in sorted(self._held, key=lambda held: held[0].line):
            self._rejects.write(reject, cells)
            self._report.rejected += 1
            self._report.rules[reject.rule] = self._report.rules.get(reject.rule, 0) + 1
        self._held.clear()


def _issuer(city: City, agency: str) -> Issuer:
    with city.database.reading() as connection:
        row = next((row for row in store.agencies(connection) if row.code == agency), None)
    if row is None:
        raise IssuingError("AGENCY_UNKNOWN", "no such agency in this city", agency=agency)
    return Issuer(agency, row.name, str(city.settings.division))


def _mint(city: City, certificate_type: CertificateType, issuer: Issuer) -> Mint:
    keystore = city.keystore
    if not keystore.has(agency_key(issuer.code)):
        raise IssuingError("AGENCY_KEY_MISSING", "this city does not hold the agency's key", agency=issuer.code)
    signer = keystore.signer(agency_key(issuer.code))
    agencies.check(_facts(city, issuer), issuer.code, certificate_type.code, signer.kid, int(city.clock().timestamp()))
    return Mint(
        certificate_type=certificate_type,
        issuer=issuer.code,
        signer=signer,
        key=keystore.wrapper(CITY_KEY),
        index_key=keystore.mac_key(INDEX_KEY),
        status_uri=city.settings.status_uri,
    )


def _facts(city: City, issuer: Issuer) -> Facts:
    """Fresh from the chain if it answers, else as last read: a chain that is away stops no counter."""
    try:
        return members.refresh(city, issuer.code, issuer.name)
    except ChainUnavailable:
        with city.database.reading() as connection:
            return agencies.known(next(row for row in store.agencies(connection) if row.code == issuer.code))
