"""Permits for data that others hold: decided and recorded here, released elsewhere, closed here again."""

from __future__ import annotations

import re

from api.errors import ApiError
from api.wiring import CITY_KEY, RECEIPT_KEY, City
from audit.deciding import Asked, Decider
from audit.permitting import Permitted, Permitting
from audit.request import Rules
from ledger.jws import b64url
from ledger.logid import ACCESS
from ledger.sequencer import Appended


def permitting(city: City) -> Permitting:
    return Permitting(
        city.recorder,
        city.sequencer,
        city.log_of(ACCESS),
        city.keyring,
        city.keystore.wrapper(CITY_KEY),
        signer=city.keystore.signer(RECEIPT_KEY),
        consortium=bytes.fromhex(city.settings.consortium),
    )


def decide(city: City, asked: Asked, rules: Rules, agency: str) -> Permitted:
    """`asked`: a request whose signature was verified. `agency`: USCC of the agency that records."""
    consortium = bytes.fromhex(city.settings.consortium)
    elsewhere = Decider(rules, city.keyring, lambda *_: None, permits_of=consortium)
    return permitting(city).decide(asked, elsewhere, agency)


def close(city: City, permit: str, response: bytes | None, agency: str) -> Appended[bool]:
    """`response`: SHA-256 of what was released; None: nothing was. Raises `PermitError`, `VerificationError`."""
    signer = city.keystore.signer(RECEIPT_KEY)
    return permitting(city).close(permit, response, agency, (signer.x, signer.y))


def response_from(text: str) -> bytes | None:
    """A digest in hexadecimal; empty: nothing was released. Raises `ApiError` DIGEST_FORM."""
    if not text:
        return None
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise ApiError("DIGEST_FORM", "not a SHA-256 in 64 lower-case hexadecimal digits")
    return bytes.fromhex(text)


def key(city: City) -> dict[str, str]:
    """What a gateway is set up with: the key that permits are signed with, and the ledger they are for."""
    signer = city.keystore.signer(RECEIPT_KEY)
    return {
        "kid": signer.kid,
        "x": b64url(signer.x),
        "y": b64url(signer.y),
        "consortium": city.settings.consortium,
    }
