"""Issuing: rows become certificates, each recorded exactly once, however often the file is run.

A row's key is (issuing agency, type, certificate number). Same key and same attributes: already issued. Same key
and other attributes: refused, renewal is an act of its own. The decision is taken under the log's lock, so two runs
of one file, or a run after a crash, issue nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from certs import store
from certs.certificate import ISSUE, SUPERSEDE, issue_body
from certs.minting import Claim, Mint, Minted
from certs.rows import Reject, Row
from certs.store import Certificate
from ledger.canonical import Json
from ledger.keys.content_keys import ContentKeys
from ledger.ports import StatusChange
from ledger.publisher import encode_change
from ledger.sequencer import Appended, Decided, Sequencer, Turn
from ledger.statement import Draft
from ledger.status import FINAL, Reason, Status
from ledger.store import outbox
from ledger.store.database import Connection, Database
from ledger.types import LogName

BATCH = 500
"""Rows in one commit: long enough to share its fsync, short enough to keep memory flat and the lock brief."""


class Outcome(StrEnum):
    ISSUED = "issued"
    RENEWED = "renewed"
    ALREADY = "already"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row."""

    line: int
    outcome: Outcome
    identifier: str = ""
    reject: Reject | None = None
    index: int = -1
    """Of its entry, if this run recorded it."""


Recorded = Callable[[Appended[list[Result]]], None]
"""Told of each act once it is durable, before its results are yielded."""


class Issuing:
    """One run of one type by one agency. Everything it yields is durable before it is yielded."""

    def __init__(
        self,
        database: Database,
        sequencer: Sequencer,
        log: LogName,
        mint: Mint,
        keys: ContentKeys,
        clock: Callable[[], datetime],
        *,
        renew: bool = False,
        recorded: Recorded | None = None,
    ) -> None:
        """`renew`: rows whose attributes changed become the next version instead of being refused."""
        self._database = database
        self._sequencer = sequencer
        self._log = log
        self._mint = mint
        self._keys = keys
        self._clock = clock
        self._renew = renew
        self._recorded = recorded

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Results in the order of the rows, batch by batch."""
        batch: list[Row] = []
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH:
                yield from self._issue(batch)
                batch = []
        if batch:
            yield from self._issue(batch)

    def _issue(self, rows: Sequence[Row]) -> Iterator[Result]:
        claims = [self._mint.claim(row) for row in rows]
        with self._database.writing() as connection:
            known = store.newest_by_row_key(connection, [claim.row_key for claim in claims])
            first_place = store.reserve_places(connection, len(rows))
        # Crash issue/places: these status places are wasted, no more.
        minted = self._sign(claims, known, first_place)
        # Crash issue/minted: what is minted and not recorded has never existed.
        act = _Record(self._mint, claims, minted, self._renew)
        appended = self._sequencer.append(self._log, act)
        # Crash issue/recorded: durable, and nobody was told; the same rows again are *already issued*.
        if self._recorded is not None:
            self._recorded(appended)
        yield from appended.value

    def _sign(self, claims: Sequence[Claim], known: dict[bytes, Certificate], first_place: int) -> dict[int, Minted]:
        """Certificates by position, for the rows that look new. What looks known is judged again under the lock."""
        new = self._new(claims, known)
        keys = self._keys.fresh(len(new))
        # Crash issue/keys: these keys open nothing, ever.
        now = self._clock()
        return {
            i: self._mint.mint(claims[i].row, key, now=now, place=first_place + i, replaces=replaces)
            for (i, replaces), key in zip(new.items(), keys, strict=True)
        }

    def _new(self, claims: Sequence[Claim], known: dict[bytes, Certificate]) -> dict[int, str | None]:
        """Positions of the rows that look new, with the identifier of the version each replaces."""
        new: dict[int, str | None] = {}
        met: set[bytes] = set()
        for i, claim in enumerate(claims):
            old = known.get(claim.row_key)
            changed = old is not None and claim.content_key != old.content_key
            if claim.row_key in met or (old is not None and not (changed and self._renew)):
                continue
            met.add(claim.row_key)
            new[i] = old.identifier if old else None
        return new


@dataclass(frozen=True, slots=True)
class _Record:
    """The act: judge each row against what is recorded, then record what is new."""

    mint: Mint
    claims: Sequence[Claim]
    minted: dict[int, Minted]
    renew: bool

    def decide(self, turn: Turn) -> Decided[list[Result]]:
        known = store.newest_by_row_key(turn.connection, [claim.row_key for claim in self.claims])
        results: list[Result] = []
        drafts: list[Draft] = []
        fresh: list[Certificate] = []
        for i, claim in enumerate(self.claims):
            old, minted = known.get(claim.row_key), self.minted.get(i)
            refused = self._judge(claim, old, minted)
            if refused or minted is None:
                results.append(refused or _reject(claim.row, "ROW_RACED"))
                continue
            new = _certificate(self.mint, claim, minted, old, turn.log_no, turn.first_index + len(drafts))
            drafts.append(_issued(new))
            if old is not None:
                drafts.append(_superseded(turn.connection, old, new))
            fresh.append(new)
            known[claim.row_key] = new
            outcome = Outcome.RENEWED if old else Outcome.ISSUED
            results.append(Result(claim.row.line, outcome, new.identifier, index=new.log_index))
        if fresh:
            store.put(turn.connection, fresh)
        return Decided(drafts, results)

    def _judge(self, claim: Claim, old: Certificate | None, minted: Minted | None) -> Result | None:
        """Why the row is not issued, or None."""
        if old is None:
            return None
        row = claim.row
        if old.content_key == claim.content_key:
            return Result(row.line, Outcome.ALREADY, old.identifier)
        if not self.renew:
            return _reject(row, "ALREADY_ISSUED_OTHERWISE", identifier=old.identifier)
        if old.status in FINAL:
            return _reject(row, "RENEWAL_OF_ENDED", identifier=old.identifier, status=old.status.name)
        if minted is None or minted.version != old.version + 1:
            return _reject(row, "ROW_RACED")
        return None


def _certificate(
    mint: Mint, claim: Claim, minted: Minted, old: Certificate | None, log_no: int, index: int
) -> Certificate:
    return Certificate(
        digest=minted.digest,
        identifier=minted.identifier,
        issuer=mint.issuer,
        type_code=mint.certificate_type.code,
        version=minted.version,
        row_key=claim.row_key,
        content_key=claim.content_key,
        log_no=log_no,
        log_index=index,
        replaces=old.digest if old else None,
        status=Status.ACTIVE,
        status_place=minted.status_place,
        subject_ref=minted.subject_ref,
        sealed=minted.sealed,
    )


def _issued(new: Certificate) -> Draft:
    body = issue_body(digest=new.digest, identifier=new.identifier, type_code=new.type_code, replaces=new.replaces)
    return Draft(ISSUE, new.issuer, body)


def _superseded(connection: Connection, old: Certificate, new: Certificate) -> Draft:
    """Closes the old certificate in the same act: its record, our row, and what the chain will be told."""
    store.set_status(connection, old.digest, Status.SUPERSEDED)
    change = StatusChange(
        issuer=old.issuer,
        digest=old.digest,
        status=Status.SUPERSEDED,
        reason=Reason.RENEWED,
        effective_from=0,
        next_issuer=new.issuer,
        next_digest=new.digest,
    )
    outbox.put(connection, outbox.STATUS, old.digest, encode_change(change))
    # Crash issue/superseded: rolled back with the whole append; the old certificate holds.
    body: dict[str, Json] = {"digest": old.digest.hex(), "identifier": old.identifier, "next": new.digest.hex()}
    return Draft(SUPERSEDE, old.issuer, body)


def _reject(row: Row, rule: str, **params: str) -> Result:
    return Result(row.line, Outcome.REJECTED, reject=Reject(row.line, "", rule, params))
