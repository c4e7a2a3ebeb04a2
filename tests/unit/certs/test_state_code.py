"""State codes of the ministries: the same 01 is valid here and invalid there, and nothing unclear is imported."""

from __future__ import annotations

from dataclasses import replace

import pytest

from certs.certificate_type import load_catalogue
from certs.errors import CatalogueError, CellError, IssuingError
from certs.import_rows import import_type
from certs.lifecycle import KINDS, Change
from certs.state_code import ENDINGS, Ending, load_state_tables, read_state_table
from ledger.status import Reason

TABLES = load_state_tables()
TODAY = "2026-11-23"
RUNS, ENDED = "2031-12-31", "2020-12-31"
EXAMPLE = """
id: example
title: {zh: 样例, en: Example}
codes:
  "01": {zh: 有效, en: Valid, means: active}
"""


def test_the_tables_are_those_that_types_name() -> None:
    assert set(TABLES) == {"housing", "transport", "transport_ships"}
    named = {each.state_code_table for each in load_catalogue().values() if each.state_code_table}
    assert named <= set(TABLES)


@pytest.mark.parametrize(
    ("table", "code", "ending"),
    [
        ("housing", "01", None),
        ("housing", "02", Ending(Change.SUSPEND, Reason.SUSPENDED)),
        ("housing", "03", Ending(Change.REVOKE, Reason.ANNULLED)),
        ("housing", "04", Ending(Change.CANCEL, Reason.CANCELLED)),
        ("housing", "07", Ending(Change.REVOKE, Reason.PENALTY)),
        ("transport", "10", None),
        ("transport", "01", Ending(Change.CANCEL, Reason.RENEWED)),
        ("transport_ships", "03", Ending(Change.CANCEL, Reason.CANCELLED)),
        ("transport_ships", "04", Ending(Change.REVOKE, Reason.ANNULLED)),
        ("transport_ships", "05", Ending(Change.REVOKE, Reason.PENALTY)),
    ],
)
def test_what_a_code_becomes(table: str, code: str, ending: Ending | None) -> None:
    assert TABLES[table].ending(code, RUNS, TODAY) == ending


@pytest.mark.parametrize(
    ("table", "code", "rule"),
    [
        ("housing", "06", "STATE_TRANSFERRING"),
        ("housing", "99", "STATE_UNCLEAR"),
        ("transport", "09", "STATE_UNCLEAR"),
        ("transport_ships", "09", "STATE_UNCLEAR"),
    ],
)
def test_a_state_that_cannot_be_imported(table: str, code: str, rule: str) -> None:
    with pytest.raises(CellError) as refused:
        TABLES[table].ending(code, RUNS, TODAY)
    assert refused.value.code == rule


@pytest.mark.parametrize(("table", "code"), [("housing", "05"), ("transport", "02")])
def test_lapsed_is_no_act_but_the_dates_must_say_so(table: str, code: str) -> None:
    assert TABLES[table].ending(code, ENDED, TODAY) is None
    for runs in (RUNS, TODAY, "长期"):
        with pytest.raises(CellError) as refused:
            TABLES[table].ending(code, runs, TODAY)
        assert (refused.value.code, refused.value.params) == ("STATE_LAPSED_EARLY", {"today": TODAY})


def test_only_what_holds_or_has_lapsed_is_left_active() -> None:
    """No state in which a certificate does not hold may come out as one in which it does."""
    for table in TABLES.values():
        silent = {code.zh for code, meaning in zip(table.codes, table.meanings, strict=True) if meaning not in ENDINGS}
        assert silent <= {"有效", "失效", "无效（已过期）", "办理转出", "其他", "无效（其他）"}


def test_every_ending_is_one_the_chain_takes() -> None:
    assert all(ending.change in KINDS for ending in ENDINGS.values())


def test_a_type_without_a_table_is_not_imported() -> None:
    for each in (
        load_catalogue()["business_licence"],
        replace(load_catalogue()["business_licence"], state_code_table="x"),
    ):
        with pytest.raises(IssuingError) as refused:
            import_type(each)
        assert (refused.value.code, refused.value.params) == ("STATE_TABLE_MISSING", {"type": "business_licence"})


@pytest.mark.parametrize("each", load_catalogue().values(), ids=lambda each: each.id)
def test_the_columns_of_an_import_collide_with_no_field(each: object) -> None:
    import_type(replace(each, state_code_table="housing"))  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("id: example", "id: other", "named after"),
        ("means: active", "means: valid", "valid"),
        (", means: active", "", "means"),
        ('"01"', "01", "quoted"),
        ("{zh: 样例, en: Example}", "{zh: 样例}", "en"),
        ("id: example", "id: example\nmore: 1", "id, title and codes"),
        ('  "01": {zh: 有效', '  "01": {zh: 有效, en: V, means: active}\n  "02": {zh: 有效', "share"),
        ('  "01": {zh: 有效', '  "01": {zh: 旧, en: V, means: active}\n  "01": {zh: 有效', "twice"),
        ("codes:", "codes: [", "example.yaml"),
    ],
)
def test_a_damaged_table_is_named(old: str, new: str, problem: str) -> None:
    assert read_state_table("example.yaml", EXAMPLE).id == "example"
    with pytest.raises(CatalogueError) as refused:
        read_state_table("example.yaml", EXAMPLE.replace(old, new, 1))
    assert refused.value.code == "STATE_TABLE_FILE"
    assert problem in str(refused.value)
