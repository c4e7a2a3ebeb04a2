"""Exit codes, and which error leads to which. Frozen: scripts depend on them."""

from __future__ import annotations

from api.errors import ApiError
from audit.errors import AuditError
from certs.errors import BundleError, CertsError, DisclosureError, IssuingError, LifecycleError
from ledger.errors import (
    AppendRefused,
    ChainUnavailable,
    LedgerError,
    StoreUnavailable,
    VerificationError,
)

DONE = 0
"""Done; for `verify`: VALID."""
REFUSED = 1
"""Refused, in whole or in part, by a rule; for `verify`: INVALID."""
UNDETERMINED = 2
"""Something needed did not answer; try again. For `verify`: INDETERMINATE, which is no statement about forgery."""
USAGE = 3
"""Called wrongly: arguments, files, settings, passwords."""
INTERNAL = 4
"""A defect of this program."""

_BY_CODE = {
    "NOT_ANCHORED": UNDETERMINED,
    "ANCHOR_LOST": UNDETERMINED,
    "DECISION_REFUSED": REFUSED,
    "READING_REFUSED": REFUSED,
    "NOT_ADMITTED": REFUSED,
    "TRUST_EXPIRED": USAGE,
    "TRUST_FORM": USAGE,
    "CARD_FORM": USAGE,
    "DEPLOYMENT_FORM": USAGE,
}
_BY_CLASS: tuple[tuple[type[Exception], int], ...] = (
    (ChainUnavailable, UNDETERMINED),
    (StoreUnavailable, UNDETERMINED),
    (AppendRefused, REFUSED),
    (VerificationError, REFUSED),
    (IssuingError, REFUSED),
    (LifecycleError, REFUSED),
    (BundleError, REFUSED),
    (DisclosureError, REFUSED),
    (AuditError, REFUSED),
    (LedgerError, USAGE),
    (CertsError, USAGE),
    (ApiError, USAGE),
)


def exit_code(error: LedgerError | AuditError | CertsError | ApiError) -> int:
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return next(code for kind, code in _BY_CLASS if isinstance(error, kind))
