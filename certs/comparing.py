"""What differs between a certificate that is registered and a row that claims to be it: names, never values.

One of the few places that open a certificate without a recorded reading. Nothing it opens leaves it: the agency that
asks has just handed in the values itself, and hears which of its own columns are not as they were registered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from certs import sdjwt, store
from certs.certificate import read_visible
from certs.certificate_type import CertificateType
from certs.import_rows import FILE
from certs.source_file import SourceFile
from certs.store import Certificate
from ledger.canonical import Json
from ledger.keys.content_keys import ContentKeys
from ledger.sealing.open import open_sealed


def differing(
    old: Certificate,
    keys: ContentKeys,
    certificate_type: CertificateType,
    attributes: Mapping[str, Any],
    files: Sequence[SourceFile],
) -> list[str]:
    """Chinese names of the fields, of the file column, or `origin`. Raises `VerificationError` if it does not open."""
    claims = _claims(old, keys)
    visible = read_visible(claims)
    found = [field.zh for field in certificate_type.fields if claims.get(field.name) != attributes.get(field.name)]
    if not visible.imported:
        return [*found, "origin"]
    return found if visible.source_files == files else [*found, FILE.zh]


def _claims(old: Certificate, keys: ContentKeys) -> dict[str, Json]:
    key = keys.one(old.content_kid)
    text = open_sealed(old.sealed, context=store.context(old.digest), key=key).decode("ascii")
    return sdjwt.disclosed(sdjwt.parse(text))
