"""Importing: certificates that exist already get a signed twin under their own identifier, each exactly once.

A certificate's key is its identifier. Same attributes and same files: already registered. Anything else is refused
and the difference named: an import never changes what is registered. One thing it may still do: record that a
certificate has ended meanwhile, because an end is final in whatever order files arrive. Whether a certificate is
suspended or given back, an old file and a new one say with equal right: `cert suspend` and `cert reinstate` settle it.

Rules of a reject (parameters), beside those of `certs.import_rows` and `certs.source_file`:
    REGISTERED_OTHERWISE (identifier, differs)   registered with other attributes or files; which, by name
    REGISTERED_BY_ANOTHER (identifier)           another agency of this city has it
    REGISTERED_AND_ERASED (identifier)           registered and erased since: it does not come back by a file
    STATE_DIFFERS (identifier, status)           registered in another status, and the row cannot settle which counts
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from certs import lifecycle, store
from certs.certificate import ISSUE, import_body
from certs.comparing import differing
from certs.errors import CertsError
from certs.import_rows import FILE, ExistingRow
from certs.issuing import BATCH
from certs.lifecycle import KINDS
from certs.minting import Claim, Mint, Minted
from certs.rows import Reject
from certs.source_file import SourceFile, SourceFolder
from certs.state_code import Ending
from certs.store import Certificate
from ledger.keys.content_keys import ContentKeys
from ledger.ports import StatusChange
from ledger.publisher import encode_change
from ledger.sequencer import Decided, Sequencer, Turn
from ledger.statement import Draft
from ledger.status import FINAL, Status, allowed
from ledger.store import outbox
from ledger.store.database import Database
from ledger.types import LogName


class ImportOutcome(StrEnum):
    REGISTERED = "registered"
    ENDED = "ended"
    """Registered before, and recorded now that it has ended."""
    ALREADY = "already"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of one row."""

    line: int
    outcome: ImportOutcome
    identifier: str = ""
    files: int = 0
    notes: tuple[str, ...] = ()
    """What is odd about it and was kept: notes of `certs.identifier`, and the two below."""
    reject: Reject | None = None


NUMBER_SHARED = "NUMBER_SHARED"
"""Another certificate of this agency and type has the same number and version."""
SERIAL_NAMES_HOLDER = "SERIAL_NAMES_HOLDER"
"""The identifier, which everybody sees, holds the holder's code. We never issue one so (protocol §3); others do."""


@dataclass(frozen=True, slots=True)
class _Existing:
    """A row with its files read."""

    row: ExistingRow
    files: tuple[SourceFile, ...]
    claim: Claim

    @property
    def identifier(self) -> str:
        return str(self.row.identifier)

    @property
    def status(self) -> Status:
        return KINDS[self.row.ending.change].status if self.row.ending else Status.ACTIVE


class Importing:
    """One run of one type by one agency. Everything it yields is durable before it is yielded."""

    def __init__(
        self,
        database: Database,
        sequencer: Sequencer,
        log: LogName,
        mint: Mint,
        keys: ContentKeys,
        folder: SourceFolder,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._sequencer = sequencer
        self._log = log
        self._mint = mint
        self._keys = keys
        self._folder = folder
        self._clock = clock

    def run(self, rows: Iterable[ExistingRow]) -> Iterator[ImportResult]:
        """Results in the order of the rows but for those whose files are refused; batch by batch."""
        batch: list[_Existing] = []
        for row in rows:
            try:
                batch.append(self._existing(row))
            except CertsError as error:
                reject = Reject(row.line, FILE.zh, error.code, error.params)
                yield ImportResult(row.line, ImportOutcome.REJECTED, reject=reject)
            if len(batch) == BATCH:
                yield from self._import(batch)
                batch = []
        if batch:
            yield from self._import(batch)

    def _existing(self, row: ExistingRow) -> _Existing:
        files = self._folder.files(row.files, str(row.identifier), row.row.certificate_number)
        return _Existing(row, files, self._mint.claim_existing(row.row, row.identifier, files))

    def _import(self, batch: Sequence[_Existing]) -> Iterator[ImportResult]:
        with self._database.writing() as connection:
            known = store.by_identifiers(connection, [each.identifier for each in batch])
            first_place = store.reserve_places(connection, len(batch))
        # Crash import/places: these status places are wasted, no more.
        now = self._clock()
        # Signed for the rows that look new. What looks known is judged again under the log's lock. By line and not by
        # identifier: two rows of one identifier need not say the same, and the first must not get the other's twin.
        new = [(each, first_place + i) for i, each in enumerate(batch) if each.identifier not in known]
        keys = self._keys.fresh(len(new))
        # Crash import/keys: these keys open nothing, ever.
        minted = {
            each.row.line: self._mint.twin(each.row.row, key, each.row.identifier, each.files, now=now, place=place)
            for (each, place), key in zip(new, keys, strict=True)
        }
        # Crash import/minted: a twin that is not recorded has never existed.
        results = self._sequencer.append(self._log, _Register(self._mint, self._keys, batch, minted)).value
        # Crash import/recorded: durable, and nobody was told; the same rows again are *already registered*.
        yield from results


class _Register:
    """The act: judge each row against what is recorded, then record what is new and what has ended."""

    def __init__(self, mint: Mint, keys: ContentKeys, batch: Sequence[_Existing], minted: dict[int, Minted]) -> None:
        self._mint = mint
        self._keys = keys
        self._batch = batch
        self._minted = minted

    def decide(self, turn: Turn) -> Decided[list[ImportResult]]:
        run = _Run(self._mint, self._keys, turn, self._batch)
        results = [run.take(each, self._minted.get(each.row.line)) for each in self._batch]
        if run.fresh:
            store.put(turn.connection, list(run.fresh.values()))
        for change in run.changes:  # after the rows they are about
            store.set_status(turn.connection, change.digest, Status(change.status))
            outbox.put(turn.connection, outbox.STATUS, change.digest, encode_change(change))
        # Crash import/ended: rolled back with the whole append.
        return Decided(run.drafts, results)


class _Run:
    """One turn at the log: what it will say, and the rows it will write."""

    def __init__(self, mint: Mint, keys: ContentKeys, turn: Turn, batch: Sequence[_Existing]) -> None:
        self._mint = mint
        self._keys = keys
        self._turn = turn
        self._known = store.by_identifiers(turn.connection, [each.identifier for each in batch])
        self._taken = store.versions_taken(turn.connection, {each.claim.row_key for each in batch})
        self.drafts: list[Draft] = []
        self.fresh: dict[str, Certificate] = {}
        self.changes: list[StatusChange] = []

    def take(self, each: _Existing, minted: Minted | None) -> ImportResult:
        old = self._known.get(each.identifier)
        if old is not None:
            return self._met(each, old)
        if minted is None:  # known before the lock and gone under it: a database that was exchanged meanwhile
            return _rejected(each, "ROW_RACED")
        return self._registered(each, minted)

    def _registered(self, each: _Existing, minted: Minted) -> ImportResult:
        shared = (each.claim.row_key, minted.version) in self._taken
        new = self._certificate(each, minted, shared=shared)
        self._taken.add((new.row_key, new.version))
        body = import_body(digest=new.digest, identifier=new.identifier, type_code=new.type_code, status=each.status)
        self.drafts.append(Draft(ISSUE, new.issuer, body))
        self.fresh[new.identifier] = self._known[new.identifier] = new
        if each.row.ending:
            self._end(new, each.row.ending)
        return ImportResult(
            each.row.line, ImportOutcome.REGISTERED, new.identifier, len(each.files), _notes(each.row, shared=shared)
        )

    def _met(self, each: _Existing, old: Certificate) -> ImportResult:
        """A row whose identifier is registered."""
        if old.issuer != self._mint.issuer:
            return _rejected(each, "REGISTERED_BY_ANOTHER", identifier=old.identifier)
        if old.erased:
            return _rejected(each, "REGISTERED_AND_ERASED", identifier=old.identifier)
        if old.content_key != each.claim.content_key:
            differs = "、".join(self._differing(each, old))
            return _rejected(each, "REGISTERED_OTHERWISE", identifier=old.identifier, differs=differs)
        if old.status == each.status:
            return ImportResult(each.row.line, ImportOutcome.ALREADY, old.identifier)
        if each.row.ending and each.status in FINAL and allowed(old.status, each.status):
            self._end(old, each.row.ending)
            return ImportResult(each.row.line, ImportOutcome.ENDED, old.identifier)
        return _rejected(each, "STATE_DIFFERS", identifier=old.identifier, status=old.status.name)

    def _end(self, certificate: Certificate, ending: Ending) -> None:
        """Recorded and queued for the chain, in this very act."""
        kind = KINDS[ending.change]
        body = lifecycle.change_body(
            digest=certificate.digest, identifier=certificate.identifier, reason=ending.reason, effective_from=0
        )
        self.drafts.append(Draft(kind.statement, certificate.issuer, body))
        self.changes.append(StatusChange(certificate.issuer, certificate.digest, kind.status, ending.reason, 0))
        self._known[certificate.identifier] = replace(certificate, status=kind.status)

    def _certificate(self, each: _Existing, minted: Minted, *, shared: bool) -> Certificate:
        return Certificate(
            digest=minted.digest,
            identifier=minted.identifier,
            issuer=self._mint.issuer,
            type_code=self._mint.certificate_type.code,
            version=minted.version,
            row_key=self._mint.other_row_key(each.row.identifier) if shared else each.claim.row_key,
            content_key=each.claim.content_key,
            log_no=self._turn.log_no,
            log_index=self._turn.first_index + len(self.drafts),
            replaces=None,
            status=Status.ACTIVE,
            status_place=minted.status_place,
            subject_ref=minted.subject_ref,
            sealed=minted.sealed,
        )

    def _differing(self, each: _Existing, old: Certificate) -> list[str]:
        return differing(old, self._keys, self._mint.certificate_type, each.row.row.attributes, each.files)


def _notes(row: ExistingRow, *, shared: bool) -> tuple[str, ...]:
    named = row.row.holder_code in row.identifier.serial
    more = ((NUMBER_SHARED, shared), (SERIAL_NAMES_HOLDER, named))
    return (*row.identifier.notes, *(note for note, holds in more if holds))


def _rejected(each: _Existing, rule: str, **params: str) -> ImportResult:
    line = each.row.line
    return ImportResult(line, ImportOutcome.REJECTED, each.identifier, reject=Reject(line, "", rule, params))
