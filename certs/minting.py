"""Making one certificate from one row: identifier, claims, signature, envelope. No database, no log.

Everything here can be done before anything is locked, by several threads at once; a certificate that is minted and
then not recorded has never existed.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import cast

from certs import certificate, identifier, sdjwt, statuslist
from certs.certificate import StatusSlot
from certs.certificate_type import CertificateType
from certs.identifier import SERIAL_BYTES
from certs.rows import Row
from certs.store import context
from ledger import canonical
from ledger.canonical import Json
from ledger.jws import Signer, parse_compact
from ledger.sealing.envelope import KEY_BYTES, NONCE_BYTES, Wrapper
from ledger.sealing.seal import seal


@dataclass(frozen=True, slots=True)
class Minted:
    """Signed and sealed, not recorded."""

    row: Row
    identifier: str
    version: int
    digest: bytes
    row_key: bytes
    content_key: bytes
    status_place: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Mint:
    """What every certificate of one issuing run has in common."""

    certificate_type: CertificateType
    issuer: str
    """USCC of the agency."""
    signer: Signer
    key: Wrapper
    """The city's key, recipient of every envelope."""
    index_key: bytes
    """Secret for keyed hashes and status places, 32 bytes."""
    status_uri: str
    """Base address of the city's status lists, e.g. https://…/v1/status-lists/."""

    def row_key(self, row: Row) -> bytes:
        """Under what a row is the same: issuing agency, type, certificate number."""
        return self._keyed(b"row", [self.issuer, self.certificate_type.code, row.certificate_number])

    def content_key(self, row: Row) -> bytes:
        """Two rows of the same attributes have the same one."""
        return self._keyed(b"content", cast(Json, row.attributes))

    def mint(self, row: Row, *, now: datetime, place: int, replaces: str | None = None) -> Minted:
        """A certificate for `row`; with `replaces` the next version of that identifier."""
        minted_as = self._identifier(replaces)
        list_no, index = statuslist.place(place, self.index_key)
        visible = certificate.visible_claims(
            self.certificate_type,
            {**row.attributes, "certificate_identifier": minted_as},
            issued_at=int(now.timestamp()),
            slot=StatusSlot(f"{self.status_uri}{list_no}", index),
        )
        hidden = certificate.hidden_claims(row.attributes)
        salts = os.urandom(sdjwt.SALT_BYTES * len(hidden))
        text = sdjwt.issue(visible, hidden, salts=salts, signer=self.signer)
        digest = sdjwt.certificate_digest(parse_compact(text.partition("~")[0], typ=sdjwt.TYP))
        return Minted(
            row=row,
            identifier=minted_as,
            version=identifier.parse(minted_as).version,
            digest=digest,
            row_key=self.row_key(row),
            content_key=self.content_key(row),
            status_place=place,
            sealed=self._seal(text, digest),
        )

    def _identifier(self, replaces: str | None) -> str:
        if replaces is None:
            serial, version = identifier.random_serial(os.urandom(SERIAL_BYTES)), 1
        else:
            old = identifier.parse(replaces)
            serial, version = old.serial, old.version + 1
        return identifier.build(
            type_code=self.certificate_type.code, issuer=self.issuer, serial=serial, version=version
        )

    def _seal(self, text: str, digest: bytes) -> bytes:
        return seal(
            text.encode("ascii"),
            context=context(digest),
            data_key=os.urandom(KEY_BYTES),
            nonce=os.urandom(NONCE_BYTES),
            recipients=(self.key,),
        )

    def _keyed(self, label: bytes, value: Json) -> bytes:
        return hmac.digest(self.index_key, label + b"\x00" + canonical.dumps(value), sha256)
