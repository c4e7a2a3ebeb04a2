"""The data dictionary of an export: every table and column, what it holds, and whether it can be read without a key.

One list in code, the tables themselves; the words in two languages in `api/messages`, and a test that none is missing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from api.messages import LANGUAGES, Words
from audit.store import copying as beside
from ledger.store import copying

SEALED = {"entry.sealed", "opening.sealed", "authorization.sealed", "mandate.sealed", "day_key.office"}
"""Open with the audit office's key alone, by way of the key of the day."""
CITY_ALONE = {"day_key.wrapped"}
"""Opens with the city's own key, which never leaves it."""


def tables() -> tuple[copying.Table, ...]:
    """What an export holds."""
    return (*copying.TABLES, *beside.BESIDE, *beside.RIGHTS)


def lines(lang: str) -> Iterator[tuple[str, str, str, str]]:
    """(table, column, who can read it, what it holds)."""
    words = Words(lang)
    for table in tables():
        for column in table.c:
            place = f"{table.name}.{column.name}"
            yield (
                table.name,
                column.name,
                words.say(f"readable.{_readable(table.name, column.name)}"),
                words.column(place),
            )


def write(folder: Path) -> None:
    for lang in LANGUAGES:
        with (folder / f"dictionary.{lang}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            words = Words(lang)
            writer.writerow([words.say(f"dictionary.{name}") for name in ("table", "column", "readable", "meaning")])
            writer.writerows(lines(lang))


def _readable(table: str, column: str) -> str:
    place = f"{table}.{column}"
    if place in SEALED:
        return "office"
    if place in CITY_ALONE:
        return "city"
    return "empty" if column in beside.WITHHELD.get(table, ()) else "all"
