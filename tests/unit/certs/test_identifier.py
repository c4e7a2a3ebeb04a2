"""GB/T 36904 identifiers: real ones parse, the wrong variant is named, only the standard's form is built."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from certs.errors import IdentifierError
from certs.identifier import (
    MAX_LENGTH,
    ROOT,
    SERIAL_BYTES,
    Identifier,
    build,
    check_character,
    parse,
    random_serial,
)

REAL = (
    f"{ROOT}.11100000000013338W011.11430000006122244L.20230000403.001.U",
    f"{ROOT}.11100000000013338W011.11430000006122244L.20230000403.002.S",
    f"{ROOT}.11100000000013338W009.11330105002500287C.2025052201.002.0",
    f"{ROOT}.11100000000013338W032.11220000013544541J.2430599.001.F",
)
WRONG_VARIANT = f"{ROOT}.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"
TYPE, ISSUER = "11100000MB0143028R001", "11330100XXXX33013C"
SERIALS = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=64)
VERSIONS = st.integers(1, 999)


def code_of(text: str) -> str:
    with pytest.raises(IdentifierError) as refused:
        parse(text)
    return refused.value.code


def with_check(*parts: str) -> str:
    return ".".join((ROOT, *parts, check_character("".join(parts))))


@pytest.mark.parametrize("text", REAL)
def test_real_identifiers_parse_and_are_rebuilt(text: str) -> None:
    read = parse(text)
    assert (read.variant, read.notes, str(read)) == ("standard", (), text)
    parts = {"type_code": read.type_code, "issuer": read.issuer, "serial": read.serial, "version": read.version}
    assert build(**parts) == text  # type: ignore[arg-type]


def test_the_standards_self_test() -> None:
    assert check_character("A12425GABC1234002") == "M"


@given(SERIALS)
def test_the_check_character_is_that_of_stdnum(text: str) -> None:
    assert check_character(text) == mod_37_36.calc_check_digit(text)


def test_the_wrong_variant_is_named_and_never_built() -> None:
    read = parse(WRONG_VARIANT)
    assert (read.variant, read.notes) == ("wrong_letters_from_11", ("CHECK_VARIANT_LETTERS_FROM_11",))
    assert str(read) == WRONG_VARIANT
    built = build(type_code=read.type_code, issuer=read.issuer, serial=read.serial, version=read.version)
    assert built == WRONG_VARIANT[:-1] + "D"


def test_a_region_code_as_issuer_is_noted_and_never_built() -> None:
    read = parse(with_check(TYPE, "330100", "1", "001"))
    assert (read.issuer, read.notes) == ("330100", ("ISSUER_IS_REGION_CODE",))
    with pytest.raises(IdentifierError) as refused:
        build(type_code=TYPE, issuer="330100", serial="1", version=1)
    assert refused.value.code == "IDENTIFIER_ISSUER_REGION"


def test_bad_usccs_are_noted_when_reading() -> None:
    read = parse(with_check("11100000MB0143028A001", "11330100XXXX33013D", "1", "001"))
    assert read.notes == ("ISSUER_NOT_USCC", "TYPE_CODE_NOT_USCC")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "IDENTIFIER_ROOT"),
        ("1.2.156.3005.3" + REAL[0][len(ROOT) :], "IDENTIFIER_ROOT"),
        (f" {REAL[0]}", "IDENTIFIER_CHARACTER"),
        (f"{REAL[0]}\n", "IDENTIFIER_CHARACTER"),
        (REAL[0].replace("U", "Ｕ"), "IDENTIFIER_CHARACTER"),
        (REAL[0].replace("3", "３"), "IDENTIFIER_CHARACTER"),
        (REAL[0].lower(), "IDENTIFIER_LOWER_CASE"),
        (REAL[0] + ".0", "IDENTIFIER_PARTS"),
        (REAL[0].removesuffix(".U"), "IDENTIFIER_PARTS"),
        (with_check(TYPE[:-1], ISSUER, "1", "001"), "IDENTIFIER_TYPE_CODE"),
        (with_check(TYPE, ISSUER + "1", "1", "001"), "IDENTIFIER_ISSUER"),
        (with_check(TYPE, "33010A", "1", "001"), "IDENTIFIER_ISSUER"),
        (with_check(TYPE, ISSUER, "", "001"), "IDENTIFIER_SERIAL"),
        (with_check(TYPE, "330100", "1" * 65, "001"), "IDENTIFIER_SERIAL"),
        (with_check(TYPE, ISSUER, "1", "000"), "IDENTIFIER_VERSION"),
        (with_check(TYPE, ISSUER, "1", "01"), "IDENTIFIER_VERSION"),
        (with_check(TYPE, ISSUER, "1", "00A"), "IDENTIFIER_VERSION"),
        (REAL[0][:-1] + "V", "IDENTIFIER_CHECK"),
        (REAL[0][:-1], "IDENTIFIER_CHECK"),
        (REAL[0] + "0" * MAX_LENGTH, "IDENTIFIER_LENGTH"),
    ],
)
def test_every_refusal_has_its_code(text: str, code: str) -> None:
    assert code_of(text) == code


def test_a_wrong_check_character_says_which_one_is_right() -> None:
    with pytest.raises(IdentifierError) as refused:
        parse(REAL[0][:-1] + "V")
    assert refused.value.params == {"expected": "U"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"issuer": "11330100XXXX33013D"}, "IDENTIFIER_ISSUER_USCC"),
        ({"type_code": "11100000MB0143028A001"}, "IDENTIFIER_TYPE_CODE_USCC"),
        ({"type_code": "11100000MB0143028R00A"}, "IDENTIFIER_TYPE_CODE_USCC"),
        ({"serial": "abc"}, "IDENTIFIER_LOWER_CASE"),
        ({"serial": "1.1"}, "IDENTIFIER_SERIAL"),
        ({"serial": "张三"}, "IDENTIFIER_CHARACTER"),
        ({"version": 0}, "IDENTIFIER_VERSION"),
        ({"version": 1000}, "IDENTIFIER_VERSION"),
    ],
)
def test_what_must_never_be_issued_is_not_built(change: dict[str, object], code: str) -> None:
    parts = {"type_code": TYPE, "issuer": ISSUER, "serial": "1", "version": 1} | change
    with pytest.raises(IdentifierError) as refused:
        build(**parts)  # type: ignore[arg-type]
    assert refused.value.code == code


@settings(deadline=None)
@given(SERIALS, VERSIONS)
def test_what_is_built_parses_back(serial: str, version: int) -> None:
    text = build(type_code=TYPE, issuer=ISSUER, serial=serial, version=version)
    check = text[-1]
    assert parse(text) == Identifier(TYPE, ISSUER, serial, version, check, "standard", ())


@settings(deadline=None)
@given(SERIALS, st.data())
def test_one_wrong_character_never_passes_as_standard(serial: str, data: st.DataObject) -> None:
    """MOD 37,36 finds every single substitution; the variant may read it, and then says so."""
    text = build(type_code=TYPE, issuer=ISSUER, serial=serial, version=1)
    at = data.draw(st.integers(len(ROOT) + 1, len(text) - 1).filter(lambda at: text[at] != "."))
    other = data.draw(st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ").filter(lambda c: c != text[at]))
    try:
        read = parse(text[:at] + other + text[at + 1 :])
    except IdentifierError:
        return
    assert read.variant == "wrong_letters_from_11"


@settings(deadline=None)
@given(st.text(max_size=MAX_LENGTH + 5))
def test_any_text_is_read_or_refused_with_a_code(text: str) -> None:
    assert code_of(f"{ROOT}.{text}").startswith("IDENTIFIER_")


@settings(deadline=None)
@given(st.binary(min_size=SERIAL_BYTES, max_size=32))
def test_a_random_serial_is_a_serial_of_fixed_width(drawn: bytes) -> None:
    serial = random_serial(drawn)
    assert len(serial) == 20
    assert parse(build(type_code=TYPE, issuer=ISSUER, serial=serial, version=1)).serial == serial


def test_a_random_serial_uses_every_byte_and_refuses_too_few() -> None:
    base = bytes(range(SERIAL_BYTES))
    changed = {random_serial(base[:at] + b"\xff" + base[at + 1 :]) for at in range(SERIAL_BYTES)}
    assert len(changed | {random_serial(base)}) == SERIAL_BYTES + 1
    with pytest.raises(IdentifierError) as refused:
        random_serial(base[:-1])
    assert refused.value.code == "IDENTIFIER_RANDOM_SHORT"
