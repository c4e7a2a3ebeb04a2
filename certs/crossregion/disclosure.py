"""The only way in which attributes leave their envelope: for a reading that stands in the log, exactly its fields.

A `RecordedAccess` exists after commit and guard and is made nowhere but in `audit.recording`; nothing here takes a list
of fields. So nobody, by a mistake in a caller, reads without a record or more than the record says.
"""

from __future__ import annotations

from audit.access import Access
from audit.recording import RecordedAccess
from certs import sdjwt, store
from certs.errors import DisclosureError
from certs.store import Certificate
from ledger.keys.content_keys import ContentKeys
from ledger.sealing.open import open_sealed


def disclose(certificate: Certificate, recorded: RecordedAccess, keys: ContentKeys) -> str:
    """The SD-JWT of the certificate, showing the recorded fields that it has, and what is visible in every one.

    Raises `DisclosureError`: CERTIFICATE_ERASED; DISCLOSURE_OF_ANOTHER if the record is of another certificate.
    `VerificationError`: CONTENT_KEY_MISSING, or it does not open.
    """
    access: Access = recorded.access
    if access.item != certificate.digest:
        raise DisclosureError("DISCLOSURE_OF_ANOTHER", "the reading was recorded for another certificate")
    if certificate.erased:
        raise DisclosureError("CERTIFICATE_ERASED", "its content was erased", identifier=certificate.identifier)
    key = keys.one(certificate.content_kid)
    text = open_sealed(certificate.sealed, context=store.context(access.item), key=key).decode("ascii")
    return sdjwt.select(text, access.fields)
