"""A city's rules: the version that counts, those of the past, and the ones it begins with.

Until a steward imports a catalogue, a city goes by rules made from the types that its agencies may issue: an agency
reads what it issued itself, and nothing is shared.
"""

from __future__ import annotations

from collections.abc import Iterator

from api.wiring import City
from audit import rulebook
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
from ledger import accreditation
from ledger.sequencer import Appended
from ledger.store import logs
from ledger.types import LogName

_CYCLE = "实时"
"""A certificate's entry changes when the certificate does."""
_FORMAT = "SD-JWT VC"


def current(city: City) -> Rules:
    """The version that counts now. Raises `PolicyError` RULES_MISSING before the first agency was added."""
    with city.database.reading() as connection:
        return rulebook.current(connection)


def at(city: City, version: bytes) -> Rules:
    """The rules of a decision of the past. Raises `PolicyError` RULES_UNKNOWN, RULES_DAMAGED."""
    with city.database.reading() as connection:
        return rulebook.at(connection, version)


def log(city: City) -> LogName:
    """The log that takes this city's rules: its current epoch."""
    with city.database.reading() as connection:
        return logs.current(connection, city.settings.city, STREAM)


def adopt(city: City, rules: Rules, *, agency: str, origin: Origin, over: bytes | None) -> Appended[bool]:
    """Record a version; it counts from then on. `over`: the version it was compared with."""
    return city.sequencer.append(log(city), Adopt(rules, agency, origin, over))


def adopt_automatic(city: City, agency: str) -> None:
    """Rules for what the agencies may issue now, unless a steward has imported some. `agency` records them.

    Only adds: a row that is there keeps its code, or references to it would name another provider.
    """
    with city.database.reading() as connection:
        version = store.newest_version(connection)
        row = store.find(connection, version) if version else None
        present = rulebook.at(connection, version).catalogue if version else ResourceCatalogue(())
        members = agency_rows(connection)
    if row is not None and row.origin != Origin.AUTOMATIC:
        return
    catalogue = ResourceCatalogue((*present.values(), *_missing(present, members)))
    if catalogue:
        adopt(city, Rules(catalogue, Matters(()), Lists()), agency=agency, origin=Origin.AUTOMATIC, over=version)


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
