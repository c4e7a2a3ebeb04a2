"""The words for every stable code, in Chinese and English: what happened, and what the reader can do about it.

Words stand in `zh.toml` and `en.toml`; a test proves that both hold exactly the codes of the source. Templates know
`{name}` and nothing else: a value can neither reach an attribute nor bring fields of its own. Asking never raises:
a code without words, or a parameter that was not handed in, falls back to the code and the English sentence that the
error carries, because whoever reads it has a problem already.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any, Final

from certs.certificate import CHINA
from ledger.status import Reason

LANGUAGES: Final = ("zh", "en")
"""Chinese first: it is the language when none is chosen."""

_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_LONGEST_VALUE: Final = 1000
"""Characters of one value: bundles come from outside and may carry anything."""
_MOMENTS: Final = frozenset(
    {"from", "to", "now", "time", "since", "as_of", "issued_at", "recorded_at", "anchored_at"},
)
"""What verification compared that is a time: seconds since 1970, or ISO 8601."""
_SPANS: Final = frozenset({"allowed", "age"})
"""The same for a length of time in seconds."""
_UNITS: Final = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


@dataclass(frozen=True, slots=True)
class Message:
    """Both empty or one line; `remedy` empty: there is nothing to do."""

    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Words:
    """All words of one language. Cheap to make: the file is read once in a process."""

    language: str
    """One of LANGUAGES."""

    def error(self, code: str, params: Mapping[str, object], sentence: str = "") -> Message:
        """An error's code; `sentence` is its own English one, shown if there are no words."""
        # What a cell raises reaches people as a rule, but nothing keeps it from being raised elsewhere.
        entry = self._table("errors").get(code) or {"text": self._table("rules").get(code)}
        return self._message(entry, code, params, sentence)

    def difference(self, code: str, params: Mapping[str, object]) -> Message:
        """A difference found by `ledger.integrity`; `params` are log, index, table and column."""
        return self._message(self._table("differences").get(code), code, params)

    def reason(self, name: str, compared: Mapping[str, str]) -> Message:
        """A verification step's reason. Times are shown in China's, status reasons by name."""
        shown = {field: self._compared(field, value) for field, value in compared.items()}
        return self._message(self._table("reasons").get(name), name, shown)

    def decision(self, name: str, params: Mapping[str, str]) -> Message:
        """What was decided about a request, by the name of its code; `params` of `audit.decision.Decision`."""
        return self._message(self._table("decisions").get(name), name, params)

    def finding(self, name: str, params: Mapping[str, str]) -> Message:
        """What an audit found, by the name of its code; `params` of `audit.finding.Finding`."""
        return self._message(self._table("findings").get(name), name, params)

    def rule(self, rule: str, params: Mapping[str, object]) -> str:
        """Why a row was not issued."""
        return self._word("rules", rule, params)

    def note(self, name: str) -> str:
        """What is odd about a certificate and was kept."""
        return self._word("notes", name)

    def column(self, place: str) -> str:
        """What a column of an export holds; `place`: table.column."""
        return self._word("columns", place)

    def step(self, name: str) -> str:
        return self._word("steps", name)

    def result(self, name: str) -> str:
        return self._word("results", name)

    def status(self, name: str) -> str:
        return self._word("statuses", name)

    def status_reason(self, name: str) -> str:
        return self._word("status_reasons", name)

    def say(self, key: str, **params: object) -> str:
        """A sentence of the command line or a page."""
        return self._word("ui", key, params)

    def _table(self, name: str) -> Mapping[str, Any]:
        return _tables(self.language).get(name, {})

    def _word(self, table: str, key: str, params: Mapping[str, object] | None = None) -> str:
        return self._filled(self._table(table).get(key), params or {}) or key

    def _message(
        self, entry: Mapping[str, Any] | None, code: str, params: Mapping[str, object], sentence: str = ""
    ) -> Message:
        words = entry or {}
        text = self._filled(words.get("text"), params)
        remedy = self._filled(words.get("remedy"), params)
        return Message(text or (f"{_printable(sentence)} ({code})" if sentence else code), remedy or "")

    def _filled(self, template: object, params: Mapping[str, object]) -> str | None:
        """The template with its fields; None if there is none, or a field is missing."""
        if not isinstance(template, str) or any(field not in params for field in _FIELD.findall(template)):
            return None
        return _FIELD.sub(lambda field: self._value(field[1], params[field[1]]), template)

    def _value(self, field: str, value: object) -> str:
        """A value in words where it has some: a status, its reason, a change."""
        table = {"status": "statuses", "reason": "status_reasons", "change": "changes"}.get(field)
        known = self._table(table).get(str(value)) if table else None
        return known if isinstance(known, str) else _printable(str(value))

    def _compared(self, field: str, value: str) -> str:
        if field in _MOMENTS:
            return str(self._table("units")["open_ended"]) if value == "open-ended" else _moment(value)
        if field in _SPANS:
            return self._span(value)
        if field == "reason" and value.isdecimal():
            return next((reason.name for reason in Reason if reason == int(value)), value)
        return value

    def _span(self, value: str) -> str:
        """In the largest unit of which there are two, so that no language needs a singular."""
        if not value.isdecimal():
            return value
        seconds = int(value)
        unit, length = next((unit for unit in _UNITS if seconds >= 2 * unit[1]), _UNITS[-1])
        return f"{seconds // length} {self._table('units')[unit]}"


def _moment(value: str) -> str:
    """The minute in China. Whoever made the bundle chose the number: one that is no time stays as it is."""
    try:
        moment = datetime.fromtimestamp(int(value), CHINA) if value.isdecimal() else datetime.fromisoformat(value)
        return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return value


def _printable(value: str) -> str:
    """On one line and without control characters: a value must not write to the terminal what is not there."""
    cut = value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "…"
    return "".join(character if character.isprintable() else " " for character in cut)


@lru_cache(maxsize=len(LANGUAGES))
def _tables(language: str) -> Mapping[str, Mapping[str, Any]]:
    name = language if language in LANGUAGES else LANGUAGES[0]
    written = tomllib.loads((resources.files("api.messages") / f"{name}.toml").read_text(encoding="utf-8"))
    return written | {"ui": _flat(written.get("ui", {}))}


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Keys of the command line carry dots, which TOML reads as tables inside tables."""
    flat: dict[str, str] = {}
    for key, value in table.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
