"""The transactions of one account: signed, stored, sent, settled, in this order and no other.

What is stored can be sent again after any crash, byte for byte; the nonce makes sure it counts once. Deploys and a
governor's acts go the same way as heads and statuses.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.errors import ChainUnavailable
from ledger.ports import Call, Receipt, Sender, Signed, Wire
from ledger.store import outbox
from ledger.store.database import Connection, Database
from ledger.store.outbox import StoredTransaction

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Settled:
    """A transaction with its final receipt."""

    transaction: StoredTransaction
    receipt: Receipt


class Transactor:
    """One per account and database. Two processes may try at once: (sender, nonce) is unique, one of them loses."""

    def __init__(self, database: Database, wire: Wire, sender: Sender) -> None:
        self._database = database
        self._wire = wire
        self._sender = sender

    @property
    def address(self) -> str:
        return self._sender.address

    def sign(self, calls: Sequence[Call]) -> list[Signed]:
        """Sign calls with the next nonces. Asks the chain, so never call it inside a database transaction."""
        nonce = max(self._wire.next_nonce(self.address), self._unsettled_nonce() + 1)
        return [
            self._sender.sign(
                call,
                nonce=nonce + i,
                gas=call.gas or self._wire.gas_for(self.address, call),
                gas_price=self._wire.gas_price,
                chain_id=self._wire.chain_id,
            )
            for i, call in enumerate(calls)
        ]

    def reopen(self) -> int:
        """Take back what the chain has forgotten: a chain rolled back to an earlier block counts fewer transactions
        of the account than are settled here. The same bytes are under way again. Returns how many.

        A node that is merely behind is told what it will hear anyway, and answers with the same receipts.
        """
        # Settled first: what another process settles after the node was asked is none of what is missing.
        with self._database.reading() as connection:
            settled = outbox.settled_nonces(connection, self.address)
        counted = self._wire.next_nonce(self.address) if settled else 0
        lost = [nonce for nonce in settled if nonce >= counted]
        if lost:
            with self._database.writing() as connection:
                outbox.reopen(connection, self.address, lost)
            # Crash transact/reopened: under way, as after any other crash; `settle` sends them.
        return len(lost)

    def store(self, connection: Connection, signed: Signed, label: str) -> StoredTransaction:
        """Make a signed transaction durable with the caller's transaction. Only then may it be sent."""
        return outbox.store(
            connection, sender=signed.sender, nonce=signed.nonce, tx_hash=signed.hash, raw=signed.raw, label=label
        )

    def send(self, stored: Sequence[StoredTransaction]) -> None:
        for transaction in stored:
            self._wire.send(transaction.raw)
            # Crash transact/one-sent: `settle` sends the rest from the table.

    def once(self, label: str, call: Callable[[], Call], *, finished: bool = True) -> StoredTransaction:
        """Do `call` unless a transaction of this label is under way or done; stored and sent on return.

        `finished` False: one that is done does not count, because the caller has seen that it is wanted again.
        """
        with self._database.reading() as connection:
            stored = outbox.transactions(connection, sender=self.address, label=label)
        counted = (outbox.SIGNED, outbox.FINAL) if finished else (outbox.SIGNED,)
        known = [transaction for transaction in stored if transaction.state in counted]
        if not known:
            (signed,) = self.sign([call()])
            with self._database.writing() as connection:
                known = [self.store(connection, signed, label)]
            # Crash transact/stored: the same call finds it under its label, and sends these bytes.
        self.send([transaction for transaction in known if transaction.state == outbox.SIGNED])
        return known[-1]

    def settle(self, record: Callable[[Connection, Settled], None] | None = None) -> list[StoredTransaction]:
        """Record what has become final; send again what the chain does not know. Returns what is still under way.

        `record` runs in the transaction that marks one settled, so an anchor and its mark are stored together.
        """
        with self._database.reading() as connection:
            signed = outbox.transactions(connection, state=outbox.SIGNED, sender=self.address)
        # Height first: a receipt read later can only be in a block at least as new.
        final = self._wire.final_height() if signed else 0
        under_way = []
        # Asked before the receipts: a transaction mined in between has one.
        counted = self._wire.next_nonce(self.address, final) if signed else 0
        for transaction in signed:
            receipt = self._wire.receipt(transaction.hash)
            if receipt is None and transaction.nonce < counted:
                receipt = _replaced(final)
            elif receipt is None:
                self._wire.send(transaction.raw)
            if receipt is None or receipt.block > final:
                under_way.append(transaction)
                continue
            self._record(Settled(transaction, receipt), record)
        return under_way

    def settle_all(self, deadline: float, record: Callable[[Connection, Settled], None] | None = None) -> None:
        """Poll until nothing is under way. Raises `ChainUnavailable` after `deadline` seconds; nothing is lost."""
        end = time.monotonic() + deadline
        while self.settle(record):
            if time.monotonic() > end:
                raise ChainUnavailable("CHAIN_SLOW", "transactions are stored but not final yet", seconds=deadline)
            time.sleep(POLL_SECONDS)

    def _record(self, settled: Settled, record: Callable[[Connection, Settled], None] | None) -> None:
        receipt = settled.receipt
        state = outbox.FINAL if receipt.succeeded else outbox.REVERTED
        with self._database.writing() as connection:
            ours = outbox.settled(connection, settled.transaction.id, state, receipt.block, receipt.gas_used)
            if ours and record is not None:
                record(connection, settled)
            # Crash settle/marked: rolled back; its receipt is read again.
        # Crash settle/recorded: mark, anchors and items stand together; whoever waited asks again.

    def _unsettled_nonce(self) -> int:
        with self._database.reading() as connection:
            signed = outbox.transactions(connection, state=outbox.SIGNED, sender=self.address)
        return max((transaction.nonce for transaction in signed), default=-1)


def _replaced(final: int) -> Receipt:
    """Of a transaction that can never be mined: its nonce is used, finally, by another one of the same account, sent
    from elsewhere. It had no effect, and whoever wanted one is told so, as of one that reverted."""
    return Receipt(block=final, succeeded=False, gas_used=0, created=None, published=(), refusals=())
