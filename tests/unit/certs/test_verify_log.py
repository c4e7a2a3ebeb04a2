"""Steps 5 to 7, BINDING, INCLUSION, ANCHOR: this certificate, in this log, under a head that the chain accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import forge
import pytest
from forge import AGENCY, AT, ATTRIBUTES, CITY, GENUINE, OTHER_AGENCY, OTHER_CITY, T, refused

from certs import identifier
from certs.certificate_type import MAX_ANCHOR_LAG
from certs.verify.reasons import Reason
from ledger import merkle
from ledger.facts import EpochClosing, PublishedHead
from ledger.logid import log_id
from ledger.verdict import Result

OTHER = forge.make(visible={"iat": forge.IAT + 1})
"""Another certificate of the same agency, just as genuine."""
IDENTIFIER = str(ATTRIBUTES["certificate_identifier"])
DEADLINE = AT.timestamp() + MAX_ANCHOR_LAG


def other_identifier(**changes: Any) -> str:
    parts = {"type_code": forge.TYPE.code, "issuer": AGENCY, "serial": "ABCDEFGHJK0123456789", "version": 1}
    return identifier.build(**{**parts, **changes})


# ------------------------------------------------------------------- BINDING


def test_the_proof_of_certificate_a_beside_certificate_b() -> None:
    assert OTHER.verify().verdict.result is Result.VALID and OTHER.digest != GENUINE.digest
    mixed = GENUINE.but(presentation=OTHER.bundle.presentation).on_chain(
        lambda facts: replace(facts, statuses=(*facts.statuses, *OTHER.facts.statuses))
    )
    refused(GENUINE, mixed, Reason.BINDING_DIGEST)


@pytest.mark.parametrize("kind", ["certificate/suspend", "certificate/supersede", "certificate/revoke"])
def test_a_statement_of_another_type(kind: str) -> None:
    refused(GENUINE, forge.make(statement={"type": kind}), Reason.BINDING_STATEMENT_TYPE)


def test_a_statement_of_another_stream() -> None:
    said = {"stream": "access", "type": "access/issue", "log": log_id(CITY, "access")}
    refused(GENUINE, forge.make(statement=said), Reason.BINDING_STATEMENT_TYPE)


@pytest.mark.parametrize(
    "log", [log_id(CITY, "access"), log_id(OTHER_CITY, "certificate"), log_id(CITY, "certificate", 1)]
)
def test_a_statement_for_another_log(log: bytes) -> None:
    refused(GENUINE, forge.make(statement={"log": log}), Reason.BINDING_LOG)


def test_a_statement_for_the_log_of_the_city_that_the_bundle_names() -> None:
    """Naming another city consistently everywhere does not help: the agency does not belong to it."""
    log = log_id(OTHER_CITY, "certificate")
    made = forge.make(statement={"log": log})
    heads = tuple(replace(head, log=log) for head in made.facts.heads)
    moved = made.but(city=OTHER_CITY, head=heads[0]).on_chain(lambda facts: replace(facts, heads=heads))
    refused(GENUINE, moved, Reason.ISSUER_NOT_MEMBER)


@pytest.mark.parametrize("changes", [{"city": OTHER_CITY}, {"epoch": 1}])
def test_another_city_or_epoch_in_the_bundle(changes: dict[str, int]) -> None:
    refused(GENUINE, GENUINE.but(**changes), Reason.BINDING_LOG)


def test_a_statement_by_another_agency() -> None:
    refused(GENUINE, forge.make(statement={"agency": OTHER_AGENCY}), Reason.BINDING_AGENCY)


def test_the_issuer_in_the_identifier_is_another() -> None:
    named = other_identifier(issuer=OTHER_AGENCY)
    case = forge.make(visible={"certificate_identifier": named}, body={"identifier": named})
    refused(GENUINE, case, Reason.BINDING_AGENCY)


def test_the_issuing_authority_printed_is_not_the_one_that_signed() -> None:
    refused(GENUINE, forge.make(visible={"issuing_authority_code": OTHER_AGENCY}), Reason.BINDING_AGENCY)


def test_a_statement_about_another_identifier() -> None:
    refused(GENUINE, forge.make(body={"identifier": other_identifier(version=2)}), Reason.BINDING_IDENTIFIER)
    refused(GENUINE, forge.make(body={"identifier": None}), Reason.BINDING_IDENTIFIER)


@pytest.mark.parametrize("shown", ["", "1.2.156.3005.2", IDENTIFIER[:-1] + "?", IDENTIFIER.lower(), IDENTIFIER + "\n"])
def test_something_else_than_an_identifier(shown: str) -> None:
    case = forge.make(visible={"certificate_identifier": shown}, body={"identifier": shown})
    refused(GENUINE, case, Reason.BINDING_IDENTIFIER)


def test_a_wrong_check_character() -> None:
    wrong = IDENTIFIER[:-1] + ("0" if IDENTIFIER[-1] != "0" else "1")
    refused(
        GENUINE,
        forge.make(visible={"certificate_identifier": wrong}, body={"identifier": wrong}),
        Reason.BINDING_IDENTIFIER,
    )


def test_another_type_code_in_statement_or_identifier() -> None:
    code = forge.OTHER_TYPE.code
    refused(GENUINE, forge.make(body={"certificate_type": code}), Reason.BINDING_TYPE)
    refused(GENUINE, forge.make(body={"certificate_type": None}), Reason.BINDING_TYPE)
    named = other_identifier(type_code=code)
    case = forge.make(visible={"certificate_identifier": named}, body={"identifier": named})
    refused(GENUINE, case, Reason.BINDING_TYPE)


def test_a_vct_of_another_type() -> None:
    refused(GENUINE, forge.make(visible={"vct": f"urn:certledger:type:{forge.OTHER_TYPE.code}:1"}), Reason.BINDING_TYPE)


@pytest.mark.parametrize("digest", [None, "", "00" * 32, GENUINE.digest.hex().upper(), GENUINE.digest.hex() + "00", 5])
def test_a_statement_about_another_digest(digest: object) -> None:
    refused(GENUINE, forge.make(body={"digest": digest}), Reason.BINDING_DIGEST)


@pytest.mark.parametrize("suite", [None, "sm2-sm3", ""])
def test_a_statement_about_another_suite(suite: str | None) -> None:
    refused(GENUINE, forge.make(body={"suite": suite}), Reason.BINDING_DIGEST)


def test_a_statement_altered_after_it_was_recorded() -> None:
    altered = {**GENUINE.bundle.statement, "at": "2026-11-20T08:00:02.000Z"}
    refused(GENUINE, GENUINE.but(statement=altered), Reason.INCLUSION_PROOF)


# ----------------------------------------------------------------- INCLUSION


def test_a_wrong_salt() -> None:
    refused(GENUINE, GENUINE.but(salt=bytes(32)), Reason.INCLUSION_PROOF)


@pytest.mark.parametrize("index", [0, 3, 4, 6, 7, 8, 2**53 - 1])
def test_a_wrong_index(index: int) -> None:
    refused(GENUINE, GENUINE.but(index=index), Reason.INCLUSION_PROOF)


@pytest.mark.parametrize("element", range(len(GENUINE.bundle.proof)))
def test_every_element_of_the_proof(element: int) -> None:
    proof = list(GENUINE.bundle.proof)
    for changed in (
        [*proof[:element], bytes(32), *proof[element + 1 :]],
        [*proof[:element], *proof[element + 1 :]],
        [*proof[: element + 1], *proof[element:]],
        proof[::-1],
    ):
        refused(GENUINE, GENUINE.but(proof=tuple(changed)), Reason.INCLUSION_PROOF)
    refused(GENUINE, GENUINE.but(proof=()), Reason.INCLUSION_PROOF)


def test_a_node_of_the_tree_shown_as_a_leaf() -> None:
    """Second preimage: leaf and node hashes differ in their first byte, so no statement commits to a node."""
    refused(GENUINE, GENUINE.but(index=INDEX_OF_PAIR, proof=GENUINE.bundle.proof[1:]), Reason.INCLUSION_PROOF)


INDEX_OF_PAIR = forge.INDEX // 2


def test_a_later_head_than_the_first() -> None:
    """The newest head is genuine and published, and would make the certificate look younger than it is."""
    leaves_newest = GENUINE.facts.heads[1]
    made = forge.make(sizes=(8, 12, 12))
    assert made.bundle.head.root == leaves_newest.root and made.bundle.head.prev_size > made.bundle.index
    refused(GENUINE, made, Reason.INCLUSION_NOT_FIRST_HEAD)


def test_a_later_head_that_claims_to_be_the_first() -> None:
    made = forge.make(sizes=(8, 12, 12))
    refused(GENUINE, made.with_head(prev_size=3), Reason.ANCHOR_NEVER_PUBLISHED)


def test_the_first_and_the_last_leaf_of_a_head() -> None:
    for index in (3, 7):
        assert forge.make(index=index).verify().verdict.result is Result.VALID
    refused(GENUINE, forge.make(index=2), Reason.INCLUSION_NOT_FIRST_HEAD)


# -------------------------------------------------------------------- ANCHOR


def test_the_head_of_another_log() -> None:
    other = log_id(CITY, "access")
    heads = tuple(replace(head, log=other) for head in GENUINE.facts.heads)
    case = GENUINE.with_head(log=other).on_chain(lambda facts: replace(facts, heads=heads))
    refused(GENUINE, case, Reason.ANCHOR_OTHER_LOG)


@pytest.mark.parametrize(
    "changes", [{"time": T - 1}, {"time": T + 1}, {"block": 99}, {"prev_size": 4}, {"prev_size": 0}]
)
def test_a_published_head_with_one_value_changed(changes: dict[str, int]) -> None:
    refused(GENUINE, GENUINE.with_head(**changes), Reason.ANCHOR_NEVER_PUBLISHED)


def unpublished(size: int) -> forge.Case:
    """A tree of the forger's own making, over our leaf."""
    made = forge.make(sizes=(3, size, 12))
    return made.on_chain(lambda facts: replace(facts, heads=GENUINE.facts.heads))


@pytest.mark.parametrize("size", [7, 9, 11])
def test_a_head_that_was_never_published(size: int) -> None:
    refused(GENUINE, unpublished(size), Reason.ANCHOR_NEVER_PUBLISHED)


def test_another_root_for_a_published_size() -> None:
    foreign = sha256(b"another history").digest()
    leaves = [*forge.OTHERS[:5], foreign, *forge.OTHERS[6:8]]
    case = GENUINE.with_head(root=merkle.tree_root(leaves))
    refused(GENUINE, case, Reason.ANCHOR_NEVER_PUBLISHED)


def newer() -> forge.Case:
    """A head that the chain, or the snapshot, does not know yet: its newest one has 4 leaves."""
    known = PublishedHead(GENUINE.bundle.head.log, 4, bytes(32), 3, 90, T - 10)
    return GENUINE.on_chain(lambda facts: replace(facts, heads=(known,)))


def test_a_head_newer_than_the_newest_is_unknown_until_the_deadline_and_then_a_failure() -> None:
    refused(GENUINE, newer(), Reason.ANCHOR_NOT_YET, result=Result.INDETERMINATE)

    def seen(seconds: float) -> forge.Case:
        moment = datetime.fromtimestamp(DEADLINE, UTC) + timedelta(seconds=seconds)
        fresh = newer().on_chain(lambda facts: replace(facts, time=int(moment.timestamp())))
        return replace(fresh, now=moment)

    refused(GENUINE, seen(0), Reason.ANCHOR_NOT_YET, result=Result.INDETERMINATE)
    refused(GENUINE, seen(1), Reason.ANCHOR_NEVER_PUBLISHED)


def test_a_log_of_which_nothing_was_published() -> None:
    case = GENUINE.on_chain(lambda facts: replace(facts, heads=()))
    refused(GENUINE, case, Reason.ANCHOR_NOT_YET, result=Result.INDETERMINATE)
    late = datetime.fromtimestamp(DEADLINE + 1, UTC)
    refused(
        GENUINE,
        replace(case.on_chain(lambda f: replace(f, time=int(DEADLINE))), now=late),
        Reason.ANCHOR_NEVER_PUBLISHED,
    )


def test_heads_of_other_logs_do_not_count_as_newest() -> None:
    foreign = PublishedHead(log_id(CITY, "access"), 99, bytes(32), 0, 90, T)
    case = GENUINE.on_chain(lambda facts: replace(facts, heads=(foreign,)))
    refused(GENUINE, case, Reason.ANCHOR_NOT_YET, result=Result.INDETERMINATE)


@pytest.mark.parametrize(("below", "passes"), [(0, True), (1, False)])
def test_an_entry_that_its_city_has_disowned(below: int, passes: bool) -> None:
    """Its log was closed below the head that covers it: void, though the chain accepted it once, and not awaited."""
    head = GENUINE.bundle.head
    end = EpochClosing(head.log, head.size - below, 170, T + 60)
    closed = GENUINE.on_chain(lambda facts: replace(facts, closings=(end,)))
    if passes:
        assert closed.verify().verdict.result is Result.VALID
        return
    refused(GENUINE, closed, Reason.ANCHOR_DISOWNED)
    gone = GENUINE.on_chain(lambda facts: replace(facts, heads=(), closings=(end,)))
    refused(GENUINE, gone, Reason.ANCHOR_DISOWNED)
