"""Importing certificates that exist: rows and files in, signed twins and a file of rejects out, memory flat."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from api.issue import issuer_of, mint_of
from api.messages import Words
from api.row_run import Progress, RowRun, rejects_beside
from api.wiring import City
from certs.certificate import CHINA
from certs.certificate_type import load_catalogue
from certs.errors import RowFileError
from certs.import_rows import ImportReader, import_type
from certs.importing import Importing, ImportOutcome, ImportResult
from certs.row_file import open_rows
from certs.source_file import SourceFolder

_INDEX_ENDINGS = (".csv", ".jsonl")


@dataclass(slots=True)
class ImportReport:
    """What became of a file or a folder."""

    rows: int = 0
    registered: int = 0
    ended: int = 0
    """Registered before; recorded now as revoked or cancelled."""
    already: int = 0
    older: int = 0
    """Left out: unchanged since the day given."""
    rejected: int = 0
    files: int = 0
    """Files whose digests stand in the certificates this run registered."""
    rejects: Path | None = None
    """Where the rejected rows are listed; None if there are none."""
    first: str = ""
    """Identifier of the first certificate this run registered."""
    last: str = ""
    rules: dict[str, int] = field(default_factory=dict)
    """How many rows each rule rejected."""
    notes: Counter[str] = field(default_factory=Counter)
    """How many of the certificates registered have which oddity."""

    def take(self, result: ImportResult) -> None:
        """Count one row that was not rejected."""
        if result.outcome == ImportOutcome.ALREADY:
            self.already += 1
        elif result.outcome == ImportOutcome.ENDED:
            self.ended += 1
        else:
            self.registered += 1
            self.files += result.files
            self.notes.update(result.notes)
            self.first, self.last = self.first or result.identifier, result.identifier


def import_certificates(
    city: City,
    path: Path,
    *,
    type_id: str,
    agency: str,
    words: Words,
    progress: Progress,
    since: date | None = None,
) -> ImportReport:
    """Register what is listed in `path`: a file of rows, or a folder of OFD and PDF files with their index.

    Raises before anything is registered, or not at all. Run twice, or again after a crash, it registers nothing
    twice: see `certs.importing`.
    """
    index, folder = index_of(path)
    certificate_type = load_catalogue().find(type_id)
    written = import_type(certificate_type)
    issuer = issuer_of(city, agency)
    mint = mint_of(city, certificate_type, issuer)
    importing = Importing(city.database, city.sequencer, city.log, mint, city.content_keys, folder, city.clock)
    with open_rows(index, written, existing=True) as rows:
        today = city.clock().astimezone(CHINA).date()
        reader = ImportReader(certificate_type, rows.columns, issuer, today, since=since)
        with rejects_beside(index, rows.columns, words) as rejects:
            run = RowRun(rows, reader.read, rejects, progress)
            report = ImportReport()
            for result in run.results(importing.run):
                report.take(result)
    report.rows, report.older = run.read, run.left_out
    report.rejected, report.rules = run.rejected, dict(run.rules)
    report.rejects = rejects.path if rejects.count else None
    return report


def index_of(path: Path) -> tuple[Path, SourceFolder]:
    """The file of rows, and where their files lie. Raises `RowFileError` INDEX_MISSING, INDEX_AMBIGUOUS (path).

    A folder's index is `index.csv` or `index.jsonl` in it, or `<folder>.csv` or `.jsonl` beside it.
    """
    if not path.is_dir():
        return path, SourceFolder(path.parent, by_identifier=False)
    folder = path.resolve()
    names = [folder / f"index{ending}" for ending in _INDEX_ENDINGS]
    names += [folder.with_name(folder.name + ending) for ending in _INDEX_ENDINGS]
    found = [name for name in names if name.is_file()]
    if not found:
        raise RowFileError("INDEX_MISSING", f"no index of the folder {path}", path=path)
    if len(found) > 1:
        raise RowFileError("INDEX_AMBIGUOUS", f"several indexes of the folder {path}", path=path)
    return found[0], SourceFolder(path, by_identifier=True)
