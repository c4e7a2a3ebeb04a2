"""Rows: each rule rejects by a case of its own, each heading is understood, each refusal names everything."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from certs.cells import Cell, text_of
from certs.certificate_type import CertificateType, load_catalogue
from certs.errors import CellError, RowFileError
from certs.rows import Issuer, RawRow, Reject, Row, RowReader, resolve_columns, schema_validator

CATALOGUE = load_catalogue()
LICENCE = CATALOGUE["business_licence"]
TITLE = CATALOGUE["real_estate_title"]
OFFICER = CATALOGUE["safety_officer_certificate"]
CARD = CATALOGUE["resident_id_card"]
FOOD = CATALOGUE["food_business_licence"]
CARE = CATALOGUE["remote_care_record"]
FIRE = CATALOGUE["fire_safety_opinion"]
ISSUER = Issuer("11330100XXXX33013C", "杭州市市场监督管理局（演示）", "330100")
TODAY = date(2026, 1, 31)
FIRM, PERSON = "91330106XXXX00019G", "330106195603129982"

VALUES: dict[str, Cell] = {
    "certificate_number": "YS-1",
    "holder_name": "李秀英",
    "holder_code": PERSON,
    "issuing_date": "2026-01-15",
    "sex": "女",
    "ethnicity": "01",
    "id_number": PERSON,
    "birth_date": "1956-03-12",
    "category": "C1",
    "conclusion": "合格",
    "unified_social_credit_code": FIRM,
    "employer_code": FIRM,
    "registered_capital": "100000000",
    "establishment_date": "2020-02-29",
    "first_issue_date": "2020-01-01",
    "start_date": "2020-01-01",
    "floor_area": "89.5",
    "right_holder": "李秀英、王建国",
    "business_items": "热食类食品制售",
    "unit_number": "320105001001GB00001F00010001",
    "licence_number": "JY13201050000001",
    "insured_area": "330100",
    "care_area": "340100",
}
TYPE_VALUES: dict[str, dict[str, Cell]] = {
    "construction_permit": {"contract_price": 100, "contractor_code": FIRM},
    "housing_fund_decision": {"reason": "01", "amount": 100, "decision": "1"},
    "remote_care_record": {"category": "2"},
}
DEFAULTED = {
    "certificate_identifier",
    "issuing_authority_name",
    "issuing_authority_code",
    "holder_type",
    "validity_start",
    "validity_end",
    "area_code",
}


def good(certificate_type: CertificateType) -> dict[str, Cell]:
    """A row of this type that passes, without the columns that may be left out."""
    needed = [f for f in certificate_type.fields if f.required and f.name not in DEFAULTED]
    cells = {f.name: VALUES.get(f.name, f"{f.zh}的值") for f in needed}
    if "001" in certificate_type.holder_types:
        cells |= {"holder_type": "001", "holder_code": FIRM}
    return cells | TYPE_VALUES.get(certificate_type.id, {})


def read(certificate_type: CertificateType, **changes: Cell) -> Row | Reject:
    cells = good(certificate_type) | changes
    columns = resolve_columns(certificate_type, list(cells))
    return RowReader(certificate_type, columns, ISSUER, TODAY).read(RawRow(7, list(cells.values())))


def accepted(certificate_type: CertificateType, **changes: Cell) -> Row:
    row = read(certificate_type, **changes)
    assert isinstance(row, Row), row
    return row


def header_error(certificate_type: CertificateType, *headings: str) -> RowFileError:
    with pytest.raises(RowFileError) as refused:
        resolve_columns(certificate_type, headings)
    return refused.value


@pytest.mark.parametrize("each", CATALOGUE.values(), ids=lambda each: each.id)
def test_a_good_row_of_every_type(each: CertificateType) -> None:
    row = accepted(each)
    assert schema_validator(each).is_valid(row.attributes)
    assert row.line == 7
    assert (row.certificate_number, row.holder_code) == ("YS-1", row.attributes["holder_code"])


def test_what_a_row_need_not_say_is_supplied() -> None:
    row = accepted(CARD)
    supplied = {name: row.attributes[name] for name in sorted(DEFAULTED - {"certificate_identifier"})}
    assert supplied == {
        "area_code": "330100",
        "holder_type": "111",
        "issuing_authority_code": ISSUER.code,
        "issuing_authority_name": ISSUER.name,
        "validity_end": "2046-01-14",
        "validity_start": "2026-01-15",
    }
    assert "certificate_identifier" not in row.attributes


BAD: list[tuple[str, CertificateType, dict[str, Cell], str]] = [
    ("an empty required value", LICENCE, {"enterprise_name": ""}, "VALUE_MISSING"),
    ("only blanks", LICENCE, {"enterprise_name": " \u3000 "}, "VALUE_MISSING"),
    ("a null", LICENCE, {"enterprise_name": None}, "VALUE_MISSING"),
    ("an empty list", TITLE, {"right_holder": "、；"}, "VALUE_MISSING"),
    ("a JSON list of nothing", TITLE, {"right_holder": []}, "VALUE_MISSING"),
    ("true", LICENCE, {"enterprise_name": True}, "VALUE_TYPE"),
    ("an object", LICENCE, {"enterprise_name": {}}, "VALUE_TYPE"),
    ("a list where one value belongs", LICENCE, {"enterprise_name": ["a"]}, "VALUE_TYPE"),
    ("a number in a list", TITLE, {"right_holder": [1]}, "VALUE_TYPE"),
    ("2,001 characters", LICENCE, {"business_scope": "范" * 2001}, "VALUE_TOO_LONG"),
    ("a tab inside", LICENCE, {"enterprise_name": "a\tb"}, "VALUE_CONTROL_CHARACTER"),
    ("a line break inside", LICENCE, {"enterprise_name": "甲\n乙"}, "VALUE_CONTROL_CHARACTER"),
    ("an override", LICENCE, {"enterprise_name": "甲\u202e乙"}, "VALUE_CONTROL_CHARACTER"),
    ("a lone surrogate", LICENCE, {"enterprise_name": "甲\ud800"}, "VALUE_CONTROL_CHARACTER"),
    ("101 items", TITLE, {"right_holder": "、".join(map(str, range(101)))}, "LIST_TOO_LONG"),
    ("a word that is no code", CARD, {"sex": "男性"}, "CODE_UNKNOWN"),
    ("a code not in the list", CARD, {"ethnicity": "57"}, "CODE_UNKNOWN"),
    ("a holder type of other signs", TITLE, {"holder_type": "一一一"}, "CODE_FORMAT"),
    ("JY and 13 digits", FOOD, {"licence_number": "JY1320105000001"}, "PATTERN_MISMATCH"),
    ("27 characters", TITLE, {"unit_number": "3" * 27}, "PATTERN_MISMATCH"),
    ("C4", OFFICER, {"category": "C4"}, "PATTERN_MISMATCH"),
    ("C1 and more", OFFICER, {"category": "C1|"}, "PATTERN_MISMATCH"),
    ("a date in words", LICENCE, {"establishment_date": "昨天"}, "DATE_FORMAT"),
    ("a week date", LICENCE, {"establishment_date": "2026-W01-1"}, "DATE_FORMAT"),
    ("mixed separators", LICENCE, {"establishment_date": "2026-1/3"}, "DATE_FORMAT"),
    ("open-ended where it cannot be", LICENCE, {"establishment_date": "长期"}, "DATE_FORMAT"),
    ("30 February", LICENCE, {"establishment_date": "2021-02-30"}, "DATE_IMPOSSIBLE"),
    ("29 February of no leap year", LICENCE, {"validity_end": "2027年2月29日"}, "DATE_IMPOSSIBLE"),
    ("month 0", LICENCE, {"establishment_date": "20210001"}, "DATE_IMPOSSIBLE"),
    ("yuan", LICENCE, {"registered_capital": "1000000.00"}, "AMOUNT_FORMAT"),
    ("a thousands separator", LICENCE, {"registered_capital": "1,000"}, "AMOUNT_FORMAT"),
    ("a negative amount", LICENCE, {"registered_capital": -1}, "AMOUNT_FORMAT"),
    ("2^53", LICENCE, {"registered_capital": 2**53}, "AMOUNT_TOO_LARGE"),
    ("1,999 digits", LICENCE, {"registered_capital": "9" * 1999}, "AMOUNT_TOO_LARGE"),
    ("a decimal comma", TITLE, {"floor_area": "89,5"}, "DECIMAL_FORMAT"),
    ("an exponent", TITLE, {"floor_area": "1e5"}, "DECIMAL_FORMAT"),
    ("7 decimals", TITLE, {"floor_area": "1.1234567"}, "DECIMAL_FORMAT"),
    ("a division of 5 digits", CARE, {"care_area": "34010"}, "DIVISION_FORMAT"),
    ("a short USCC", LICENCE, {"unified_social_credit_code": FIRM[1:]}, "USCC_FORMAT"),
    ("a wrong USCC", LICENCE, {"unified_social_credit_code": FIRM[:-1] + "H"}, "USCC_CHECK"),
    ("a wrong holder USCC", LICENCE, {"holder_code": FIRM[:-1] + "H"}, "USCC_CHECK"),
    ("a short ID", CARD, {"id_number": PERSON[1:]}, "RESIDENT_ID_FORMAT"),
    ("an ID of 30 February", CARD, {"holder_code": "330106195602309982"}, "RESIDENT_ID_DATE"),
    ("a wrong ID", CARD, {"holder_code": PERSON[:-1] + "3"}, "RESIDENT_ID_CHECK"),
    ("a USCC of a person", TITLE, {"holder_type": "111", "holder_code": FIRM}, "RESIDENT_ID_FORMAT"),
    ("a code too long", TITLE, {"holder_type": "414", "holder_code": "E" * 65}, "HOLDER_CODE_FORMAT"),
    ("no such holder type", TITLE, {"holder_type": "002"}, "HOLDER_TYPE_UNKNOWN"),
    ("a firm with a person's card", CARD, {"holder_type": "001"}, "HOLDER_TYPE_NOT_ALLOWED"),
    ("a wrong old identifier", OFFICER, {"associated_identifier": "1.2.3"}, "IDENTIFIER_ROOT"),
    ("an identifier", LICENCE, {"certificate_identifier": "1"}, "IDENTIFIER_NOT_EMPTY"),
    ("another agency", LICENCE, {"issuing_authority_code": "11320100XXXX32010P"}, "ISSUING_AUTHORITY_DIFFERS"),
    ("another agency's name", LICENCE, {"issuing_authority_name": "南京市"}, "ISSUING_AUTHORITY_DIFFERS"),
    ("tomorrow", LICENCE, {"issuing_date": "2026-02-01"}, "ISSUING_DATE_IN_FUTURE"),
    ("ends early", LICENCE, {"validity_start": "2026-01-02", "validity_end": "20260101"}, "VALIDITY_REVERSED"),
    ("2,000 characters that NFC doubles", LICENCE, {"enterprise_name": "\u0958" * 2000}, "SCHEMA"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("certificate_type", "changes", "rule"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_every_rule_rejects(certificate_type: CertificateType, changes: dict[str, Cell], rule: str) -> None:
    """Each case breaks one rule, in the field that it changes last."""
    reject = read(certificate_type, **changes)
    assert isinstance(reject, Reject), reject
    assert (reject.line, reject.column, reject.rule) == (7, list(changes)[-1], rule)
    for cell in changes.values():
        if isinstance(cell, str) and cell.strip():
            assert cell not in reject.params.values()


def test_a_reject_names_the_heading_of_the_file() -> None:
    cells = good(CARD) | {"sex": "?"}
    known = {field.name: field for field in CARD.fields}
    columns = resolve_columns(CARD, [known[name].zh for name in cells])
    reject = RowReader(CARD, columns, ISSUER, TODAY).read(RawRow(2, list(cells.values())))
    assert isinstance(reject, Reject)
    assert (reject.column, reject.params) == ("性别", {"allowed": "0=未知 1=男 2=女 9=未说明"})


@pytest.mark.parametrize("width", [-1, 1])
def test_a_ragged_row_is_rejected(width: int) -> None:
    cells = list(good(CARD).values())
    cells = cells[:-1] if width < 0 else [*cells, "x"]
    reject = RowReader(CARD, resolve_columns(CARD, list(good(CARD))), ISSUER, TODAY).read(RawRow(3, cells))
    expected = {"expected": str(len(good(CARD))), "found": str(len(cells))}
    assert reject == Reject(3, "", "ROW_RAGGED", expected)


def test_a_row_that_could_not_be_read_is_rejected_under_the_readers_name() -> None:
    reader = RowReader(CARD, resolve_columns(CARD, list(good(CARD))), ISSUER, TODAY)
    assert reader.read(RawRow(3, ("?",), "ROW_MALFORMED")) == Reject(3, "", "ROW_MALFORMED", {})


@pytest.mark.parametrize("written", ["2024-02-29", "2024/2/29", "20240229", "2024年2月29日", "2024-2-29"])
def test_four_spellings_of_a_date(written: str) -> None:
    assert accepted(LICENCE, establishment_date=written).attributes["establishment_date"] == "2024-02-29"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [("89.50", "89.5"), ("089", "89"), ("0", "0"), ("0.0", "0"), ("100", "100"), ("1.050000", "1.05"), (12, "12")],
)
def test_one_spelling_of_a_decimal(written: Cell, canonical: str) -> None:
    assert accepted(TITLE, floor_area=written).attributes["floor_area"] == canonical


@pytest.mark.parametrize(
    "written", ["甲、乙、丙", "甲;乙;丙", "甲；乙；丙", "甲|乙|丙", " 甲 、乙、、丙、", ["甲", "乙", "丙"]]
)
def test_lists_are_split(written: Cell) -> None:
    assert accepted(TITLE, right_holder=written).attributes["right_holder"] == ["甲", "乙", "丙"]


def test_two_owners_may_share_a_name() -> None:
    assert accepted(TITLE, right_holder="李伟、李伟").attributes["right_holder"] == ["李伟", "李伟"]


def test_limits_are_inside() -> None:
    assert accepted(LICENCE, registered_capital=2**53 - 1).attributes["registered_capital"] == 2**53 - 1
    assert accepted(LICENCE, business_scope="范" * 2000).attributes["business_scope"] == "范" * 2000
    assert accepted(LICENCE, issuing_date="2026-01-31").attributes["issuing_date"] == "2026-01-31"
    assert accepted(LICENCE, validity_start="2026-01-01", validity_end="2026-01-01")
    assert accepted(LICENCE, validity_start="2020-01-01", validity_end="长期").attributes["validity_end"] == "长期"


def test_text_is_normalised_and_codes_folded() -> None:
    row = accepted(LICENCE, enterprise_name="\ufeff Cafe\u0301（演示）\u3000", holder_code=f" {FIRM.lower()} ")
    assert row.attributes["enterprise_name"] == "Café（演示）"
    assert row.attributes["holder_code"] == row.holder_code == FIRM


def test_a_code_may_be_written_as_its_word() -> None:
    assert accepted(CARD, sex="男", ethnicity="畲").attributes["ethnicity"] == "22"
    assert accepted(CARD, sex=1).attributes["sex"] == "1"


def test_an_old_identifier_of_the_wrong_variant_is_kept_as_it_is() -> None:
    old = "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"
    assert accepted(OFFICER, associated_identifier=old).attributes["associated_identifier"] == old


def test_the_issuer_may_be_named_rightly() -> None:
    assert accepted(LICENCE, issuing_authority_code=ISSUER.code, issuing_authority_name=ISSUER.name)
    assert accepted(LICENCE, issuing_authority_code="", certificate_identifier=" ")


@settings(deadline=None)
@given(st.dates(date(1945, 1, 1), date(1980, 12, 31)))
def test_nobody_is_rejected_for_a_division_younger_than_they_are(born: date) -> None:
    first17 = f"330106{born:%Y%m%d}998"
    code = first17 + mod_11_2.calc_check_digit(first17)
    assert accepted(CARD, holder_code=code, id_number=code, birth_date=born.isoformat()).holder_code == code


TEXTS = st.text(st.characters(), max_size=30)
CELLS: st.SearchStrategy[Cell] = st.one_of(
    TEXTS, st.integers(), st.none(), st.booleans(), st.lists(st.one_of(TEXTS, st.integers()), max_size=5)
)


@settings(deadline=None)
@given(st.sampled_from(list(CATALOGUE)), st.data())
def test_any_cell_gives_a_row_or_a_reject(type_id: str, data: st.DataObject) -> None:
    """Whatever stands in a cell, nothing else comes out, and what passes satisfies the schema."""
    certificate_type = CATALOGUE[type_id]
    name = data.draw(st.sampled_from(list(good(certificate_type))))
    cell = data.draw(CELLS)
    row = read(certificate_type, **{name: cell})
    if isinstance(row, Row):
        assert schema_validator(certificate_type).is_valid(row.attributes)
    else:
        assert row.rule


@settings(deadline=None)
@given(st.text())
def test_normalised_text_stays_as_it_is(text: str) -> None:
    try:
        once = text_of(text)
    except CellError:
        return
    assert text_of(once) == once


@pytest.mark.parametrize("kind", ["zh", "code", "name"])
def test_headings_in_chinese_pinyin_and_snake_case(kind: str) -> None:
    columns = resolve_columns(LICENCE, [f"\ufeff {getattr(f, kind)} " for f in LICENCE.fields])
    assert columns.fields == LICENCE.fields


def test_headings_may_be_mixed_and_in_any_order() -> None:
    mixed = [(f.zh, f.code, f.name)[at % 3] for at, f in enumerate(LICENCE.fields)]
    assert resolve_columns(LICENCE, mixed[::-1]).fields == LICENCE.fields[::-1]


def test_a_refused_header_names_everything_that_is_wrong() -> None:
    headings = [f.zh for f in LICENCE.fields if f.name not in {"enterprise_name", "issuing_date"}]
    error = header_error(LICENCE, *headings, "备注", "MCC", "ZZBH")
    assert (error.code, error.params) == (
        "HEADER_REFUSED",
        {"unknown": "备注、MCC", "duplicate": "证照编号", "missing": "颁发日期、名称"},
    )


def test_the_holder_type_is_a_needed_column_only_where_there_is_a_choice() -> None:
    assert "持证主体代码类型" in header_error(TITLE, "证照编号").params["missing"]
    assert "持证主体代码类型" not in header_error(CARD, "证照编号").params["missing"]


def test_a_first_line_of_values_is_never_repeated() -> None:
    error = header_error(CARD, "李秀英", PERSON)
    assert (error.code, error.params) == ("HEADER_NOT_FOUND", {})
    assert "[3]、备注" in header_error(CARD, "姓名", "性别", PERSON, "备注").params["unknown"]
    assert header_error(CARD, "姓名", "").params["unknown"] == "[2]"


def test_the_schema_has_the_last_word_and_repeats_no_value() -> None:
    reject = read(LICENCE, enterprise_name="\u0958" * 2000)
    assert isinstance(reject, Reject)
    assert (reject.rule, reject.params) == ("SCHEMA", {"problem": "maxLength"})
