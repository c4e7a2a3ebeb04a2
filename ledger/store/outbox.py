"""The durable outbox: what must reach the chain, and the signed transactions on their way there.

A row is written in the same transaction as the act it follows from, so nothing done is ever left unannounced.
A transaction is stored, signed and numbered, before it is sent: after a crash the very same bytes go out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger.errors import StoreConflict
from ledger.store import schema
from ledger.store.database import Connection
from ledger.types import Anchor

HEAD = "head"
STATUS = "status"

WAITING = "waiting"
SENT = "sent"
DONE = "done"
REFUSED = "refused"

SIGNED = "signed"
FINAL = "final"
REVERTED = "reverted"

# Built once: every commit ends here.
_PUT_HEAD = {
    name: dialect.insert(schema.outbox).on_conflict_do_nothing()
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to announce."""

    id: int
    kind: str
    key: bytes
    body: bytes
    transaction_id: int | None


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    id: int
    sender: str
    nonce: int
    hash: bytes
    raw: bytes
    label: str
    state: str
    block: int | None


def put_head(connection: Connection, log_id: bytes) -> None:
    """Say that the log has a newer head. One waiting row per log is enough."""
    values = {"kind": HEAD, "key": log_id, "body": b"", "state": WAITING}
    connection.execute(_PUT_HEAD[connection.dialect.name], values)


def close_heads(connection: Connection, log_id: bytes) -> None:
    """No head of this log is to be published any more."""
    where = (schema.outbox.c.kind == HEAD, schema.outbox.c.key == log_id, schema.outbox.c.state == WAITING)
    connection.execute(update(schema.outbox).where(*where).values(state=DONE))


def put(connection: Connection, kind: str, key: bytes, body: bytes) -> None:
    connection.execute(insert(schema.outbox).values(kind=kind, key=key, body=body, state=WAITING))


def waiting(connection: Connection, kind: str, limit: int) -> list[Item]:
    """The oldest waiting items: order is kept, a later status never overtakes an earlier one."""
    query = select(schema.outbox).where(schema.outbox.c.kind == kind, schema.outbox.c.state == WAITING)
    return [_item(row) for row in connection.execute(query.order_by(schema.outbox.c.id).limit(limit))]


def unsettled(connection: Connection, kind: str) -> list[Item]:
    """What waits or is under way."""
    where = (schema.outbox.c.kind == kind, schema.outbox.c.state.in_((WAITING, SENT)))
    return [_item(row) for row in connection.execute(select(schema.outbox).where(*where))]


def carried_by(connection: Connection, transaction_id: int) -> list[Item]:
    query = select(schema.outbox).where(schema.outbox.c.transaction_id == transaction_id)
    return [_item(row) for row in connection.execute(query.order_by(schema.outbox.c.id))]


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many items by (kind, state)."""
    columns = (schema.outbox.c.kind, schema.outbox.c.state)
    rows = connection.execute(select(*columns, func.count()).group_by(*columns))
    return {(kind, state): number for kind, state, number in rows}


def mark(connection: Connection, item_id: int, state: str) -> None:
    connection.execute(update(schema.outbox).where(schema.outbox.c.id == item_id).values(state=state))


def take(connection: Connection, item_id: int, body: bytes, transaction_id: int) -> None:
    """A waiting item goes with a transaction. Raises if another process took it meanwhile."""
    where = (schema.outbox.c.id == item_id, schema.outbox.c.state == WAITING)
    values = {"state": SENT, "body": body, "transaction_id": transaction_id}
    if connection.execute(update(schema.outbox).where(*where).values(**values)).rowcount != 1:
        raise StoreConflict("OUTBOX_TAKEN", "another process is publishing this item")


def store(
    connection: Connection, *, sender: str, nonce: int, tx_hash: bytes, raw: bytes, label: str
) -> StoredTransaction:
    values = {"sender": sender, "nonce": nonce, "hash": tx_hash, "raw": raw, "label": label, "state": SIGNED}
    key = connection.execute(insert(schema.transaction).values(**values)).inserted_primary_key
    assert key is not None  # noqa: S101
    return StoredTransaction(key[0], sender, nonce, tx_hash, raw, label, SIGNED, None)


def settled(connection: Connection, transaction_id: int, state: str, block: int, gas_used: int) -> bool:
    """Mark it settled; False if another process has done so already."""
    where = (schema.transaction.c.id == transaction_id, schema.transaction.c.state == SIGNED)
    values = {"state": state, "block": block, "gas_used": gas_used}
    return connection.execute(update(schema.transaction).where(*where).values(**values)).rowcount == 1


def settled_nonces(connection: Connection, sender: str) -> list[int]:
    """Nonces of an account's transactions that are settled, final or reverted; rising."""
    where = (schema.transaction.c.sender == sender, schema.transaction.c.state != SIGNED)
    query = select(schema.transaction.c.nonce).where(*where)
    return list(connection.execute(query.order_by(schema.transaction.c.nonce)).scalars())


def reopen(connection: Connection, sender: str, nonces: Sequence[int]) -> None:
    """These settled transactions, the account's newest, are not on the chain any more: they are under way again.

    Anchors of their first block and later ones went with it. Their logs wait for a head, so that whatever is there
    once these are settled is read back.
    """
    table = schema.transaction
    where = (table.c.sender == sender, table.c.nonce >= min(nonces), table.c.nonce <= max(nonces))
    first = connection.execute(select(func.min(table.c.block)).where(*where)).scalar_one()
    connection.execute(update(table).where(*where).values(state=SIGNED, block=None, gas_used=None))
    carried = schema.outbox.c.transaction_id.in_(select(table.c.id).where(*where))
    connection.execute(update(schema.outbox).where(carried).values(state=SENT))
    gone = schema.anchor.c.block >= first
    logs = select(schema.log.c.log_id).where(schema.log.c.no.in_(select(schema.anchor.c.log_no).where(gone)))
    for log_id in connection.execute(logs).scalars().all():
        put_head(connection, log_id)
    connection.execute(delete(schema.anchor).where(gone))


def transactions(
    connection: Connection, *, state: str | None = None, sender: str | None = None, label: str | None = None
) -> list[StoredTransaction]:
    query = select(schema.transaction).order_by(schema.transaction.c.id)
    for column, value in (("state", state), ("sender", sender), ("label", label)):
        if value is not None:
            query = query.where(schema.transaction.c[column] == value)
    return [
        StoredTransaction(r.id, r.sender, r.nonce, r.hash, r.raw, r.label, r.state, r.block)
        for r in connection.execute(query)
    ]


def put_anchor(connection: Connection, no: int, anchor: Anchor) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = {"size": anchor.size, "root": anchor.root, "prev_size": anchor.prev_size}
    row = dialect.insert(schema.anchor).values(log_no=no, block=anchor.block, time=anchor.time, **values)
    connection.execute(row.on_conflict_do_nothing())


def anchors(connection: Connection, no: int) -> list[Anchor]:
    """Every published head of the log that we know of, by size."""
    query = select(schema.anchor).where(schema.anchor.c.log_no == no).order_by(schema.anchor.c.size)
    return [Anchor(row.size, row.root, row.prev_size, row.block, row.time) for row in connection.execute(query)]


def first_anchor_covering(connection: Connection, no: int, index: int) -> Anchor | None:
    """The first published head that covers leaf `index`: its block time is the leaf's time."""
    where = (schema.anchor.c.log_no == no, schema.anchor.c.size > index)
    row = connection.execute(select(schema.anchor).where(*where).order_by(schema.anchor.c.size).limit(1)).one_or_none()
    return Anchor(row.size, row.root, row.prev_size, row.block, row.time) if row else None


def newest_anchor(connection: Connection, no: int) -> Anchor | None:
    row = connection.execute(
        select(schema.anchor).where(schema.anchor.c.log_no == no).order_by(schema.anchor.c.size.desc()).limit(1)
    ).one_or_none()
    return Anchor(row.size, row.root, row.prev_size, row.block, row.time) if row else None


def _item(row: Row[Any]) -> Item:
    return Item(row.id, row.kind, row.key, row.body, row.transaction_id)
