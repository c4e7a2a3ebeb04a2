"""Erasing: recorded and anchored first, then done, so that nothing can vanish without a statement that says so.

What is erased is the content of certificates; their entries, their proofs, their statuses and everybody else's stay.
Order: the statement → its anchor → the key → the row → the write-ahead logs. A crash leaves a prefix of it, and
`finish` goes on from there: whoever starts the city, or orders the same again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from certs import erasure_store, store
from certs.erasure import Erased, Order
from certs.erasure_store import Erasure
from certs.errors import LifecycleError
from certs.store import Certificate
from ledger.keys.content_keys import ContentKeys
from ledger.sequencer import Decided, Turn
from ledger.statement import Draft
from ledger.store import logs, outbox
from ledger.store.database import Connection, Database


@dataclass(frozen=True, slots=True)
class RecordErasure:
    """An act for the sequencer, in the stream certificate. Those that are registered already add nothing."""

    identifiers: Sequence[str]
    order: Order

    def decide(self, turn: Turn) -> Decided[list[Certificate]]:
        found = store.by_identifiers(turn.connection, self.identifiers)
        for identifier in self.identifiers:
            if identifier not in found:
                raise LifecycleError("CERTIFICATE_UNKNOWN", "no such certificate here", identifier=identifier)
        registered = erasure_store.of(turn.connection, [each.digest for each in found.values()])
        new = [each for each in found.values() if each.digest not in registered]
        ids = {row.no: row.id for row in logs.every(turn.connection)}
        drafts: list[Draft] = []
        rows: list[Erasure] = []
        for each in new:
            kid, place = each.content_kid, turn.first_index + len(drafts)
            said = Erased(each.digest, each.identifier, ids[each.log_no], each.log_index, kid, self.order)
            drafts.append(said.draft(each.issuer))
            rows.append(Erasure(each.digest, kid, turn.log_no, place, done=False))
        erasure_store.put(turn.connection, rows)
        # Crash erase/decided: rolled back with the whole append; nothing is erased.
        return Decided(drafts, new)


class Erasing:
    """Carries out what the register says. Safe to call again, and from several processes."""

    def __init__(self, database: Database, keys: ContentKeys) -> None:
        self._database = database
        self._keys = keys

    def finish(self) -> int:
        """Carry out every erasure that is anchored and not done; how many. What is not anchored yet stays readable.

        Raises `StoreUnavailable` WAL_IN_USE while another process reads: all is erased then but what a write-ahead log
        still holds, and a repeat cuts that off.
        """
        with self._database.reading() as connection:
            due = [each for each in erasure_store.every(connection, due=True) if anchored(connection, each)]
        if due:
            self._carry_out({each.digest: each.kid for each in due})
        return len(due)

    def apply(self) -> int:
        """Before anything else at a start: an older database or key store that was restored must bring nothing back.

        How many contents had come back.
        """
        with self._database.reading() as connection:
            register = [each for each in erasure_store.every(connection) if anchored(connection, each)]
            returned = self._destroyed_here(connection, {each.kid for each in register})
        present = self._keys.present([each.kid for each in register])
        again = {each.digest: each.kid for each in register if each.kid in present or not each.done}
        if again or returned:
            self._carry_out(again | returned)
        return len(again) + len(returned)

    def _destroyed_here(self, connection: Connection, registered: set[bytes]) -> dict[bytes, bytes]:
        """Certificates that stand sealed for a key which was destroyed and which this database knows nothing of.

        Reads every row, and only after a restore there is a reason to.
        """
        unknown = self._keys.destroyed() - registered
        digests = store.sealed_for(connection, unknown) if unknown else []
        rows = (store.by_digest(connection, digest) for digest in digests)
        return {row.digest: row.content_kid for row in rows if row is not None}

    def _carry_out(self, kids: dict[bytes, bytes]) -> None:
        """`kids`: key ids by digest of the certificate."""
        self._keys.destroy(list(kids.values()))
        # Crash erase/destroyed: nobody opens the content any more; its row still has what a guess could be tested on.
        with self._database.writing() as connection:
            store.clear(connection, kids)
        # Crash erase/cleared: the rows are overwritten, and the write-ahead log has their older form.
        self._database.cut_log()
        # Crash erase/cut: all is gone; done once more at the next start, because nothing says that it is.
        with self._database.writing() as connection:
            erasure_store.set_done(connection, kids)


def anchored(connection: Connection, erasure: Erasure) -> bool:
    """Does the statement stand under a head that the chain has?"""
    return outbox.first_anchor_covering(connection, erasure.log_no, erasure.log_index) is not None
