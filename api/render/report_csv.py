"""A report's findings as CSV, one line each, for whoever follows them up in a table; the counts after them."""

from __future__ import annotations

import csv
import io

from api.render.report import LaidOut


def render(laid_out: LaidOut) -> str:
    """UTF-8 text with a mark, so that a spreadsheet reads Chinese. Formulas of a spreadsheet cannot begin a cell."""
    file = io.StringIO()
    writer = csv.writer(file)
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
