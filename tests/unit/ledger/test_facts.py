"""Facts have one JSON form; every member is known, every length bounded."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from facts_strategies import CONSORTIUM, facts, heads
from hypothesis import given

from ledger import canonical
from ledger.errors import VerificationError
from ledger.facts import (
    Accreditation,
    Agency,
    City,
    Compromise,
    Facts,
    Key,
    PublishedHead,
    StatusHistory,
    StatusRecord,
    Term,
    from_json,
    published_head,
    published_head_json,
    to_json,
)

AGENCY, TERMS = "11330105002500287C", (Term(1, None, 2, 0), Term(1, 9, 3, 0))
SAMPLE = Facts(
    CONSORTIUM,
    31337,
    7,
    bytes(32),
    9,
    (City(1, 330100, TERMS),),
    (Agency(AGENCY, 1, TERMS),),
    (Accreditation(AGENCY, 1, "11100000000013338W011", TERMS),),
    (Key("k" * 43, 1, AGENCY, 1, 1, bytes(32), bytes(32), TERMS, (Compromise(4, 5),)),),
    (PublishedHead(bytes(32), 3, bytes(32), 0, 6, 8),),
    (StatusHistory(AGENCY, bytes(32), (StatusRecord(1, 1, 2, "", bytes(32), 3, 4),)),),
)


@given(facts)
def test_facts_survive_their_json_form(read: Facts) -> None:
    text = canonical.dumps(to_json(read))
    assert from_json(canonical.loads_canonical(text, max_bytes=10**6)) == read


@given(heads)
def test_a_head_survives_its_json_form(head: PublishedHead) -> None:
    assert published_head(published_head_json(head)) == head


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    if isinstance(value, dict):
        return [pair for key in value for pair in ((value, key), *places(value[key]))]
    if isinstance(value, list):
        return [pair for i in range(len(value)) for pair in ((value, i), *places(value[i]))]
    return []


def changed(spoil: Callable[[Any, Any], None], n: int) -> Any:
    """The sample with its n-th place spoiled."""
    form = copy.deepcopy(to_json(SAMPLE))
    spoil(*places(form)[n])
    return form


COUNT = len(places(to_json(SAMPLE)))


def test_at_every_place_a_value_of_another_kind_is_refused() -> None:
    def spoil(container: Any, key: Any) -> None:
        container[key] = 1 if isinstance(container[key], str | list | dict) else "1"

    for n in range(COUNT):
        with pytest.raises(VerificationError) as refused:
            from_json(changed(spoil, n))
        assert refused.value.code == "FACTS_FORM"


def test_at_every_place_negative_long_and_signed_values_are_refused() -> None:
    def spoil(container: Any, key: Any) -> None:
        value = container[key]
        container[key] = {int: -1, str: "x" * 300}.get(type(value), None if isinstance(value, dict) else [1])

    for n in range(COUNT):
        if places(to_json(SAMPLE))[n][0][places(to_json(SAMPLE))[n][1]] is not None:
            with pytest.raises(VerificationError):
                from_json(changed(spoil, n))


def test_every_member_must_be_there_and_no_other() -> None:
    def drop(container: Any, key: Any) -> None:
        del container[key]

    def add(container: Any, key: Any) -> None:
        container["unknown"] = container[key]

    form = to_json(SAMPLE)
    members = [n for n, (container, _) in enumerate(places(form)) if isinstance(container, dict)]
    assert len(members) == 48  # as many fields as the dataclasses of SAMPLE have
    for n in members:
        for spoil in (drop, add):
            with pytest.raises(VerificationError):
                from_json(changed(spoil, n))


def test_a_text_with_a_newline_behind_it_is_refused() -> None:
    def spoil(container: Any, key: Any) -> None:
        container[key] += "\n"

    form = to_json(SAMPLE)
    texts = [n for n, (container, key) in enumerate(places(form)) if isinstance(container[key], str)]
    assert texts
    for n in texts:
        with pytest.raises(VerificationError):
            from_json(changed(spoil, n))


@pytest.mark.parametrize("table", ["cities", "agencies", "accreditations", "keys", "heads", "statuses"])
def test_tables_are_bounded(table: str) -> None:
    form: Any = to_json(SAMPLE)
    with pytest.raises(VerificationError):
        from_json({**form, table: form[table] * 257})


def test_true_is_not_one() -> None:
    form: Any = to_json(SAMPLE)
    with pytest.raises(VerificationError):
        from_json({**form, "block": True})


def test_the_error_names_the_place_and_not_the_value() -> None:
    form: Any = copy.deepcopy(to_json(SAMPLE))
    form["keys"][0]["kid"] = "330106199001011234"
    with pytest.raises(VerificationError) as refused:
        from_json(form)
    assert refused.value.params == {"place": "keys/0/kid"} and "330106" not in str(refused.value)
