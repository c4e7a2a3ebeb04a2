"""Errors of the ledger: one root, a stable code, parameters for the words.

Codes are interface: they are shown, logged, scripted against and never renamed. The sentence here is for
programmers; what a person reads, in Chinese and English and with the remedy, stands in `api/messages` under
the same code. Parameters never carry personal data.
"""

from __future__ import annotations


class LedgerError(Exception):
    """Root of everything `ledger` raises on purpose."""

    def __init__(self, code: str, message: str, **params: object) -> None:
        super().__init__(message)
        self.code = code
        self.params = {name: str(value) for name, value in params.items()}


class VerificationError(LedgerError):
    """A proof, signature, envelope or encoding does not hold: always fails closed."""


class CanonicalError(LedgerError):
    """Not JSON that this ledger signs or hashes (RFC 8785, strict form)."""


class AppendRefused(LedgerError):
    """Nothing was appended, and appending again will not help until an operator acts."""


class StoreUnavailable(LedgerError):
    """The database or guard cannot write now; nothing was acknowledged. Try again later."""


class StoreConflict(StoreUnavailable):
    """Another process did the same at the same moment; nothing of this attempt was stored."""


class ChainUnavailable(LedgerError):
    """The chain does not answer, or not as a chain. Not a statement about any certificate."""


class ChainMismatch(LedgerError):
    """The node answers for another deployment than the one this city belongs to."""


class KeystoreError(LedgerError):
    """The keystore cannot be opened, or lacks a key."""


class EngineError(LedgerError):
    """The development chain's process cannot be started, found or kept."""
