"""A report's findings as CSV, one line each, for whoever follows them up in a table; the counts after them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from api.render.report import LaidOut


class _Writer:
    """No cell begins like a formula: a city's name is nobody's program."""

    def __init__(self, file: io.StringIO) -> None:
        self._writer = csv.writer(file)

    def writerow(self, row: Iterable[str]) -> None:
        self._writer.writerow([f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell for cell in row])

    def writerows(self, rows: Iterable[Iterable[str]]) -> None:
        for row in rows:
            self.writerow(row)


def render(laid_out: LaidOut) -> str:
    """UTF-8 text with a mark, so that a spreadsheet reads Chinese."""
    file = io.StringIO()
    writer = _Writer(file)
    writer.writerows(laid_out.facts)
    for table in laid_out.tables:
        writer.writerows([(), (table.title,), table.columns, *table.rows])
    writer.writerows([(), (laid_out.forms_title,)])
    for number, form in enumerate(laid_out.forms):
        if number == 0:
            writer.writerow([name for name, _ in form.lines] + [form.evidence.title])
        cited = " ".join(f"{city}#{index}:{leaf}" for city, _, index, leaf in form.evidence.rows)
        writer.writerow([*(value for _, value in form.lines), cited])
    return "\ufeff" + file.getvalue()
