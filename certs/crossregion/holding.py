"""What a city holds of a person: the certificate that a request for a resource is about."""

from __future__ import annotations

from certs import store
from ledger.status import FINAL
from ledger.store.database import Connection


def held(connection: Connection, ref: bytes, resource: str, item: bytes | None) -> bytes | None:
    """Digest of the person's certificate of a type that still holds, the newest; or of `item`, if it is one of these.

    `ref`: this city's reference of the person. `resource`: code in the catalogue, `<type>` or `<type>/<USCC>`; fills
    `audit.deciding.Held`.
    """
    type_code, _, issuer = resource.partition("/")
    for certificate in store.of_subject(connection, ref, type_code):
        if (
            certificate.status not in FINAL
            and issuer in ("", certificate.issuer)
            and item in (None, certificate.digest)
        ):
            return certificate.digest
    return None
