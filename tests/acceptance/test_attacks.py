"""Attacks that the product must withstand, each shown to be stopped by the defence it names and by nothing else.

Every attack is played twice with the real parts (the node, the contracts, a city's home, the command): on the product
it loses with the code named, on a copy of the source without its defence it wins. Variants are what one would try next.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks import dates, deployments, engine, evidence_of, of_contracts, past, statuses, voting
from attacks.attack import Proving
from attacks.judged import Court, said
from attacks.past import Story
from attacks.present import Present, listening
from attacks.three_cities import Ground
from attacks.weakening import PRODUCT, Weakener
from evidence import Shown
from prepared_city import Home


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


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with past.lived(tmp_path_factory.mktemp("past")) as lived:
        yield lived


@pytest.fixture(scope="module")
def court(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Court:
    """Where the city's bundles are judged; the honest ones of its past are VALID."""
    folder = tmp_path_factory.mktemp("court")
    PRODUCT.run("trust", "export", "--home", story.past.home, "--out", folder / "trust.json", expect=0)
    court = Court(folder, folder / "trust.json", story.past.home)
    for name in ("honest", "before the theft", "before the end", "dated back within the lag"):
        assert said(court.verdict(PRODUCT, story.bundle(name))) == "VALID", name
    return court


@pytest.fixture(scope="module")
def present(story: Story, court: Court, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Present]:
    with listening() as listener:
        yield Present(story, court, tmp_path_factory.mktemp("present"), listener)


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


def test_07_a_stolen_key_that_was_rotated_with_an_old_date(story: Story, court: Court, prove: Proving) -> None:
    prove(7, dates.rotated_key(story, court))


def test_08_a_successor_that_was_never_accredited(story: Story, court: Court, prove: Proving) -> None:
    prove(8, dates.successor(story, court))


def test_16_a_signature_dated_back_beyond_the_anchor_lag(story: Story, court: Court, prove: Proving) -> None:
    prove(16, dates.dated_back(story, court))


def test_17_a_statement_or_a_head_older_than_what_it_covers(story: Story, court: Court, prove: Proving) -> None:
    prove(17, dates.before_it_was_signed(story, court))


def test_18_a_key_compromised_with_a_date_in_the_past(story: Story, court: Court, prove: Proving) -> None:
    prove(18, dates.stolen_key(story, court))


def test_19_an_accreditation_that_ended_before_the_anchor(story: Story, court: Court, prove: Proving) -> None:
    prove(19, dates.ended_accreditation(story, court))


def test_04_the_proof_of_one_certificate_beside_another(present: Present, court: Court, prove: Proving) -> None:
    prove(4, evidence_of.another_proof(present, court))


def test_05_a_statement_replayed_in_another_log(present: Present, court: Court, prove: Proving) -> None:
    prove(5, evidence_of.another_log(present, court))


def test_06_the_byte_forms_of_one_certificate(present: Present, court: Court, prove: Proving) -> None:
    prove(6, evidence_of.spellings(present, court))


def test_09_a_status_of_ones_own_in_the_bundle(present: Present, court: Court, prove: Proving) -> None:
    prove(9, statuses.own_status(present, court))


def test_10_a_revoked_holder_with_an_old_bundle(present: Present, court: Court, prove: Proving) -> None:
    prove(10, statuses.old_bundle(present, court))


def test_11_parts_stripped_so_that_they_are_not_asked(present: Present, court: Court, prove: Proving) -> None:
    prove(11, statuses.stripped(present, court))


def test_12_an_address_where_nobody_answers(present: Present, court: Court, prove: Proving) -> None:
    prove(12, statuses.addresses(present, court, present.listener))


def test_13_two_ledgers_with_one_chain_id(court: Court, tmp_path: Path, prove: Proving) -> None:
    double = deployments.rehearsed(Home(court.home, court.trust), tmp_path)
    try:
        prove(13, deployments.look_alikes(double, court))
    finally:
        double.rehearsal.down()
