"""Making one certificate from one row: identifier, claims, signature, envelope. No database, no log.

Everything here can be done before anything is locked, by several threads at once; a certificate that is minted and
then not recorded has never existed.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import orjson

from audit.subject import Holder, subject_ref
from certs import certificate, identifier, sdjwt, statuslist
from certs.certificate import StatusSlot
from certs.certificate_type import CertificateType
from certs.identifier import SERIAL_BYTES, Identifier
from certs.rows import Row
from certs.source_file import SourceFile
from certs.store import context
from ledger.jws import Signer
from ledger.sealing.envelope import KEY_BYTES, NONCE_BYTES, Wrapper
from ledger.sealing.seal import seal


@dataclass(frozen=True, slots=True)
class Claim:
    """A row and the keyed hashes by which it is recognised."""

    row: Row
    row_key: bytes
    """Of issuing agency, type and certificate number: under what a row is the same."""
    content_key: bytes
    """Of the attributes: two rows that say the same have the same one."""


@dataclass(frozen=True, slots=True)
class Minted:
    """Signed and sealed, not recorded."""

    identifier: str
    version: int
    digest: bytes
    status_place: int
    subject_ref: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Mint:
    """What every certificate of one issuing run has in common."""

    certificate_type: CertificateType
    issuer: str
    """USCC of the agency."""
    signer: Signer
    index_key: bytes
    """Secret for keyed hashes and status places, 32 bytes."""
    subject_key: bytes
    """Secret of the city's references of persons (`audit.subject`), 32 bytes."""
    status_uri: str
    """Base address of the city's status lists, e.g. https://…/v1/status-lists/."""

    def claim(self, row: Row) -> Claim:
        """What is asked for, in a form that can be compared with what is recorded."""
        number = [self.issuer, self.certificate_type.code, row.certificate_number]
        return Claim(row, self._keyed(b"row", number), self._keyed(b"content", row.attributes))

    def claim_existing(self, row: Row, identifier: Identifier, source_files: Sequence[SourceFile]) -> Claim:
        """The same of a certificate that exists, whose content includes its files.

        Its number finds it, so that it is never issued once more under a new identifier.
        """
        number = [self.issuer, self.certificate_type.code, row.certificate_number]
        content = [str(identifier), row.attributes, [each.to_json() for each in source_files]]
        return Claim(row, self._keyed(b"row", number), self._keyed(b"import", content))

    def other_row_key(self, identifier: Identifier) -> bytes:
        """For a certificate whose number and version another identifier has already: some systems give a number
        to several certificates, and what tells them apart is the identifier alone."""
        return self._keyed(b"identifier", [self.issuer, str(identifier)])

    def mint(self, row: Row, key: Wrapper, *, now: datetime, place: int, replaces: str | None = None) -> Minted:
        """A certificate for `row`; with `replaces` the next version of that identifier. `key`: the content's own."""
        return self._sign(row, key, *self._identifier(replaces), now=now, place=place)

    def twin(
        self,
        row: Row,
        key: Wrapper,
        identifier: Identifier,
        source_files: Sequence[SourceFile],
        *,
        now: datetime,
        place: int,
    ) -> Minted:
        """A twin of a certificate that exists: under its identifier, marked as imported, with its files."""
        return self._sign(
            row, key, str(identifier), identifier.version, now=now, place=place, source_files=source_files
        )

    def _sign(
        self,
        row: Row,
        key: Wrapper,
        minted_as: str,
        version: int,
        *,
        now: datetime,
        place: int,
        source_files: Sequence[SourceFile] | None = None,
    ) -> Minted:
        list_no, index = statuslist.place(place, self.index_key)
        visible = certificate.visible_claims(
            self.certificate_type,
            {**row.attributes, "certificate_identifier": minted_as},
            issued_at=int(now.timestamp()),
            slot=StatusSlot(f"{self.status_uri}{list_no}", index),
            source_files=source_files,
        )
        hidden = certificate.hidden_claims(row.attributes)
        salts = os.urandom(sdjwt.SALT_BYTES * len(hidden))
        text = sdjwt.issue(visible, hidden, salts=salts, signer=self.signer)
        digest = sdjwt.certificate_digest(sdjwt.signing_input(text))
        return Minted(
            identifier=minted_as,
            version=version,
            digest=digest,
            status_place=place,
            subject_ref=bytes.fromhex(subject_ref(Holder(row.holder_type, row.holder_code), self.subject_key)),
            sealed=_seal(text, digest, key),
        )

    def _identifier(self, replaces: str | None) -> tuple[str, int]:
        if replaces is None:
            serial, version = identifier.random_serial(os.urandom(SERIAL_BYTES)), 1
        else:
            old = identifier.parse(replaces)
            serial, version = old.serial, old.version + 1
        built = identifier.build(
            type_code=self.certificate_type.code, issuer=self.issuer, serial=serial, version=version
        )
        return built, version

    def _keyed(self, label: bytes, value: object) -> bytes:
        # Ours alone, compared with nothing but itself: sorted JSON is canonical enough and ten times as fast.
        return hmac.digest(self.index_key, label + b"\x00" + orjson.dumps(value, option=orjson.OPT_SORT_KEYS), sha256)


def _seal(text: str, digest: bytes, key: Wrapper) -> bytes:
    """For its own key alone: once that is destroyed nobody opens it, the city's own key included."""
    return seal(
        text.encode("ascii"),
        context=context(digest),
        data_key=os.urandom(KEY_BYTES),
        nonce=os.urandom(NONCE_BYTES),
        recipients=(key,),
    )
