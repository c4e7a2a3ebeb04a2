"""The keys with which a city records authorizations and accesses; they never leave it."""

from __future__ import annotations

from dataclasses import dataclass, field

from audit.subject import Holder, subject_ref
from ledger.keys.day_keys import DayKeys


@dataclass(frozen=True, slots=True)
class Keyring:
    day_keys: DayKeys
    """For openings and signed objects."""
    subject_key: bytes = field(repr=False)
    """Of the references of persons, 32 bytes."""
    index_key: bytes = field(repr=False)
    """Of keyed hashes in the index, 32 bytes."""

    def ref(self, holder: Holder) -> bytes:
        """The city's reference of a person, 48 bytes."""
        return bytes.fromhex(subject_ref(holder, self.subject_key))
