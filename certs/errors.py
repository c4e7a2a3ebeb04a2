"""Errors of certificates: one root, a stable code, parameters for the words.

Codes are interface: shown, logged, scripted against, never renamed. What a person reads, in Chinese and
English and with the remedy, stands in `api/messages` under the same code. The module that raises a code lists
it in its docstring with its parameters. Parameters never carry personal data: they name a column, a limit,
a rule or the character expected, never the value of a cell.
"""

from __future__ import annotations


class CertsError(Exception):
    """Root of everything `certs` raises on purpose. `code`: UPPER_SNAKE; `params`: text by name."""

    def __init__(self, code: str, message: str, **params: object) -> None:
        super().__init__(message)
        self.code = code
        self.params = {name: str(value) for name, value in params.items()}


class IdentifierError(CertsError):
    """Not a certificate identifier of GB/T 36904, or one that must never be issued."""


class HolderError(CertsError):
    """A holder type that does not exist, or a code that cannot be of its holder type."""


class CatalogueError(CertsError):
    """The catalogue of certificate types is damaged, or lacks the type asked for."""


class RowFileError(CertsError):
    """A file of rows is refused as a whole: no row of it is issued."""


class CellError(CertsError):
    """One value breaks one rule of its kind. Becomes a `Reject` that names line and column."""


class SourceFileError(CellError):
    """The file that a row names is missing, unsafe, of another kind, or of another certificate."""


class LifecycleError(CertsError):
    """The certificate is not in a state that allows this. Codes: REASON_NOT_FOR_CHANGE (reason, change),
    STATUS_NOT_POSSIBLE (identifier, status, change), EFFECTIVE_FROM_NOT_POSSIBLE (identifier),
    CERTIFICATE_UNKNOWN (identifier), NOT_THE_ISSUER (identifier).
    """


class IssuingError(CertsError):
    """Nothing of the file is issued or imported. Codes: AGENCY_NOT_ACCREDITED (agency, type), AGENCY_UNKNOWN (agency),
    AGENCY_KEY_MISSING (agency), STATE_TABLE_MISSING (type)."""


class BundleError(CertsError):
    """A bundle cannot be made. Codes: NOT_ANCHORED, ANCHOR_LOST, CERTIFICATE_UNKNOWN (identifier)."""


class ErasureError(CertsError):
    """Nothing is erased. Codes: ERASURE_OPERATORS; ERASURE_BASIS (limit)."""


class DisclosureError(CertsError):
    """Nothing is disclosed. Codes: DISCLOSURE_OF_ANOTHER; CERTIFICATE_ERASED (identifier)."""
