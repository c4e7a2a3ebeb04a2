"""The publisher: carries heads and statuses from the outbox to the chain. It never holds up an append.

One pass settles what is under way, then sends what waits: all changed logs in one transaction, all statuses in
another. Every pass may be interrupted anywhere and repeated; the contracts take repeats as no-ops.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ledger import tile
from ledger.errors import AppendRefused, ChainUnavailable, StoreConflict
from ledger.facts import PublishedHead
from ledger.ports import Call, Chain, HeadItem, StatusChange
from ledger.store import logs, outbox
from ledger.store.database import Connection, Database
from ledger.store.logs import LogRow
from ledger.store.outbox import Item, StoredTransaction
from ledger.transactor import POLL_SECONDS, Settled, Transactor
from ledger.types import Anchor

MAX_HEADS = 64
MAX_CHANGES = 100
"""In one transaction: half of what the contract takes, so that its gas fits a block beside others."""
HEADS_LABEL = "publish"
STATUS_LABEL = "status"


@dataclass(frozen=True, slots=True)
class Progress:
    """What is left to do after a pass."""

    under_way: int
    """Transactions sent and not final."""
    waiting: int
    """Items not sent yet."""

    @property
    def idle(self) -> bool:
        return not self.under_way and not self.waiting


@dataclass(frozen=True, slots=True)
class _Plan:
    label: str
    items: tuple[Item, ...]
    bodies: tuple[bytes, ...]
    call: Call


def encode_change(change: StatusChange) -> bytes:
    """A status change as the outbox stores it."""
    fields = {
        "issuer": change.issuer,
        "digest": change.digest.hex(),
        "status": change.status,
        "reason": change.reason,
        "effective_from": change.effective_from,
        "next_issuer": change.next_issuer,
        "next_digest": change.next_digest.hex(),
    }
    return json.dumps(fields).encode()


def decode_change(body: bytes) -> StatusChange:
    fields = json.loads(body)
    digests = {name: bytes.fromhex(fields.pop(name)) for name in ("digest", "next_digest")}
    fields |= digests
    return StatusChange(**fields)


class Publisher:
    """One per database. Raises `ChainUnavailable` when the chain does not answer: try again later."""

    def __init__(self, database: Database, chain: Chain, transactor: Transactor) -> None:
        self._database = database
        self._chain = chain
        self._transactor = transactor

    def step(self) -> Progress:
        """One pass. Safe to call at any time, from any process."""
        # One publishing transaction at a time: the next proof starts from the head this one leaves.
        if not self._transactor.settle(self._settled):
            with suppress(StoreConflict):  # another process publishes the same; its transaction is seen below
                self._send(self._plans())
        with self._database.reading() as connection:
            signed = outbox.transactions(connection, state=outbox.SIGNED, sender=self._transactor.address)
            counts = outbox.counts(connection)
        waiting = sum(number for (_, state), number in counts.items() if state == outbox.WAITING)
        return Progress(len(signed), waiting)

    def catch_up(self, deadline: float) -> None:
        """Pass after pass until everything is final. Raises `ChainUnavailable` after `deadline` seconds."""
        end = time.monotonic() + deadline
        while not self.step().idle:
            if time.monotonic() > end:
                raise ChainUnavailable("CHAIN_SLOW", "the outbox is not empty yet", seconds=deadline)
            time.sleep(POLL_SECONDS)

    def _plans(self) -> list[_Plan]:
        """What to send now. The chain is asked outside any database transaction."""
        with self._database.reading() as connection:
            heads = outbox.waiting(connection, outbox.HEAD, MAX_HEADS)
            changes = outbox.waiting(connection, outbox.STATUS, MAX_CHANGES)
        plans = [self._head_plan(heads)] if heads else []
        if changes:
            call = self._chain.set_status([decode_change(item.body) for item in changes])
            plans.append(_Plan(STATUS_LABEL, tuple(changes), tuple(i.body for i in changes), call))
        return [plan for plan in plans if plan.items]

    def _head_plan(self, items: Sequence[Item]) -> _Plan:
        items = self._open(items)
        newest = self._chain.heads([item.key for item in items])
        with self._database.reading() as connection:
            rows = [self._row(connection, item) for item in items]
            wanted = [_head_item(connection, row, old) for row, old in zip(rows, newest, strict=True)]
        for item, row, old, head in zip(items, rows, newest, wanted, strict=True):
            if head is None and old is not None:
                self._already_there(item, row, old)
        going = [(item, head) for item, head in zip(items, wanted, strict=True) if head is not None]
        heads = [head for _, head in going]
        bodies = tuple(_encode(head.size, head.root) for head in heads)
        return _Plan(HEADS_LABEL, tuple(item for item, _ in going), bodies, self._chain.publish(heads))

    def _open(self, items: Sequence[Item]) -> list[Item]:
        """The items whose epoch is open. A head of a closed one would be refused for ever, at a price each time."""
        closings = self._chain.closings([item.key for item in items])
        for item, end in zip(items, closings, strict=True):
            if end is None:
                continue
            # One that was under way when its log was closed comes back here after the log was continued.
            with self._database.writing() as connection:
                if not self._continued(connection, item):
                    raise AppendRefused("EPOCH_CLOSED", "this log's epoch was closed on the chain", log=item.key.hex())
                outbox.close_heads(connection, item.key)
        return [item for item, end in zip(items, closings, strict=True) if end is None]

    def _continued(self, connection: Connection, item: Item) -> bool:
        name = self._row(connection, item).name
        return logs.current(connection, name.city, name.stream).epoch > name.epoch

    def _already_there(self, item: Item, row: LogRow, old: PublishedHead) -> None:
        """The chain holds this very head: another process's transaction, or a database that lost its memory.

        Every head is read back, not the newest alone: a leaf's time is that of the first head that covers it.
        """
        final = self._chain.final_height()
        if old.block > final:
            return
        heads = [head for head in self._chain.history(row.id) if head.block <= final]
        with self._database.writing() as connection:
            for head in heads:
                _keep_anchor(connection, row, head)
            outbox.mark(connection, item.id, outbox.DONE)
            # Crash publish/read-back: rolled back; the next pass reads the chain's history again.

    def _row(self, connection: Connection, item: Item) -> LogRow:
        row = logs.find(connection, item.key)
        if row is None:
            raise AppendRefused("OUTBOX_WITHOUT_LOG", "the outbox names a log that is not there", log=item.key.hex())
        return row

    def _send(self, plans: Sequence[_Plan]) -> None:
        signed = self._transactor.sign([plan.call for plan in plans])
        stored: list[StoredTransaction] = []
        # Crash publish/signed: nothing is stored and nothing sent, the items wait.
        with self._database.writing() as connection:
            for plan, transaction in zip(plans, signed, strict=True):
                kept = self._transactor.store(connection, transaction, plan.label)
                for item, body in zip(plan.items, plan.bodies, strict=True):
                    outbox.take(connection, item.id, body, kept.id)
                stored.append(kept)
            # Crash publish/taken: rolled back, as before.
        # Crash publish/stored: stored with its items and not sent; the next pass sends the same bytes.
        self._transactor.send(stored)
        # Crash publish/sent: the chain may have it; the next pass asks for the receipt of this very transaction.

    def _settled(self, connection: Connection, settled: Settled) -> None:
        """In the transaction that marks it settled: keep anchors, close items, queue again what did not take."""
        items = outbox.carried_by(connection, settled.transaction.id)
        published = {head.log: head for head in settled.receipt.published}
        refused = settled.receipt.refusals
        for item in items:
            if item.kind == outbox.HEAD:
                self._settle_head(connection, item, published.get(item.key))
            elif not settled.receipt.succeeded:
                outbox.mark(connection, item.id, outbox.WAITING)
            else:
                hit = any(item.key.hex() in words for words in refused)
                outbox.mark(connection, item.id, outbox.REFUSED if hit else outbox.DONE)

    def _settle_head(self, connection: Connection, item: Item, head: PublishedHead | None) -> None:
        outbox.mark(connection, item.id, outbox.DONE)
        if head is not None and _encode(head.size, head.root) == item.body:
            _keep_anchor(connection, self._row(connection, item), head)
        else:
            # Refused (too soon), reverted, or there already: the next plan compares with the chain and decides.
            outbox.put_head(connection, item.key)


def _head_item(connection: Connection, row: LogRow, old: PublishedHead | None) -> HeadItem | None:
    """The head to publish after `old`; None if the chain has it. Raises if the chain knows another history."""
    read = logs.tile_reader(connection, row.no)
    if old is None:
        return HeadItem(row.name.stream, row.head.size, row.head.root, ())
    if old.size > row.head.size:
        raise AppendRefused(
            "DATABASE_BEHIND_CHAIN",
            "the chain holds a newer head than this database: it was restored from an older copy",
            log=row.id.hex(),
            stream=row.name.stream,
            size=row.head.size,
            chain=old.size,
            missing=old.size - row.head.size,
        )
    if tile.root(read, old.size) != old.root:
        raise AppendRefused("LOG_DIVERGED", "the chain holds another history of this log", log=row.id.hex())
    if old.size == row.head.size:
        return None
    proof = tile.prove_consistency(read, old.size, row.head.size)
    return HeadItem(row.name.stream, row.head.size, row.head.root, tuple(proof))


def _keep_anchor(connection: Connection, row: LogRow, head: PublishedHead) -> None:
    outbox.put_anchor(connection, row.no, Anchor(head.size, head.root, head.prev_size, head.block, head.time))


def _encode(size: int, root: bytes) -> bytes:
    """What an outbox item of a head intends."""
    return size.to_bytes(8, "big") + root
