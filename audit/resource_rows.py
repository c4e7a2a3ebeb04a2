"""Rows of a resource catalogue as departments keep them → resources; what is wrong, by line and column.

Columns by their Chinese names, all required, in any order. The file itself is opened elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.errors import PolicyError
from audit.resource import TITLES, Item, Resource, ResourceCatalogue, Sharing

COLUMNS: Mapping[str, str] = {title: name for name, title in TITLES.items()}
_ITEM = re.compile(r"(?P<title>[^\s()（）]{1,60})[(（](?P<field>[a-z][a-z0-9_]{0,63})[)）]")
_SEPARATOR = re.compile(r"[;；、\n]")
_MAX_TEXT = 500
_MAX_ITEMS = 8000
"""Characters of a cell; the cells that list items are longer."""
_FORMULA = "="
"""What a spreadsheet would compute is not what somebody wrote."""
_YES_NO = {"是": True, "否": False}
_SHARING = {str(int(each)): each for each in Sharing}


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row is not taken."""

    line: int
    """As a spreadsheet counts: the header is 1."""
    column: str
    """Its heading; empty: the row as a whole."""
    code: str
    params: Mapping[str, str]
    """For the words of the code."""


def read_rows(rows: Iterable[Mapping[str, str]]) -> ResourceCatalogue:
    """The catalogue in the rows of a file. Raises `PolicyError` for the first that is wrong, naming row and column."""
    return ResourceCatalogue(_read_row(number, row) for number, row in enumerate(rows, start=2))


def survey(rows: Iterable[tuple[int, Mapping[str, str]]]) -> tuple[list[Resource], list[RowFault]]:
    """(resources, what is wrong in all the other rows). `rows`: (line, cells by heading)."""
    found: dict[str, Resource] = {}
    faults: list[RowFault] = []
    for line, row in rows:
        try:
            resource = _read_row(line, row)
            if resource.code in found:
                raise PolicyError(
                    "RESOURCE_DUPLICATE", "two rows have one code", resource=resource.code, column=TITLES["code"]
                )
            found[resource.code] = resource
        except PolicyError as error:
            faults.append(RowFault(line, error.params.get("column", ""), error.code, error.params))
    return list(found.values()), faults


def _read_row(line: int, row: Mapping[str, str]) -> Resource:
    if set(row) != set(COLUMNS):
        raise PolicyError("RESOURCE_COLUMNS", "columns are missing, or unknown", row=line)
    v = {COLUMNS[column]: text.strip() for column, text in row.items()}
    _check_cells(line, v)
    listed = tuple(Item(found["field"], found["title"]) for found in _items(v["items"]) if found)
    lead = frozenset(text.strip() for text in _SEPARATOR.split(v["authoritative"]) if text.strip())
    texts = {name: v[name] for name in v.keys() - {"sharing", "open", "items", "authoritative"}}
    return Resource(**texts, sharing=_SHARING[v["sharing"]], open=_YES_NO[v["open"]], items=listed, authoritative=lead)


def _check_cells(line: int, v: Mapping[str, str]) -> None:
    """Raises `PolicyError` RESOURCE_ROW naming the first cell that is not of its column's form."""
    wrong = [name for name, text in v.items() if len(text) > (_MAX_ITEMS if name == "items" else _MAX_TEXT)]
    wrong += [name for name, text in v.items() if text.startswith(_FORMULA)]
    wrong += [name for name, known in (("sharing", _SHARING), ("open", _YES_NO)) if v[name] not in known]
    wrong += ["items"] if None in _items(v["items"]) else []
    if wrong:
        raise PolicyError("RESOURCE_ROW", "a cell is not of its column's form", row=line, column=TITLES[wrong[0]])


def _items(text: str) -> list[re.Match[str] | None]:
    return [_ITEM.fullmatch(part.strip()) for part in _SEPARATOR.split(text) if part.strip()]
