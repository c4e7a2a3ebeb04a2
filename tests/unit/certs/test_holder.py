"""Holder types and numbers: nobody is refused for having been born before the district was founded."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from certs.errors import HolderError
from certs.holder import HOLDER_TYPES, check_resident_id, check_uscc, normalised_code, resident_id_notes

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
OLD = "330106195603129982"
ENDS_IN_X = next(
    f"33010619560{day}998X" for day in range(301, 332) if mod_11_2.calc_check_digit(f"33010619560{day}998") == "X"
)


def code_of(holder_type: str, code: str) -> str:
    with pytest.raises(HolderError) as refused:
        normalised_code(holder_type, code)
    return refused.value.code


def test_the_table_of_holder_types() -> None:
    assert " ".join(HOLDER_TYPES) == "001 099 111 114 115 118 119 120 122 411 412 413 414 511 516 999"
    assert HOLDER_TYPES["111"].zh == "公民身份号码"
    assert all(row.code == code and row.zh and row.en for code, row in HOLDER_TYPES.items())


@settings(deadline=None)
@given(st.dates(date(1945, 1, 1), date(1980, 12, 31)))
def test_people_born_1945_to_1980_with_present_divisions_are_accepted(born: date) -> None:
    first17 = f"330106{born:%Y%m%d}998"
    check_resident_id(first17 + mod_11_2.calc_check_digit(first17))


@pytest.mark.parametrize(
    ("division", "year", "notes"),
    [
        ("330106", 1956, ("DIVISION_NOT_OF_BIRTH_YEAR",)),
        ("330106", 1990, ()),
        ("110103", 1985, ()),
        ("110103", 2016, ("DIVISION_NOT_OF_BIRTH_YEAR",)),
        ("999999", 1985, ("DIVISION_UNKNOWN",)),
    ],
)
def test_the_division_is_a_note_never_a_rejection(division: str, year: int, notes: tuple[str, ...]) -> None:
    first17 = f"{division}{year}0312998"
    code = first17 + mod_11_2.calc_check_digit(first17)
    assert normalised_code("111", code) == code
    assert resident_id_notes(code) == notes


@pytest.mark.parametrize(
    ("holder_type", "code", "rule"),
    [
        ("000", OLD, "HOLDER_TYPE_UNKNOWN"),
        ("１１１", OLD, "HOLDER_TYPE_UNKNOWN"),
        ("111", OLD[:-1], "RESIDENT_ID_FORMAT"),
        ("111", "X" + OLD[1:], "RESIDENT_ID_FORMAT"),
        ("111", "330106560312998", "RESIDENT_ID_FORMAT"),
        ("111", "", "RESIDENT_ID_FORMAT"),
        ("111", "330106195602309982", "RESIDENT_ID_DATE"),
        ("111", OLD[:-1] + "3", "RESIDENT_ID_CHECK"),
        ("001", "91330106XXXX00019", "USCC_FORMAT"),
        ("001", "91330106IXXX00019G", "USCC_FORMAT"),
        ("001", "91330106XXXX00019H", "USCC_CHECK"),
        ("414", "", "HOLDER_CODE_FORMAT"),
        ("414", "E" * 65, "HOLDER_CODE_FORMAT"),
        ("414", "E1234\x005", "HOLDER_CODE_FORMAT"),
    ],
)
def test_every_refusal_has_its_code(holder_type: str, code: str, rule: str) -> None:
    assert code_of(holder_type, code) == rule


def test_a_wrong_check_of_a_uscc_is_told_and_of_a_person_is_not() -> None:
    with pytest.raises(HolderError) as firm:
        check_uscc("91330106XXXX00019H")
    assert firm.value.params == {"expected": "G"}
    with pytest.raises(HolderError) as person:
        check_resident_id(OLD[:-1] + "3")
    assert person.value.params == {}
    assert OLD[:-1] not in str(person.value)


@pytest.mark.parametrize(
    ("holder_type", "written", "code"),
    [
        ("111", " 330106 19560312 9982 ", OLD),
        ("111", "３３０１０６１９５６０３１２９９８２", OLD),
        ("111", ENDS_IN_X[:-1] + "x", ENDS_IN_X),
        ("001", "91330106xxxx00019g", "91330106XXXX00019G"),
        ("114", "军字第 0012345 号", "军字第0012345号"),
        ("414", "e12345678", "E12345678"),
        ("099", "O¯", "Ō"),  # NFKC makes a blank and a macron of it, which join the O once the blank is gone
    ],
)
def test_spellings_of_one_number_give_one_code(holder_type: str, written: str, code: str) -> None:
    assert normalised_code(holder_type, written) == code
    assert normalised_code(holder_type, code) == code


@settings(deadline=None)
@given(st.text(ALPHABET, min_size=9, max_size=9), st.sampled_from(["91330106", "N2330106", "Y1110000", "12330100"]))
def test_every_uscc_with_its_check_is_accepted_and_with_another_refused(body: str, head: str) -> None:
    """N2… are rural collectives, Y… other registers: stdnum's own validation knows neither."""
    right = uscc.calc_check_digit(head + body)
    check_uscc(head + body + right)
    for wrong in ALPHABET.replace(right, ""):
        with pytest.raises(HolderError) as refused:
            check_uscc(head + body + wrong)
        assert refused.value.code == "USCC_CHECK"


@settings(deadline=None)
@given(st.sampled_from(sorted(HOLDER_TYPES)), st.text(max_size=80))
def test_a_normalised_code_stays_as_it_is(holder_type: str, text: str) -> None:
    try:
        code = normalised_code(holder_type, text)
    except HolderError:
        return
    assert normalised_code(holder_type, code) == code
