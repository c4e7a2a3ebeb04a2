"""Reading what the demonstration printed: which event each line tells, with which values, and whether it is marked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from command_line import Ran

from api.messages import Words

EVENTS: Final = (
    *("title", "city", "agency", "alone", "issued", "anchored", "again", "online", "offline", "selective", "cosigned"),
    *("tampered", "moved", "revoked", "suspended", "reinstated", "renewed", "imported", "file"),
    *("authorized", "read", "over_asked", "withdrawn", "history", "edited"),
    *("restored", "continued", "stopped", "stopped_offline", "stopped_issued", "back", "checked", "canaries"),
)
"""Lines of the demonstration in their order: keys of words."""
_VALUES: Final = (
    *("city", "target", "approvals", "needed", "agency", "issued", "rejected", "rejects", "size", "transactions"),
    *("already", "result", "reason", "alone", "registered", "kind", "changed", "missing", "code", "good", "disowned"),
    *("renewed", "values", "events", "found", "bundles", "trust", "bundle", "home", "failures"),
    *("holder", "matter", "fields", "uses", "lines", "allowed", "refused", "place", "left"),
)
_LINE = re.compile(r"(\d\d:\d\d)  (.*?)( ✘)?\s*")
IDENTIFIER = re.compile(r"1\.2\.156\.3005\.2(?:\.[0-9A-Z]+){5}")


@dataclass(frozen=True, slots=True)
class Line:
    """One event."""

    event: str
    text: str
    values: dict[str, str]
    wrong: bool
    """Marked with ✘: it did not come out as it should."""
    ids: tuple[str, ...]
    """Technical ids under it."""


@dataclass(frozen=True, slots=True)
class Played:
    """A run of the demonstration in a folder."""

    folder: Path
    ran: Ran

    @property
    def home(self) -> Path:
        return self.folder / "hangzhou"


def read(ran: Ran, lang: str) -> list[Line]:
    """The events that a run told, in their order; a line of no known event fails."""
    patterns = {event: _pattern(Words(lang), f"demo.{event}") for event in EVENTS}
    told: list[Line] = []
    for text in re.split(r"[\r\n]+", ran.said):
        line = _LINE.fullmatch(text)
        if line:
            event, values = _event(patterns, line[2])
            told.append(Line(event, line[2], values, bool(line[3]), ()))
        elif told and text.startswith("       ") and text.strip():
            last = told.pop()
            told.append(Line(last.event, last.text, last.values, last.wrong, (*last.ids, text.strip())))
    return told


def printed_commands(ran: Ran) -> list[str]:
    """The command lines it says to try."""
    return [line.strip() for line in ran.said.splitlines() if line.lstrip().startswith(".venv/bin/certledger ")]


def _event(patterns: dict[str, re.Pattern[str]], text: str) -> tuple[str, dict[str, str]]:
    for event, pattern in patterns.items():
        if found := pattern.fullmatch(text):
            return event, found.groupdict()
    raise AssertionError(f"a line of no known event: {text}")


def _pattern(words: Words, key: str) -> re.Pattern[str]:
    """The sentence with a group for each value in it."""
    sentence = words.say(key, **{name: f"⟦{name}⟧" for name in _VALUES})
    assert sentence != key, f"no words for {key}"
    return re.compile(re.sub("⟦([a-z]+)⟧", r"(?P<\1>.+?)", re.escape(sentence)))
