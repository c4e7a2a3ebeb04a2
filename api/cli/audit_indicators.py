"""`certledger audit indicators`: 绩效指标, counted from the log, recorded and anchored before they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import exits
from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

if TYPE_CHECKING:
    from api.wiring import City
    from audit.measuring import Value


def indicators(
    start: Annotated[
        str, typer.Option("--from", help="期间开始 First day or moment, YYYY-MM-DD[THH:MM]; else the oldest.")
    ] = "",
    end: Annotated[str, typer.Option("--to", help="期间结束(不含),默认为此刻 First moment after it; else now.")] = "",
    repeat: Annotated[int | None, typer.Option("--repeat", help="按快照复算 Count a recorded snapshot again.")] = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """绩效指标 Service, governance and data value, each with its query. Exit 0 anchored or the same, 1 differs, 2 not
    anchored yet."""
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        city.unlock()
        if repeat is None:
            _take(output, city, start, end)
        else:
            _again(output, city, repeat)


def _take(output: Output, city: City, start: str, end: str) -> None:
    from api import indicators as rim
    from api.moments import seconds

    until = seconds(end) if end else int(city.clock().timestamp())
    with output.progress("indicator.progress") as progress:
        taken = rim.take(city, seconds(start) if start else 0, until, city.steward, progress)
    snapshot = taken.snapshot
    if output.as_json:
        period = {"start": snapshot.start, "end": snapshot.end, "taken_at": snapshot.taken_at}
        heads = [{"log": c.log.hex(), "size": c.head.size, "root": c.head.root.hex()} for c in snapshot.heads]
        place = {"index": taken.index, "anchored": taken.anchored, "beyond": taken.beyond}
        output.json({**period, "heads": heads, "values": _json(snapshot.values), **place})
    else:
        _table(output, snapshot.values)
        output.say("indicator.recorded", index=taken.index)
        if taken.beyond:
            output.say("indicator.beyond", records=taken.beyond)
        output.say("indicator.anchored" if taken.anchored else "indicator.waiting", index=taken.index)
    if not taken.anchored:
        raise typer.Exit(exits.UNDETERMINED)


def _again(output: Output, city: City, index: int) -> None:
    from api import indicators as rim

    with output.progress("indicator.progress") as progress:
        snapshot, differing = rim.again(city, index, progress)
    if output.as_json:
        rows = [{"name": then.name, "then": then.value, "again": now.value} for then, now in differing]
        output.json({"index": index, "values": _json(snapshot.values), "differing": rows})
    else:
        output.say("indicator.differs" if differing else "indicator.same")
        rows_shown = [(then.name, _shown(then), _shown(now)) for then, now in differing]
        if rows_shown:
            output.table(["indicator.name", "indicator.then", "indicator.again"], rows_shown)
    if differing:
        raise typer.Exit(exits.REFUSED)


def _table(output: Output, values: tuple[Value, ...]) -> None:
    from audit.indicators import INDICATORS

    named = {value.name: value for value in values}
    rows = [
        (output.words.say(f"indicator.{each.group}"), each.name, _shown(named[each.name]), each.query.text)
        for each in INDICATORS
    ]
    output.table(["indicator.group", "indicator.name", "indicator.figure", "indicator.query"], rows)


def _shown(value: Value) -> str:
    figure = "–" if value.value is None else str(value.value)
    return f"{figure} (+{value.hidden}?)" if value.hidden else figure


def _json(values: tuple[Value, ...]) -> list[dict[str, object]]:
    from audit.indicators import INDICATORS

    by_name = {each.name: each for each in INDICATORS}
    return [
        {
            "name": value.name,
            "group": by_name[value.name].group.value,
            "unit": by_name[value.name].unit.value,
            "value": value.value,
            "hidden": value.hidden,
            "query": by_name[value.name].query.text,
        }
        for value in values
    ]
