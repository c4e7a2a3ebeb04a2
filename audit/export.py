"""The manifest of an export: whose books, which part of which logs, when, for whom, and the digest of every file. Pure.

What an export says is proven by the chain, not by its manifest: the roots are those of heads in a cosigned snapshot.
The manifest makes a file that was lost on the way a sentence instead of a riddle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ledger import canonical
from ledger import schema as s
from ledger.canonical import Json
from ledger.types import Head, LogName

VERSION = 1
MAX_BYTES = 1024 * 1024
MAX_FILES = 4096
FILE = "manifest.json"
DATABASE = "ledger.sqlite"
SNAPSHOTS = "snapshots"
_DOMAIN = b"certledger/export/v1\x00"
_STREAM: s.Schema = {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}$"}
_NAME: s.Schema = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_.-]{0,63}(/[a-z0-9][a-z0-9_.-]{0,63})?$"}
_PART = s.record(
    stream=_STREAM,
    epoch={"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    size=s.NATURAL,
    root=s.HEX32,
    start=s.NATURAL,
    end=s.NATURAL,
)
FORM = s.Form(
    "EXPORT_FORM",
    s.record(
        v={"const": VERSION},
        consortium=s.HEX32,
        city=s.CITY,
        name={"type": "string", "maxLength": 100},
        made_at=s.TIMESTAMP,
        office=s.KID,
        parts=s.rows(_PART, 256),
        files={
            "type": "object",
            "propertyNames": _NAME,
            "additionalProperties": s.HEX32,
            "maxProperties": MAX_FILES,
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Part:
    """Of one log: all hashes of the first `head.size` leaves, and the entries [start, end)."""

    log: LogName
    head: Head
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Manifest:
    consortium: bytes
    city: int
    name: str
    """Of the city, for people."""
    made_at: str
    office: str
    """Thumbprint of the audit office's key."""
    parts: tuple[Part, ...]
    files: Mapping[str, bytes]
    """SHA-256 of each file, by its path in the folder."""

    @property
    def digest(self) -> bytes:
        return sha256(_DOMAIN + encode(self)).digest()


def encode(manifest: Manifest) -> bytes:
    parts: list[Json] = [
        {
            "stream": part.log.stream,
            "epoch": part.log.epoch,
            "size": part.head.size,
            "root": part.head.root.hex(),
            "start": part.start,
            "end": part.end,
        }
        for part in manifest.parts
    ]
    return canonical.dumps(
        {
            "v": VERSION,
            "consortium": manifest.consortium.hex(),
            "city": manifest.city,
            "name": manifest.name,
            "made_at": manifest.made_at,
            "office": manifest.office,
            "parts": parts,
            "files": {name: digest.hex() for name, digest in manifest.files.items()},
        }
    )


def decode(text: bytes) -> Manifest:
    """Raises `VerificationError` or `CanonicalError`."""
    v: Mapping[str, Any] = FORM.check(canonical.loads_canonical(text, max_bytes=MAX_BYTES))
    return Manifest(
        consortium=bytes.fromhex(v["consortium"]),
        city=v["city"],
        name=v["name"],
        made_at=v["made_at"],
        office=v["office"],
        parts=tuple(
            Part(
                LogName(v["city"], row["stream"], row["epoch"]),
                Head(row["size"], bytes.fromhex(row["root"])),
                row["start"],
                row["end"],
            )
            for row in v["parts"]
        ),
        files={name: bytes.fromhex(digest) for name, digest in v["files"].items()},
    )


def within(size: int, at: Callable[[int], str], start: str | None, end: str | None) -> tuple[int, int]:
    """Entries recorded in [start, end): time in a log never runs backwards, so a few looks find them.

    `at`: when an entry was recorded. None: from the beginning, to the end.
    """
    first = _first(size, at, start) if start else 0
    return first, max(first, _first(size, at, end) if end else size)


def _first(size: int, at: Callable[[int], str], moment: str) -> int:
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if at(middle) < moment else (low, middle)
    return low
