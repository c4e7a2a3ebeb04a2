"""Readings that are really decided: rules adopted, an authorization granted, a fresh view of the chain's statuses."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType

import access_records
from access_records import ASKER, FIELDS, MATTER, RESOURCE, STEWARD, person, purpose

from api import rulebook
from api.wiring import City
from audit import drafting
from audit.access import Access
from audit.deciding import Asked, Decider
from audit.lists import Lists
from audit.matter import Limit, Matter, Matters
from audit.recording import RecordedDecision
from audit.request import Request, Rules
from audit.resource import Item, Resource, ResourceCatalogue, Sharing
from audit.rulebook import Origin
from audit.store import rights

ITEM = sha256(b"item").digest()
RULES = Rules(
    ResourceCatalogue(
        (
            Resource(
                code=RESOURCE,
                name="营业执照",
                provider=STEWARD,
                provider_name="杭州市市场监督管理局（演示）",
                summary="企业登记信息",
                format="电子证照",
                sharing=Sharing.CONDITIONAL,
                condition="经本人同意",
                mode="接口",
                open=False,
                cycle="实时",
                items=(
                    Item("business_scope", "经营范围"),
                    Item("enterprise_name", "名称"),
                    Item("registered_capital", "注册资本"),
                ),
                authoritative=frozenset(),
            ),
        )
    ),
    Matters(
        (
            Matter(
                MATTER,
                "内资公司分公司设立登记",
                MappingProxyType({RESOURCE: frozenset(FIELDS)}),
                frozenset({ASKER}),
                MappingProxyType({ASKER: Limit(3, 1)}),
            ),
        )
    ),
    Lists((), ()),
)


def prepare(city: City) -> None:
    """Rules in force, and the chain's statuses as just read."""
    over = rulebook.current(city).version
    rulebook.adopt(city, RULES, agency=STEWARD, origin=Origin.IMPORTED, over=over)
    freshen(city)


def freshen(city: City) -> None:
    with city.database.writing() as connection:
        rights.put_view(connection, {}, block=0, read_at=int(city.clock().timestamp()))


def asked(
    city: City, name: str, authorization: bytes | None, *, number: int = 0, fields: tuple[str, ...] = FIELDS
) -> Asked:
    """A request about person `number`, as its verified signature gives it."""
    said = purpose(number)
    request = Request(
        id=sha256(name.encode()).digest(),
        agency=ASKER,
        operator=said.operator,
        provider=city.settings.city,
        subject=person(number),
        resource=RESOURCE,
        fields=fields,
        purpose=said,
    )
    kid = "8NRDLnhZErc_MzTbAf3jFQ8nCjnET8nw4p4JK_6hE4k"
    return Asked(request, authorization, 2, sha256(b"signature of " + name.encode()).digest(), kid)


def decide(city: City, name: str, authorization: bytes | None, **more: object) -> RecordedDecision:
    """Decided and recorded; if it is allowed, the release is recorded too."""
    decider = Decider(rulebook.current(city), city.keyring, lambda *_: ITEM)
    recorded = city.recorder.decide(asked(city, name, authorization, **more), decider, STEWARD)  # type: ignore[arg-type]
    if recorded.opens is not None:
        city.recorder.note(drafting.released(recorded.access, sha256(name.encode() + b" answer").digest()), STEWARD)
    return recorded


def staff_read(city: City, name: str, number: int = 0) -> Access:
    """An entry looked at by staff of the agency that provides it."""
    from audit.own import Ground, OwnReading

    reading = OwnReading(
        sha256(name.encode()).digest(), Ground.OWN_STAFF, None, STEWARD, person(number), RESOURCE, FIELDS[:1]
    )
    said = replace(purpose(number).use_cause, cause="核对登记信息")
    return city.recorder.own(reading, rulebook.current(city), operator="op-staff-0001", purpose=said, item=ITEM).access


grant = access_records.grant
