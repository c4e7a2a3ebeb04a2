"""Whatever is handed to `verify` as a bundle: a FORMAT failure in words, exit 1, never a traceback."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from command_line import FULL, Ran, certledger, side_by_side
from evidence import Shown
from prepared_city import Home

SEED = 20260101
MEGABYTE = 1024 * 1024

Spoil = Callable[[bytes], bytes]


def edited(change: Callable[[dict[str, object]], object]) -> Spoil:
    """The bundle with one member changed, written in the right order again."""

    def spoil(good: bytes) -> bytes:
        bundle = json.loads(good)
        change(bundle)
        return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode()

    return spoil


SPOILT: dict[str, Spoil] = {
    "empty": lambda good: b"",
    "truncated in the middle": lambda good: good[: len(good) // 2],
    "last byte missing": lambda good: good[:-1],
    "a byte after the end": lambda good: good + b"\n",
    "two bundles": lambda good: good + good,
    "oversized": lambda good: good[:-1] + b" " * (MEGABYTE + 1 - len(good)) + b"}",
    "far oversized": lambda good: good[:-1] + b" " * (8 * MEGABYTE) + b"}",
    "byte order mark": lambda good: b"\xef\xbb\xbf" + good,
    "UTF-16": lambda good: good.decode().encode("utf-16"),
    "not UTF-8": lambda good: good.replace(b'"salt"', b'"sal\xff"'),
    "NUL bytes": lambda good: b"\0" * 4096,
    "a picture": lambda good: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
    "a PDF": lambda good: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "HTML": lambda good: b"<!doctype html><title>404</title>",
    "another JSON": lambda good: b'{"v":1,"name":"other"}',
    "a list": lambda good: b"[" + good + b"]",
    "deep": lambda good: b'{"v":1,"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "version 2": lambda good: good.replace(b'{"v":1,', b'{"v":2,', 1),
    "key twice": lambda good: good.replace(b'{"v":1,', b'{"v":1,"v":1,', 1),
    "a float": lambda good: good.replace(b'"city":1', b'"city":1.0', 1),
    "NaN": lambda good: good.replace(b'"city":1', b'"city":NaN', 1),
    "2^53": lambda good: good.replace(b'"city":1', b'"city":9007199254740992', 1),
    "member missing": edited(lambda bundle: bundle.pop("salt")),
    "member unknown": edited(lambda bundle: bundle.update(more=1)),
    "salt short": edited(lambda bundle: bundle.update(salt="00")),
    "presentation of another kind": edited(lambda bundle: bundle.update(presentation="a.b.c")),
    "presentation empty": edited(lambda bundle: bundle.update(presentation="")),
    "statement empty": edited(lambda bundle: bundle.update(statement={})),
}


def test_every_spoilt_bundle_is_a_format_failure(city: Home, genuine: Path, tmp_path: Path, shown: Shown) -> None:
    ways = list(SPOILT.items())[:: 1 if FULL else 3]
    good = genuine.read_bytes()
    runs = side_by_side(
        partial(judged, city, spoil(good), tmp_path / f"{number}.json", ("zh", "en")[number % 2])
        for number, (_, spoil) in enumerate(ways)
    )
    reasons = set()
    for (name, spoil), ran in zip(ways, runs, strict=True):
        assert spoil(good) != good, name
        first, *rest = ran.json["steps"]
        assert (ran.code, first["step"], first["state"]) == (1, "FORMAT", "FAIL"), (name, first)
        assert {step["state"] for step in rest} == {"NOT_REACHED"} and first["text"] and first["remedy"]
        assert ran.json["result"] == "INVALID" and ran.json["claims"] == {} and ran.err == ""
        reasons.add(first["compared"]["problem"])
    shown("damaged, truncated, oversized, foreign bundles", f"{len(ways)} × FORMAT failure, exit 1, no traceback")
    shown("problems named", ", ".join(sorted(reasons)))


def judged(city: Home, content: bytes, path: Path, lang: str = "zh") -> Ran:
    """What the command says of a file with this content."""
    path.write_bytes(content)
    return certledger("verify", path, "--trust", city.trust, "--offline", "--json", "--lang", lang, expect=None)


def test_a_trust_file_or_a_row_file_is_no_bundle(city: Home) -> None:
    for foreign in (city.trust, city.path / "keystore.json", city.path / "ledger.sqlite"):
        ran = certledger("verify", foreign, "--trust", city.trust, "--offline", "--json", expect=1)
        assert ran.json["steps"][0]["state"] == "FAIL"


def flipped(good: bytes, number: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """The bundle with one bit flipped, at places drawn by the seed."""
    draw = random.Random(seed)
    for _ in range(number):
        at = draw.randrange(len(good))
        yield at, good[:at] + bytes([good[at] ^ (1 << draw.randrange(8))]) + good[at + 1 :]


def test_a_flipped_bit_never_verifies(city: Home, genuine: Path, tmp_path: Path, shown: Shown) -> None:
    """Anywhere in the file; one process for all of them would not be the command, so there are few."""
    number = 100 if FULL else 5
    places = list(flipped(genuine.read_bytes(), number, SEED))
    runs = side_by_side(partial(judged, city, spoilt, tmp_path / f"{at}.json") for at, spoilt in places)
    for (at, _), ran in zip(places, runs, strict=True):
        assert ran.plain and ran.code == 1, (at, ran.code, ran.said)
    shown("one bit flipped anywhere", f"{number} places, seed {SEED}: {len(runs)} INVALID, 0 VALID")
