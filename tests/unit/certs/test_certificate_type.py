"""The catalogue as it is shipped, its schemas, and every way a catalogue file can be damaged."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

import api.demo
from certs.certificate_type import (
    COMMON_FIELDS,
    Catalogue,
    CertificateType,
    Validity,
    json_schema,
    load_catalogue,
    read_type,
)
from certs.errors import CatalogueError, CertsError
from certs.holder import HOLDER_TYPES, check_uscc, normalised_code
from certs.identifier import build

CATALOGUE = load_catalogue()
DEMO = yaml.safe_load((Path(api.demo.__file__).parent / "demo.yaml").read_text(encoding="utf-8"))
EXAMPLE = """
id: example
code: "11100000MB0143028R902"
title: {zh: 样例, en: Example}
standard_version: "1.0"
holder_types: ["001"]
validity: {years: 5}
fields:
  - {name: colour, zh: 颜色, en: Colour, code: YS, kind: code, values: {"1": [红, Red]}}
"""


def test_eleven_types_found_by_id_and_code() -> None:
    assert len(CATALOGUE) == len(list(CATALOGUE)) == 11
    for each in CATALOGUE.values():
        assert CATALOGUE[each.id] is CATALOGUE[each.code] is CATALOGUE.find(each.code) is each
    licence = CATALOGUE["business_licence"]
    assert (licence.code, licence.title_zh, licence.title_en) == (
        "11100000MB0143028R001",
        "营业执照",
        "Business licence",
    )
    assert licence.max_anchor_lag == 7 * 24 * 3600


def test_a_type_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        CATALOGUE["marriage"]
    with pytest.raises(CatalogueError) as refused:
        CATALOGUE.find("marriage")
    assert (refused.value.code, refused.value.params) == ("TYPE_UNKNOWN", {"key": "marriage"})


def test_the_common_fields_carry_the_national_codes() -> None:
    codes = "ZZBS ZZBH CZZT CZZTDM CZZTDMLXDM ZZBFJG ZZBFJGDM ZZBFRQ ZZYXQQSRQ ZZYXQJZRQ XZQH"
    assert " ".join(field.code for field in COMMON_FIELDS) == codes
    assert all(each.fields[:11] == COMMON_FIELDS for each in CATALOGUE.values())


def test_only_the_housing_ministrys_types_name_its_state_codes() -> None:
    named = {each.id: each.state_code_table for each in CATALOGUE.values() if each.state_code_table}
    assert set(named.values()) == {"housing"}
    assert {CATALOGUE[each].code[:18] for each in named} == {"11100000000013338W"}


@pytest.mark.parametrize("each", CATALOGUE.values(), ids=lambda each: each.id)
def test_every_type_can_be_issued_and_every_schema_compiles(each: CertificateType) -> None:
    build(type_code=each.code, issuer="11330100XXXX33013C", serial="1", version=1)
    schema = json_schema(each)
    jsonschema_rs.meta.validate(schema)
    jsonschema_rs.Draft202012Validator(schema)
    assert schema["additionalProperties"] is False
    assert list(schema["properties"]) == [field.name for field in each.fields]
    assert schema["properties"]["holder_type"]["enum"] == list(each.holder_types)
    optional = {field.name for field in each.fields} - set(schema["required"])
    assert optional == {"certificate_identifier"} | {f.name for f in each.fields if not f.required}


@pytest.mark.parametrize(
    ("years", "start", "end"),
    [
        (5, date(2026, 1, 15), "2031-01-14"),
        (1, date(2026, 1, 1), "2026-12-31"),
        (4, date(2024, 2, 29), "2028-02-28"),
        (3, date(2024, 2, 29), "2027-02-28"),
        (None, date(2026, 1, 15), "长期"),
        (5, date(9998, 1, 1), "长期"),
    ],
)
def test_validity_ends_the_day_before_the_anniversary(years: int | None, start: date, end: str) -> None:
    assert Validity(years).end(start) == end


def test_the_example_is_a_type() -> None:
    example = read_type("example.yaml", EXAMPLE)
    assert example.fields[-1].values[0].zh == "红"
    assert example.validity == Validity(5)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("id: example", "id: other", "named after"),
        ("id: example", "id: Example", "snake_case"),
        ("id: example", "id: example\nissuers: []", "issuers"),
        ("id: example", "", "id"),
        ('code: "11100000MB0143028R902"', 'code: "11100000MB0143028R9"', "code"),
        ("title: {zh: 样例, en: Example}", "title: {zh: 样例}", "zh and en"),
        ("title: {zh: 样例, en: Example}", 'title: {zh: 样例, en: ""}', "title"),
        ('["001"]', '["000"]', "holder type"),
        ('["001"]', "[]", "holder type"),
        ("{years: 5}", "{years: 0}", "99 years"),
        ("{years: 5}", "{months: 5}", "years"),
        ("{years: 5}", "{years: 5}\nmax_anchor_lag: 0", "max_anchor_lag"),
        ("name: colour", "name: holderColour", "snake_case"),
        ("name: colour", "name: holder_name", "share a name"),
        ("zh: 颜色", "zh: 持证主体", "share a zh"),
        ("code: YS", "code: ZZBS", "share a code"),
        ("code: YS", "code: 颜色", "pinyin"),
        ("en: Colour", 'en: ""', "Chinese or English"),
        ("kind: code", "kind: colour", "kind"),
        ("kind: code", "kind: string", "values"),
        ("kind: code", "kind: pattern", "pattern"),
        ("kind: code", 'kind: code, pattern: "[0-9]"', "pattern"),
        ('kind: code, values: {"1": [红, Red]}', 'kind: pattern, pattern: "["', "unterminated"),
        ("kind: code", "kind: code, kind: code", "twice"),
        (EXAMPLE, "[]", "mapping"),
        (EXAMPLE, "a: [", "expected"),
    ],
)
def test_a_damaged_file_is_refused_by_name(old: str, new: str, problem: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(CatalogueError, match=problem) as refused:
        read_type("example.yaml", EXAMPLE.replace(old, new))
    assert (refused.value.code, refused.value.params["file"]) == ("CATALOGUE_FILE", "example.yaml")


def test_two_types_of_one_code_are_refused() -> None:
    licence = CATALOGUE["business_licence"]
    with pytest.raises(CatalogueError) as refused:
        Catalogue((licence, replace(licence, id="another")))
    assert (refused.value.code, refused.value.params) == ("CATALOGUE_DUPLICATE", {"key": licence.code})


def test_errors_have_a_code_and_parameters_as_text() -> None:
    error = CertsError("SOME_CODE", "A sentence.", line=3)
    assert (error.code, error.params, str(error)) == ("SOME_CODE", {"line": "3"}, "A sentence.")


def test_the_demonstration_names_only_what_exists() -> None:
    agencies, holders, cities = DEMO["agencies"], DEMO["holders"], DEMO["cities"]
    for agency in agencies.values():
        check_uscc(agency["code"])
        assert agency["city"] in cities
        assert agency["name"].endswith("（演示）")
        assert agency["code"][2:6] == cities[agency["city"]]["division"][:4]
    assert set(DEMO["issuers"]) == set(CATALOGUE)
    for issuers in DEMO["issuers"].values():
        assert all("issue" in agencies[each]["roles"] for each in issuers)
    for holder in holders.values():
        assert normalised_code(holder["type"], holder["code"]) == holder["code"]
        assert holder["type"] in HOLDER_TYPES
        assert {holder.get(role, "li") for role in ("legal_representative", "agent", "parent")} <= set(holders)


@pytest.mark.parametrize("matter", DEMO["matters"], ids=lambda matter: matter["id"])
def test_a_matter_needs_fields_that_its_types_have(matter: dict[str, object]) -> None:
    agencies = DEMO["agencies"]
    assert matter["applicant"] in DEMO["holders"]
    assert str(matter["task_code"])[:18] in {agency["code"] for agency in agencies.values()}
    assert len(str(matter["task_code"])) == 31
    for type_id, names in matter["needs"].items():  # type: ignore[attr-defined]
        assert set(names) <= {field.name for field in CATALOGUE[type_id].fields}
    for department in matter["departments"]:  # type: ignore[attr-defined]
        agency, grants = department["agency"], department["grants"]
        assert agency in agencies
        assert grants is None or agency in DEMO["issuers"][grants]
