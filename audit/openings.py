"""The openings of a statement's private members, sealed beside the log and bound to its place.

They stand under the key of the day alone: the city reads them, the audit office reads them, and when the statutory
retention ends the day's key is destroyed and they are gone, while every statement and proof stays.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from audit.private import Opened, Openings, openings_from, openings_json
from ledger import canonical
from ledger.errors import VerificationError
from ledger.sealing.envelope import KEY_BYTES, NONCE_BYTES, Wrapper
from ledger.sealing.open import open_sealed
from ledger.sealing.seal import seal

MAX_BYTES = 64 * 1024
"""Whoever reads an export reads what another city sealed."""


def context(log_id: bytes, index: int) -> bytes:
    """What an envelope of openings is bound to: beside another statement it does not open."""
    return b"certledger/openings/v1\x00" + log_id + index.to_bytes(8, "big")


def seal_openings(openings: Openings, *, log_id: bytes, index: int, recipients: Sequence[Wrapper]) -> bytes:
    return seal(
        canonical.dumps(openings_json(openings)),
        context=context(log_id, index),
        data_key=os.urandom(KEY_BYTES),
        nonce=os.urandom(NONCE_BYTES),
        recipients=recipients,
    )


def open_openings(sealed: bytes, *, log_id: bytes, index: int, key: Wrapper) -> dict[str, Opened]:
    """Raises `VerificationError` or `CanonicalError`. Whether they fit the statement, `audit.private.reveal` says.

    That is also why their spelling is not looked at: every value is compared with its digest.
    """
    content = open_sealed(sealed, context=context(log_id, index), key=key)
    if len(content) > MAX_BYTES:
        raise VerificationError("OPENINGS_FORM", "longer than openings can be", place="(top)")
    return openings_from(canonical.loads_written(content))
