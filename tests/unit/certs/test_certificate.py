"""What a certificate says: who sees which claim, when it holds, and what its log entry tells about the person."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from typing import Any

import forge
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import certificate, identifier, sdjwt
from certs.certificate import CHINA, StatusSlot
from certs.certificate_type import load_catalogue
from certs.identifier import SERIAL_BYTES
from certs.minting import Mint
from certs.rows import Row
from ledger import canonical
from ledger.errors import VerificationError
from ledger.jws import verify
from ledger.keys.wrapping import WrappingKey
from ledger.sealing.open import open_sealed

SLOT = StatusSlot("https://city.invalid/v1/status-lists/3", 17)
SHOWN_NAMES = {"certificate_identifier", "issuing_authority_name", "issuing_authority_code"}
SHOWN_NAMES |= {"issuing_date", "validity_start", "validity_end"}


def visible(**changes: Any) -> dict[str, Any]:
    return certificate.visible_claims(forge.TYPE, {**forge.ATTRIBUTES, **changes}, issued_at=forge.IAT, slot=SLOT)


def test_every_attribute_is_either_visible_or_hidden() -> None:
    hidden = certificate.hidden_claims(forge.ATTRIBUTES)
    assert set(visible()) & set(forge.ATTRIBUTES) == SHOWN_NAMES
    assert set(hidden) == set(forge.ATTRIBUTES) - SHOWN_NAMES
    assert {"holder_code", "holder_name", "certificate_number"} <= set(hidden)


def test_no_type_shows_a_field_of_its_own() -> None:
    """Only common fields are always visible: whatever a type adds, its holder shows or keeps."""
    for each in load_catalogue().values():
        attributes = {field.name: "x" for field in each.fields}
        assert set(attributes) - set(certificate.hidden_claims(attributes)) == SHOWN_NAMES


def test_what_is_visible_says_nothing_about_the_person() -> None:
    text = canonical.dumps(visible()).decode()
    for name in ("holder_name", "holder_code", "certificate_number", "enterprise_name"):
        assert forge.ATTRIBUTES[name] not in text


def test_the_visible_part_has_the_form_of_sd_jwt_vc() -> None:
    claims = visible()
    assert claims["iss"] == f"urn:certledger:agency:{forge.AGENCY}"
    assert claims["vct"] == f"urn:certledger:type:{forge.TYPE.code}:{forge.TYPE.standard_version}"
    assert claims["status"] == {"status_list": {"idx": 17, "uri": SLOT.uri}}
    assert (claims["iat"], claims["suite"]) == (forge.IAT, certificate.SUITE)


@given(st.dates(date(1970, 1, 2), date(9998, 12, 30)), st.integers(0, 365))
def test_a_certificate_holds_from_the_first_to_the_last_second_of_its_days_in_china(start: date, days: int) -> None:
    end = min(start + timedelta(days=days), date(9998, 12, 31))
    claims = visible(validity_start=start.isoformat(), validity_end=end.isoformat())
    first = datetime.fromtimestamp(claims["nbf"], CHINA)
    last = datetime.fromtimestamp(claims["exp"] - 1, CHINA)
    assert (first.date(), first.hour, first.minute, first.second) == (start, 0, 0, 0)
    assert (last.date(), last.hour, last.minute, last.second) == (end, 23, 59, 59)


def test_an_open_ended_certificate_has_no_end() -> None:
    claims = visible(validity_end="长期")
    assert "exp" not in claims
    assert certificate.read_visible(claims).not_after is None


def test_what_is_made_is_read_again() -> None:
    read = certificate.read_visible(visible())
    assert (read.identifier, read.type_code) == (forge.ATTRIBUTES["certificate_identifier"], forge.TYPE.code)
    assert (read.issuer, read.issuer_code, read.suite) == (forge.AGENCY, forge.AGENCY, certificate.SUITE)
    assert read.standard_version == forge.TYPE.standard_version
    assert read.not_before < read.issued_at < (read.not_after or 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "urn:certledger:agency:11330100XXXX33013C\n"},
        {"iss": "urn:certledger:agency:11330100xxxx33013c"},
        {"iss": ["urn:certledger:agency:11330100XXXX33013C"]},
        {"vct": "urn:certledger:type:11100000MB0143028R001"},
        {"vct": "urn:certledger:type:11100000MB0143028R001:1:2"},
        {"vct": "urn:certledger:type:11100000MB0143028R001:"},
        {"iat": True},
        {"iat": 2**53},
        {"nbf": -1},
        {"exp": None},
        {"exp": 1},
        {"cnf": "key"},
        {"suite": 1},
        {"certificate_identifier": "1" * 201},
        {"issuing_authority_code": ""},
    ],
)
def test_other_forms_of_the_visible_part_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(VerificationError) as error:
        certificate.read_visible({**visible(), **changes})
    assert error.value.code == "CERTIFICATE_FORM"


def test_the_log_entry_says_nothing_about_the_person() -> None:
    body = certificate.issue_body(digest=bytes(32), identifier="1.2", type_code=forge.TYPE.code)
    assert set(body) == {"digest", "identifier", "certificate_type", "suite"}
    renewed = certificate.issue_body(digest=bytes(32), identifier="1.2", type_code=forge.TYPE.code, replaces=b"\1" * 32)
    assert renewed == {**body, "replaces": "01" * 32}


# ---------------------------------------------------------------------- minting

CONTENT_KEY = WrappingKey(b"k" * 32)
MINT = Mint(forge.TYPE, forge.AGENCY, forge.KEY, b"i" * 32, b"s" * 32, "https://city.invalid/v1/status-lists/")
ROW = Row(
    2,
    {name: value for name, value in forge.ATTRIBUTES.items() if name != "certificate_identifier"},
    str(forge.ATTRIBUTES["certificate_number"]),
    "001",
    str(forge.ATTRIBUTES["holder_code"]),
)


def opened(minted: Any) -> str:
    context = b"certledger/certificate/v1\x00" + minted.digest
    return open_sealed(minted.sealed, context=context, key=CONTENT_KEY).decode()


def test_a_minted_certificate_opens_verifies_and_carries_its_row() -> None:
    minted = MINT.mint(ROW, CONTENT_KEY, now=forge.SIGNED, place=5)
    presentation = sdjwt.parse(opened(minted))
    verify(presentation.untrusted, x=forge.KEY.x, y=forge.KEY.y)
    assert presentation.digest == minted.digest
    claims = sdjwt.disclosed(presentation)
    assert ROW.attributes.items() <= claims.items()
    assert claims["certificate_identifier"] == minted.identifier and claims["iat"] == forge.IAT
    assert identifier.parse(minted.identifier).variant == "standard" and minted.version == 1


def test_serials_and_salts_are_drawn_anew_each_time() -> None:
    made = [MINT.mint(ROW, CONTENT_KEY, now=forge.SIGNED, place=5) for _ in range(50)]
    assert len({each.identifier for each in made}) == len({each.digest for each in made}) == 50
    salts = [d.encoded for each in made for d in sdjwt.parse(opened(each)).disclosures]
    assert len(set(salts)) == len(salts)


def test_neither_number_nor_code_of_the_holder_stands_in_the_identifier() -> None:
    serial = identifier.parse(MINT.mint(ROW, CONTENT_KEY, now=forge.SIGNED, place=5).identifier).serial
    assert len(serial) == 20 and ROW.holder_code not in serial and ROW.certificate_number not in serial


@given(st.integers(1, 998), st.binary(min_size=SERIAL_BYTES, max_size=SERIAL_BYTES))
def test_the_next_version_keeps_the_serial_and_has_its_own_check_character(version: int, drawn: bytes) -> None:
    serial = identifier.random_serial(drawn)
    old = identifier.build(type_code=forge.TYPE.code, issuer=forge.AGENCY, serial=serial, version=version)
    minted = MINT.mint(ROW, CONTENT_KEY, now=forge.SIGNED, place=5, replaces=old)
    parts = identifier.parse(minted.identifier)
    assert (parts.serial, parts.version, parts.variant) == (serial, version + 1, "standard")
    assert parts.check == identifier.check_character("".join(minted.identifier.split(".")[5:9]))


def test_row_and_content_keys_depend_on_the_secret_and_on_what_they_stand_for() -> None:
    other_secret = Mint(forge.TYPE, forge.AGENCY, forge.KEY, b"j" * 32, b"s" * 32, MINT.status_uri)
    other_agency = Mint(forge.TYPE, forge.OTHER_AGENCY, forge.KEY, b"i" * 32, b"s" * 32, MINT.status_uri)
    other_type = Mint(forge.OTHER_TYPE, forge.AGENCY, forge.KEY, b"i" * 32, b"s" * 32, MINT.status_uri)
    claims = [each.claim(ROW) for each in (MINT, other_secret, other_agency, other_type)]
    assert len({claim.row_key for claim in claims}) == 4
    assert claims[0].content_key != claims[1].content_key
    moved = MINT.claim(Row(9, {**ROW.attributes, "registered_capital": 1}, ROW.certificate_number, "001", "X"))
    assert moved.row_key == claims[0].row_key and moved.content_key != claims[0].content_key


def test_the_order_of_columns_does_not_make_other_content() -> None:
    turned = Row(7, dict(reversed(ROW.attributes.items())), ROW.certificate_number, "001", ROW.holder_code)
    assert MINT.claim(turned).content_key == MINT.claim(ROW).content_key


def test_an_envelope_does_not_open_for_another_certificate() -> None:
    first, second = (MINT.mint(ROW, CONTENT_KEY, now=forge.SIGNED, place=n) for n in (1, 2))
    context = b"certledger/certificate/v1\x00" + second.digest
    with pytest.raises(VerificationError):
        open_sealed(first.sealed, context=context, key=CONTENT_KEY)
    with pytest.raises(VerificationError):
        open_sealed(
            first.sealed, context=b"certledger/certificate/v1\x00" + first.digest, key=WrappingKey(os.urandom(32))
        )
