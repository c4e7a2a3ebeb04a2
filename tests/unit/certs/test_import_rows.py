"""Rows of certificates that exist: their identifiers are kept, whatever else is wrong is named."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from certs import identifier
from certs.certificate_type import load_catalogue
from certs.errors import RowFileError
from certs.identifier import CHECK_VARIANT_LETTERS_FROM_11, ISSUER_IS_REGION_CODE, region_fits
from certs.import_rows import ExistingRow, ImportReader, import_type
from certs.lifecycle import Change
from certs.rows import Issuer, RawRow, Reject, resolve_columns

TYPE = load_catalogue()["safety_officer_certificate"]
AGENCY, OTHER = "11330100XXXX33013C", "11330100XXXX330217"
ISSUER = Issuer(AGENCY, "杭州市城乡建设委员会（演示）", "330100")
TODAY = date(2026, 11, 23)


def existing(
    issuer: str = AGENCY, *, type_code: str = TYPE.code, serial: str = "20230000403", version: str = "002"
) -> str:
    check = identifier.check_character(type_code + issuer + serial + version)
    return ".".join((identifier.ROOT, type_code, issuer, serial, version, check))


def variant() -> str:
    """An identifier with the wrong check character that is in use."""
    text = existing()[:-1]
    for letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        try:
            if identifier.parse(text + letter).notes == (CHECK_VARIANT_LETTERS_FROM_11,):
                return text + letter
        except identifier.IdentifierError:
            continue
    raise AssertionError


ROW: dict[str, Any] = {
    "certificate_identifier": existing(),
    "certificate_number": "浙建安C1（2025）0000001演",
    "holder_name": "宋磊",
    "holder_code": "330106196211059975",
    "issuing_date": "2023-12-19",
    "validity_end": "2029-12-31",
    "name": "宋磊",
    "sex": "男",
    "birth_date": "1962-11-05",
    "id_number": "330106196211059975",
    "employer_name": "杭州竹海博远建设工程有限公司（演示）",
    "employer_code": "91330102XXXX10014Y",
    "category": "C3",
    "first_issue_date": "2023-12-19",
    "state_code": "01",
}


def read(since: date | None = None, **changes: Any) -> ExistingRow | Reject | None:
    cells = {name: value for name, value in (ROW | changes).items() if value is not ...}
    columns = resolve_columns(import_type(TYPE), list(cells), existing=True)
    return ImportReader(TYPE, columns, ISSUER, TODAY, since=since).read(RawRow(2, list(cells.values())))


def accepted(**changes: Any) -> ExistingRow:
    row = read(**changes)
    assert isinstance(row, ExistingRow), row
    return row


def refused(**changes: Any) -> tuple[str, str]:
    reject = read(**changes)
    assert isinstance(reject, Reject), reject
    return reject.column, reject.rule


def test_a_certificate_that_exists() -> None:
    row = accepted(file="a.ofd; b.pdf", changed_at="2026/1/2")
    assert str(row.identifier) == row.row.attributes["certificate_identifier"] == existing()
    assert (row.identifier.version, row.identifier.notes, row.ending, row.files) == (2, (), None, ("a.ofd", "b.pdf"))
    assert not {"file", "changed_at", "state_code"} & set(row.row.attributes)
    assert row.row.attributes["issuing_authority_code"] == AGENCY


def test_the_wrong_check_variant_is_kept_and_noted() -> None:
    row = accepted(certificate_identifier=variant())
    assert str(row.identifier) == variant() != existing()
    assert row.identifier.notes == (CHECK_VARIANT_LETTERS_FROM_11,)


@pytest.mark.parametrize("region", ["330100", "330106", "330000"])
def test_a_region_of_this_city_stands_for_the_issuer(region: str) -> None:
    row = accepted(certificate_identifier=existing(region))
    assert row.identifier.notes == (ISSUER_IS_REGION_CODE,)


@pytest.mark.parametrize("region", ["330200", "320100", "320000", "000000", "100000"])
def test_a_region_of_another_city_does_not(region: str) -> None:
    assert refused(certificate_identifier=existing(region))[1] == "IDENTIFIER_REGION_ELSEWHERE"


@pytest.mark.parametrize(
    ("region", "division", "fits"),
    [
        ("310115", "310000", True),
        ("310000", "310115", True),
        ("310115", "310100", True),
        ("310115", "310200", False),
        ("330100", "330100", True),
        ("330110", "330100", True),
        ("331000", "330100", False),
        ("000000", "330100", False),
        ("330100", "000000", False),
    ],
)
def test_a_region_fits_if_one_lies_in_the_other(region: str, division: str, fits: bool) -> None:
    assert region_fits(region, division) is fits


@pytest.mark.parametrize(
    ("named", "rule"),
    [
        (existing(OTHER), "IDENTIFIER_ISSUER_DIFFERS"),
        (existing(type_code="11100000000013338W001"), "IDENTIFIER_TYPE_DIFFERS"),
        (existing()[:-1] + ("0" if existing()[-1] != "0" else "1"), "IDENTIFIER_CHECK"),
        ("浙建安C1", "IDENTIFIER_CHARACTER"),
        (existing().lower(), "IDENTIFIER_LOWER_CASE"),
        ("", "VALUE_MISSING"),
    ],
)
def test_an_identifier_that_cannot_be_registered(named: str, rule: str) -> None:
    assert refused(certificate_identifier=named) == ("certificate_identifier", rule)


@pytest.mark.parametrize(
    ("state", "rule"),
    [("06", "STATE_TRANSFERRING"), ("99", "STATE_UNCLEAR"), ("05", "STATE_LAPSED_EARLY"), ("10", "CODE_UNKNOWN")],
)
def test_a_state_that_cannot_be_registered(state: str, rule: str) -> None:
    assert refused(state_code=state) == ("state_code", rule)


def test_states_may_be_written_in_words() -> None:
    ending = accepted(state_code="吊销").ending
    assert ending is not None and ending.change is Change.REVOKE
    assert accepted(state_code="失效", validity_end="2026-11-22").ending is None


def test_an_agency_may_have_had_another_name_but_not_another_code() -> None:
    row = accepted(issuing_authority_name="杭州市建设委员会（演示）")
    assert row.row.attributes["issuing_authority_name"] == "杭州市建设委员会（演示）"
    assert accepted().row.attributes["issuing_authority_name"] == ISSUER.name
    assert refused(issuing_authority_code=OTHER) == ("issuing_authority_code", "ISSUING_AUTHORITY_DIFFERS")


def test_no_rule_makes_up_when_an_existing_certificate_ends() -> None:
    assert refused(validity_end="") == ("validity_end", "VALUE_MISSING")


@pytest.mark.parametrize("missing", ["certificate_identifier", "state_code", "validity_end", "holder_name"])
def test_a_header_without_what_only_the_file_can_tell(missing: str) -> None:
    with pytest.raises(RowFileError) as error:
        read(**{missing: ...})
    assert error.value.code == "HEADER_REFUSED"
    assert error.value.params["missing"]


@pytest.mark.parametrize(
    ("issued", "changed", "older"),
    [
        ("2023-12-19", "", True),
        ("2023-12-19", "2026-11-19", True),
        ("2023-12-19", "2026-11-20", False),
        ("2026-11-20", "", False),
        ("2026年11月22日", "", False),
        ("2026-11-22", "2026-11-19", True),
    ],
)
def test_since_a_day(issued: str, changed: str, older: bool) -> None:
    row = read(date(2026, 11, 20), issuing_date=issued, changed_at=changed)
    assert (row is None) is older
    assert older or isinstance(row, ExistingRow)


def test_a_row_older_than_that_is_not_judged_and_one_without_a_readable_date_is() -> None:
    assert read(date(2026, 11, 20), state_code="99") is None
    undated = read(date(2026, 11, 20), issuing_date="soon")
    assert isinstance(undated, Reject) and undated.rule == "DATE_FORMAT"
    ragged = ImportReader(
        TYPE, resolve_columns(import_type(TYPE), list(ROW), existing=True), ISSUER, TODAY, since=TODAY
    ).read(RawRow(9, ["x"]))
    assert isinstance(ragged, Reject) and ragged.rule == "ROW_RAGGED"
