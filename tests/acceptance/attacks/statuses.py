"""Attacks of a holder whose certificate was revoked: a status of one's own, an old bundle, somebody else's snapshot."""

from __future__ import annotations

import json
from typing import Any

from attacks.attack import Attack, Outcome
from attacks.judged import Court, member, said, with_members
from attacks.present import STRANGER, Listener, Present
from attacks.weakening import PRODUCT, Change, Target
from ledger.jws import unb64url

STATUS = "certs/verify/status.py"
VIEW = "certs/verify/view.py"
NO_SNAPSHOT = "INVALID: ISSUER_SNAPSHOT_INVALID, ANCHOR_SNAPSHOT_INVALID, STATUS_SNAPSHOT_INVALID"
COSIGNERS = Change("ledger/snapshot.py", "if len(signers) < trust.k:", "if False:")
SIGNED = Change("ledger/snapshot.py", "jws.verify(compact, x=witness.x, y=witness.y)", "pass")
BROKEN_IS_SILENT = Change(
    VIEW,
    'return View(None, "snapshot", live, error.code, now)',
    'return View(None, "snapshot", Silent(error.code), error.code, now)',
)
REQUIRED = Change("ledger/schema.py", '"required": list(members),', '"required": [],')


def own_status(present: Present, court: Court) -> list[Attack]:
    """(9) The facts of a revoked certificate with the revocation left out, signed by whoever is at hand."""
    bundle = present.revoked
    facts = json.loads(unb64url(member(bundle, "snapshot")["payload"]))
    facts["statuses"][0]["records"].clear()
    own = present.snapshot_of(facts, STRANGER)
    witness = present.story.past.city.keystore.signer("witness")
    borrowed = present.snapshot_of(facts, STRANGER, kid=witness.kid)
    agency = present.snapshot_of(facts, present.agency_key)
    kept: dict[str, Any] = {**member(bundle, "snapshot"), "payload": own["payload"]}
    both = {"payload": own["payload"], "signatures": [*own["signatures"], *borrowed["signatures"]]}
    plans: list[tuple[str, dict[str, Any], tuple[Change, ...]]] = [
        ("own status, own signature", own, (COSIGNERS,)),
        ("own status, signed by the agency", agency, (COSIGNERS,)),
        ("own status under the witness's name", borrowed, (SIGNED,)),
        ("own status, the witness's signature kept", kept, (SIGNED,)),
        ("own status, two signatures", both, (SIGNED,)),
    ]
    return [
        court.attack(name, with_members(bundle, snapshot=snapshot), NO_SNAPSHOT, *defences)
        for name, snapshot, defences in plans
    ]


# --------------------------------------------------------------- (10) an old bundle


def old_bundle(present: Present, court: Court) -> list[Attack]:
    """(10) A snapshot of before the revocation: for a day good offline, as the documents say; never online."""
    young, old = present.before, present.story.old_bundle
    # Within max_status_age it is good offline: what the documents say, and what no file alone can know better.
    assert said(court.verdict(PRODUCT, young)) == "VALID"
    aged = Change(STATUS, "if age > policy.max_status_age.total_seconds():", "if False:")
    prefers = Change(VIEW, "    if isinstance(live, Facts):", "    live = None\n    if isinstance(live, Facts):")
    mute = Change(
        STATUS,
        "return unknown(Reason.STATUS_CHAIN_SILENT, problem=view.silent.reason, **compared)",
        "return passed(Reason.STATUS_OK, **compared)",
    )
    return [
        court.attack("an old bundle, the node asked", young, "INVALID: STATUS_REVOKED", prefers, options=("",)),
        court.attack("a bundle of three days ago, offline", old, "INDETERMINATE: STATUS_STALE", aged),
        court.attack("and the node asked", old, "INVALID: STATUS_REVOKED", prefers, aged, options=("",)),
        _cut_off(court, young, mute),
    ]


def _cut_off(court: Court, bundle: bytes, *defences: Change) -> Attack:
    """The line to the node is cut, and only the old snapshot speaks."""
    trust = json.loads(court.trust.read_bytes())
    nowhere = court.folder / "nowhere.json"
    nowhere.write_text(json.dumps({**trust, "nodes": ["http://127.0.0.1:9"]}))

    def play(target: Target) -> Outcome:
        verdict = court.verdict(target, bundle, "", trust=nowhere)
        return Outcome(verdict["result"] == "VALID", said(verdict))

    return Attack("an old bundle, the line cut", play, "INDETERMINATE: STATUS_CHAIN_SILENT", defences)


# ------------------------------------------------------------------ (11) parts stripped


def stripped(present: Present, court: Court) -> list[Attack]:
    """(11) What speaks against it is left out, so that it be not asked or not known."""
    missing = Change(
        STATUS, "return failed(Reason.STATUS_MISSING, digest=material.digest.hex(), source=view.source)", "return None"
    )
    unasked = tuple(
        Change(f"certs/verify/{name}.py", text, f"return passed(Reason.{name.upper()}_OK)")
        for name, text in (
            ("issuer", "return failed(Reason.ISSUER_SNAPSHOT_INVALID, problem=view.problem)"),
            ("anchor", "return failed(Reason.ANCHOR_SNAPSHOT_INVALID, problem=view.problem, **compared)"),
            ("status", "return failed(Reason.STATUS_SNAPSHOT_INVALID, problem=view.problem)"),
        )
    )
    neighbours = with_members(present.revoked, snapshot=member(present.neighbour, "snapshot"))
    emptied = with_members(present.revoked, snapshot=present.snapshot_of({}, STRANGER))
    return [
        court.attack("the neighbour's snapshot, silent about it", neighbours, "INVALID: STATUS_MISSING", missing),
        court.attack("an empty snapshot", emptied, NO_SNAPSHOT, *unasked),
        _each_part(court, "each part left out or blank", present.revoked, BROKEN_IS_SILENT),
        _each_part(court, "each part of a genuine one", present.genuine, BROKEN_IS_SILENT),
        _each_part(court, "each part, members not required", present.genuine, REQUIRED),
    ]


def _each_part(court: Court, name: str, bundle: bytes, *defences: Change) -> Attack:
    """Won if any of them is anything but INVALID, or a step that is always asked is not asked or unknown."""
    parts = list(leaves_out(bundle))

    def play(target: Target) -> Outcome:
        verdicts = court.every(target, parts)
        soft = [verdict for verdict in verdicts if verdict["result"] != "INVALID" or _soft(verdict)]
        return Outcome(bool(soft), f"{len(parts)} parts: {len(parts) - len(soft)} INVALID, {len(soft)} softer")

    return Attack(name, play, f"{len(parts)} INVALID, 0 softer", defences)


def _soft(verdict: dict[str, Any]) -> bool:
    return any(each["state"] in ("NOT_ASKED", "UNKNOWN") for each in verdict["steps"][:8])


def leaves_out(bundle: bytes) -> list[bytes]:
    """The bundle without each of its members in turn, and with each emptied or blank; one level further down, too."""
    content = json.loads(bundle)
    places = [(name,) for name in content]
    places += [(name, inner) for name, value in content.items() if isinstance(value, dict) for inner in value]
    found = []
    for place in places:
        holder, name = _holder(content, place), place[-1]
        kept = holder[name]
        for blank in (None, "", 0, [], {}, *_blanks(kept)):
            if type(blank) is not type(kept) or blank != kept:
                holder[name] = blank
                found.append(_written(content))
        del holder[name]
        found.append(_written(content))
        holder[name] = kept
    return found


def _blanks(value: Any) -> list[Any]:
    """Of the same form, and saying nothing."""
    if isinstance(value, str):
        return ["0" * len(value), "A" * len(value)]
    if isinstance(value, list):
        return [[{name: "A" * len(text) for name, text in each.items()} for each in value if isinstance(each, dict)]]
    return []


def _written(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _holder(content: dict[str, Any], place: tuple[str, ...]) -> dict[str, Any]:
    for name in place[:-1]:
        content = content[name]
    return content


# --------------------------------------------------------------- (12) an address inside


def addresses(present: Present, court: Court, listener: Listener) -> list[Attack]:
    """(12) An address where nobody answers, wherever a bundle or a certificate has room for one."""
    ask = "live = ask(trust, question, verifier.signed_block(untrusted)) if question else None"
    uri = '__import__("certs.verify.material").verify.material.read(untrusted).payload["status"]["status_list"]["uri"]'
    nodes = '__import__("json").loads(untrusted)["nodes"]'
    trusting = '__import__("dataclasses").replace(trust, nodes=({0},))'
    asks = ask.replace("trust,", f"{trusting},", 1)
    from_list = Change("api/verify.py", ask, asks.format(uri))
    from_bundle = (
        Change(
            "certs/bundle.py", "        salt=s.HEX32,\n", '        salt=s.HEX32,\n        nodes={"type": "array"},\n'
        ),
        Change("api/verify.py", ask, asks.format(f"*{nodes}")),
    )
    # Their snapshots know of no revocation yet: if the node does not answer, nothing speaks against them.
    named = with_members(present.before, nodes=[listener.url])
    return [
        _called(court, listener, "nodes named beside the parts", named, "INVALID: FORMAT_BUNDLE", from_bundle),
        _called(court, listener, "the certificate's own status list", present.genuine, "VALID", (from_list,)),
        _called(court, listener, "the same, revoked since", present.before, "INVALID: STATUS_REVOKED", (from_list,)),
    ]


def _called(
    court: Court, listener: Listener, name: str, bundle: bytes, expected: str, defences: tuple[Change, ...]
) -> Attack:
    """Won if somebody came to the address, or the verdict became INDETERMINATE by it. The node is asked meanwhile."""

    def play(target: Target) -> Outcome:
        before = listener.came
        verdict = court.verdict(target, bundle, "")
        came = listener.came - before
        return Outcome(bool(came) or verdict["result"] == "INDETERMINATE", f"{said(verdict)}, {came} connections")

    return Attack(name, play, f"{expected}, 0 connections", defences)
