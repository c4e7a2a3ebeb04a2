"""A city's rules: the version that counts, those of the past, and the ones it begins with.

Until a steward imports a catalogue, a city goes by rules made from the types that its agencies may issue: an agency
reads what it issued itself, and nothing is shared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api.wiring import CITY_KEY, City
from audit import rulebook
from audit.errors import PolicyError
from audit.lists import Lists
from audit.matter import Matters
from audit.request import Rules
from audit.resource import Item, Resource, ResourceCatalogue, Sharing
from audit.rulebook import STREAM, Adopt, Origin
from audit.store import rulebook as store
from certs import agencies
from certs.certificate_type import CertificateType, load_catalogue
from certs.store import AgencyRow
from certs.store import agencies as agency_rows
from ledger import accreditation, entries
from ledger.sealing.envelope import Wrapper
from ledger.sequencer import Appended
from ledger.store import logs, outbox
from ledger.store.database import Connection
from ledger.store.logs import LogRow

_CYCLE = "实时"
"""A certificate's entry changes when the certificate does."""
_FORMAT = "SD-JWT VC"
_FEWEST_DIGITS = 8


def current(city: City) -> Rules:
    """The version that counts now. The first question there is adopts the automatic rules, if nobody imported any.

    Not when an agency is added: until somebody reads, nothing is decided, and a log of rules would prove nothing.
    Raises `PolicyError` RULES_MISSING before the first agency was added.
    """
    with city.database.reading() as connection:
        if store.newest_version(connection) is not None:
            return rulebook.current(connection)
    _adopt_automatic(city)
    return present(city)


def present(city: City) -> Rules:
    """The same, and nothing is adopted. Raises `PolicyError` RULES_MISSING."""
    with city.database.reading() as connection:
        return rulebook.current(connection)


def at(city: City, version: bytes) -> Rules:
    """The rules of a decision of the past. Raises `PolicyError` RULES_UNKNOWN, RULES_DAMAGED."""
    with city.database.reading() as connection:
        return rulebook.at(connection, version)


def named(city: City, version: str) -> Rules:
    """The version of which these are the first digits, at least eight. Raises `PolicyError` RULES_UNKNOWN."""
    found = {
        each.version for each in history(city) if len(version) >= _FEWEST_DIGITS and each.version.startswith(version)
    }
    if len(found) != 1:
        raise PolicyError("RULES_UNKNOWN", "no such version", version=version[:64])
    return at(city, bytes.fromhex(found.pop()))


@dataclass(frozen=True, slots=True)
class Adopted:
    """One statement of the stream `policy`."""

    log: str
    index: int
    at: str
    version: str
    """64 hexadecimal digits."""
    previous: str | None
    origin: str
    agency: str
    anchored: bool


def history(city: City) -> list[Adopted]:
    """Every version that was adopted, oldest first, as the log has it. Raises `VerificationError`."""
    key = city.keystore.wrapper(CITY_KEY)
    with city.database.reading() as connection:
        row = logs.find(connection, city.log_of(STREAM).id)
        return list(_adopted(connection, row, key)) if row else []


def _adopted(connection: Connection, row: LogRow, key: Wrapper) -> Iterator[Adopted]:
    anchor = outbox.newest_anchor(connection, row.no)
    for index, sealed in logs.entries(connection, row.no, 0, row.head.size):
        statement, _ = entries.open_entry(sealed, log_id=row.id, index=index, key=key)
        if statement.type == rulebook.ADOPTED:
            v = rulebook.FORM.check(statement.body)
            place = (row.id.hex(), index, statement.at)
            covered = anchor is not None and anchor.size > index
            yield Adopted(*place, v["version"], v["previous"], v["origin"], statement.agency, covered)


def adopt(city: City, rules: Rules, *, agency: str, origin: Origin, over: bytes | None) -> Appended[bool]:
    """Record a version; it counts from then on. `over`: the version it was compared with."""
    return city.sequencer.append(city.log_of(STREAM), Adopt(rules, agency, origin, over))


def extend_automatic(city: City) -> None:
    """Where automatic rules count: the same with what was added to the agencies' types since."""
    with city.database.reading() as connection:
        version = store.newest_version(connection)
        row = store.find(connection, version) if version else None
    if row is not None and row.origin == Origin.AUTOMATIC:
        _adopt_automatic(city)


def _adopt_automatic(city: City) -> None:
    """Only adds: a row that is there keeps its code, or references to it would name another provider."""
    with city.database.reading() as connection:
        version = store.newest_version(connection)
        known = rulebook.at(connection, version).catalogue if version else ResourceCatalogue(())
        members = agency_rows(connection)
    catalogue = ResourceCatalogue((*known.values(), *_missing(known, members)))
    if catalogue:
        rules = Rules(catalogue, Matters(()), Lists())
        speaker = city.settings.steward or members[0].code
        adopt(city, rules, agency=speaker, origin=Origin.AUTOMATIC, over=version)


def resource_of(rules: Rules, type_code: str, agency: str) -> str | None:
    """Code of the resource that holds what an agency issues of a type: the type's own code, or `<type>/<USCC>` where
    several agencies issue it. None: the catalogue has none."""
    for code in (own_code(type_code, agency), type_code):
        if code in rules.catalogue and rules.catalogue[code].provider == agency:
            return code
    return None


def own_code(type_code: str, agency: str) -> str:
    """Code of an agency's resource where the type's own code is another agency's."""
    return f"{type_code}/{agency}"


def _missing(present: ResourceCatalogue, members: list[AgencyRow]) -> Iterator[Resource]:
    """A row for every type that an agency may issue and that has none."""
    types = load_catalogue().values()
    taken = {code: resource.provider for code, resource in present.items()}
    for row in members:
        facts = agencies.known(row)
        for each in (t for t in types if accreditation.accredited(facts, row.code, t.code, facts.time)):
            known = {taken.get(each.code), taken.get(own_code(each.code, row.code))}
            if row.code in known:
                continue
            code = own_code(each.code, row.code) if each.code in taken else each.code
            taken[code] = row.code
            yield resource_for(each, code, row)


def resource_for(kind: CertificateType, code: str, provider: AgencyRow) -> Resource:
    """All fields of a type, shared with nobody."""
    return Resource(
        code=code,
        name=kind.title_zh,
        provider=provider.code,
        provider_name=provider.name,
        summary="",
        format=_FORMAT,
        sharing=Sharing.NOT_SHARED,
        condition="",
        mode="",
        open=False,
        cycle=_CYCLE,
        items=tuple(Item(field.name, field.zh) for field in kind.fields),
        authoritative=frozenset(),
    )
