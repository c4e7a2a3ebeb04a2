"""Persons' own keys: made on their device, registered by a city that has identified them."""

from __future__ import annotations

import sys
from pathlib import Path

from api import input_file, passwords
from api.authorizing import MAX_BYTES, holder_of
from api.errors import ApiError
from api.wiring import City
from audit.terms import DAY, Method
from ledger import canonical
from ledger import schema as s
from ledger.jws import b64url, public_key, unb64url
from ledger.keys.keystore import P256, Keystore
from ledger.keys.p256 import P256Signer
from ledger.sequencer import Appended

NAME = "holder"
_PUBLIC = s.Form("HOLDER_KEY_FORM", s.record(kty={"const": "EC"}, crv={"const": "P-256"}, x=s.KID, y=s.KID))


def make(path: Path, public: Path, password_file: Path | None) -> str:
    """A new keystore with one key; the public half beside. Its thumbprint. Raises `KeystoreError`, `ApiError`."""
    if password_file is not None and not password_file.exists():
        passwords.write_new(password_file)
    keystore = Keystore.create(path, passwords.read(str(password_file or "")))
    keystore.generate((NAME, P256))
    made = keystore.signer(NAME)
    jwk = {"kty": "EC", "crv": "P-256", "x": b64url(made.x), "y": b64url(made.y)}
    try:
        public.write_bytes(canonical.dumps({**jwk}))
    except OSError as error:
        raise ApiError("FILE_UNWRITABLE", str(error), path=public, reason=error.strerror) from None
    return made.kid


def signer(path: Path, password_file: Path | None) -> P256Signer:
    """Raises `KeystoreError`."""
    return Keystore.open(path, passwords.read(str(password_file or ""))).signer(NAME)


def register(city: City, public: Path, holder: Path, method: str, evidence: Path | None, days: int) -> Appended[str]:
    """Raises `VerificationError`, `AuditError`, `HolderError`, `ApiError`; nothing is recorded then."""
    v = _PUBLIC.check(input_file.read_json(public, MAX_BYTES))
    x, y = unb64url(v["x"]), unb64url(v["y"])
    public_key(x, y)
    try:
        how = Method(method)
    except ValueError:
        raise ApiError("USAGE", f"no such method: {method}", problem=method) from None
    digest = input_file.digest(evidence) if evidence else None
    until = int(city.clock().timestamp()) + days * DAY
    who = holder_of(person(holder))
    return city.granting.holder_key(x, y, who, how, evidence=digest, not_after=until)


def person(path: Path) -> object:
    """{type, code} from a file or, for `-`, from stdin: a code never stands on a command line."""
    if str(path) != "-":
        return input_file.read_json(path, MAX_BYTES)
    return canonical.loads(sys.stdin.buffer.read(MAX_BYTES + 1), max_bytes=MAX_BYTES)
