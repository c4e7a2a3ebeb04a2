"""`certledger policy correct …`: 校核纠错, an entry that is reported wrong and settled in time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output
from audit.stewardship import Settled

Recorder = Annotated[
    str | None, typer.Option("--agency", help="登记的机构,默认为设置中的 steward USCC of the agency that records it.")
]
Report = Annotated[
    Path | None, typer.Option("--report", help="书面材料,只登记其摘要 The report; its digest alone is recorded.")
]

app = typer.Typer(no_args_is_help=True)


@app.command("open")
def open_(
    resource: Annotated[str, typer.Option("--resource", help="资源代码 Code of the resource.")],
    field: Annotated[str, typer.Option("--field", help="信息项 Name of the field.")],
    report: Report = None,
    agency: Recorder = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """提出校核 Report a wrong entry: its provider has to settle it by the day shown."""
    from api import correcting
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        opened = correcting.start(city, resource, field, agency=agency or city.steward, report=report)
    value = {"correction": opened.id.hex(), "due": opened.due.day.isoformat(), "provisional": opened.due.provisional}
    output.result(value, [("correct.correction", value["correction"]), ("correct.due", value["due"])])
    if opened.due.provisional:
        output.say("correct.provisional")


@app.command("close")
def close(
    correction: Annotated[str, typer.Argument(help="校核编号 Id of the correction.")],
    outcome: Annotated[Settled, typer.Option("--outcome", help="处理结果 corrected, or confirmed: it was right.")],
    report: Report = None,
    agency: Recorder = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """办结校核 Settle a correction."""
    from api import correcting
    from api.wiring import City
    from audit.errors import PolicyError

    output = Output(lang, as_json)
    try:
        id = bytes.fromhex(correction)
    except ValueError:
        raise PolicyError("CORRECTION_UNKNOWN", "no such correction", correction=correction[:64]) from None
    with City(home) as city:
        late = correcting.settle(city, id, outcome, agency=agency or city.steward, report=report)
    output.result({"correction": correction, "late": late}, [("correct.correction", correction)])
    output.say("correct.late" if late else "correct.in_time")


@app.command("list")
def list_(home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """校核列表 Corrections, the open ones first, by the day they are due."""
    from api import correcting
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        found = correcting.every(city)
        today = correcting.today(city).isoformat()
    rows = [
        {
            "correction": row.id.hex(),
            "resource": row.resource,
            "field": row.field,
            "agency": row.agency,
            "opened": row.opened,
            "due": row.due,
            "closed": row.closed,
            "late": (row.closed or today) > row.due,
        }
        for row in found
    ]
    if as_json:
        output.json({"corrections": rows})
        return
    members = ("correction", "resource", "field", "agency", "opened", "due", "closed")
    output.table(tuple(f"correct.{name}" for name in members), [[row[name] or "–" for name in members] for row in rows])
