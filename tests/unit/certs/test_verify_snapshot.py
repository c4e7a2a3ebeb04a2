"""Where the facts come from: a node, or a snapshot that enough trusted cities signed, and nothing else in the file."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import forge
import pytest
from forge import GENUINE, OTHER_WITNESS, STRANGER, TRUST, TWO, WITNESS, record, refused, signed

from certs.verify.reasons import Reason
from certs.verify.view import Silent
from ledger import canonical, facts, snapshot
from ledger.errors import VerificationError
from ledger.facts import Facts
from ledger.jws import b64url, sign_compact, unb64url
from ledger.snapshot import Snapshot
from ledger.statement import parse_timestamp
from ledger.status import Status
from ledger.verdict import Result, State, Step

SNAPSHOT = GENUINE.bundle.snapshot
SILENT = Silent("CHAIN_UNREACHABLE")
CHAIN_STEPS = {Step.ISSUER: Reason.ISSUER_SNAPSHOT_INVALID, Step.ANCHOR: Reason.ANCHOR_SNAPSHOT_INVALID}
CHAIN_STEPS |= {Step.STATUS: Reason.STATUS_SNAPSHOT_INVALID}
REVOKED = GENUINE.status(record(Status.REVOKED))


def with_snapshot(changed: Snapshot) -> forge.Case:
    return GENUINE.but(snapshot=changed)


def unproven(case: forge.Case, problem: str) -> None:
    """Every step that asks about the chain fails, and only those."""
    for step, reason in CHAIN_STEPS.items():
        refused(GENUINE if case.trust is TRUST else both_signed(), case, reason)
        assert case.verify().verdict.at(step).compared["problem"] == problem
    others = [finding for finding in case.verify().verdict.findings if finding.step not in CHAIN_STEPS]
    assert {finding.state for finding in others} == {State.PASS, State.NOT_ASKED}


def payload_as(text: bytes) -> Snapshot:
    """Signed by the witness, over these very bytes."""
    protected, payload, signature = sign_compact(text, typ=snapshot.TYP, signer=WITNESS).split(".")
    return Snapshot(payload, ((protected, signature),))


def both_signed() -> forge.Case:
    return replace(GENUINE.but(snapshot=signed(GENUINE.facts, WITNESS, OTHER_WITNESS)), trust=TWO)


# ------------------------------------------------------------------ who signed


def test_signed_by_an_unknown_key() -> None:
    unproven(with_snapshot(signed(GENUINE.facts, STRANGER)), "SNAPSHOT_COSIGNERS")
    unproven(with_snapshot(signed(GENUINE.facts, forge.KEY)), "SNAPSHOT_COSIGNERS")


def test_a_strangers_signature_beside_the_witnesses_does_no_harm() -> None:
    assert with_snapshot(signed(GENUINE.facts, STRANGER, WITNESS)).verify().verdict.result is Result.VALID


def test_unsigned() -> None:
    empty = replace(SNAPSHOT, signatures=())
    assert with_snapshot(empty).verify().verdict.at(Step.FORMAT).reason == "FORMAT_BUNDLE"
    blank = replace(SNAPSHOT, signatures=((SNAPSHOT.signatures[0][0], b64url(bytes(64))),))
    unproven(with_snapshot(blank), "SIGNATURE")


def test_signed_by_the_witness_over_something_else() -> None:
    """Its signature under a certificate, or under another snapshot, is none under this one."""
    other = signed(replace(GENUINE.facts, block=201), WITNESS)
    unproven(with_snapshot(replace(SNAPSHOT, signatures=other.signatures)), "SIGNATURE")
    jwt = sign_compact(unb64url(SNAPSHOT.payload), typ="dc+sd-jwt", signer=WITNESS).split(".")
    unproven(with_snapshot(Snapshot(jwt[1], ((jwt[0], jwt[2]),))), "JWS_TYP")


def test_two_cities_wanted_and_one_signed() -> None:
    assert both_signed().verify().verdict.result is Result.VALID
    assert both_signed().verify().cosigners == 2
    unproven(replace(GENUINE, trust=TWO), "SNAPSHOT_COSIGNERS")


def test_two_cities_wanted_and_one_signed_twice() -> None:
    twice = replace(GENUINE.but(snapshot=signed(GENUINE.facts, WITNESS, WITNESS)), trust=TWO)
    unproven(twice, "SNAPSHOT_COSIGNERS")


def test_two_cities_wanted_and_a_stranger_was_the_second() -> None:
    case = replace(GENUINE.but(snapshot=signed(GENUINE.facts, WITNESS, STRANGER)), trust=TWO)
    unproven(case, "SNAPSHOT_COSIGNERS")


def test_two_cities_wanted_and_the_second_signature_is_false() -> None:
    good = signed(GENUINE.facts, WITNESS, OTHER_WITNESS)
    false = replace(good, signatures=(good.signatures[0], (good.signatures[1][0], good.signatures[0][1])))
    unproven(replace(GENUINE.but(snapshot=false), trust=TWO), "SIGNATURE")


# ---------------------------------------------------------------- what it says


def test_facts_altered_under_the_signature() -> None:
    def reinstated(value: Any) -> Any:
        value["statuses"][0]["records"] = []
        return value

    assert REVOKED.verify().verdict.result is Result.INVALID
    unproven(REVOKED.but(snapshot=forge.rewritten(REVOKED.bundle.snapshot, reinstated)), "SIGNATURE")


@pytest.mark.parametrize("changes", [{"consortium": sha256(b"another").digest()}, {"chain_id": 1}])
def test_of_another_consortium_or_chain(changes: dict[str, Any]) -> None:
    other = replace(GENUINE.facts, **changes)
    unproven(with_snapshot(signed(other, WITNESS)), "SNAPSHOT_CONSORTIUM")


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text + b"\n",
        lambda text: text.replace(b",", b", ", 1),
        lambda text: json.dumps(json.loads(text)).encode(),
        lambda text: json.dumps(dict(reversed(json.loads(text).items())), separators=(",", ":")).encode(),
    ],
)
def test_not_canonical(spell: Any) -> None:
    unproven(with_snapshot(payload_as(spell(unb64url(SNAPSHOT.payload)))), "JSON_NOT_CANONICAL")


@pytest.mark.parametrize(
    ("name", "value"), [("status", 0), ("time", -1), ("time", "now"), ("heads", None), ("chain_id", True), ("keys", {})]
)
def test_of_another_form(name: str, value: Any) -> None:
    form = {**facts.to_json(GENUINE.facts), name: value}
    unproven(with_snapshot(payload_as(canonical.dumps(form))), "FACTS_FORM")


def test_a_status_of_the_bundles_own_is_no_status() -> None:
    """Only what the witness signed is read: a history for the same digest put before it changes nothing, it breaks."""
    file = json.loads(REVOKED.file)
    file["snapshot"]["statuses"] = []
    assert GENUINE.verify(json.dumps(file).encode()).verdict.at(Step.FORMAT).state is State.FAIL
    mixed = REVOKED.but(snapshot=replace(SNAPSHOT, signatures=REVOKED.bundle.snapshot.signatures))
    unproven(mixed, "SIGNATURE")


def test_the_snapshot_of_another_certificate() -> None:
    """Genuine, and silent about this one: that is missing, not active."""
    other = forge.make(visible={"iat": forge.IAT + 1})
    refused(GENUINE, with_snapshot(other.bundle.snapshot), Reason.STATUS_MISSING)


# ------------------------------------------------------------------ how old it is


def aged(case: forge.Case, age: timedelta) -> forge.Case:
    return replace(case, now=datetime.fromtimestamp(forge.READ, UTC) + age)


def test_a_stale_snapshot_is_unknown() -> None:
    limit = GENUINE.policy.max_status_age
    assert aged(GENUINE, limit).verify().verdict.result is Result.VALID
    refused(GENUINE, aged(GENUINE, limit + timedelta(seconds=1)), Reason.STATUS_STALE, result=Result.INDETERMINATE)


@pytest.mark.parametrize("days", [2, 30, 300])
def test_a_stale_snapshot_that_says_revoked_is_a_failure(days: int) -> None:
    refused(aged(GENUINE, timedelta()), aged(REVOKED, timedelta(days=days)), Reason.STATUS_REVOKED)


def test_a_snapshot_from_the_future_is_unknown() -> None:
    ahead = timedelta(minutes=5)
    assert aged(GENUINE, -ahead).verify().verdict.result is Result.VALID
    case = aged(GENUINE, -ahead - timedelta(seconds=1))
    refused(GENUINE, case, Reason.STATUS_CLOCK, result=Result.INDETERMINATE)


@pytest.mark.parametrize("behind", [1, 60, 299])
def test_a_revocation_counts_for_a_verifier_whose_clock_is_behind_the_chains(behind: int) -> None:
    """The chain made the record in the block that the snapshot read: whatever the clock says, it is known."""
    revoked = GENUINE.status(record(Status.REVOKED, since=forge.READ, recorded=forge.READ_BLOCK))
    refused(GENUINE, aged(revoked, timedelta(seconds=-behind)), Reason.STATUS_REVOKED)


@pytest.mark.parametrize("behind", [1, 60, 86_400])
def test_a_revocation_counts_online_for_a_verifier_whose_clock_is_behind_the_chains(behind: int) -> None:
    revoked = GENUINE.status(record(Status.REVOKED, since=forge.READ, recorded=forge.READ_BLOCK)).facts
    now = datetime.fromtimestamp(max(forge.READ - behind, forge.IAT - 3600), UTC)
    before = replace(GENUINE, live=GENUINE.facts, now=now)
    assert before.verify().verdict.at(Step.STATUS).state is State.PASS
    assert replace(before, live=revoked).verify().verdict.at(Step.STATUS).state is State.FAIL


# ------------------------------------------------------------------------ online


def live(case: forge.Case, answer: Facts | Silent) -> forge.Case:
    return replace(case, live=answer)


def test_live_facts_beat_a_good_snapshot() -> None:
    refused(live(GENUINE, GENUINE.facts), live(GENUINE, REVOKED.facts), Reason.STATUS_REVOKED)


def test_live_facts_beat_a_bad_snapshot() -> None:
    """Reinstated since; or a snapshot that is worth nothing: the node was asked, and is believed."""
    suspended = GENUINE.status(record(Status.SUSPENDED))
    assert suspended.verify().verdict.result is Result.INVALID
    assert live(suspended, GENUINE.facts).verify().verdict.result is Result.VALID
    assert live(with_snapshot(signed(GENUINE.facts, STRANGER)), GENUINE.facts).verify().verdict.result is Result.VALID


def test_live_facts_are_never_stale() -> None:
    later = replace(live(GENUINE, GENUINE.facts), now=GENUINE.now + timedelta(days=300))
    assert later.verify().verdict.result is Result.VALID


@pytest.mark.parametrize("changes", [{"consortium": sha256(b"another").digest()}, {"chain_id": 1}])
def test_live_facts_of_another_deployment_count_as_silence(changes: dict[str, Any]) -> None:
    case = live(GENUINE, replace(GENUINE.facts, **changes))
    refused(GENUINE, case, Reason.STATUS_CHAIN_SILENT, result=Result.INDETERMINATE)
    assert case.verify().verdict.at(Step.STATUS).compared["problem"] == "CHAIN_CONSORTIUM"


def test_silent_with_a_good_snapshot_is_indeterminate() -> None:
    case = live(GENUINE, SILENT)
    refused(GENUINE, case, Reason.STATUS_CHAIN_SILENT, result=Result.INDETERMINATE)
    unknown = [f.step for f in case.verify().verdict.findings if f.state is State.UNKNOWN]
    assert unknown == [Step.STATUS]


def test_silent_with_a_revoked_snapshot_is_invalid() -> None:
    refused(GENUINE, live(REVOKED, SILENT), Reason.STATUS_REVOKED)


def test_silent_with_a_bad_snapshot_is_indeterminate() -> None:
    case = live(with_snapshot(signed(GENUINE.facts, STRANGER)), SILENT)
    for reason in (Reason.ISSUER_CHAIN_SILENT, Reason.ANCHOR_CHAIN_SILENT, Reason.STATUS_CHAIN_SILENT):
        refused(GENUINE, case, reason, result=Result.INDETERMINATE)


def test_silent_with_a_bad_snapshot_is_invalid_where_something_else_fails() -> None:
    bad = signed(GENUINE.facts, STRANGER)
    refused(GENUINE, live(GENUINE.but(snapshot=bad, salt=bytes(32)), SILENT), Reason.INCLUSION_PROOF)
    altered = GENUINE.presenting(lambda text: text.replace("~", "~x", 1)).but(snapshot=bad)
    assert live(altered, SILENT).verify().verdict.result is Result.INVALID


def test_an_outage_never_turns_anything_valid() -> None:
    for case in (GENUINE, REVOKED, aged(GENUINE, timedelta(days=30)), with_snapshot(signed(GENUINE.facts, STRANGER))):
        assert live(case, SILENT).verify().verdict.result is not Result.VALID


# ------------------------------------------------------------------- trust file


def test_an_expired_trust_file_is_refused_before_anything_is_read() -> None:
    end = parse_timestamp(TRUST.valid_until)
    for file in (GENUINE.file, b"", b"{}"):
        with pytest.raises(VerificationError) as error:
            replace(GENUINE, now=end).verify(file)
        assert error.value.code == "TRUST_EXPIRED"
    fresh = GENUINE.on_chain(lambda read: replace(read, time=int(end.timestamp()) - 60))
    assert replace(fresh, now=end - timedelta(seconds=1)).verify().verdict.result is Result.VALID
