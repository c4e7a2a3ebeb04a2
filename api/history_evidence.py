"""Proofs of a holder's lines, and his history as a program reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.access import Recorded
from audit.history import Line
from audit.signed import optional_hex
from ledger import tile
from ledger.canonical import Json
from ledger.store import logs, outbox
from ledger.store.database import Connection
from ledger.store.logs import LogRow
from ledger.types import Anchor

if TYPE_CHECKING:
    from api.holder import Standing, View


@dataclass(frozen=True, slots=True)
class Proof:
    """That a line stands in the log: RFC 9162 inclusion, to the first anchored head, else to the newest."""

    size: int
    root: bytes
    path: tuple[bytes, ...]
    anchor: Anchor | None
    """None: not anchored yet."""


def prove(connection: Connection, record: Recorded) -> Proof:
    row = logs.find(connection, record.log)
    assert row is not None  # noqa: S101  # a record was just read from it
    anchor = outbox.first_anchor_covering(connection, row.no, record.index)
    size = anchor.size if anchor else row.head.size
    return _inclusion(connection, row, record.index, size, anchor)


def _inclusion(connection: Connection, row: LogRow, index: int, size: int, anchor: Anchor | None) -> Proof:
    read = logs.tile_reader(connection, row.no)
    return Proof(size, tile.root(read, size), tuple(tile.prove_inclusion(read, index, size)), anchor)


def proof_json(index: int, proof: Proof) -> dict[str, Json]:
    anchor: Json = None
    if proof.anchor is not None:
        a = proof.anchor
        anchor = {"prev_size": a.prev_size, "block": a.block, "time": a.time}
    path: list[Json] = [each.hex() for each in proof.path]
    return {"index": index, "size": proof.size, "root": proof.root.hex(), "path": path, "anchor": anchor}


def to_json(view: View) -> dict[str, object]:
    """For programs; the proofs stand beside their lines."""
    lines = zip(view.history.lines, view.evidence, strict=True)
    return {
        "at": view.at,
        "recorded": {"log": view.opened_by.log.id.hex(), "index": view.opened_by.index},
        "lines": [_line_json(line, evidence) for line, evidence in lines],
        "withheld": [{"until": until, "lines": count} for until, count in view.history.withheld],
        "closed": view.history.closed,
        "authorizations": [_standing_json(standing) for standing in view.standing],
    }


def _line_json(line: Line, evidence: dict[str, Json]) -> dict[str, object]:
    record, access = line.record, line.record.access
    return {
        "at": record.at,
        "request": access.request.hex(),
        "agency": access.asker,
        "resource": access.resource,
        "fields": list(line.fields),
        "ground": access.ground.value,
        "matter": access.matter,
        "case": access.case,
        "authorization": optional_hex(access.authorization),
        "outcome": line.outcome.value,
        "code": None if access.code is None else access.code.name,
        "log": record.log.hex(),
        "index": record.index,
        "leaf": record.leaf.hex(),
        "proof": {name: evidence[name] for name in ("size", "root", "path", "anchor")},
    }


def _standing_json(standing: Standing) -> dict[str, object]:
    row = standing.row
    return {
        "id": row.id.hex(),
        "kind": row.kind,
        "agency": row.grantee,
        "status": standing.status.name,
        "not_before": row.not_before,
        "not_after": row.not_after,
        "uses": row.uses,
    }
