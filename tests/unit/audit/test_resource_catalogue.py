"""Catalogue, matters and lists: read from rows as departments write them, versioned, compared, refused when damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from audit_world import CARD, GRANTEE, LICENCE, MATTER_CODE, NAME, NOW, OTHER_MATTER, PROVIDER, RULES, resource
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import AuditError, PolicyError
from audit.lists import EVERY, Act, Duty, Forbidden, Lists, Share
from audit.matter import Matters, read_matters
from audit.resource import CYCLES, Changed, ResourceCatalogue, Sharing, contested, differences, stale
from audit.resource_rows import read_rows, survey
from audit.terms import DAY
from ledger.errors import LedgerError

ROW = {
    "信息资源名称": "营业执照",
    "信息资源代码": LICENCE,
    "信息资源提供方": "杭州市市场监督管理局（演示）",
    "信息资源提供方代码": PROVIDER,
    "信息资源摘要": "企业登记信息",
    "信息资源格式": "电子证照",
    "共享类型": "2",
    "共享条件": "经本人同意",
    "共享方式": "接口",
    "是否向社会开放": "否",
    "更新周期": "每日",
    "信息项": "名称(enterprise_name)；经营范围（business_scope）、统一社会信用代码(unified_social_credit_code)",
    "权威信息项": "enterprise_name",
}


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises((AuditError, LedgerError)) as refused:
        act()
    return str(refused.value.code)


# Catalogue


def test_a_row_with_the_national_columns_is_read() -> None:
    (read,) = read_rows([ROW]).values()
    assert (read.code, read.provider, read.sharing, read.open) == (LICENCE, PROVIDER, Sharing.CONDITIONAL, False)
    assert read.fields == {"enterprise_name", "business_scope", "unified_social_credit_code"}
    assert read.items[1].title == "经营范围"
    assert read.authoritative == {"enterprise_name"}


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("RESOURCE_ROW", {"共享类型": "4"}),
        ("RESOURCE_ROW", {"是否向社会开放": "也许"}),
        ("RESOURCE_ROW", {"信息项": "名称"}),
        ("RESOURCE_ROW", {"信息项": "名称(Name)"}),
        ("RESOURCE_ROW", {"信息资源摘要": "长" * 501}),
        ("RESOURCE_FORM", {"信息资源代码": ""}),
        ("RESOURCE_FORM", {"信息资源代码": "*"}),
        ("RESOURCE_FORM", {"信息资源提供方代码": "市监局"}),
        ("RESOURCE_FORM", {"信息资源名称": ""}),
        ("RESOURCE_ITEMS", {"信息项": ""}),
        ("RESOURCE_ITEMS", {"信息项": "甲(name)；乙(name)", "权威信息项": ""}),
        ("RESOURCE_ITEMS", {"权威信息项": "nobody"}),
        ("RESOURCE_CYCLE", {"更新周期": "常常"}),
        ("RESOURCE_CONDITION", {"共享条件": " "}),
    ],
)
def test_a_row_that_is_not_of_the_form_is_refused(code: str, changes: dict[str, str]) -> None:
    assert refusal(lambda: read_rows([ROW | changes])) == code


def test_columns_are_those_of_the_catalogue_and_codes_are_unique() -> None:
    assert refusal(lambda: read_rows([{k: v for k, v in ROW.items() if k != "共享类型"}])) == "RESOURCE_COLUMNS"
    assert refusal(lambda: read_rows([ROW | {"备注": ""}])) == "RESOURCE_COLUMNS"
    assert refusal(lambda: read_rows([ROW, ROW])) == "RESOURCE_DUPLICATE"
    with pytest.raises(PolicyError) as refused:
        read_rows([ROW, ROW | {"信息资源代码": CARD, "共享类型": "x"}])
    assert refused.value.params == {"row": "3", "column": "共享类型"}, "as a spreadsheet counts, under the header"


def test_every_bad_row_is_named_with_its_column() -> None:
    bad = [ROW, ROW, ROW | {"信息资源代码": CARD, "更新周期": "常常"}, ROW | {"备注": ""}, ROW | {"信息项": "名称"}]
    good, faults = survey(enumerate(bad, start=2))
    assert [each.code for each in good] == [LICENCE]
    assert [(fault.line, fault.column, fault.code) for fault in faults] == [
        (3, "信息资源代码", "RESOURCE_DUPLICATE"),
        (4, "更新周期", "RESOURCE_CYCLE"),
        (5, "", "RESOURCE_COLUMNS"),
        (6, "信息项", "RESOURCE_ROW"),
    ]


def test_a_version_has_one_digest_whatever_the_order_of_rows() -> None:
    card = ROW | {"信息资源代码": CARD}
    assert read_rows([ROW, card]).digest == read_rows([card, ROW]).digest
    assert read_rows([ROW]).digest != read_rows([card]).digest


@pytest.mark.parametrize("column", sorted(set(ROW) - {"信息资源代码"}))
def test_every_column_is_in_the_digest_and_in_the_difference(column: str) -> None:
    other = {"共享类型": "1", "是否向社会开放": "是", "更新周期": "每年", "信息资源提供方代码": GRANTEE}
    other |= {"信息项": ROW["信息项"] + "；法人(legal_representative)", "权威信息项": ""}
    old, new = read_rows([ROW]), read_rows([ROW | {column: other.get(column, "另一个")}])
    assert old.digest != new.digest
    (change,) = differences(old, new)
    assert change.code == LICENCE and change.old != change.new
    assert differences(old, old) == ()


def test_what_came_and_what_went_is_shown() -> None:
    card = ROW | {"信息资源代码": CARD}
    assert differences(read_rows([ROW]), read_rows([card])) == (
        Changed(CARD, "code", None, CARD),
        Changed(LICENCE, "code", LICENCE, None),
    )


def test_one_item_has_one_source() -> None:
    lead = replace(resource(LICENCE, "name"), authoritative=frozenset({"name"}))
    second = replace(lead, code=CARD)
    assert contested(ResourceCatalogue((lead, second))) == {lead.items[0].title: (CARD, LICENCE)}
    assert contested(ResourceCatalogue((lead, replace(second, authoritative=frozenset())))) == {}


@given(st.sampled_from(sorted(CYCLES)), st.integers(0, 500 * DAY))
def test_an_entry_is_stale_after_its_cycle(cycle: str, age: int) -> None:
    limit = CYCLES[cycle]
    entry = replace(resource(LICENCE, "name"), cycle=cycle)
    assert stale(entry, NOW - age, NOW) is (limit is not None and age > limit)


# Matters

WRITTEN: dict[str, Any] = {
    "id": "branch_registration",
    "name": "内资公司分公司设立登记",
    "mode": "异地代收代办",
    "task_code": MATTER_CODE,
    "applicant": "hupan",
    "needs": {
        "business_licence": ["enterprise_name", "legal_representative"],
        "resident_id_card": ["name", "id_number"],
    },
    "form_only": ["branch_name"],
    "departments": [
        {"name": "南京市市场监督管理局", "grants": "business_licence", "limit": {"legal": 3, "promised": 1}},
        {"name": "南京市城市管理局", "grants": None, "matter": "店招设置备案", "limit": {"legal": 5, "promised": 0},
         "asks_too_much": ["registered_capital"]},
    ],
}  # fmt: skip
RESOURCES = {"business_licence": LICENCE, "resident_id_card": CARD}
AGENCIES = {"南京市市场监督管理局": GRANTEE, "南京市城市管理局": "11320100XXXX320535"}
COUNTERS = ("11340100XXXX340161",)


def read(**changes: Any) -> Matters:
    return read_matters([{**WRITTEN, **changes}], resources=RESOURCES, agencies=AGENCIES, counters=COUNTERS)


def test_a_matter_is_read_as_departments_write_it() -> None:
    (matter,) = read().values()
    assert matter.needs == {LICENCE: {"enterprise_name", "legal_representative"}, CARD: {"name", "id_number"}}
    assert matter.agencies == {GRANTEE, "11320100XXXX320535", *COUNTERS}
    assert (matter.limits[GRANTEE].legal, matter.limits["11320100XXXX320535"].promised) == (3, 0)


def test_counters_take_part_only_where_cases_are_accepted_elsewhere() -> None:
    (matter,) = read(mode="多地联办").values()
    assert not set(COUNTERS) & matter.agencies


def test_whoever_asks_too_much_is_not_given_more() -> None:
    (matter,) = read().values()
    assert "registered_capital" not in matter.needs[LICENCE]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("MATTER_FORM", {"name": ""}),
        ("MATTER_FORM", {"task_code": "x"}),
        ("MATTER_FORM", {"mode": "随便"}),
        ("MATTER_FORM", {"needs": {}}),
        ("MATTER_FORM", {"needs": {"business_licence": ["*"]}}),
        ("MATTER_FORM", {"departments": []}),
        ("MATTER_FORM", {"unknown": 1}),
        ("MATTER_UNKNOWN_NAME", {"needs": {"passport": ["name"]}}),
        ("MATTER_UNKNOWN_NAME", {"departments": [{"name": "某局", "limit": {"legal": 1, "promised": 1}}]}),
        ("MATTER_LIMIT", {"departments": [{**WRITTEN["departments"][0], "limit": {"legal": 1, "promised": 2}}]}),
        ("MATTER_DEPARTMENT", {"departments": [WRITTEN["departments"][0]] * 2}),
    ],
)
def test_a_matter_that_is_not_of_the_form_is_refused(code: str, changes: dict[str, Any]) -> None:
    assert refusal(lambda: read(**changes)) == code


def test_matters_have_one_code_each_and_a_digest() -> None:
    def several(*written: dict[str, Any]) -> Matters:
        return read_matters(written, resources=RESOURCES, agencies=AGENCIES, counters=COUNTERS)

    other = {**WRITTEN, "task_code": OTHER_MATTER}
    assert refusal(lambda: several(WRITTEN, WRITTEN)) == "MATTER_DUPLICATE"
    assert several(WRITTEN, other).digest == several(other, WRITTEN).digest != several(other).digest
    shorter = {**WRITTEN, "needs": {"business_licence": ["enterprise_name"]}}
    assert several(shorter).digest != several(WRITTEN).digest


# Lists

LINE = Share(PROVIDER, LICENCE, GRANTEE, frozenset({NAME}), frozenset({MATTER_CODE}), 5)


@pytest.mark.parametrize(
    ("line", "hit"),
    [
        (Forbidden(LICENCE, NAME, "法"), True),
        (Forbidden(EVERY, NAME, "法"), True),
        (Forbidden(LICENCE, EVERY, "法"), True),
        (Forbidden(EVERY, EVERY, "法"), True),
        (Forbidden(CARD, NAME, "法"), False),
        (Forbidden(LICENCE, "other", "法"), False),
        (Forbidden(LICENCE, NAME, "法", frozenset({MATTER_CODE})), False),
        (Forbidden(LICENCE, NAME, "法", frozenset({OTHER_MATTER})), True),
    ],
)
def test_the_negative_list_forbids_what_a_line_names(line: Forbidden, hit: bool) -> None:
    assert Lists(negative=(line,)).forbidden(LICENCE, (NAME,), MATTER_CODE) == ((NAME,) if hit else ())


def test_lines_without_a_law_or_a_limit_are_refused() -> None:
    assert refusal(lambda: Forbidden(LICENCE, NAME, "")) == "NEGATIVE_LINE"
    for changes in ({"fields": frozenset()}, {"matters": frozenset()}, {"daily_limit": 0}):
        assert refusal(lambda changes=changes: replace(LINE, **changes)) == "RESPONSIBILITY_LINE"  # type: ignore[misc]


def test_a_line_of_the_responsibility_list_is_found_by_all_its_parts() -> None:
    lists = Lists(shares=(LINE,))
    assert lists.share(PROVIDER, LICENCE, GRANTEE, MATTER_CODE) == LINE
    for other in ((GRANTEE, LICENCE, GRANTEE, MATTER_CODE), (PROVIDER, CARD, GRANTEE, MATTER_CODE)):
        assert lists.share(*other) is None
    assert lists.share(PROVIDER, LICENCE, PROVIDER, MATTER_CODE) is None
    assert lists.share(PROVIDER, LICENCE, GRANTEE, OTHER_MATTER) is None


def test_the_digest_of_the_lists_knows_every_line() -> None:
    one, two = Forbidden(LICENCE, NAME, "法"), Forbidden(CARD, NAME, "法")
    assert Lists((one, two)).digest == Lists((two, one)).digest
    more = [Lists((one,)), Lists((one, two)), Lists(shares=(LINE,)), Lists(duties=(Duty(Act.DELIVER, EVERY, 3),))]
    more += [Lists(), RULES.lists, Lists(shares=(replace(LINE, daily_limit=6),))]
    assert len({lists.digest for lists in more}) == len(more)
