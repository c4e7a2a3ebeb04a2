"""校核纠错 on a real city: opened by the rules' clock, settled once, overdue ones found."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from homes import MARKET, Home

from api import correcting, policy_import
from audit.errors import PolicyError
from audit.finding import FindingCode
from audit.stewardship import Settled

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "policy"
LICENCE = "11100000MB0143028R001"


@pytest.fixture
def ruled(home: Home) -> Home:
    files = {name: SAMPLES / f"{name}.yaml" for name in ("matters", "lists")}
    policy_import.adopt_files(home.city, SAMPLES / "catalogue.csv", **files, agency=MARKET)
    return home


def test_a_correction_is_due_by_the_agencys_own_clock_and_found_when_it_is_late(ruled: Home, tmp_path: Path) -> None:
    city = ruled.city
    report = tmp_path / "report.txt"
    report.write_text("经营范围有误")
    first = correcting.start(city, LICENCE, "business_scope", agency=MARKET, report=report)
    second = correcting.start(city, LICENCE, "enterprise_name", agency=MARKET, report=None)
    days = (first.due.day - correcting.today(city)).days
    assert 5 <= days <= 5 + 14, "five working days, and what holidays add"
    assert not correcting.settle(city, first.id, Settled.CORRECTED, agency=MARKET, report=report)
    assert [row.closed is None for row in correcting.every(city)] == [True, False]
    assert correcting.findings(city) == []
    now = city.clock
    city.clock = lambda: now() + timedelta(days=40)
    (found,) = correcting.findings(city)
    assert (found.code, found.fields) == (FindingCode.CORRECTION_OVERDUE, ("enterprise_name",))
    assert found.evidence[0].log == city.log_of("policy").id
    city.clock = now
    with pytest.raises(PolicyError) as refused:
        correcting.settle(city, first.id, Settled.CONFIRMED, agency=MARKET, report=None)
    assert refused.value.code == "CORRECTION_CLOSED"
    assert not correcting.settle(city, second.id, Settled.CONFIRMED, agency=MARKET, report=None)
    ruled.publish()
    assert not ruled.wrong()


def test_what_is_not_in_the_catalogue_cannot_be_corrected(ruled: Home) -> None:
    for resource, field in (("nothing", "name"), (LICENCE, "address_of_nobody")):
        with pytest.raises(PolicyError) as refused:
            correcting.start(ruled.city, resource, field, agency=MARKET, report=None)
        assert refused.value.code == "CORRECTION_PLACE"
    with pytest.raises(PolicyError) as refused:
        correcting.settle(ruled.city, bytes(32), Settled.CORRECTED, agency=MARKET, report=None)
    assert refused.value.code == "CORRECTION_UNKNOWN" and correcting.every(ruled.city) == []
