"""Several cities on one chain, each with its own home and governor: what they decide, by the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from homes import HANG_SECONDS, MARKET, Home, joined, licences

from api import governance, members
from api.cli import exits
from api.cli.main import main
from api.wiring import GOVERNOR, PUBLISHER, City
from certs.certificate_type import load_catalogue
from ledger.errors import AppendRefused, LedgerError
from ledger.evm.account import Account
from ledger.evm.contracts import log_anchor
from ledger.governance import Action, Kind, State
from ledger.ports import Call
from ledger.verdict import Result

Run = Callable[..., Any]


@pytest.fixture
def cities(home: Home, tmp_path: Path) -> Iterator[list[City]]:
    """Homes of cities 1 to 4; only 1 belongs to the consortium yet."""
    opened = [home.city, *(joined(home, tmp_path / f"city-{n}", n) for n in (2, 3, 4))]
    yield opened
    for city in opened[1:]:
        city.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `certledger member …` of a city; its JSON. `expect` is the exit code."""

    def member(city: City, *words: object, expect: int = exits.DONE) -> Any:
        code = main(["member", *map(str, words), "--home", str(city.home), "--json"])
        out = capsys.readouterr().out
        assert code == expect, out
        return json.loads(out)

    return member


def address(city: City, account: str = GOVERNOR) -> str:
    return Account(city.keystore.account_secret(account)).address


def admission(city: City) -> list[object]:
    """Words that propose to admit this city."""
    number, division = city.settings.city, city.settings.division
    who = ["--governor", address(city), "--hot", address(city, PUBLISHER)]
    return ["propose", "admit", "--city", number, "--division", division, *who, "--type", "business_licence"]


def admit(run: Run, new: City, first: City, *others: City) -> Any:
    made = run(first, *admission(new))
    for city in others:
        run(city, "approve", made["number"])
    return run(first, "execute", made["id"])


def member(city: City, number: int) -> bool:
    """Whether the city has a running term, as the chain says."""
    from ledger.evm.contracts import member_registry

    registry = city.deployment.member_registry.address
    row = member_registry.city_row(number, city.chain.ask([(registry, member_registry.city_call(number))])[0])
    return bool(row.terms) and row.terms[-1].end is None


def test_three_cities_admit_and_remove_a_fourth_and_two_of_four_cannot(cities: list[City], run: Run) -> None:
    one, two, three, four = cities
    admit(run, two, one)
    admit(run, three, one, two)
    made = run(one, *admission(four))
    assert (made["counted"], made["needed"]) == (1, 2)
    assert run(two, "approve", made["number"])["counted"] == 2
    assert run(three, "approve", made["id"])["counted"] == 3
    done = run(three, "execute", made["number"])
    assert (done["state"], done["approvals"][0]) == ("EXECUTED", {"city": 1, "governor": address(one)})
    assert all(member(one, number) for number in (1, 2, 3, 4))
    assert run(one, "proposals") == {"proposals": []}
    assert len(run(one, "proposals", "--all")["proposals"]) == 3

    fifth = ["propose", "admit", "--city", 5, "--division", 330500, "--governor", "0x" + 40 * "5"]
    made = run(four, *fifth)
    run(two, "approve", made["number"])
    refused = run(two, "execute", made["number"], expect=exits.REFUSED)
    assert (refused["error"]["code"], refused["error"]["params"]["rule"]) == ("DECISION_REFUSED", "NotEnoughApprovals")
    assert [p["needed"] for p in run(two, "proposals")["proposals"]] == [3]

    removal = run(one, "propose", "remove", "--city", 4)
    run(two, "approve", removal["number"])
    run(three, "approve", removal["number"])
    run(two, "execute", removal["number"])
    assert not member(one, 4)
    [pending] = run(one, "proposals")["proposals"]
    assert (pending["counted"], pending["needed"]) == (1, 2)  # the departed city counts on neither side
    gone = run(four, "approve", made["number"], expect=exits.REFUSED)
    assert gone["error"]["params"]["rule"] == "NotGovernor"


def test_a_dry_run_shows_what_would_be_voted_and_sends_nothing(cities: list[City], run: Run) -> None:
    one, two, *_ = cities
    shown = run(one, *admission(two), "--dry-run")
    code = load_catalogue().find("business_licence").code
    assert shown == {
        "done": False,
        "act": "ADMIT",
        "city": 2,
        "division": two.settings.division,
        "account": address(two),
        "types": [code],
        "hot": [address(two, PUBLISHER)],
        "needed": 1,
    }
    assert governance.every(one) == []
    made = run(one, *admission(two))
    for act in ("approve", "execute"):
        assert run(one, act, made["number"], "--dry-run")["done"] is False
    [standing] = governance.every(one)
    assert standing.proposal.state == State.OPEN
    assert not member(one, 2)
    refused = run(two, "approve", made["number"], "--dry-run", expect=exits.REFUSED)
    assert refused["error"]["params"]["rule"] == "NotGovernor"


def test_a_command_may_be_run_again(cities: list[City], run: Run) -> None:
    one, two, *_ = cities
    made = run(one, *admission(two))
    assert run(one, *admission(two))["id"] == made["id"]
    assert run(one, "approve", made["number"])["counted"] == 1
    run(one, "execute", made["number"])
    assert run(one, "execute", made["number"])["state"] == "EXECUTED"
    assert len(governance.every(one)) == 1


def test_what_cannot_be_voted_is_told_before_it_is_sent(cities: list[City], run: Run) -> None:
    one = cities[0]
    own = run(one, "propose", "remove", "--city", 1, expect=exits.REFUSED)
    assert own["error"]["params"]["rule"] == "NoVoteOnOneself"
    unknown = run(one, "propose", "suspend", "--city", 9, expect=exits.REFUSED)
    assert unknown["error"]["params"]["rule"] == "UnknownCity"
    for words, code in (
        (["propose", "rekey", "--city", 1], "ACTION_FORM"),
        (["propose", "admit", "--city", 2, "--governor", "0x12"], "USAGE"),
        (["propose", "rekey", "--city", 2, "--governor", "0x12"], "ADDRESS_FORM"),
        (["propose", "rekey", "--city", 2, "--governor", "0x" + 39 * "a" + "A"], "ADDRESS_FORM"),
        (["approve", 7], "PROPOSAL_UNKNOWN"),
        (["approve", "x" * 64], "PROPOSAL_UNKNOWN"),
        (["cancel", "ab"], "PROPOSAL_UNKNOWN"),
    ):
        assert run(one, *words, expect=exits.USAGE)["error"]["code"] == code
    governor = one.transactor(GOVERNOR).address
    assert one.wire.next_nonce(governor) == 2  # setting up the home; nothing was sent since


def test_a_lost_governor_defends_itself(cities: list[City], run: Run) -> None:
    one, two, three, _ = cities
    admit(run, two, one)
    made = run(one, "propose", "rekey", "--city", 2, "--governor", address(three))
    begun = run(one, "execute", made["number"])
    assert begun["state"] == "OPEN"
    assert begun["due"] is not None
    early = run(one, "execute", made["number"], expect=exits.REFUSED)
    assert early["error"]["params"]["rule"] == "TooEarly"
    assert run(two, "cancel", made["number"])["state"] == "CANCELLED"
    over = run(one, "execute", made["number"], expect=exits.REFUSED)
    assert over["error"]["params"]["rule"] == "ProposalOver"


def test_types_are_granted_and_ended(cities: list[City], run: Run) -> None:
    one, two, *_ = cities
    admit(run, two, one)
    card = ["--city", 2, "--type", "resident_id_card"]
    agency = "11330200XXXX330217"
    run(one, "execute", run(one, "propose", "grant-types", *card)["number"])
    members.add(two, members.Member(agency, "another police", ("resident_id_card",)))
    assert members.plan(two, agency, ["resident_id_card"]) == []
    run(one, "execute", run(one, "propose", "end-types", *card)["number"])
    assert [step.act for step in members.plan(two, agency, ["resident_id_card"])] == ["accredit"]


def test_the_end_of_an_epoch_voids_what_was_anchored_above(home: Home, cities: list[City], run: Run) -> None:
    """The city anchors 3 and then 6 entries; another city closes its epoch at 3 (of two cities, one can)."""
    one, two, *_ = cities
    admit(run, two, one)
    good = home.issued(3)
    home.publish()
    later = [each for each in home.issued(3, start=4) if each.identifier not in {g.identifier for g in good}]
    home.publish()
    assert {home.verify(each.identifier, online=True).verdict.result for each in (*good, *later)} == {Result.VALID}

    made = run(two, "propose", "close-epoch", "--city", 1, "--stream", "certificate", "--size", 3)
    assert (made["epoch"], made["size"], made["needed"]) == (0, 3, 1)
    run(two, "execute", made["number"])
    anchor = one.deployment.log_anchor.address
    epoch = one.chain.ask([(anchor, log_anchor.current_epoch_call(1, "certificate"))])[0]
    assert log_anchor.current_epoch(epoch) == 1
    assert one.chain.closings([one.log.id]) != [None]

    for each in good:
        assert home.verify(each.identifier, online=True).verdict.result is Result.VALID
    for each in later:
        assert home.verify(each.identifier, online=True).verdict.result is not Result.VALID
        assert home.verify(each.identifier).verdict.result is not Result.VALID  # offline too, by a new snapshot

    home.issue(licences(home.folder / "more.csv", 1, start=7), agency=MARKET)
    with pytest.raises(AppendRefused) as refused:
        one.publisher.catch_up(HANG_SECONDS)
    assert refused.value.code == "EPOCH_CLOSED"


def test_a_governor_closes_its_own_epoch_and_no_hot_account_does(home: Home, cities: list[City]) -> None:
    one = cities[0]
    home.issued(3)
    home.publish()
    call = Call(one.deployment.log_anchor.address, log_anchor.close_epoch("certificate", 3))
    assert one.chain.rehearse(address(one, PUBLISHER), call) is not None
    assert one.chain.rehearse(address(one), call) is None


def test_an_action_carries_only_what_its_kind_has() -> None:
    with pytest.raises(LedgerError) as refused:
        Action(Kind.SUSPEND, 2, size=1)
    assert refused.value.code == "ACTION_FORM"
