"""Keys of agencies for one use each: *http* signs requests, *witness* signs what was witnessed or is granted."""

from __future__ import annotations

from enum import StrEnum

from api import members
from api.errors import ApiError
from api.members import Step
from api.wiring import City
from ledger import accreditation as rules
from ledger.errors import VerificationError
from ledger.evm.contracts import member_registry
from ledger.facts import Facts, Key, Question
from ledger.keys.keystore import P256
from ledger.keys.p256 import P256Signer


class Use(StrEnum):
    HTTP = "http"
    """Signs requests to other cities."""
    WITNESS = "witness"
    """Signs for what an agency witnessed or grants itself."""


_NUMBERS = {Use.HTTP: rules.HTTP, Use.WITNESS: rules.WITNESS}


def name(agency: str, use: Use) -> str:
    """In the keystore."""
    return f"{use.value}/{agency}"


def register(city: City, agency: str, use: Use, *, dry_run: bool = False) -> list[Step]:
    """Make the agency's key for a use and make it known on the chain. Safe to call again."""
    city.keystore.generate((name(agency, use), P256))
    signer = city.keystore.signer(name(agency, use))
    if rules.find_key(city.chain.facts(Question(kids=(signer.kid,))), signer.kid) is not None:
        return []
    key = Key(signer.kid, city.settings.city, agency, rules.P256, _NUMBERS[use], signer.x, signer.y, (), ())
    steps = [Step("add-key", signer.kid, member_registry.add_key(key))]
    if not dry_run:
        members.carry_out(city, f"key-{use.value}", steps)
    return steps


def signer(city: City, agency: str, use: Use) -> P256Signer:
    """Raises `ApiError` AGENCY_USE_KEY_MISSING."""
    if not city.keystore.has(name(agency, use)):
        raise ApiError("AGENCY_USE_KEY_MISSING", "the agency has no such key here", agency=agency, use=use.value)
    return city.keystore.signer(name(agency, use))


def in_force(facts: Facts, kid: str, use: int, at: int, *, agency: str, city: int) -> Key:
    """The P-256 key that the chain lists for this use at `at` (seconds), of this agency (empty: the city's own) and
    city. Raises `VerificationError`."""
    key = rules.find_key(facts, kid)
    if key is None or (key.suite, key.use) != (rules.P256, use) or not rules.key_valid(key, at, facts.block):
        raise VerificationError("KEY_NOT_IN_FORCE", "the chain lists no such key for this use then", kid=kid)
    if (agency, city) != (key.agency, key.city):
        raise VerificationError("KEY_OF_ANOTHER", "the key is of somebody else", kid=kid)
    return key


def of_city(city: City, number: int, use: int) -> Key:
    """A key of another city's own, the newest in force. Raises `VerificationError` CITY_KEY_MISSING."""
    kids = tuple(city.chain.registered_keys(use))
    facts = city.chain.facts(Question(kids=kids, cities=(number,)))
    for kid in reversed(kids) if rules.city_active(facts, number, facts.time) else ():
        key = rules.find_key(facts, kid)
        if key and (key.city, key.agency) == (number, "") and rules.key_valid(key, facts.time, facts.block):
            return key
    raise VerificationError("CITY_KEY_MISSING", "the city has no key for this use on chain", city=number)
