"""Statements: what was done, by whom, when, in which log. Their canonical bytes are what a leaf commits to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from ledger import canonical
from ledger.canonical import Json
from ledger.errors import VerificationError

VERSION = 1
MAX_BYTES = 64 * 1024

_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_TYPE = re.compile(r"[a-z][a-z0-9-]{0,31}/[a-z][a-z0-9-]{0,31}")
_AGENCY = re.compile(r"[0-9A-Z]{18}")
_OF_THE_LOG = "log/"
"""Types that are about the log itself: they stand in any stream, and the city says them, so they name no agency."""
_MEMBERS = {"v", "log", "stream", "type", "at", "agency", "body"}


@dataclass(frozen=True, slots=True)
class Draft:
    """What an act wants to say; the sequencer adds log, time and salt."""

    type: str
    """`<stream>/<verb>`, e.g. certificate/issue."""
    agency: str
    """USCC of the agency that acts, 18 characters; empty for what the city says about its own log."""
    body: dict[str, Json]
    """Fixed per type in docs/formats.md. Nothing about a person in the clear."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One act, complete. `encode()` is what is hashed."""

    log: bytes
    """32-byte log id: a statement replayed into another log does not match it."""
    stream: str
    type: str
    at: str
    """RFC 3339, UTC, milliseconds."""
    agency: str
    body: dict[str, Json]

    def __post_init__(self) -> None:
        if len(self.log) != 32 or not _TYPE.fullmatch(self.type) or not self._speaker_fits():
            raise VerificationError("STATEMENT_FORM", "statement does not have the fixed form", type=self.type)
        parse_timestamp(self.at)

    def _speaker_fits(self) -> bool:
        if self.type.startswith(_OF_THE_LOG):
            return self.agency == ""
        return self.type.partition("/")[0] == self.stream and _AGENCY.fullmatch(self.agency) is not None

    def encode(self) -> bytes:
        """Canonical bytes, at most 64 KiB."""
        text = canonical.dumps(self.to_json())
        if len(text) > MAX_BYTES:
            raise VerificationError("STATEMENT_TOO_LARGE", "statement is longer than 64 KiB", type=self.type)
        return text

    def to_json(self) -> dict[str, Json]:
        return {
            "v": VERSION,
            "log": self.log.hex(),
            "stream": self.stream,
            "type": self.type,
            "at": self.at,
            "agency": self.agency,
            "body": self.body,
        }


def decode(text: bytes) -> Statement:
    """Canonical bytes → statement. Raises `VerificationError` or `CanonicalError`."""
    return from_json(canonical.loads_canonical(text, max_bytes=MAX_BYTES))


def decode_written(text: bytes) -> Statement:
    """The same of a text that opened under the city's own key: its form is looked at, its spelling is not."""
    return from_json(canonical.loads_written(text))


def from_json(value: Json) -> Statement:
    if not isinstance(value, dict) or set(value) != _MEMBERS or value["v"] is True or value["v"] != VERSION:
        raise VerificationError("STATEMENT_FORM", "statement does not have the fixed form")
    body = value["body"]
    texts = {name: value[name] for name in ("log", "stream", "type", "at", "agency")}
    if not isinstance(body, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise VerificationError("STATEMENT_FORM", "statement does not have the fixed form")
    log = str(texts["log"])
    if not re.fullmatch(r"[0-9a-f]{64}", log):
        raise VerificationError("STATEMENT_FORM", "a log id is 64 lower-case hexadecimal digits")
    return Statement(
        log=bytes.fromhex(log),
        stream=str(texts["stream"]),
        type=str(texts["type"]),
        at=str(texts["at"]),
        agency=str(texts["agency"]),
        body=body,
    )


def timestamp(moment: datetime) -> str:
    """RFC 3339 UTC with milliseconds, cut, never rounded up: a statement must not come from the future."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(at: str) -> int:
    """A statement's time, cut to seconds since 1970."""
    return int(parse_timestamp(at).timestamp())


@lru_cache(maxsize=256)  # one time is looked at in many steps, and stands in all entries of one commit
def parse_timestamp(text: str) -> datetime:
    """The inverse of `timestamp`."""
    if not _AT.fullmatch(text):
        raise VerificationError("TIMESTAMP_FORM", "not an RFC 3339 UTC time with milliseconds")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise VerificationError("TIMESTAMP_FORM", "not a date that exists") from None
    if timestamp(moment) != text:  # newer Pythons read 24:00 as the next day
        raise VerificationError("TIMESTAMP_FORM", "not the one spelling of this time")
    return moment
