"""Step 1, FORMAT, and the file as a whole: whatever is done to its bytes is a finding, never an exception."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import forge
import orjson
import pytest
from forge import refused
from vectors import ROOT

from certs.bundle import MAX_BYTES
from certs.verify.reasons import Reason
from ledger import trust
from ledger.canonical import MAX_DEPTH
from ledger.verdict import Result, State, Step

GENUINE = forge.GENUINE
FILE = GENUINE.file
SEED = 20261123
POSITIONS = 1500
OTHER_BYTES = b' "{}[]:,~.\\0aAzZ9-_=\n\x00\x7f\xc3\xff'
LAST_TILDE = FILE.index(b'","key"') - 1


def result(file: bytes) -> Result:
    return GENUINE.verify(file).verdict.result


def refused_as_bundle(file: bytes, reason: Reason = Reason.FORMAT_BUNDLE) -> None:
    assert result(FILE) is Result.VALID
    verdict = GENUINE.verify(file).verdict
    assert verdict.result is Result.INVALID
    assert verdict.at(Step.FORMAT).reason == reason.name
    assert {f.state for f in verdict.findings if f.step is not Step.FORMAT} == {State.NOT_REACHED}


def edited(change: Any) -> bytes:
    value = orjson.loads(FILE)
    change(value)
    return orjson.dumps(value)


def test_a_genuine_bundle_passes_every_step_asked() -> None:
    verified = GENUINE.verify()
    states = {finding.step: finding.state for finding in verified.verdict.findings}
    assert list(states) == list(Step)
    assert all(states[step] is State.PASS for step in list(Step)[:8])
    assert all(states[step] is State.NOT_ASKED for step in list(Step)[8:])
    assert verified.claims.items() >= forge.HIDDEN.items()


def test_one_byte_changed_anywhere_is_never_valid_and_never_an_exception() -> None:
    """But for one place: the last ~ ends the last disclosure, and what follows it would be a key binding (step 9)."""
    rng = random.Random(SEED)
    claims = GENUINE.verify().claims
    positions = rng.sample(range(len(FILE)), min(POSITIONS, len(FILE)))
    results = dict.fromkeys(Result, 0)
    for position in positions:
        others = [byte for byte in (*OTHER_BYTES, FILE[position] ^ 1) if byte != FILE[position]]
        verified = GENUINE.verify(FILE[:position] + bytes([rng.choice(others)]) + FILE[position + 1 :])
        results[verified.verdict.result] += 1
        assert verified.verdict.result is Result.INVALID or position == LAST_TILDE, position
        assert verified.claims.items() < claims.items()
    print(f"{len(positions)} positions of {len(FILE)}, seed {SEED}: {results}")
    assert results[Result.INVALID] >= len(positions) - 1 >= 300


def test_one_byte_changed_is_never_valid_online() -> None:
    """The node answers what the genuine file would ask; the snapshot is not read, so all before it is changed."""
    rng = random.Random(SEED + 1)
    online = replace(GENUINE, live=GENUINE.facts)
    assert online.verify().verdict.result is Result.VALID
    for position in rng.sample(range(FILE.index(b'"snapshot"')), 500):
        changed = FILE[:position] + bytes([FILE[position] ^ (1 << rng.randrange(8))]) + FILE[position + 1 :]
        assert online.verify(changed).verdict.result is not Result.VALID or position == LAST_TILDE, position


def test_every_truncation_is_refused() -> None:
    rng = random.Random(SEED)
    lengths = [0, 1, 6, 7, len(FILE) - 1, *rng.sample(range(len(FILE)), 60)]
    for length in lengths:
        refused_as_bundle(FILE[:length])


@pytest.mark.parametrize("tail", [b"\n", b" ", b"\x00", b"}", b"{}", b"//", b"\xef\xbb\xbf", FILE])
def test_trailing_bytes_are_refused(tail: bytes) -> None:
    refused_as_bundle(FILE + tail)


@pytest.mark.parametrize("lead", [b"\n", b" ", b"\xef\xbb\xbf", b"[", b"%PDF-1.7\n"])
def test_leading_bytes_are_refused(lead: bytes) -> None:
    refused_as_bundle(lead + FILE)


def test_an_oversized_file_is_refused() -> None:
    room = b" " * (MAX_BYTES - len(FILE))
    assert result(FILE[:7] + room + FILE[7:]) is Result.VALID
    refused_as_bundle(FILE[:7] + room + b" " + FILE[7:])
    refused_as_bundle(FILE[:-1] + b" " * MAX_BYTES + b"}")


@pytest.mark.parametrize(
    "again", ["v", "presentation", "key", "statement", "salt", "city", "epoch", "inclusion", "head", "snapshot"]
)
def test_a_key_written_twice_is_refused(again: str) -> None:
    value = orjson.dumps(orjson.loads(FILE)[again])
    refused_as_bundle(FILE[:-1] + b',"' + again.encode() + b'":' + value + b"}")


@pytest.mark.parametrize(
    ("inside", "again"),
    [
        (b'"key":{', b'"crv":"P-256",'),
        (b'"statement":{', b'"v":1,'),
        (b'"body":{', b'"suite":"p256-sha256",'),
        (b'"head":{', b'"size":8,'),
        (b'"inclusion":{', b'"index":5,'),
        (b'"snapshot":{', b'"payload":"e30",'),
    ],
)
def test_a_key_written_twice_inside_is_refused(inside: bytes, again: bytes) -> None:
    assert FILE.count(inside) == 1
    refused_as_bundle(FILE.replace(inside, inside + again))


@pytest.mark.parametrize("depth", [MAX_DEPTH, 900])
@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_refused(depth: int, pair: tuple[bytes, bytes]) -> None:
    bomb = pair[0] * depth + b"1" + pair[1] * depth
    refused_as_bundle(FILE.replace(b'"body":{', b'"body":{"x":' + bomb + b","))


DEEP = """
import sys
from certs.verify.verifier import Verifier
from ledger import trust
limit, trust_file, bundle = int(sys.argv[1]), *sys.argv[2:]
sys.setrecursionlimit(limit)
print(Verifier(trust.decode(open(trust_file, "rb").read())).question(open(bundle, "rb").read()))
"""


@pytest.mark.parametrize("limit", [1000, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_that_would_overflow_the_stack_is_refused(tmp_path: Path, opening: str, limit: int) -> None:
    """A library that the chain client loads raises Python's recursion limit to 100,000 for the whole process: then
    nothing stops a recursive parser before the stack ends, and the process with it. So it is tried in a process."""
    trust_file, bundle_file = tmp_path / "trust.json", tmp_path / "bundle.json"
    trust_file.write_bytes(trust.encode(forge.TRUST))
    bundle_file.write_bytes(b'{"v":1,"x":' + opening.encode() * 200_000 + b"}")
    assert bundle_file.stat().st_size <= MAX_BYTES
    command = [sys.executable, "-c", DEEP, str(limit), str(trust_file), str(bundle_file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ended.returncode, ended.stdout) == (0, "None\n"), ended.stderr[-300:]


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"certledger"',
        b"1",
        b'{"v":1}',
        b'{"v":1,}',
        b'{"v":1,"a":NaN}',
        b'{"v":1,"presentation":1.5}',
        b'{"v":1,"x":' + b"9" * 5000 + b"}",
        b'{"v":1,"x":"\xff"}',
        b'{"v":1,"x":"\\ud800"}',
        b'{"v":1,"type":["VerifiableCredential"],"proof":{}}',
        b"\x00" * 64,
        b"PK\x03\x04",
        b"%PDF-1.7\n%%EOF",
    ],
)
def test_foreign_files_are_refused(foreign: bytes) -> None:
    refused_as_bundle(foreign)


@pytest.mark.parametrize("version", [b"0", b"2", b"1.0", b"true", b'"1"', b"-1", b"null", b"01"])
def test_another_version_is_refused(version: bytes) -> None:
    refused_as_bundle(FILE.replace(b'{"v":1,', b'{"v":' + version + b",", 1))


def test_the_version_stands_first() -> None:
    value = orjson.loads(FILE)
    refused_as_bundle(orjson.dumps({**{k: v for k, v in value.items() if k != "v"}, "v": 1}))


@pytest.mark.parametrize("name", list(orjson.loads(FILE)))
def test_a_missing_part_is_a_failure_and_not_unknown(name: str) -> None:
    refused_as_bundle(edited(lambda value: value.pop(name)))


def test_an_additional_part_is_refused() -> None:
    refused_as_bundle(edited(lambda value: value.update(status="VALID")))
    refused_as_bundle(edited(lambda value: value["snapshot"].update(status=0)))
    refused_as_bundle(edited(lambda value: value["head"].update(final=True)))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("salt",), "0" * 63),
        (("salt",), "0" * 63 + "G"),
        (("salt",), forge.SALT.hex().upper()),
        (("salt",), forge.SALT.hex() + "\n"),
        (("city",), 0),
        (("city",), 2**32),
        (("epoch",), -1),
        (("epoch",), 2**32),
        (("inclusion", "index"), -1),
        (("inclusion", "index"), 2**53),
        (("inclusion", "index"), "5"),
        (("inclusion", "proof"), ["00" * 32] * 65),
        (("inclusion", "proof"), ["00" * 31]),
        (("head", "size"), 8.0),
        (("head", "root"), ""),
        (("key", "x"), "A" * 42),
        (("key", "kty"), "RSA"),
        (("key", "crv"), "P-384"),
        (("presentation",), "x" * (256 * 1024 + 1)),
        (("statement",), []),
        (("snapshot", "signatures"), []),
        (("snapshot", "payload"), "e30="),
    ],
)
def test_lengths_and_kinds_are_bounded(place: tuple[str, ...], value: object) -> None:
    def change(bundle: Any) -> None:
        for name in place[:-1]:
            bundle = bundle[name]
        bundle[place[-1]] = value

    refused_as_bundle(edited(change))


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (("presentation",), "", Reason.FORMAT_PRESENTATION),
        (("presentation",), "a.b.c", Reason.FORMAT_PRESENTATION),
        (("presentation",), "~~~~", Reason.FORMAT_PRESENTATION),
        (("presentation",), "é~", Reason.FORMAT_PRESENTATION),
        (("statement", "v"), 2, Reason.FORMAT_STATEMENT),
        (("statement", "at"), "2026-02-30T08:00:00.000Z", Reason.FORMAT_STATEMENT),
        (("statement", "at"), "٢٠٢٦-11-20T08:00:01.000Z", Reason.FORMAT_STATEMENT),
        (("statement", "at"), "2026-11-20T08:00:01.000Z\n", Reason.FORMAT_STATEMENT),
        (("statement", "at"), "2026-11-20T08:00:01.000+00:00", Reason.FORMAT_STATEMENT),
        (("statement", "log"), "00" * 31, Reason.FORMAT_STATEMENT),
        (("statement", "agency"), "1", Reason.FORMAT_STATEMENT),
        (("statement", "body"), None, Reason.FORMAT_STATEMENT),
        (("statement", "body", "replaces"), 5, Reason.FORMAT_STATEMENT),
        (("statement", "body", "replaces"), "zz" * 32, Reason.FORMAT_STATEMENT),
        (("statement", "body", "replaces"), "00" * 31, Reason.FORMAT_STATEMENT),
    ],
)
def test_parts_of_another_form_are_named(place: tuple[str, ...], value: object, reason: Reason) -> None:
    def change(bundle: Any) -> None:
        for name in place[:-1]:
            bundle = bundle[name]
        bundle[place[-1]] = value

    refused_as_bundle(edited(change), reason)


@pytest.mark.parametrize(
    "visible",
    [
        {"iss": None},
        {"iss": "urn:certledger:agency:1"},
        {"vct": "urn:example:licence"},
        {"iat": None},
        {"iat": -1},
        {"iat": "2026"},
        {"nbf": None},
        {"exp": 0},
        {"certificate_identifier": None},
        {"issuing_authority_code": None},
    ],
)
def test_a_payload_that_is_no_certificate_is_refused(visible: dict[str, Any]) -> None:
    refused(GENUINE, forge.make(visible=visible), Reason.FORMAT_CERTIFICATE)


def test_absurd_numbers_are_findings() -> None:
    """The largest integers a bundle can carry, in every place that is compared with a time or a size."""
    largest = 2**53 - 1
    for changes in ({"time": largest}, {"size": largest}, {"block": largest}, {"prev_size": largest}):
        assert GENUINE.with_head(**changes).verify().verdict.result is Result.INVALID
    for visible in ({"iat": largest}, {"nbf": largest, "exp": None}):
        assert forge.make(visible=visible).verify().verdict.result is Result.INVALID
    assert forge.make(visible={"exp": largest}).verify().verdict.result is Result.VALID


def test_a_snapshot_signed_for_an_absurd_time_is_a_finding() -> None:
    late = replace(GENUINE.facts, time=2**53 - 1)
    assert GENUINE.on_chain(lambda _: late).verify().verdict.result is Result.INDETERMINATE


def test_a_statement_whose_version_is_true_and_not_one_is_refused() -> None:
    """In Python True equals 1; a reader in another language would not call this bundle one of ours."""
    refused_as_bundle(edited(lambda value: value["statement"].update(v=True)), Reason.FORMAT_STATEMENT)
