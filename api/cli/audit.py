"""`certledger audit …`: what an auditor asks of a city's logs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import audit_books, audit_monitor, audit_office, audit_report, exits
from api.cli.audit_indicators import indicators
from api.cli.audit_trace import evidence, trace, verify_evidence
from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

if TYPE_CHECKING:
    from api.auditing import Looked
    from ledger.integrity import Difference

SHOWN = 50
"""Differences listed in a terminal; `--json` has as many as `--limit` says."""

app = typer.Typer(no_args_is_help=True)
app.command("trace")(trace)
app.command("evidence")(evidence)
app.command("verify-evidence")(verify_evidence)


@app.command("check")
def check(
    log: Annotated[str | None, typer.Option("--log", help="只查该日志 Only the logs of this stream.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="最多列出几处 List at most so many.")] = 10_000,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """全面核对 Derive every hash of every log anew, and compare every column with what it derives from."""
    from api import auditing
    from api.wiring import City

    output = Output(lang, as_json)
    looked, number = auditing.Looked(), Counter[str]()
    found: list[Difference] = []
    begun = time.monotonic()
    with City(home) as city:
        city.unlock()
        with output.progress("audit.progress") as progress:
            for difference in auditing.differences(city, looked, stream=log, told=progress):
                number[f"{difference.table}.{difference.column}"] += 1
                if len(found) < limit:
                    found.append(difference)
    seconds = time.monotonic() - begun
    if as_json:
        output.json(_json(looked, found, number, seconds))
    else:
        _report(output, looked, found, number, seconds)
    if number:
        raise typer.Exit(exits.REFUSED)
    raise typer.Exit(exits.UNDETERMINED if looked.chain else exits.DONE)


def _report(output: Output, looked: Looked, found: Sequence[Difference], number: Counter[str], seconds: float) -> None:
    if found:
        output.table(
            tuple(f"audit.{name}" for name in ("log", "index", "table", "column", "difference")),
            [
                (_log(each) or "–", "–" if each.index is None else each.index, each.table, each.column, each.code)
                for each in found[:SHOWN]
            ],
        )
        more = number.total() - len(found[:SHOWN])
        output.say("audit.found", style="red", differences=number.total(), more=more)
    rate = int(looked.entries / seconds) if seconds else 0
    output.say("audit.checked", entries=looked.entries, seconds=f"{seconds:.1f}", rate=rate)
    if looked.chain:
        output.say("audit.chain_silent", style="yellow", code=looked.chain.code)
    elif not found:
        output.say("audit.in_order", style="green")


def _json(looked: Looked, found: Sequence[Difference], number: Counter[str], seconds: float) -> dict[str, object]:
    return {
        "entries": looked.entries,
        "seconds": round(seconds, 3),
        "chain": looked.chain.code if looked.chain else "compared",
        "differences": [
            {"code": d.code, "log": _log(d), "index": d.index, "table": d.table, "column": d.column} for d in found
        ],
        "by_column": dict(sorted(number.items())),
    }


def _log(difference: Difference) -> str:
    """`stream`, or `stream/epoch` after the first."""
    if difference.log is None:
        return ""
    name = difference.log.name
    return f"{name.stream}/{name.epoch}" if name.epoch else name.stream


app.command("office-key")(audit_office.office_key)
app.command("office-set")(audit_office.office_set)
app.command("export")(audit_books.export)
app.command("check-export")(audit_books.check_export)
app.command("reconcile")(audit_books.reconcile)
app.command("sample")(audit_books.sample)
app.command("report")(audit_report.report)
app.command("monitor")(audit_monitor.monitor)
app.command("indicators")(indicators)
