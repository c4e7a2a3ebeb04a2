"""Readings of one's own: staff of the agency that issued a certificate hands it out, and the log says so before."""

from __future__ import annotations

import getpass
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass

from api import rulebook
from api.errors import ApiError
from api.wiring import INDEX_KEY, City
from audit.decision import DecisionCode
from audit.own import Ground, OwnReading
from audit.purpose import UseCause
from audit.recording import RecordedAccess
from audit.request import Rules
from certs import store
from certs.bundle import Bundle
from certs.certificate_type import load_catalogue
from certs.errors import DisclosureError, LifecycleError
from certs.store import Certificate

SYSTEM = "certledger"
CAUSE = "导出证据包"
CATEGORY = "证照应用"
_PSEUDONYM_DIGITS = 10
_ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and why."""

    operator: str = ""
    """Pseudonym; empty: one derived from the login, which nobody but the city can resolve."""
    cause: str = CAUSE
    case: str | None = None
    """办件编号, if it is read for one."""


def bundle_of(city: City, identifier: str, only: Iterable[str] | None = None, reader: Reader = Reader()) -> Bundle:
    """A bundle, after the reading it discloses was recorded. `only`: names of the fields to show; None shows all."""
    city.bundler.ready(identifier)
    recorded = read_own(city, identifier, only, reader)
    # Crash bundle/recorded: a reading stands in the log, and nothing went out.
    return city.bundler.bundle(identifier, recorded)


def read_own(
    city: City, identifier: str, fields: Iterable[str] | None = None, reader: Reader = Reader()
) -> RecordedAccess:
    """Record that the issuer's staff reads these fields (None: all). Durable on return.

    Raises `ApiError` READING_REFUSED if the rules do not let the agency read them, which is recorded too;
    `LifecycleError` CERTIFICATE_UNKNOWN, `DisclosureError` CERTIFICATE_ERASED before anything is.
    """
    certificate, rules = _certificate(city, identifier), rulebook.current(city)
    resource = rulebook.resource_of(rules, certificate.type_code, certificate.issuer)
    recorded = city.recorder.own(
        OwnReading(
            id=os.urandom(_ID_BYTES),
            ground=Ground.OWN_STAFF,
            reader=None,
            agency=certificate.issuer,
            subject=None,
            resource=resource or certificate.type_code,
            fields=tuple(sorted(set(_all(certificate, rules, resource) if fields is None else fields))),
        ),
        rules,
        subject_ref=certificate.subject_ref,
        operator=reader.operator or pseudonym(city),
        case=reader.case,
        purpose=UseCause(SYSTEM, reader.cause, CATEGORY, reader.cause),
        item=certificate.digest,
    )
    if recorded.opens is None:
        code = DecisionCode(recorded.decision.code).name
        raise ApiError("READING_REFUSED", "the rules do not allow this reading", identifier=identifier, decision=code)
    return recorded.opens


def pseudonym(city: City) -> str:
    """Of whoever is logged in here: `op-` and ten hexadecimal digits of HMAC-SHA-256 under the city's index key."""
    login = b"operator-login\x00" + getpass.getuser().encode()
    return "op-" + hmac.digest(city.keystore.mac_key(INDEX_KEY), login, "sha256").hex()[:_PSEUDONYM_DIGITS]


def _certificate(city: City, identifier: str) -> Certificate:
    with city.database.reading() as connection:
        row = store.by_identifier(connection, identifier)
    if row is None:
        raise LifecycleError("CERTIFICATE_UNKNOWN", "no such certificate here", identifier=identifier)
    if row.erased:
        raise DisclosureError("CERTIFICATE_ERASED", "its content was erased", identifier=identifier)
    return row


def _all(certificate: Certificate, rules: Rules, resource: str | None) -> Iterable[str]:
    """Every field of its type that the catalogue has."""
    names = {field.name for field in load_catalogue().find(certificate.type_code).fields}
    return names & rules.catalogue[resource].fields if resource else names
