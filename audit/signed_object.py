"""A signed authorization or mandate as a city keeps it: the object, and the openings of the persons in it; sealed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from audit.store.rights import context
from audit.subject import Holder, Opening
from ledger import canonical
from ledger import schema as s
from ledger.canonical import Json
from ledger.sealing.envelope import KEY_BYTES, NONCE_BYTES, Wrapper
from ledger.sealing.open import open_sealed
from ledger.sealing.seal import seal

MAX_BYTES = 64 * 1024
MOST_PERSONS = 4
"""Subject, grantor, principal, agent."""
OPENING = s.record(
    salt=s.HEX32,
    type={"type": "string", "pattern": "^[0-9]{3}$"},
    code={"type": "string", "minLength": 1, "maxLength": 64},
)
FORM = s.Form(
    "SIGNED_OBJECT_FORM",
    s.record(signed={"type": "string", "maxLength": 32 * 1024}, openings=s.rows(OPENING, MOST_PERSONS)),
)


@dataclass(frozen=True, slots=True)
class SignedObject:
    signed: str
    """Compact JWS."""
    openings: tuple[Opening, ...]

    def to_json(self) -> dict[str, Json]:
        rows: list[Json] = [{"salt": o.salt.hex(), "type": o.holder.type, "code": o.holder.code} for o in self.openings]
        return {"signed": self.signed, "openings": rows}


def from_json(value: object) -> SignedObject:
    """Raises `VerificationError` or `AuthorizationError`."""
    v = FORM.check(value)  # type: ignore[arg-type]  # whatever was parsed; the form decides
    openings = tuple(Opening(bytes.fromhex(o["salt"]), Holder(o["type"], o["code"])) for o in v["openings"])
    return SignedObject(v["signed"], openings)


def seal_object(signed: str, openings: Sequence[Opening], *, id: bytes, key: Wrapper) -> bytes:
    return seal(
        canonical.dumps(SignedObject(signed, tuple(openings)).to_json()),
        context=context(id),
        data_key=os.urandom(KEY_BYTES),
        nonce=os.urandom(NONCE_BYTES),
        recipients=(key,),
    )


def open_object(sealed: bytes, *, id: bytes, key: Wrapper) -> SignedObject:
    """Raises `VerificationError` or `CanonicalError`. Whether the id is the object's, its own module says."""
    return from_json(canonical.loads_canonical(open_sealed(sealed, context=context(id), key=key), max_bytes=MAX_BYTES))
