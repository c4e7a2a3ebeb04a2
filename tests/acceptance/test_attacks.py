"""Attacks that the product must withstand, each shown to be stopped by the defence it names and by nothing else.

Every attack is played twice with the real parts (the node, the contracts, a city's home, the command): on the product
it loses with the code named, on a copy of the source without its defence it wins. Variants are what one would try next.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from attacks import engine, of_contracts, voting
from attacks.attack import Proving
from attacks.three_cities import Ground
from attacks.weakening import Weakener
from evidence import Shown


@pytest.fixture(scope="module")
def weakener(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Weakener]:
    made = Weakener(tmp_path_factory.mktemp("weakened"), request.config.cache.mkdir("weakened"))
    yield made
    made.close()


@pytest.fixture
def prove(weakener: Weakener, shown: Shown) -> Proving:
    return Proving(weakener, shown)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with engine.running(int(time.time())) as url:
        yield Ground(url)


def test_01_an_agency_sets_a_status_on_anothers_certificate(ground: Ground, prove: Proving) -> None:
    prove(1, of_contracts.status_by_another(ground))


def test_02_a_stranger_takes_another_citys_log(ground: Ground, prove: Proving) -> None:
    prove(2, of_contracts.log_of_another(ground))


def test_03_a_head_of_a_size_that_nothing_can_follow(ground: Ground, prove: Proving) -> None:
    prove(3, of_contracts.size_beyond_all(ground))


def test_08_a_successor_that_was_not_named_or_did_not_accept(ground: Ground, prove: Proving) -> None:
    prove(8, of_contracts.succession(ground))


def test_14_a_minority_or_a_departed_city_decides(ground: Ground, prove: Proving) -> None:
    prove(14, voting.too_few(ground))


def test_15_approvals_are_used_again(ground: Ground, prove: Proving) -> None:
    prove(15, voting.replayed(ground))


def test_18_somebody_elses_key_or_date_is_reported(ground: Ground, prove: Proving) -> None:
    prove(18, of_contracts.key_of_another(ground))


def test_19_the_past_of_an_accreditation_is_rewritten(ground: Ground, prove: Proving) -> None:
    prove(19, of_contracts.past_rewritten(ground))
