"""Is every certificate still what its entry says, or erased by a statement that is anchored?

Codes of the differences:
    CERTIFICATE_MISSING      an entry says that one was issued, and no row stands for it
    CONTENT_MISSING          the row's content is gone, and no erasure is recorded
    CONTENT_KEY_MISSING      the key of the content is gone, and no erasure is recorded
    CONTENT_ALTERED          the content or its key does not open
    ERASURE_UNFOUNDED        the register says erased, and no anchored statement does
    ERASURE_UNFINISHED       an anchored statement says erased, and the row still holds something of it
    ERASED_KEY_PRESENT       an anchored statement says erased, and the key is there: an older key store was restored
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from certs import erasure, erasure_store, store
from certs.certificate import ISSUE
from certs.erasing import anchored
from certs.erasure_store import Erasure
from certs.errors import CertsError
from certs.store import Certificate
from ledger import entries
from ledger.errors import CanonicalError, VerificationError
from ledger.integrity import Difference
from ledger.keys.content_keys import ContentKeys
from ledger.keys.wrapping import WrappingKey
from ledger.sealing.envelope import Wrapper
from ledger.sealing.open import open_sealed
from ledger.statement import Statement
from ledger.store import logs
from ledger.store.database import Connection
from ledger.store.logs import LogRow


class Contents:
    """One look at a city's certificates, in one snapshot of its database."""

    def __init__(self, connection: Connection, key: Wrapper, keys: ContentKeys) -> None:
        """`key`: the city's, which opens entries."""
        self._connection = connection
        self._key = key
        self._keys = keys
        self._rows = {row.no: row for row in logs.every(connection)}
        self._register = erasure_store.every(connection)
        stated = [each for each in self._register if self._stated(each)]
        self._ordered = {each.digest: each for each in stated if anchored(connection, each)}
        self._waiting = {each.digest for each in stated} - self._ordered.keys()

    def differences(self, row: LogRow, start: int, end: int) -> Iterator[Difference]:
        """Of the certificates recorded at [start, end) of a log, and of every erasure that stands in it."""
        expected = start
        for part in store.placed(self._connection, row.no, start, end):
            keys = self._opened(part)
            for each in part:
                yield from self._of_gap(row, expected, each.log_index)
                expected = each.log_index + 1
                yield from self._of_erased(row, each) if each.erased else self._of_whole(row, each, keys)
        yield from self._of_gap(row, expected, end)
        yield from self._of_register(row)

    def _of_erased(self, row: LogRow, each: Certificate) -> Iterator[Difference]:
        order = self._ordered.get(each.digest)
        if order is None or order.kid != each.sealed:
            yield Difference("CONTENT_MISSING", row, each.log_index, "certificate", "sealed")
        left = {"row_key": each.row_key, "content_key": each.content_key, "subject_ref": each.subject_ref}
        for column, value in left.items():
            if value not in (each.digest, None):
                yield Difference("ERASURE_UNFINISHED", row, each.log_index, "certificate", column)

    def _of_whole(self, row: LogRow, each: Certificate, keys: Mapping[bytes, WrappingKey]) -> Iterator[Difference]:
        if each.digest in self._ordered:
            yield Difference("ERASURE_UNFINISHED", row, each.log_index, "certificate", "sealed")
            return
        kid = _kid(each)
        if kid is None:
            yield Difference("CONTENT_ALTERED", row, each.log_index, "certificate", "sealed")
        elif kid in keys:
            if not _opens(each, keys[kid]):
                yield Difference("CONTENT_ALTERED", row, each.log_index, "certificate", "sealed")
        elif self._keys.present([kid]):
            yield Difference("CONTENT_ALTERED", row, each.log_index, "content_key", "wrapped")
        else:
            yield Difference("CONTENT_KEY_MISSING", row, each.log_index, "content_key", "wrapped")

    def _of_gap(self, row: LogRow, start: int, end: int) -> Iterator[Difference]:
        """Entries for which no certificate stands: they must be about something else than issuing one."""
        for index in range(start, end):
            statement = self._statement(row, index)
            if statement is None or statement.type != ISSUE:
                continue  # an entry that does not open is found by `ledger.integrity`
            there = store.by_digest(self._connection, bytes.fromhex(str(statement.body["digest"])))
            if there is None:
                yield Difference("CERTIFICATE_MISSING", row, index, "certificate", "digest")
            elif self._rows[there.log_no].name.epoch <= row.name.epoch:  # in a later one it was recorded again
                yield Difference("CERTIFICATE_MISSING", row, index, "certificate", "log_index")

    def _of_register(self, row: LogRow) -> Iterator[Difference]:
        here = [each for each in self._register if each.log_no == row.no]
        present = self._keys.present([each.kid for each in here])
        for each in here:
            if each.digest not in self._ordered and (each.done or each.digest not in self._waiting):
                yield Difference("ERASURE_UNFOUNDED", row, each.log_index, "erasure", "log_index")
            elif each.kid in present and each.done:
                yield Difference("ERASED_KEY_PRESENT", row, each.log_index, "content_key", "wrapped")

    def _stated(self, each: Erasure) -> bool:
        """Does the entry that the register names order this very erasure?"""
        row = self._rows.get(each.log_no)
        statement = self._statement(row, each.log_index) if row else None
        try:
            said = erasure.read(statement) if statement else None
        except (VerificationError, CertsError):
            return False
        return said is not None and (said.digest, said.kid) == (each.digest, each.kid)

    def _statement(self, row: LogRow, index: int) -> Statement | None:
        sealed = logs.entry(self._connection, row.no, index)
        with suppress(VerificationError, CanonicalError):
            return entries.open_entry(sealed or b"", log_id=row.id, index=index, key=self._key)[0]
        return None

    def _opened(self, part: Sequence[Certificate]) -> dict[bytes, WrappingKey]:
        """The keys of whole contents that are here and sound, by id."""
        kids = [kid for each in part if not each.erased and (kid := _kid(each)) is not None]
        with suppress(VerificationError):
            return self._keys.find(kids)
        found: dict[bytes, WrappingKey] = {}
        for kid in kids:  # one of them was altered: which?
            with suppress(VerificationError):
                found |= self._keys.find([kid])
        return found


def _kid(certificate: Certificate) -> bytes | None:
    try:
        return certificate.content_kid
    except VerificationError:
        return None


def _opens(certificate: Certificate, key: WrappingKey) -> bool:
    """It opens with this key and for this digest alone, so it is what was sealed when it was issued."""
    try:
        open_sealed(certificate.sealed, context=store.context(certificate.digest), key=key)
    except VerificationError:
        return False
    return True
