"""MemberRegistry: founders, endpoints, accounts, agencies, accreditations. Keys and periods: files of their own."""

from __future__ import annotations

from typing import Any

import pytest
from consortium import (
    AGENCY,
    CHANGSHA,
    CONSORTIUM,
    HANGZHOU,
    NANJING,
    OTHER_AGENCY,
    TYPE_A,
    TYPE_B,
    Consortium,
    deploy_consortium,
)
from evm_chain import FOREVER, Chain, code, events
from web3 import Web3
from web3.exceptions import ContractLogicError

PUBLISH, STATUS = 1, 2
NOBODY = "0x" + 40 * "0"


def founder(city: int = 7, governor: int = 1, hot: tuple[int, ...] = (), **other: Any) -> dict[str, Any]:
    return {"city": city, "governor": governor, "hot": hot, "types": [], "endpoint": "", **other}


def found(chain: Chain, rows: list[dict[str, Any]], production: bool = False, name: bytes = CONSORTIUM) -> Any:
    """Deployment of a registry; founders name their accounts by number, -1 is the zero address."""
    accounts = [*chain.w3.eth.accounts, NOBODY]
    given = [
        (r["city"], 330100, accounts[r["governor"]], [accounts[i] for i in r["hot"]], r["types"], r["endpoint"])
        for r in rows
    ]
    return chain.constructor("MemberRegistry", name, given, production)


# ---------------------------------------------------------------- founders


def test_founders_are_there_from_the_first_block(chain: Chain, consortium: Consortium) -> None:
    read = consortium.registry.functions
    assert read.consortiumId().call() == CONSORTIUM
    assert read.production().call() is True
    assert read.cityCount().call() == 3
    assert [read.cityIdAt(i).call() for i in range(4)] == [HANGZHOU, CHANGSHA, NANJING, 0]
    row, terms = read.city(HANGZHOU).call()
    assert row == (330100, consortium.governor[HANGZHOU], "https://hangzhou.example")
    [(begin, end, recorded, opens)] = terms
    assert (end, recorded, opens) == (FOREVER, 1, 0)
    assert begin == chain.w3.eth.get_block(1)["timestamp"]
    assert read.cityActive(HANGZHOU, begin, 1).call() is True
    assert read.cityActive(HANGZHOU, begin - 1, 1).call() is False
    assert read.cityActive(HANGZHOU, begin, 0).call() is False
    assert read.cityActive(99, begin, 1).call() is False


def test_founding_events_carry_every_value(chain: Chain, consortium: Consortium) -> None:
    receipt = chain.w3.eth.get_transaction_receipt(chain.w3.eth.get_block(1)["transactions"][0])
    begin = chain.w3.eth.get_block(1)["timestamp"]
    assert events(consortium.registry, receipt)[:5] == [
        ("CityAdmitted", HANGZHOU, 330100, consortium.governor[HANGZHOU], begin, FOREVER),
        ("ScopeGranted", HANGZHOU, TYPE_A, begin, FOREVER),
        ("ScopeGranted", HANGZHOU, TYPE_B, begin, FOREVER),
        ("AccountAdded", consortium.hot[HANGZHOU], HANGZHOU, bytes(32), 3, begin, FOREVER),
        ("EndpointChanged", HANGZHOU, "https://hangzhou.example"),
    ]


def test_the_deployer_has_no_role(chain: Chain, consortium: Consortium) -> None:
    registry = consortium.registry.functions
    assert registry.account(consortium.deployer).call() == [(0, 0, bytes(32)), []]
    refused = chain.refused(registry.addAgency(AGENCY, 0, FOREVER), consortium.deployer)
    assert refused == ("NotGovernor", consortium.deployer)


@pytest.mark.parametrize(
    ("rows", "production", "error"),
    [
        ([], False, ("TooFewFounders", 0, 1)),
        ([founder(1, 1), founder(2, 2)], True, ("TooFewFounders", 2, 3)),
        ([founder(0)], False, ("BadCityId", 0)),
        ([founder(1, 1), founder(1, 2)], False, ("BadCityId", 1)),
        ([founder(governor=-1)], False, ("ZeroAddress",)),
        ([founder(hot=(-1,))], False, ("ZeroAddress",)),
        ([founder(types=[code("SHORT")])], False, ("BadCode", code("SHORT"), 21)),
        ([founder(endpoint="https://")], False, ("BadEndpoint", "https://")),
    ],
)
def test_bad_founders_stop_the_deployment(
    chain: Chain, rows: list[dict[str, Any]], production: bool, error: tuple[Any, ...]
) -> None:
    assert chain.refused(found(chain, rows, production), chain.w3.eth.accounts[0]) == error


@pytest.mark.parametrize(
    ("rows", "taken"),
    [
        ([founder(1, 1), founder(2, 1)], 1),  # one governor for two cities
        ([founder(1, 1, hot=(1,))], 1),  # governor and hot account in one
        ([founder(1, 1, hot=(3,)), founder(2, 2, hot=(3,))], 3),  # one hot account for two cities
        ([founder(1, 1, hot=(2,)), founder(2, 2)], 2),  # hot here, governor there
    ],
)
def test_an_address_stands_for_one_city_only(chain: Chain, rows: list[dict[str, Any]], taken: int) -> None:
    accounts = chain.w3.eth.accounts
    assert chain.refused(found(chain, rows), accounts[0]) == ("AccountTaken", accounts[taken])


@pytest.mark.parametrize("twice", [founder(hot=(2, 2)), founder(types=[TYPE_A, TYPE_A])])
def test_a_founder_lists_nothing_twice(chain: Chain, twice: dict[str, Any]) -> None:
    assert chain.refused(found(chain, [twice]), chain.w3.eth.accounts[0])[0] == "TermOverlaps"


def test_a_deployment_needs_a_name(chain: Chain) -> None:
    deployment = found(chain, [founder()], name=bytes(32))
    assert chain.refused(deployment, chain.w3.eth.accounts[0]) == ("NoConsortiumId",)


def test_two_deployments_share_nothing(chain: Chain, consortium: Consortium) -> None:
    """Same accounts, same cities: what one consortium learns, the other does not."""
    other = deploy_consortium(chain)
    chain.send(consortium.registry.functions.addAgency(AGENCY, 0, FOREVER), consortium.governor[HANGZHOU])
    assert other.registry.functions.agencyTerms(AGENCY, HANGZHOU).call() == []


# --------------------------------------------------------------- endpoints


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "https://city.example",
        "https://city.example:8443/ledger/v1/",
        "https://[2001:db8::1]:8443",
        "https://" + 192 * "a",
    ],
)
def test_a_governor_sets_the_endpoint(chain: Chain, consortium: Consortium, endpoint: str) -> None:
    registry, governor = consortium.registry, consortium.governor[HANGZHOU]
    receipt = chain.send(registry.functions.setEndpoint(endpoint), governor)
    assert events(registry, receipt) == [("EndpointChanged", HANGZHOU, endpoint)]
    assert registry.functions.city(HANGZHOU).call()[0][2] == endpoint


NOT_AN_ENDPOINT = [
    "https://" + 193 * "a",
    "http://city.example",
    "HTTPS://city.example",
    "ftp://city.example",
    "https:/city.example",
    "https://",
    "https:///path",
    "https://:443",
    "https://.example",
    "https://user@city.example",
    "https://city.example\\@evil.example",
    "https://city.example?q=1",
    "https://city.example#here",
    "https://city.example/%41",
    "https://city example",
    "https://city.example\n",
    "https://杭州.example",
    "x",
]


@pytest.mark.parametrize("endpoint", [*NOT_AN_ENDPOINT, "http://127.0.0.1:8000", "http://localhost"])
def test_what_is_no_https_base_url_is_refused(chain: Chain, consortium: Consortium, endpoint: str) -> None:
    call = consortium.registry.functions.setEndpoint(endpoint)
    assert chain.refused(call, consortium.governor[HANGZHOU]) == ("BadEndpoint", endpoint)


@pytest.mark.parametrize(
    ("endpoint", "good"),
    [
        ("http://127.0.0.1", True),
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://localhost/", True),
        ("https://city.example", True),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://127.0.0.1:80@evil.example", False),
        ("http://city.example", False),
    ],
)
def test_plain_http_only_on_loopback_and_only_in_development(chain: Chain, endpoint: str, good: bool) -> None:
    deployment = found(chain, [founder(endpoint=endpoint)])
    if good:
        chain.send(deployment, chain.w3.eth.accounts[0])
    else:
        assert chain.refused(deployment, chain.w3.eth.accounts[0]) == ("BadEndpoint", endpoint)


# ---------------------------------------------------------------- accounts


def test_an_account_acts_within_its_period(chain: Chain, consortium: Consortium) -> None:
    registry, governor, new = consortium.registry, consortium.governor[HANGZHOU], consortium.spare[0]
    begin, end = chain.time + 100, chain.time + 200
    receipt = chain.send(registry.functions.addAccount(new, bytes(32), PUBLISH, begin, end), governor)
    assert events(registry, receipt) == [("AccountAdded", new, HANGZHOU, bytes(32), PUBLISH, begin, end)]
    assert registry.functions.account(new).call() == [
        (HANGZHOU, PUBLISH, bytes(32)),
        [(begin, end, receipt["blockNumber"], 0)],
    ]
    acts = registry.functions.actsFor(new, PUBLISH)
    assert chain.refused(acts, new, at=begin - 1) == ("Unregistered", new)
    chain.pass_to(begin)
    assert acts.call() == [HANGZHOU, bytes(32)]
    assert chain.refused(registry.functions.actsFor(new, STATUS), new) == ("Unregistered", new)
    assert chain.refused(registry.functions.actsFor(new, 0), new) == ("Unregistered", new)
    assert chain.refused(acts, new, at=end) == ("Unregistered", new)


def test_an_account_ends_at_once_or_later_and_may_return(chain: Chain, consortium: Consortium) -> None:
    registry, governor, hot = consortium.registry, consortium.governor[HANGZHOU], consortium.hot[HANGZHOU]
    receipt = chain.send(registry.functions.endAccount(hot, 0), governor)
    assert events(registry, receipt) == [("AccountEnded", hot, chain.time)]
    acts = registry.functions.actsFor(hot, PUBLISH)
    assert chain.refused(acts, hot) == ("Unregistered", hot)
    chain.send(registry.functions.addAccount(hot, bytes(32), 3, 0, FOREVER), governor)
    assert acts.call() == [HANGZHOU, bytes(32)]
    assert len(registry.functions.account(hot).call()[1]) == 3


def test_an_agency_account_needs_account_agency_and_city(chain: Chain, consortium: Consortium) -> None:
    registry, governor, clerk = consortium.registry, consortium.governor[HANGZHOU], consortium.spare[0]
    add = registry.functions.addAccount(clerk, AGENCY, STATUS, 0, FOREVER)
    assert chain.refused(add, governor) == ("AgencyNotMember", AGENCY, HANGZHOU, chain.time + 1)
    chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), governor)
    chain.send(add, governor)
    acts = registry.functions.actsFor(clerk, STATUS)
    assert acts.call() == [HANGZHOU, AGENCY]
    chain.send(registry.functions.endAgency(AGENCY, 0), governor)
    assert chain.refused(acts, clerk) == ("Unregistered", clerk)
    # Another city takes the agency over: the account stays with the city that appointed it, and acts no more.
    chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), consortium.governor[CHANGSHA])
    assert chain.refused(acts, clerk) == ("Unregistered", clerk)


@pytest.mark.parametrize(
    ("agency", "roles"), [(bytes(32), 0), (bytes(32), 4), (bytes(32), 255), (AGENCY, 1), (AGENCY, 3)]
)
def test_roles_that_do_not_exist(chain: Chain, consortium: Consortium, agency: bytes, roles: int) -> None:
    registry, governor = consortium.registry.functions, consortium.governor[HANGZHOU]
    chain.send(registry.addAgency(AGENCY, 0, FOREVER), governor)
    call = registry.addAccount(consortium.spare[0], agency, roles, 0, FOREVER)
    assert chain.refused(call, governor) == ("BadRoles", roles)


def test_an_account_keeps_its_city_its_agency_and_its_roles(chain: Chain, consortium: Consortium) -> None:
    registry, governor, hot = consortium.registry.functions, consortium.governor, consortium.hot[HANGZHOU]
    chain.send(registry.addAgency(AGENCY, 0, FOREVER), governor[HANGZHOU])
    chain.send(registry.endAccount(hot, 0), governor[HANGZHOU])
    for city, agency, roles, who in [
        (CHANGSHA, bytes(32), 3, hot),
        (HANGZHOU, bytes(32), PUBLISH, hot),
        (HANGZHOU, AGENCY, STATUS, hot),
        (HANGZHOU, bytes(32), 3, governor[HANGZHOU]),
        (HANGZHOU, bytes(32), 3, governor[CHANGSHA]),
    ]:
        call = registry.addAccount(who, agency, roles, 0, FOREVER)
        assert chain.refused(call, governor[city]) == ("AccountTaken", who)
    zero = registry.addAccount(NOBODY, bytes(32), 3, 0, FOREVER)
    assert chain.refused(zero, governor[HANGZHOU]) == ("ZeroAddress",)
    odd = registry.addAccount(consortium.spare[0], AGENCY[:-1] + b"1", STATUS, 0, FOREVER)
    assert chain.refused(odd, governor[HANGZHOU]) == ("BadCode", AGENCY[:-1] + b"1", 18)


def test_a_governor_neither_publishes_nor_sets_a_status(chain: Chain, consortium: Consortium) -> None:
    registry, governor = consortium.registry.functions, consortium.governor[HANGZHOU]
    assert registry.account(governor).call() == [(HANGZHOU, 0, bytes(32)), []]
    for role in (PUBLISH, STATUS, 255):
        assert chain.refused(registry.actsFor(governor, role), governor) == ("Unregistered", governor)


def test_another_citys_governor_ends_nothing_here(chain: Chain, consortium: Consortium) -> None:
    registry, other = consortium.registry.functions, consortium.governor[CHANGSHA]
    chain.send(registry.addAgency(AGENCY, 0, FOREVER), consortium.governor[HANGZHOU])
    chain.send(registry.accredit(AGENCY, TYPE_A, 0, FOREVER), consortium.governor[HANGZHOU])
    for account in (consortium.hot[HANGZHOU], consortium.stranger):
        assert chain.refused(registry.endAccount(account, 0), other) == ("UnknownAccount", account)
    # Agencies and accreditations are kept by city, so the call reaches only the caller's own, empty lists.
    assert chain.refused(registry.endAgency(AGENCY, 0), other)[0] == "TermNothingToEnd"
    assert chain.refused(registry.endAccreditation(AGENCY, TYPE_A, 0), other)[0] == "TermNothingToEnd"


@pytest.mark.parametrize(
    ("act", "arguments"),
    [
        ("setEndpoint", ("https://city.example",)),
        ("addAccount", (NOBODY, bytes(32), 3, 0, FOREVER)),
        ("endAccount", (NOBODY, 0)),
        ("addAgency", (AGENCY, 0, FOREVER)),
        ("endAgency", (AGENCY, 0)),
        ("accredit", (AGENCY, TYPE_A, 0, FOREVER)),
        ("endAccreditation", (AGENCY, TYPE_A, 0)),
        ("addKey", ((b"k" * 32, HANGZHOU, bytes(32), 1, 2, b"x" * 32, b"y" * 32), 0, FOREVER)),
        ("endKey", (b"k" * 32, 0)),
        ("compromiseKey", (b"k" * 32, 0)),
    ],
)
def test_every_change_is_the_governors(
    chain: Chain, consortium: Consortium, act: str, arguments: tuple[Any, ...]
) -> None:
    call = consortium.registry.functions[act](*arguments)
    for sender in (consortium.stranger, consortium.hot[HANGZHOU], consortium.deployer):
        assert chain.refused(call, sender) == ("NotGovernor", sender)


# ---------------------------------------------- agencies and accreditations


def test_an_agency_belongs_to_one_city_at_a_time(chain: Chain, consortium: Consortium) -> None:
    registry, governor = consortium.registry, consortium.governor
    end = chain.time + 100
    receipt = chain.send(registry.functions.addAgency(AGENCY, 0, end), governor[HANGZHOU])
    begin = chain.time
    assert events(registry, receipt) == [("AgencyAdded", AGENCY, HANGZHOU, begin, end)]
    again = registry.functions.addAgency(AGENCY, 0, FOREVER)
    assert chain.refused(again, governor[CHANGSHA]) == ("AgencyElsewhere", AGENCY, HANGZHOU)
    assert chain.refused(again, governor[HANGZHOU]) == ("TermOverlaps", chain.time + 1, end)
    chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), governor[CHANGSHA], at=end)
    city_of = registry.functions.cityOfAgency
    now = chain.block
    assert [city_of(AGENCY, t, now).call() for t in (begin - 1, begin, end - 1, end)] == [0, 1, 1, 2]
    assert city_of(AGENCY, end, now - 1).call() == 0
    assert city_of(OTHER_AGENCY, end, now).call() == 0


def test_an_agency_that_will_belong_elsewhere_is_taken_too(chain: Chain, consortium: Consortium) -> None:
    registry, governor = consortium.registry.functions, consortium.governor
    chain.send(registry.addAgency(AGENCY, chain.time + 1000, FOREVER), governor[HANGZHOU])
    call = registry.addAgency(AGENCY, 0, chain.time + 500)
    assert chain.refused(call, governor[CHANGSHA]) == ("AgencyElsewhere", AGENCY, HANGZHOU)
    chain.send(registry.endAgency(AGENCY, 0), governor[HANGZHOU])  # cut to its own start: it never held
    chain.send(call, governor[CHANGSHA])
    assert registry.cityOfAgency(AGENCY, chain.time, chain.block).call() == CHANGSHA


@pytest.mark.parametrize(
    "agency",
    [
        bytes(32),
        AGENCY[:17] + bytes(15),
        AGENCY[:18] + b"1" + bytes(13),
        AGENCY[:17] + b"c" + bytes(14),
        AGENCY[:17] + b"-" + bytes(14),
        bytes(1) + AGENCY[:31],
        b"\xff" * 32,
    ],
)
def test_an_agency_id_looks_like_one(chain: Chain, consortium: Consortium, agency: bytes) -> None:
    call = consortium.registry.functions.addAgency(agency, 0, FOREVER)
    assert chain.refused(call, consortium.governor[HANGZHOU]) == ("BadCode", agency, 18)


def test_accreditation_needs_membership_and_scope(chain: Chain, consortium: Consortium) -> None:
    registry, governor = consortium.registry, consortium.governor[CHANGSHA]
    accredit = registry.functions.accredit(AGENCY, TYPE_A, 0, FOREVER)
    assert chain.refused(accredit, governor) == ("AgencyNotMember", AGENCY, CHANGSHA, chain.time + 1)
    chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), governor)
    out = registry.functions.accredit(AGENCY, TYPE_B, 0, FOREVER)
    assert chain.refused(out, governor) == ("OutOfScope", CHANGSHA, TYPE_B, chain.time + 1)
    receipt = chain.send(accredit, governor)
    begin, block = chain.time, chain.block
    assert events(registry, receipt) == [("Accredited", AGENCY, CHANGSHA, TYPE_A, begin, FOREVER)]
    listed = registry.functions.accreditationTerms(AGENCY, CHANGSHA, TYPE_A).call()
    assert listed == [(begin, FOREVER, block, 0)]
    ask = registry.functions.accredited
    assert ask(AGENCY, TYPE_A, begin, block).call() is True
    assert ask(AGENCY, TYPE_A, begin - 1, block).call() is False
    assert ask(AGENCY, TYPE_A, begin, block - 1).call() is False
    assert ask(AGENCY, TYPE_B, begin, block).call() is False
    assert ask(OTHER_AGENCY, TYPE_A, begin, block).call() is False


def test_accreditation_ends_by_itself_or_with_the_membership(chain: Chain, consortium: Consortium) -> None:
    registry, governor = consortium.registry, consortium.governor[HANGZHOU]
    chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), governor)
    chain.send(registry.functions.accredit(AGENCY, TYPE_A, 0, FOREVER), governor)
    chain.send(registry.functions.accredit(AGENCY, TYPE_B, 0, FOREVER), governor)
    receipt = chain.send(registry.functions.endAccreditation(AGENCY, TYPE_A, 0), governor)
    ended = chain.time
    assert events(registry, receipt) == [("AccreditationEnded", AGENCY, HANGZHOU, TYPE_A, ended)]
    receipt = chain.send(registry.functions.endAgency(AGENCY, 0), governor)
    left = chain.time
    assert events(registry, receipt) == [("AgencyEnded", AGENCY, HANGZHOU, left)]
    ask, block = registry.functions.accredited, chain.block
    assert [ask(AGENCY, TYPE_A, t, block).call() for t in (ended - 1, ended)] == [True, False]
    assert [ask(AGENCY, TYPE_B, t, block).call() for t in (left - 1, left)] == [True, False]
    # Another city takes the agency over: it does not inherit what the first one granted.
    chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), consortium.governor[CHANGSHA])
    assert ask(AGENCY, TYPE_B, chain.time, chain.block).call() is False


def test_scope_reads(chain: Chain, consortium: Consortium) -> None:
    read, begin = consortium.registry.functions, chain.w3.eth.get_block(1)["timestamp"]
    assert read.scopeTerms(HANGZHOU, TYPE_B).call() == [(begin, FOREVER, 1, 0)]
    assert read.scopeTerms(CHANGSHA, TYPE_B).call() == []
    assert read.inScope(HANGZHOU, TYPE_B, begin, 1).call() is True
    assert read.inScope(HANGZHOU, TYPE_B, begin - 1, 1).call() is False
    assert read.inScope(HANGZHOU, TYPE_B, begin, 0).call() is False
    assert read.inScope(CHANGSHA, TYPE_B, begin, 1).call() is False


def test_reads_of_what_is_not_there_are_zero(consortium: Consortium) -> None:
    read = consortium.registry.functions
    assert read.city(99).call() == [(0, NOBODY, ""), []]
    assert read.account(consortium.stranger).call() == [(0, 0, bytes(32)), []]
    assert read.agencyTerms(AGENCY, HANGZHOU).call() == []
    assert read.accreditationTerms(AGENCY, HANGZHOU, TYPE_A).call() == []
    assert read.cityIdAt(2**256 - 1).call() == 0


# --------------------------------------------------------------- multicall


def test_one_transaction_sets_up_an_agency_or_nothing(chain: Chain, consortium: Consortium) -> None:
    registry, governor, clerk = consortium.registry, consortium.governor[HANGZHOU], consortium.spare[0]

    def encoded(act: str, *arguments: Any) -> bytes:
        return Web3.to_bytes(hexstr=registry.encode_abi(act, list(arguments)))

    calls = [
        encoded("addAgency", AGENCY, 0, FOREVER),
        encoded("accredit", AGENCY, TYPE_A, 0, FOREVER),
        encoded("addAccount", clerk, AGENCY, STATUS, 0, FOREVER),
    ]
    broken = registry.functions.multicall([*calls, encoded("accredit", AGENCY, TYPE_A, 0, FOREVER)])
    assert chain.refused(broken, governor) == ("TermOverlaps", chain.time + 1, FOREVER)
    assert chain.refused(registry.functions.multicall(calls), clerk) == ("NotGovernor", clerk)
    assert chain.refused(registry.functions.multicall([b"none"]), governor) == ("FailedCall",)
    receipt = chain.send(registry.functions.multicall(calls), governor)
    assert [e[0] for e in events(registry, receipt)] == ["AgencyAdded", "Accredited", "AccountAdded"]
    assert registry.functions.actsFor(clerk, STATUS).call() == [HANGZHOU, AGENCY]


def test_the_registry_takes_no_money(chain: Chain, consortium: Consortium) -> None:
    with pytest.raises(ContractLogicError):
        chain.w3.eth.call({"from": consortium.stranger, "to": consortium.registry.address, "value": 1})
