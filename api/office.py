"""The audit office: its key, made on its own machine, and how a city begins to share the keys of its days with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api import passwords
from api.errors import ApiError
from api.verify import read_bundle
from api.wiring import ENC_KEY, KEYSTORE, OFFICE, City
from audit import oversight
from ledger import canonical
from ledger.jws import b64url, thumbprint
from ledger.keys import office
from ledger.keys.keystore import P256, Keystore
from ledger.sequencer import Decided, Turn
from ledger.statement import Draft
from ledger.store import day_keys


@dataclass(frozen=True, slots=True)
class Shared:
    """Which office reads a city's books from now on."""

    kid: str
    days: int
    """Keys of days that had been made before and are now shared."""


@dataclass(frozen=True, slots=True)
class Said:
    """An act that records one statement."""

    draft: Draft
    value: Any = None

    def decide(self, turn: Turn) -> Decided[Any]:
        return Decided([self.draft], self.value)


def make_key(folder: Path, password_file: str) -> bytes:
    """The office's key pair in a keystore of its own, made once; the public half, to hand to cities.

    Raises `KeystoreError`, `ApiError` FILE_UNWRITABLE.
    """
    password = passwords.read(password_file)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ApiError("FILE_UNWRITABLE", str(error), path=folder, reason=error.strerror) from None
    path = folder / KEYSTORE
    keystore = Keystore.open(path, password) if path.exists() else Keystore.create(path, password)
    keystore.generate((ENC_KEY, P256))
    signer = keystore.signer(ENC_KEY)
    return canonical.dumps(office.jwk(signer.x, signer.y))


def share(city: City, file: Path) -> Shared:
    """Share every day's key, past and to come, with the office whose public key this is. Recorded; safe to run again.

    Raises `VerificationError` OFFICE_KEY_FORM, `ApiError` FILE_UNREADABLE, STEWARD_MISSING.
    """
    text = read_bundle(file)
    x, y = office.read_jwk(text)
    agency = city.steward
    kid, encrypted = b64url(thumbprint(x, y)), office.for_office(x, y)
    city.home.joinpath(OFFICE).write_bytes(text)
    # Crash office/written: new days are shared already, the past ones when it is run again.
    city.__dict__.pop("day_keys", None)
    city.__dict__.pop("sequencer", None)
    with city.database.writing() as connection:
        rows: Sequence[day_keys.DayKeyRow] = list(day_keys.every(connection))
        for row in rows:
            day_keys.set_office(connection, row.kid, encrypted(city.day_keys.secret(row)))
    # Crash office/shared: shared and not recorded yet; run again, it is.
    city.sequencer.append(city.log_of(oversight.STREAM), Said(oversight.office(agency, kid, len(rows))))
    return Shared(kid, len(rows))


def shared_with(city: City) -> str:
    """Thumbprint of the office's key. Raises `ApiError` OFFICE_UNKNOWN: nobody could read an export."""
    path = city.home / OFFICE
    if not path.exists():
        raise ApiError("OFFICE_UNKNOWN", "this city shares its days with no audit office yet")
    return b64url(thumbprint(*office.read_jwk(read_bundle(path))))
