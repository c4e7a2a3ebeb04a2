"""The evidence bundle: one JSON file that a verifier can check without us (docs/formats.md §4).

Version first, every length bounded, every member known, trailing bytes refused. Nothing in it is believed: `key` is
a hint whose thumbprint must match, `snapshot` counts only if trusted cities signed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from ledger import canonical, snapshot
from ledger import facts as f
from ledger import schema as s
from ledger.canonical import Json
from ledger.errors import VerificationError
from ledger.facts import PublishedHead
from ledger.jws import b64url, unb64url
from ledger.merkle import HASH_BYTES
from ledger.snapshot import Snapshot

MEDIA_TYPE = "application/vnd.certledger.bundle+json"
VERSION = 1
MAX_BYTES = 1024 * 1024
_START = b'{"v":1,'


@dataclass(frozen=True, slots=True)
class Bundle:
    """Taken apart, nothing verified."""

    presentation: str
    """SD-JWT VC with the disclosures that are shown."""
    x: bytes
    y: bytes
    """The issuer's P-256 key, a hint: `kid` is its thumbprint."""
    statement: dict[str, Json]
    salt: bytes
    city: int
    epoch: int
    """Which log of the city's certificate stream."""
    index: int
    """Leaf index in that log."""
    proof: tuple[bytes, ...]
    """Inclusion proof to `head`."""
    head: PublishedHead
    """The first published head that covers the leaf."""
    snapshot: Snapshot


FORM = s.Form(
    "BUNDLE_FORM",
    s.record(
        v={"const": VERSION},
        presentation={"type": "string", "maxLength": 256 * 1024},
        key=s.record(kty={"const": "EC"}, crv={"const": "P-256"}, x=s.KID, y=s.KID),
        statement={"type": "object", "maxProperties": 7},
        salt=s.HEX32,
        city=s.CITY,
        epoch={"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        inclusion=s.record(index=s.NATURAL, proof=s.rows(s.HEX32, 64)),
        head=f.PUBLISHED_HEAD,
        snapshot=snapshot.SCHEMA,
    ),
)


def encode(bundle: Bundle) -> bytes:
    return orjson.dumps(
        {
            "v": VERSION,
            "presentation": bundle.presentation,
            "key": {"kty": "EC", "crv": "P-256", "x": b64url(bundle.x), "y": b64url(bundle.y)},
            "statement": bundle.statement,
            "salt": bundle.salt.hex(),
            "city": bundle.city,
            "epoch": bundle.epoch,
            "inclusion": {"index": bundle.index, "proof": [node.hex() for node in bundle.proof]},
            "head": f.published_head_json(bundle.head),
            "snapshot": bundle.snapshot.to_json(),
        }
    )


def decode(untrusted: bytes) -> Bundle:
    """Raises `VerificationError` or `CanonicalError` for whatever is not exactly one bundle."""
    if not untrusted.startswith(_START) or not untrusted.endswith(b"}"):
        raise VerificationError("BUNDLE_FORM", "not a bundle of version 1, or not only that", place="v")
    v: Any = FORM.check(canonical.loads(untrusted, max_bytes=MAX_BYTES))
    return Bundle(
        presentation=v["presentation"],
        x=_coordinate(v["key"]["x"]),
        y=_coordinate(v["key"]["y"]),
        statement=v["statement"],
        salt=bytes.fromhex(v["salt"]),
        city=v["city"],
        epoch=v["epoch"],
        index=v["inclusion"]["index"],
        proof=tuple(bytes.fromhex(node) for node in v["inclusion"]["proof"]),
        head=f.published_head(v["head"]),
        snapshot=snapshot.from_json(v["snapshot"]),
    )


def _coordinate(text: str) -> bytes:
    value = unb64url(text)
    if len(value) != HASH_BYTES:
        raise VerificationError("BUNDLE_FORM", "a P-256 coordinate is 32 bytes long", place="key")
    return value
