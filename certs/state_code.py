"""National state codes 证照状态代码 of certificates that exist already, and what each means here.

01 means valid in one ministry and invalid in another, so a code is read only by the table that the certificate's type
names (`state_code_table`). A table is data: one YAML file in the package's folder `state_codes`, checked on load.

Codes of `CatalogueError` (parameters): STATE_TABLE_FILE (file, problem) a table is damaged.
Codes of `CellError`, the rule why a row with such a state is not imported:
    STATE_TRANSFERRING           办理转出: neither city can vouch for it until the transfer is done
    STATE_UNCLEAR                其他: nobody can say whether it holds
    STATE_LAPSED_EARLY (today)   失效, while its own dates still run: it would be taken for valid
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import yaml

from certs.certificate_type import StrictLoader
from certs.errors import CatalogueError, CellError
from certs.field import CodeValue, demand
from certs.lifecycle import Change
from ledger.status import Reason


class Meaning(StrEnum):
    """What a national code says, in our own words."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ANNULLED = "annulled"
    PENALTY = "penalty"
    CANCELLED = "cancelled"
    RENEWED = "renewed"
    """Replaced by another certificate, which the code does not name."""
    LAPSED = "lapsed"
    """Ended by its own dates: no act of anybody, so no record either."""
    TRANSFERRING = "transferring"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Ending:
    """The change that is recorded together with the import of a certificate that does not hold."""

    change: Change
    reason: Reason


ENDINGS: Final[Mapping[Meaning, Ending]] = {
    Meaning.SUSPENDED: Ending(Change.SUSPEND, Reason.SUSPENDED),
    Meaning.ANNULLED: Ending(Change.REVOKE, Reason.ANNULLED),
    Meaning.PENALTY: Ending(Change.REVOKE, Reason.PENALTY),
    Meaning.CANCELLED: Ending(Change.CANCEL, Reason.CANCELLED),
    # Not SUPERSEDED: the chain takes that only with the certificate that comes next, and nobody names it here.
    Meaning.RENEWED: Ending(Change.CANCEL, Reason.RENEWED),
}


@dataclass(frozen=True, slots=True)
class StateTable:
    """The state codes of one ministry."""

    id: str
    """The name of its file; what `state_code_table` of a type says."""
    title_zh: str
    title_en: str
    codes: tuple[CodeValue, ...]
    meanings: tuple[Meaning, ...]
    """`meanings[i]` is what `codes[i]` means."""

    def __post_init__(self) -> None:
        demand(bool(self.id and self.title_zh and self.title_en), "id or title is missing")
        demand(bool(self.codes) and len(self.codes) == len(self.meanings), "no codes, or codes without a meaning")
        demand(all(code.code and code.zh and code.en for code in self.codes), "a code lacks its words")
        words = [word for code in self.codes for word in (code.code, code.zh)]
        demand(len(set(words)) == len(words), "two codes share a number or a word")

    def ending(self, code: str, validity_end: str, today: str) -> Ending | None:
        """What to record of a certificate in this state; None: nothing, it holds as long as its dates say.

        `code` is one of `codes`; dates are ISO 8601, or 长期. Raises `CellError` for a state that cannot be imported.
        """
        meaning = next(m for each, m in zip(self.codes, self.meanings, strict=True) if each.code == code)
        if meaning is Meaning.TRANSFERRING:
            raise CellError("STATE_TRANSFERRING", "a certificate that is being transferred is not imported")
        if meaning is Meaning.UNCLEAR:
            raise CellError("STATE_UNCLEAR", "nobody can say whether such a certificate holds")
        if meaning is Meaning.LAPSED and validity_end >= today:  # 长期 sorts after every digit
            raise CellError("STATE_LAPSED_EARLY", "lapsed, and its dates still run", today=today)
        return ENDINGS.get(meaning)


@lru_cache(maxsize=1)
def load_state_tables() -> Mapping[str, StateTable]:
    """The tables in this package by id, checked; read once. Raises `CatalogueError`."""
    folder = resources.files("certs") / "state_codes"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    tables = [read_state_table(f.name, f.read_text(encoding="utf-8")) for f in files]
    return {table.id: table for table in tables}


def read_state_table(file: str, text: str) -> StateTable:
    """The table in the text of one file `<id>.yaml`. Raises `CatalogueError` naming the file."""
    try:
        written = yaml.load(text, StrictLoader)  # noqa: S506 - a SafeLoader
        demand(isinstance(written, dict), "not a mapping")
        table = _table_of(written)
        demand(file == f"{table.id}.yaml", "the file is not named after the id")
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError) as error:
        problem = str(error)
        raise CatalogueError("STATE_TABLE_FILE", f"{file}: {problem}", file=file, problem=problem) from error
    return table


def _table_of(written: dict[str, Any]) -> StateTable:
    demand(set(written) == {"id", "title", "codes"}, "a table has id, title and codes")
    demand(all(set(row) == {"zh", "en", "means"} for row in written["codes"].values()), "a code has zh, en and means")
    demand(all(isinstance(code, str) for code in written["codes"]), "a code is not quoted")  # 01 would be the number 1
    rows = written["codes"].items()
    return StateTable(
        id=written["id"],
        title_zh=written["title"]["zh"],
        title_en=written["title"]["en"],
        codes=tuple(CodeValue(code, row["zh"], row["en"]) for code, row in rows),
        meanings=tuple(Meaning(row["means"]) for _, row in rows),
    )
