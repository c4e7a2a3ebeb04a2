"""Evidence of one record: it holds as made, and no part of it can be another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from audit_records import access, digest, statement
from forge import DEPLOYMENT, TRUST, TWO, WITNESS

from audit.access import AccessStep
from audit.evidence import Evidence, encode, verify
from audit.private import Opened
from ledger import canonical, merkle, snapshot
from ledger.commitment import statement_leaf
from ledger.errors import VerificationError
from ledger.facts import EpochClosing, Facts, PublishedHead
from ledger.keys.p256 import P256Signer
from ledger.verdict import Result

NOW = datetime(2026, 11, 24, tzinfo=UTC)
INDEX, SIZE = 2, 5
SAID, OPENINGS = statement(access(AccessStep.DECIDED))
SALT = digest("salt")
LEAVES = [digest(f"leaf {number}") for number in range(SIZE)]
LEAVES[INDEX] = statement_leaf(SAID.encode(), SALT)
HEAD = PublishedHead(SAID.log, SIZE, merkle.tree_root(LEAVES), 0, 9, 1_795_500_060)
PROOF = tuple(merkle.prove_inclusion(LEAVES, INDEX, SIZE))
FACTS = Facts(DEPLOYMENT.consortium, DEPLOYMENT.chain_id, 9, digest("block"), 1_795_500_060, heads=(HEAD,))


def made(facts: Facts = FACTS, signer: P256Signer = WITNESS, **changes: Any) -> Evidence:
    shown = {"case": OPENINGS["case"]}
    whole = Evidence(SAID, SALT, shown, 1, 0, INDEX, PROOF, HEAD, snapshot.sign(facts, signer))
    return replace(whole, **changes)


def test_it_holds_and_opens_only_what_is_named() -> None:
    text = encode(made())
    judged = verify(text, TRUST, NOW)
    assert (judged.result, judged.code) == (Result.VALID, "EVIDENCE_HOLDS")
    assert judged.evidence is not None and list(judged.evidence.openings) == ["case"]
    assert b"op-asking" not in text


BAD: dict[str, tuple[Callable[[], Evidence], str]] = {
    "another salt": (lambda: made(salt=digest("other")), "EVIDENCE_INCLUSION"),
    "another agency": (lambda: made(statement=replace(SAID, agency="11340100XXXX340161")), "EVIDENCE_INCLUSION"),
    "another value": (lambda: made(openings={"case": Opened(OPENINGS["case"].salt, "other")}), "EVIDENCE_OPENING"),
    "another name": (lambda: made(openings={"operator": OPENINGS["case"]}), "EVIDENCE_OPENING"),
    "a member it does not have": (lambda: made(openings={"reason": OPENINGS["case"]}), "EVIDENCE_OPENING"),
    "another city": (lambda: made(city=2), "EVIDENCE_LOG"),
    "another epoch": (lambda: made(epoch=1), "EVIDENCE_LOG"),
    "a head of another log": (lambda: made(head=replace(HEAD, log=digest("log"))), "EVIDENCE_LOG"),
    "another index": (lambda: made(index=INDEX + 1), "EVIDENCE_INCLUSION"),
    "another proof": (lambda: made(proof=PROOF[::-1]), "EVIDENCE_INCLUSION"),
    "a proof too long": (lambda: made(proof=(*PROOF, digest("more"))), "EVIDENCE_INCLUSION"),
    "another root": (lambda: made(head=replace(HEAD, root=digest("root"))), "EVIDENCE_INCLUSION"),
    "a head that is not the first": (lambda: made(head=replace(HEAD, prev_size=INDEX + 1)), "EVIDENCE_INCLUSION"),
    "another time": (lambda: made(head=replace(HEAD, time=1)), "EVIDENCE_NOT_ANCHORED"),
    "another block": (lambda: made(head=replace(HEAD, block=1)), "EVIDENCE_NOT_ANCHORED"),
    "another ledger": (lambda: made(replace(FACTS, chain_id=7)), "EVIDENCE_SNAPSHOT"),
    "a closed epoch": (
        lambda: made(replace(FACTS, heads=(), closings=(EpochClosing(SAID.log, INDEX, 10, 1),))),
        "EVIDENCE_DISOWNED",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_no_part_of_it_can_be_another(what: str) -> None:
    make, code = BAD[what]
    judged = verify(encode(make()), TRUST, NOW)
    assert (judged.result, judged.code, judged.evidence) == (Result.INVALID, code, None)


def test_a_false_signature_of_a_known_city_is_no_evidence() -> None:
    own = made()
    ((protected, _),) = own.snapshot.signatures
    ((_, other),) = snapshot.sign(replace(FACTS, block=8), WITNESS).signatures
    forged = replace(own, snapshot=replace(own.snapshot, signatures=((protected, other),)))
    assert verify(encode(forged), TRUST, NOW).code == "EVIDENCE_SNAPSHOT"


def test_what_cannot_be_told_is_no_forgery() -> None:
    stranger = made(signer=P256Signer(digest("stranger")))
    older = made(replace(FACTS, heads=()))
    found = [verify(encode(stranger), TRUST, NOW), verify(encode(made()), TWO, NOW), verify(encode(older), TRUST, NOW)]
    assert [each.result for each in found] == [Result.INDETERMINATE] * 3
    assert [each.code for each in found] == ["SNAPSHOT_COSIGNERS", "SNAPSHOT_COSIGNERS", "EVIDENCE_TOO_NEW"]


def test_every_member_is_needed_and_none_added() -> None:
    value: Any = canonical.loads(encode(made()), max_bytes=10**6)
    spaced = [encode(made()) + b"\n", b" " + encode(made()), b"", b"[]", b"\xff"]
    fewer = [canonical.dumps({n: v for n, v in value.items() if n != name}) for name in value]
    for text in [*spaced, *fewer, canonical.dumps({**value, "more": 1}), canonical.dumps({**value, "v": 2})]:
        assert verify(text, TRUST, NOW).code == "EVIDENCE_FORM"


def test_a_trust_file_out_of_date_is_refused() -> None:
    with pytest.raises(VerificationError) as refused:
        verify(encode(made()), TRUST, datetime(2028, 1, 1, tzinfo=UTC))
    assert refused.value.code == "TRUST_EXPIRED"
