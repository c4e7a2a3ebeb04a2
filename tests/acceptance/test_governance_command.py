"""Three cities admit and remove a fourth, and two cannot: real commands in four homes on one chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evidence import Shown
from prepared_city import LICENCE
from several_cities import AGENCIES, Consortium, founded

from api.wiring import City
from ledger.ports import HeadItem


def refusal(consortium: Consortium, city: int, *words: object) -> str:
    """The contract's rule by which a command was refused."""
    error = consortium[city].member(*words, expect=1)["error"]
    assert error["code"] == "DECISION_REFUSED"
    return str(error["params"]["rule"])


def voted(consortium: Consortium, made: Any, *others: int) -> Any:
    said = made
    for city in others:
        said = consortium[city].member("approve", made["number"])
    return said


def test_three_cities_admit_and_remove_a_fourth_and_two_cannot(tmp_path: Path, shown: Shown) -> None:
    with founded(tmp_path) as cities:
        cities.admit(2, 1)
        cities.admit(3, 1, 2)
        agency = _admission(cities, shown)
        _two_cannot(cities, shown)
        _removal(cities, agency, shown)


def _admission(cities: Consortium, shown: Shown) -> str:
    words = cities.admission(4)
    plan = cities[1].member(*words, "--dry-run")
    assert (plan["done"], plan["needed"]) == (False, 2)
    assert cities.join(4, expect=1).json["error"]["code"] == "NOT_ADMITTED"
    assert refusal(cities, 4, "add", *_agency(cities, 4)) == "NotGovernor"  # not a member yet
    made = cities[1].member(*words)
    assert (made["counted"], made["needed"]) == (1, 2)
    assert refusal(cities, 1, "execute", made["number"]) == "NotEnoughApprovals"
    shown("one of three cannot", f"proposal {made['number']}: 1 of 2 approvals, NotEnoughApprovals")
    approved = voted(cities, made, 2, 3)
    done = cities[3].member("execute", made["number"])
    assert (done["state"], sorted(each["city"] for each in done["approvals"])) == ("EXECUTED", [1, 2, 3])
    shown(
        "three cities admit a fourth",
        f"id {made['id']}, {approved['counted']} approvals, {approved['needed']} needed, block {cities.height()}",
    )
    cities.join(4)
    agency = cities.issuing(4)
    issued = cities.issue(4, agency, 1).json
    assert (issued["issued"], issued["state"]) == (3, "anchored")
    shown("the fourth publishes", f"3 certificates anchored, block {cities.height()}")
    return agency


def _agency(cities: Consortium, number: int) -> tuple[object, ...]:
    return "--agency", AGENCIES[number], "--name", "机构（演示）", "--type", LICENCE


def _two_cannot(cities: Consortium, shown: Shown) -> None:
    """Of four active cities three are needed to admit a fifth."""
    made = cities[1].member(*cities.admission(5))
    said = voted(cities, made, 4)
    assert (said["counted"], said["needed"]) == (2, 3)
    assert refusal(cities, 1, "execute", made["number"]) == "NotEnoughApprovals"
    shown("two of four cannot", f"id {made['id']}, 2 of 3 approvals, NotEnoughApprovals, block {cities.height()}")


def _removal(cities: Consortium, agency: str, shown: Shown) -> None:
    assert refusal(cities, 4, "propose", "remove", "--city", 4) == "NoVoteOnOneself"
    assert _may_publish(cities, 4)
    made = cities[2].member("propose", "remove", "--city", 4)
    assert refusal(cities, 2, "execute", made["number"]) == "NotEnoughApprovals"
    said = voted(cities, made, 1, 3)
    cities[2].member("execute", made["number"])
    shown(
        "three cities remove the fourth",
        f"id {made['id']}, {said['counted']} approvals, {said['needed']} needed, block {cities.height()}",
    )
    # The departed city's approval counts on neither side: one of two that are needed is left.
    pending = next(p for p in cities[1].member("proposals")["proposals"] if p["city"] == 5)
    assert (pending["counted"], pending["needed"]) == (1, 2)
    assert refusal(cities, 1, "execute", pending["number"]) == "NotEnoughApprovals"
    shown("two approvals, one of a city that has left", "1 of 2 count, NotEnoughApprovals")
    assert refusal(cities, 4, "propose", "suspend", "--city", 1) == "NotGovernor"
    stopped = cities.issue(4, agency, 5, expect=1).json["error"]["code"]
    assert not _may_publish(cities, 4) and _may_publish(cities, 1)
    shown("after its removal", f"the fourth issues nothing ({stopped}), and LogAnchor reverts what it would publish")


def _may_publish(cities: Consortium, number: int) -> bool:
    """Whether LogAnchor would take a transaction of the city's publisher at all, whatever head is in it."""
    with City(cities[number].home.path) as city:
        head = HeadItem("certificate", 1_000_000, bytes(32), ())
        return city.chain.rehearse(cities[number].publisher, city.chain.publish([head])) is None
