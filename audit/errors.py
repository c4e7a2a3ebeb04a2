"""Errors of authorizations and accesses: one root, a stable code, parameters for the words.

Codes are interface: shown, logged, scripted against, never renamed. What a person reads, in Chinese and English and
with the remedy, stands in `api/messages` under the same code. Parameters never carry personal data. A refusal of an
access is no error but a `Decision`: it is recorded like an access.
"""

from __future__ import annotations


class AuditError(Exception):
    """Root of everything `audit` raises on purpose. `code`: UPPER_SNAKE; `params`: text by name."""

    def __init__(self, code: str, message: str, **params: object) -> None:
        super().__init__(message)
        self.code = code
        self.params = {name: str(value) for name, value in params.items()}


class AuthorizationError(AuditError):
    """Not an authorization or mandate that may exist, whoever signed it."""


class BindingError(AuditError):
    """The signature holds or not, but it is not the grantor's: the authorization counts as none."""


class PolicyError(AuditError):
    """A catalogue, a matter or a list is damaged: nothing is decided by it."""


class AccessError(AuditError):
    """A record of an access, or an opening of one, is not what the log committed to."""


class PermitError(AuditError):
    """The permit does not let this release happen."""


class RequestError(AuditError):
    """A request or an answer between cities is not for us, not fresh, or not of whom it names. Nothing was recorded."""


class EvidenceError(AuditError):
    """A type of evidence that cannot be, or evidence that is not of its type: nothing of the act is recorded."""
