"""MemberRegistry: public keys, their periods and their compromise."""

from __future__ import annotations

from typing import Any

import pytest
from consortium import AGENCY, CHANGSHA, HANGZHOU, OTHER_AGENCY, Consortium
from evm_chain import FOREVER, Chain, events
from web3.exceptions import ContractLogicError

P256, ED25519 = 1, 2
CERT, HTTP, RECEIPT, HEAD, WITNESS, ENC = range(1, 7)
ZERO = bytes(32)
X, Y = b"\x11" * 32, b"\x22" * 32


def row(**changed: Any) -> tuple[Any, ...]:
    key = {"thumbprint": b"\x77" * 32, "city": HANGZHOU, "agency": ZERO, "suite": P256, "use": HTTP, "x": X, "y": Y}
    return tuple((key | changed).values())


@pytest.mark.parametrize("use", [HTTP, RECEIPT, WITNESS, ENC, CERT, HEAD])
def test_a_key_is_registered_with_all_its_values(chain: Chain, consortium: Consortium, use: int) -> None:
    registry, governor = consortium.registry, consortium.governor[HANGZHOU]
    chain.send(registry.functions.addAgency(AGENCY, 0, FOREVER), governor)
    agency = AGENCY if use == CERT else ZERO
    suite, y = (ED25519, ZERO) if use == HEAD else (P256, Y)
    key = row(use=use, agency=agency, suite=suite, y=y)
    begin, end = chain.time + 10, chain.time + 20
    receipt = chain.send(registry.functions.addKey(key, begin, end), governor)
    assert events(registry, receipt) == [("KeyAdded", key[0], HANGZHOU, agency, suite, use, X, y, begin, end)]
    assert registry.functions.key(key[0]).call() == [key, [(begin, end, chain.block, 0)], []]
    valid = registry.functions.keyValid
    block = chain.block
    seen = [valid(key[0], t, block).call() for t in (begin - 1, begin, end - 1, end)]
    assert seen == [False, True, True, False]
    assert valid(key[0], begin, block - 1).call() is False


def test_an_agency_may_hold_any_kind_of_key(chain: Chain, consortium: Consortium) -> None:
    registry, governor = consortium.registry.functions, consortium.governor[HANGZHOU]
    add = registry.addKey(row(agency=AGENCY, use=ENC), 0, FOREVER)
    assert chain.refused(add, governor) == ("AgencyNotMember", AGENCY, HANGZHOU, chain.time + 1)
    chain.send(registry.addAgency(AGENCY, 0, FOREVER), governor)
    chain.send(add, governor)
    assert registry.keyValid(b"\x77" * 32, chain.time, chain.block).call() is True


@pytest.mark.parametrize(
    "changed",
    [
        {"thumbprint": ZERO},
        {"x": ZERO},
        {"y": ZERO},
        {"use": 0},
        {"suite": 0},
        {"use": CERT},  # without an agency
        {"use": HEAD},  # not Ed25519
        {"use": HEAD, "suite": ED25519},  # Ed25519 with a y
        {"suite": ED25519, "y": ZERO},  # Ed25519 for anything but heads
    ],
)
def test_parts_that_do_not_go_together(chain: Chain, consortium: Consortium, changed: dict[str, Any]) -> None:
    key = row(**changed)
    call = consortium.registry.functions.addKey(key, 0, FOREVER)
    assert chain.refused(call, consortium.governor[HANGZHOU]) == ("BadKey", key[0])


@pytest.mark.parametrize("changed", [{"suite": 3}, {"use": 7}, {"use": 255}])
def test_numbers_outside_an_enum_do_not_decode(chain: Chain, consortium: Consortium, changed: dict[str, Any]) -> None:
    call = consortium.registry.functions.addKey(row(**changed), 0, FOREVER)
    with pytest.raises(ContractLogicError):
        call.call({"from": consortium.governor[HANGZHOU]}, block_identifier="pending")


def test_a_thumbprint_is_registered_once_for_ever(chain: Chain, consortium: Consortium) -> None:
    registry, governor = consortium.registry.functions, consortium.governor
    chain.send(registry.addKey(row(), 0, FOREVER), governor[HANGZHOU])
    chain.send(registry.endKey(row()[0], 0), governor[HANGZHOU])
    for city in (HANGZHOU, CHANGSHA):
        call = registry.addKey(row(city=city, use=ENC), 0, FOREVER)
        assert chain.refused(call, governor[city]) == ("KeyTaken", row()[0])


def test_only_its_own_governor_touches_a_key(chain: Chain, consortium: Consortium) -> None:
    registry, governor, thumbprint = consortium.registry.functions, consortium.governor, row()[0]
    add = registry.addKey(row(), 0, FOREVER)
    assert chain.refused(add, governor[CHANGSHA]) == ("WrongCity", HANGZHOU, CHANGSHA)
    chain.send(add, governor[HANGZHOU])
    for call in (registry.endKey(thumbprint, 0), registry.compromiseKey(thumbprint, 0)):
        assert chain.refused(call, governor[CHANGSHA]) == ("UnknownKey", thumbprint)
    unknown = registry.endKey(X, 0)
    assert chain.refused(unknown, governor[HANGZHOU]) == ("UnknownKey", X)


def test_a_key_that_ended_keeps_what_it_signed(chain: Chain, consortium: Consortium) -> None:
    registry, governor, thumbprint = consortium.registry, consortium.governor[HANGZHOU], row()[0]
    chain.send(registry.functions.addKey(row(), 0, FOREVER), governor)
    added = chain.time, chain.block
    receipt = chain.send(registry.functions.endKey(thumbprint, chain.time + 50), governor)
    end = chain.time - 1 + 50
    assert events(registry, receipt) == [("KeyEnded", thumbprint, end)]
    valid = registry.functions.keyValid
    assert [valid(thumbprint, t, chain.block).call() for t in (added[0], end - 1, end)] == [True, True, False]
    assert valid(thumbprint, end, added[1]).call() is True  # what was known before


def test_a_compromise_reaches_back_but_not_what_was_known(chain: Chain, consortium: Consortium) -> None:
    registry, governor, thumbprint = consortium.registry, consortium.governor[HANGZHOU], row()[0]
    chain.send(registry.functions.addKey(row(), 0, FOREVER), governor)
    begin = chain.time
    chain.pass_to(begin + 100)
    before, since = chain.block, begin + 40
    future = registry.functions.compromiseKey(thumbprint, chain.time + 2)
    assert chain.refused(future, governor) == ("CompromiseInFuture", chain.time + 2, chain.time + 1)
    receipt = chain.send(registry.functions.compromiseKey(thumbprint, since), governor)
    assert events(registry, receipt) == [("KeyCompromised", thumbprint, since)]
    assert registry.functions.key(thumbprint).call()[2] == [(since, chain.block)]
    valid = registry.functions.keyValid
    seen = [valid(thumbprint, t, chain.block).call() for t in (begin, since - 1, since, begin + 100)]
    assert seen == [True, True, False, False]
    assert valid(thumbprint, since, before).call() is True
    chain.send(registry.functions.compromiseKey(thumbprint, 0), governor)  # worse than thought
    assert valid(thumbprint, begin, chain.block).call() is False
    assert valid(thumbprint, begin, chain.block - 1).call() is True


def test_a_key_that_is_not_there_is_a_zero_row(consortium: Consortium) -> None:
    read = consortium.registry.functions
    assert read.key(X).call() == [(ZERO, 0, ZERO, 0, 0, ZERO, ZERO), [], []]
    assert read.keyValid(X, 0, FOREVER).call() is False
    assert read.keyValid(OTHER_AGENCY, FOREVER, FOREVER).call() is False
