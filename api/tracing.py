"""What an auditor asks of the log of accesses: which lines belong to this person, agency, case…, each with a proof.

The index finds the places; every line is then read from the log itself, so that an edited index hides or adds nothing
unnoticed: a line that does not fit is counted as astray, and `audit check` names the row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.errors import ApiError
from api.wiring import CITY_KEY, INDEX_KEY, WITNESS, City
from audit import trace
from audit.access import Recorded
from audit.errors import AccessError
from audit.evidence import Evidence
from audit.reading import Keys, Records, city_keys
from audit.store import accesses
from audit.store.accesses import Place, Wanted
from audit.trace import Filter
from ledger import snapshot, tile
from ledger.errors import VerificationError
from ledger.facts import PublishedHead, Question
from ledger.logid import ACCESS
from ledger.store import logs, outbox
from ledger.store.database import Connection
from ledger.store.logs import LogRow
from ledger.types import LogName


@dataclass(frozen=True, slots=True)
class Proof:
    """The way from a line to the first head that covers it."""

    nodes: tuple[bytes, ...]
    head: PublishedHead


@dataclass(frozen=True, slots=True)
class Traced:
    lines: tuple[Recorded, ...]
    proofs: tuple[Proof | None, ...]
    """Of each line; None: not anchored yet."""
    hidden: int
    """Lines that may belong here and cannot be read far enough to say so."""
    astray: int
    """Lines that the index names and the log denies."""
    total: int
    """How many the index knows, on all pages."""


def find(city: City, wanted: Wanted, *, limit: int, offset: int = 0) -> Traced:
    """The oldest first."""
    index_key = city.keystore.mac_key(INDEX_KEY)
    with city.database.reading() as connection:
        places = accesses.find(connection, wanted, index_key, limit=limit, offset=offset)
        total = accesses.count(connection, wanted, index_key)
        logs_by_no = {row.no: row for row in logs.every(connection)}
        keys = city_keys(connection, city.keystore.wrapper(CITY_KEY), city.day_keys)
        read, unread = _read(connection, logs_by_no, keys, places)
        proofs: dict[tuple[bytes, int], Proof | None] = {}
        for record, no in read:
            proofs[record.log, record.index] = prove(connection, logs_by_no[no], record.index)
    traced = trace.trace((record for record, _ in read), *_filters(wanted))
    astray = len(read) - len(traced.lines) - traced.hidden
    found = tuple(proofs[line.log, line.index] for line in traced.lines)
    return Traced(traced.lines, found, traced.hidden + unread, astray, total)


def prove(connection: Connection, row: LogRow, index: int) -> Proof | None:
    anchor = outbox.first_anchor_covering(connection, row.no, index)
    if anchor is None:
        return None
    nodes = tile.prove_inclusion(logs.tile_reader(connection, row.no), index, anchor.size)
    head = PublishedHead(row.id, anchor.size, anchor.root, anchor.prev_size, anchor.block, anchor.time)
    return Proof(tuple(nodes), head)


def evidence(city: City, index: int, *, epoch: int, shown: Sequence[str]) -> Evidence:
    """Of the access at `index`; `shown`: private members to open. Raises `ApiError`, `VerificationError`, …"""
    with city.database.reading() as connection:
        row = logs.find(connection, LogName(city.settings.city, ACCESS, epoch).id)
        if row is None or not 0 <= index < row.head.size:
            raise ApiError("RECORD_UNKNOWN", "no such record in the log of accesses", index=index)
        keys = city_keys(connection, city.keystore.wrapper(CITY_KEY), city.day_keys)
        line = Records(connection, row, keys).line(index)
        unknown = sorted(set(shown) - line.openings.keys())
        if unknown:
            raise ApiError("MEMBER_NOT_OPEN", "a member that is not there or not open", member=unknown[0])
        proof = prove(connection, row, index)
    if proof is None:
        raise ApiError("NOTHING_ANCHORED", "no head of this log is final yet")
    facts = city.chain.facts(Question(heads=(proof.head,)))
    return Evidence(
        statement=line.statement,
        salt=line.salt,
        openings={name: line.openings[name] for name in shown},
        city=row.name.city,
        epoch=row.name.epoch,
        index=index,
        proof=proof.nodes,
        head=proof.head,
        snapshot=snapshot.sign(facts, city.keystore.signer(WITNESS)),
    )


def _read(
    connection: Connection, rows: dict[int, LogRow], keys: Keys, places: Sequence[Place]
) -> tuple[list[tuple[Recorded, int]], int]:
    """(records with their log's number, how many could not be read)."""
    records = {no: Records(connection, row, keys) for no, row in rows.items()}
    found: list[tuple[Recorded, int]] = []
    for place in places:
        try:
            found.append((records[place.log_no].one(place.log_index), place.log_no))
        except (VerificationError, AccessError, KeyError):
            continue
    return found, len(places) - len(found)


def _filters(wanted: Wanted) -> list[Filter]:
    """The same question, asked of the records themselves."""
    refs = None if wanted.subject_refs is None else [ref.hex() for ref in wanted.subject_refs]
    asked: list[tuple[object, Callable[[], Filter]]] = [
        (refs, lambda: trace.of_subject(refs or ())),
        (wanted.item, lambda: trace.of_item(wanted.item or b"")),
        (wanted.asker, lambda: trace.of_agency(wanted.asker or "")),
        (wanted.operator, lambda: trace.of_operator(wanted.operator or "")),
        (wanted.case, lambda: trace.of_case(wanted.case or "")),
        (wanted.matter, lambda: trace.of_matter(wanted.matter or "")),
        (wanted.authorization, lambda: trace.of_authorization(wanted.authorization or b"")),
    ]
    return [make() for value, make in asked if value is not None]
