"""Evidence of client systems: registered, appended with a receipt, shown with everything that proves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.errors import ApiError
from api.wiring import CITY_KEY, RECEIPT_KEY, City
from audit.evidence_stream import AppendEvidence, EvidenceType, RegisterType
from audit.openings import open_openings
from audit.private import openings_json
from audit.store import accesses
from audit.store.accesses import Place
from certs.certificate_type import MAX_ANCHOR_LAG
from ledger import entries, tile
from ledger.canonical import Json
from ledger.receipt import Receipt
from ledger.sealing.envelope import kids
from ledger.statement import seconds
from ledger.store import logs, outbox
from ledger.store.database import Connection
from ledger.store.logs import LogRow
from ledger.types import LogName


@dataclass(frozen=True, slots=True)
class Receipted:
    """Durable, not yet anchored."""

    log: LogName
    first_index: int
    leaves: tuple[bytes, ...]
    at: str
    receipt: str
    """Compact JWS by the city: it promises to anchor them."""


def register(city: City, stream: str, type: str, content: EvidenceType, *, agency: str) -> bool:
    """Whether it is new. Raises `EvidenceError` EVIDENCE_STREAM, EVIDENCE_TYPE_TAKEN; `LedgerError` STREAM_NAME."""
    return city.sequencer.append(city.log_of(stream), RegisterType(type, content, agency)).value


def append(city: City, stream: str, type: str, items: Sequence[Any], *, agency: str) -> Receipted:
    """All of them in one act. Raises `EvidenceError` EVIDENCE_TYPE_UNKNOWN, EVIDENCE_ITEM, EVIDENCE_ITEMS."""
    act = AppendEvidence(type, items, agency, city.day_keys)
    done = city.sequencer.append(city.log_of(stream), act)
    by = seconds(done.at) + MAX_ANCHOR_LAG
    promise = Receipt(done.log, done.first_index, done.leaves, done.at, by)
    signed = promise.sign(city.keystore.signer(RECEIPT_KEY))
    return Receipted(done.log, done.first_index, done.leaves, done.at, signed)


def show(city: City, stream: str, index: int) -> dict[str, Any]:
    """The statement, what opens it, and the proof to the newest anchored head that covers it (null before).

    Raises `ApiError` EVIDENCE_MISSING (stream, index).
    """
    log = city.log_of(stream)
    with city.database.reading() as connection:
        row = logs.find(connection, log.id)
        sealed = logs.entry(connection, row.no, index) if row else None
        if row is None or sealed is None:
            raise ApiError("EVIDENCE_MISSING", "no such entry", stream=stream, index=index)
        key = city.keystore.wrapper(CITY_KEY)
        statement, salt = entries.open_entry(sealed, log_id=row.id, index=index, key=key)
        return {
            "log": row.id.hex(),
            "index": index,
            "statement": statement.to_json(),
            "salt": salt.hex(),
            "openings": _openings(city, connection, row, index),
            **_proof(connection, row, index),
        }


def _openings(city: City, connection: Connection, row: LogRow, index: int) -> dict[str, Json]:
    sealed = accesses.opening(connection, Place(row.no, index))
    if sealed is None:
        return {}
    (kid,) = kids(sealed)
    key = city.day_keys.find(connection, kid)
    return openings_json(open_openings(sealed, log_id=row.id, index=index, key=key))


def _proof(connection: Connection, row: LogRow, index: int) -> dict[str, Json]:
    anchor = outbox.newest_anchor(connection, row.no)
    if anchor is None or anchor.size <= index:
        return {"head": None, "proof": None}
    proof: list[Json] = [
        node.hex() for node in tile.prove_inclusion(logs.tile_reader(connection, row.no), index, anchor.size)
    ]
    head: dict[str, Json] = {
        "size": anchor.size,
        "root": anchor.root.hex(),
        "prev_size": anchor.prev_size,
        "block": anchor.block,
        "time": anchor.time,
    }
    return {"head": head, "proof": proof}
