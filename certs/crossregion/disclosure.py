"""Disclosure: the one place where attributes open, and only for an access that stands in the log."""

from __future__ import annotations

from audit.recording import RecordedAccess
from certs import sdjwt, store
from certs.errors import DisclosureError
from certs.store import Certificate
from ledger.sealing.envelope import Wrapper
from ledger.sealing.open import open_sealed


def disclose(certificate: Certificate, recorded: RecordedAccess, keys: Wrapper) -> str:
    """A presentation of exactly the recorded fields. Raises `DisclosureError` for another certificate's record."""
    if recorded.access.item != certificate.digest:
        raise DisclosureError("DISCLOSURE_OTHER", "the record is about another certificate")
    text = open_sealed(certificate.sealed, context=store.context(certificate.digest), key=keys)
    return sdjwt.select(text.decode("ascii"), recorded.access.fields)
