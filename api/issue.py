"""Issuing a whole file: rows in, certificates and a file of rejects out, memory flat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from api import members
from api.errors import ApiError
from api.messages import Words
from api.receipts import Writer
from api.row_run import Progress, RowRun, rejects_beside
from api.wiring import INDEX_KEY, SUBJECT_KEY, City, agency_signers
from certs import agencies, store
from certs.certificate import CHINA
from certs.certificate_type import CertificateType, load_catalogue
from certs.errors import IssuingError
from certs.issuing import Issuing, Outcome, Recorded, Result
from certs.minting import Mint
from certs.row_file import open_rows
from certs.rows import Issuer, RowReader
from ledger.errors import ChainUnavailable
from ledger.facts import Facts


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

    def take(self, result: Result) -> None:
        """Count one row that was not rejected."""
        if result.outcome == Outcome.ALREADY:
            self.already += 1
            return
        self.first, self.last = self.first or result.identifier, result.identifier
        if result.outcome == Outcome.RENEWED:
            self.renewed += 1
        else:
            self.issued += 1


def issue_file(
    city: City,
    path: Path,
    *,
    type_id: str,
    agency: str,
    words: Words,
    progress: Progress,
    renew: bool = False,
    receipts: Path | None = None,
) -> IssueReport:
    """Issue every good row of `path`. Raises before anything is issued, or not at all. `receipts`: appended to.

    Run twice, or again after a crash, it issues nothing twice: see `certs.issuing`.
    """
    certificate_type = load_catalogue().find(type_id)
    issuer = issuer_of(city, agency)
    mint = mint_of(city, certificate_type, issuer)
    lag = certificate_type.max_anchor_lag
    with _receipts(city, receipts, lag) as recorded, open_rows(path, certificate_type) as rows:
        issuing = Issuing(
            city.database,
            city.sequencer,
            city.log,
            mint,
            city.content_keys,
            city.clock,
            renew=renew,
            recorded=recorded,
        )
        reader = RowReader(certificate_type, rows.columns, issuer, city.clock().astimezone(CHINA).date())
        with rejects_beside(path, rows.columns, words) as rejects:
            run = RowRun(rows, reader.read, rejects, progress)
            report = IssueReport()
            for result in run.results(issuing.run):
                report.take(result)
    report.rows, report.rejected, report.rules = run.read, run.rejected, dict(run.rules)
    report.rejects = rejects.path if rejects.count else None
    return report


@contextmanager
def _receipts(city: City, path: Path | None, lag: int) -> Iterator[Recorded | None]:
    """Told of each act, writes its receipt. Raises `ApiError` FILE_UNWRITABLE before anything is issued."""
    if path is None:
        yield None
        return
    try:
        file = path.open("a", encoding="ascii")
    except OSError as error:
        raise ApiError("FILE_UNWRITABLE", str(error), path=path, reason=error.strerror) from None
    with file:
        writer = Writer(city, file, lag)
        yield lambda appended: writer.write(appended, [(r.identifier, r.index) for r in appended.value if r.index >= 0])


def issuer_of(city: City, agency: str) -> Issuer:
    """An agency of this city. Raises `IssuingError` AGENCY_UNKNOWN."""
    with city.database.reading() as connection:
        row = next((row for row in store.agencies(connection) if row.code == agency), None)
    if row is None:
        raise IssuingError("AGENCY_UNKNOWN", "no such agency in this city", agency=agency)
    return Issuer(agency, row.name, str(city.settings.division))


def mint_of(city: City, certificate_type: CertificateType, issuer: Issuer) -> Mint:
    """What signs for the agency. Raises `IssuingError` if it may not issue this type now."""
    keystore, now = city.keystore, int(city.clock().timestamp())
    signers = {signer.kid: signer for signer in agency_signers(keystore, issuer.code)}
    if not signers:
        raise IssuingError("AGENCY_KEY_MISSING", "this city does not hold the agency's key", agency=issuer.code)
    facts = _facts(city, issuer)
    signer = signers[agencies.in_force(facts, list(signers), now) or next(iter(signers))]
    agencies.check(facts, issuer.code, certificate_type.code, signer.kid, now)
    return Mint(
        certificate_type=certificate_type,
        issuer=issuer.code,
        signer=signer,
        index_key=keystore.mac_key(INDEX_KEY),
        subject_key=keystore.mac_key(SUBJECT_KEY),
        status_uri=city.settings.status_uri,
    )


def _facts(city: City, issuer: Issuer) -> Facts:
    """Fresh from the chain if it answers, else as last read: a chain that is away stops no counter."""
    try:
        return members.refresh(city, issuer.code, issuer.name)
    except ChainUnavailable:
        with city.database.reading() as connection:
            return agencies.known(next(row for row in store.agencies(connection) if row.code == issuer.code))
