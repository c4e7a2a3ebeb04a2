"""Private members of a statement: each stands as a salted digest, so that one can be opened, hidden or dropped alone.

The openings (salt and value) are kept beside the log, encrypted. Without one, the statement and every proof of it still
hold; what it said in that place is not known any more, and cannot be claimed to have been anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.errors import AccessError
from ledger import canonical
from ledger import schema as s
from ledger.canonical import Json
from ledger.commitment import SALT_BYTES, field_digest

MAX_MEMBERS = 16
_NAME: s.Schema = {"type": "string", "pattern": "^[a-z][a-z_]{0,31}$"}
DIGESTS: s.Schema = {
    "type": "object",
    "propertyNames": _NAME,
    "additionalProperties": s.HEX32,
    "maxProperties": MAX_MEMBERS,
}
FORM = s.Form(
    "OPENINGS_FORM",
    {
        "type": "object",
        "propertyNames": _NAME,
        "additionalProperties": {
            "type": "object",
            "properties": {"salt": s.HEX32, "value": {}},
            "required": ["salt", "value"],
            "additionalProperties": False,
        },
        "maxProperties": MAX_MEMBERS,
    },
)


@dataclass(frozen=True, slots=True)
class Opened:
    """One private member with the salt that proves it."""

    salt: bytes
    value: Json


Openings = Mapping[str, Opened]


def conceal(members: Mapping[str, Json], salts: bytes) -> tuple[dict[str, Json], dict[str, Opened]]:
    """(digests for the statement, openings to keep). `salts`: 32 fresh random bytes a member."""
    if len(salts) != SALT_BYTES * len(members):
        raise AccessError("SALTS_COUNT", "every private member needs a salt of its own")
    starts = range(0, len(salts), SALT_BYTES)
    cut = [salts[start : start + SALT_BYTES] for start in starts]
    openings = {name: Opened(salt, members[name]) for name, salt in zip(sorted(members), cut, strict=True)}
    return {name: _digest(name, opened) for name, opened in openings.items()}, openings


def reveal(digests: Mapping[str, str], openings: Openings) -> dict[str, Json]:
    """The values of what is opened. Raises `AccessError` for an opening that does not belong here."""
    for name, opened in openings.items():
        if digests.get(name) != _digest(name, opened):
            raise AccessError("OPENING_MISMATCH", "an opening does not fit the recorded digest", member=name)
    return values(openings)


def values(openings: Openings) -> dict[str, Json]:
    return {name: opened.value for name, opened in openings.items()}


def openings_json(openings: Openings) -> dict[str, Json]:
    return {name: {"salt": opened.salt.hex(), "value": opened.value} for name, opened in openings.items()}


def openings_from(value: Any) -> dict[str, Opened]:
    """Raises `VerificationError`."""
    return {name: Opened(bytes.fromhex(v["salt"]), v["value"]) for name, v in FORM.check(value).items()}


def _digest(name: str, opened: Opened) -> str:
    return field_digest(canonical.dumps([name, opened.value]), opened.salt).hex()
