"""The rules a city begins with, versions adopted one after another, and what a log that was continued keeps of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from homes import CARD, MARKET, POLICE, Home

from api import rulebook
from api.members import Member, add
from audit.errors import PolicyError
from audit.lists import Forbidden
from audit.resource import Sharing
from audit.rulebook import ADOPTED, STREAM, Origin, decode
from audit.store import rulebook as store
from certs.certificate_type import load_catalogue
from ledger import entries
from ledger.statement import Statement
from ledger.store import logs


def statements(home: Home) -> list[Statement]:
    with home.city.database.reading() as connection:
        row = logs.find(connection, home.city.log_of(STREAM).id)
        if row is None:
            return []
        key = home.city.keystore.wrapper("city")
        return [
            entries.open_entry(sealed, log_id=row.id, index=index, key=key)[0]
            for index, sealed in logs.entries(connection, row.no, 0, row.head.size)
        ]


def test_a_city_begins_with_what_its_agencies_issue_shared_with_nobody(home: Home) -> None:
    rules = rulebook.current(home.city)
    types = load_catalogue()
    card = types.find(CARD)
    assert len(rules.catalogue) == len(types) + 1 and not rules.matters
    assert {resource.sharing for resource in rules.catalogue.values()} == {Sharing.NOT_SHARED}
    # Two agencies issue identity cards; each reads what it issued.
    codes = {rulebook.resource_of(rules, card.code, each) for each in (MARKET, POLICE)}
    assert codes == {card.code, f"{card.code}/{POLICE}"}
    assert rulebook.resource_of(rules, types.find("business_licence").code, POLICE) is None
    (adopted,) = statements(home)
    assert (adopted.type, adopted.agency) == (ADOPTED, MARKET), "the first there is, while no steward is named"
    assert adopted.body["version"] == rules.version.hex() and adopted.body["origin"] == "automatic"


def test_nothing_is_adopted_before_somebody_asks_nor_twice(home: Home) -> None:
    with pytest.raises(PolicyError) as refused:
        rulebook.present(home.city)
    assert refused.value.code == "RULES_MISSING" and statements(home) == []
    assert rulebook.current(home.city).version == rulebook.current(home.city).version
    add(home.city, Member(POLICE, "杭州市公安局（演示）", (CARD,)))
    assert len(statements(home)) == 1


def test_automatic_rules_grow_with_the_agencies(home: Home) -> None:
    first = rulebook.current(home.city)
    add(home.city, Member(POLICE, "杭州市公安局（演示）", (CARD, "residence_permit")))
    second = rulebook.current(home.city)
    assert set(second.catalogue) - set(first.catalogue) == {
        rulebook.own_code(load_catalogue().find("residence_permit").code, POLICE)
    }
    assert all(second.catalogue[code] == first.catalogue[code] for code in first.catalogue)


def test_versions_follow_one_another_and_the_past_can_be_derived_again(home: Home) -> None:
    first = rulebook.current(home.city)
    forbidding = replace(first.lists, negative=(Forbidden("*", "holder_code", "个人信息保护法"),))
    second = replace(first, lists=forbidding)
    done = rulebook.adopt(home.city, second, agency=MARKET, origin=Origin.IMPORTED, over=first.version)
    assert done.value and rulebook.current(home.city).version == second.version
    again = rulebook.adopt(home.city, second, agency=MARKET, origin=Origin.IMPORTED, over=first.version)
    assert not again.value
    home.reopen()
    assert rulebook.at(home.city, first.version).lists.negative == ()
    assert [each.body["previous"] for each in statements(home)] == [None, first.version.hex()]
    # An agency that comes later changes nothing of what a steward imported.
    add(home.city, Member(POLICE, "杭州市公安局（演示）", (CARD, "business_licence")))
    assert rulebook.current(home.city).version == second.version
    # The former rules may be adopted again.
    rulebook.adopt(home.city, first, agency=MARKET, origin=Origin.IMPORTED, over=second.version)
    assert rulebook.current(home.city).version == first.version and len(statements(home)) == 3
    home.publish()
    assert not home.wrong()


def test_rules_that_were_compared_with_older_ones_are_not_adopted(home: Home) -> None:
    first = rulebook.current(home.city)
    second = replace(first, lists=replace(first.lists, negative=(Forbidden("*", "holder_code", "法"),)))
    with pytest.raises(PolicyError) as refused:
        rulebook.adopt(home.city, second, agency=MARKET, origin=Origin.IMPORTED, over=bytes(32))
    assert refused.value.code == "RULES_CHANGED"
    assert rulebook.current(home.city).version == first.version


def test_edited_rules_are_not_decided_by(home: Home) -> None:
    version = rulebook.current(home.city).version
    home.edit("UPDATE rules SET content = CAST(replace(CAST(content AS TEXT), '姓名', '性名') AS BLOB)")
    with home.city.database.reading() as connection:
        row = store.find(connection, version)
    assert row is not None
    with pytest.raises(PolicyError) as refused:
        decode(row.content, version)
    assert refused.value.code == "RULES_DAMAGED"
