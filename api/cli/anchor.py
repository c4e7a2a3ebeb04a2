"""`certledger anchor …`: what waits to be anchored, and sending it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

if TYPE_CHECKING:
    from api.wiring import City

app = typer.Typer(no_args_is_help=True)

SUBMIT_SECONDS = 120.0
AT_ONCE_SECONDS = 60.0


@app.command("submit")
def submit(home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """上链 Send everything that waits and wait until it is final."""
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        city.publisher.catch_up(SUBMIT_SECONDS)
    _show(output, home)


@app.command("status")
def status(home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """上链状态 How far each log is anchored, and what waits. Asks only this city's database."""
    _show(Output(lang, as_json), home)


def at_once(output: Output, city: City) -> bool:
    """Try to anchor at once; if the chain is away, say that it waits."""
    from ledger.errors import ChainUnavailable

    try:
        problem = city.try_publishing(AT_ONCE_SECONDS)
    except ChainUnavailable as error:
        problem = error
    if problem is not None:
        output.say("anchor.waiting", style="yellow", code=problem.code)
    return problem is None


def _show(output: Output, home: Path) -> None:
    from api.wiring import City
    from ledger.store import logs, outbox

    with City(home) as city, city.database.reading() as connection:
        counts = outbox.counts(connection)
        rows = [(row, outbox.newest_anchor(connection, row.no)) for row in logs.every(connection)]
    value = {
        "logs": [
            {
                "stream": row.name.stream,
                "log": row.id.hex(),
                "size": row.head.size,
                "anchored": anchor.size if anchor else 0,
                "block": anchor.block if anchor else None,
                "time": anchor.time if anchor else None,
            }
            for row, anchor in rows
        ],
        "outbox": [{"kind": kind, "state": state, "items": n} for (kind, state), n in sorted(counts.items())],
    }
    if output.as_json:
        output.json(value)
        return
    output.table(
        ("anchor.stream", "anchor.size", "anchor.anchored", "anchor.block"),
        [
            (row.name.stream, row.head.size, anchor.size if anchor else 0, anchor.block if anchor else "–")
            for row, anchor in rows
        ],
    )
    output.table(("anchor.kind", "anchor.state", "anchor.items"), [(k, s, n) for (k, s), n in sorted(counts.items())])
