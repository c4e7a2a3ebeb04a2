"""`certledger log …`: the city's log for other people's programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output
from ledger.epochs import Why

if TYPE_CHECKING:
    from api.epochs import Epoch

Stream = Annotated[str, typer.Option("--stream", help="日志类别 Stream of the log.")]
SHOWN = 20
"""Certificates listed in a terminal; `--json` has all."""

app = typer.Typer(no_args_is_help=True)


@app.command("export")
def export(
    out: Annotated[Path, typer.Option("--out", help="存放文件夹 Folder for the static files.")] = Path("log"),
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """导出日志 Write the anchored log as static tiles with a signed checkpoint (C2SP tlog-tiles)."""
    from api.logs import export as export_log
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        done = export_log(city, out)
    value = {"origin": done.origin, "size": done.size, "files": done.files, "verifier_key": done.verifier_key}
    output.result(value, [(f"export.{key}", shown) for key, shown in value.items()])


@app.command("status-list")
def status_list(
    out: Annotated[Path, typer.Option("--out", help="存放文件夹 Folder for the lists.")] = Path("status-lists"),
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """导出状态列表 Write the status lists as signed tokens (IETF Token Status List), from what the chain says."""
    from api.logs import export_status_lists
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        done = export_status_lists(city, out)
    value = {"lists": [str(path) for path in done.files], "not_valid": done.not_valid}
    output.result(value, [*(("export.list", path) for path in done.files), ("export.not_valid", done.not_valid)])


@app.command("epochs")
def epochs_(
    stream: Stream = "certificate", home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False
) -> None:
    """各期 The epochs of a log: what stands, what was disowned, what is missing from the database."""
    from api import epochs
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        found = epochs.survey(city, stream)
    if as_json:
        output.json({"epochs": [_json(epoch) for epoch in found]})
        return
    output.table(
        tuple(f"epoch.{name}" for name in ("number", "state", "size", "anchored", "acknowledged", "stands", "again")),
        [
            (e.log.epoch, _state(output, e), e.size, e.anchored, e.acknowledged, e.good, len(e.again) or "–")
            for e in found
        ],
    )
    for epoch in found:
        if epoch.closing:
            _say_disowned(output, epoch)


@app.command("close")
def close(
    size: Annotated[
        int | None, typer.Option("--size", min=0, help="保留条数,照显示的数填写才执行 As shown; closes for good.")
    ] = None,
    stream: Stream = "certificate",
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """关闭本期 End the present epoch of a log on the chain. Shows what would be disowned, unless --size repeats it."""
    from api import epochs
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        epoch, done = epochs.close(city, stream, size)
    if as_json:
        output.json({"done": done, **_json(epoch)})
        return
    output.result({}, _lines(epoch))
    _say_disowned(output, epoch)
    output.say("epoch.closed" if done else "epoch.rehearsed", stream=stream, size=epoch.good)


@app.command("continue")
def continue_(
    reason: Annotated[Why, typer.Option("--reason", help="原因 Why the log could not go on.")] = Why.RESTORED,
    stream: Stream = "certificate",
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """续写 Go on in the next epoch after the present one was closed. Safe to run again."""
    from api import epochs
    from api.cli.anchor import SUBMIT_SECONDS
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        epoch = epochs.go_on(city, stream, reason)
        waiting = city.try_publishing(SUBMIT_SECONDS)
    if as_json:
        output.json(_json(epoch))
        return
    output.result({}, [*_lines(epoch), ("epoch.continued_in", epoch.continued_in)])
    _say_disowned(output, epoch)
    output.say("issue.recorded" if waiting else "epoch.continued", stream=stream)


def _state(output: Output, epoch: Epoch) -> str:
    return output.words.say("epoch.open" if epoch.closing is None else "epoch.over")


def _lines(epoch: Epoch) -> list[tuple[str, object]]:
    return [
        ("epoch.number", epoch.log.epoch),
        ("epoch.log", epoch.log.id.hex()),
        ("epoch.size", epoch.size),
        ("epoch.anchored", epoch.anchored),
        ("epoch.acknowledged", epoch.acknowledged),
        ("epoch.stands", epoch.good),
    ]


def _say_disowned(output: Output, epoch: Epoch) -> None:
    """What does not stand: the part that is here and stands again, by name, and the part that is lost, by number."""
    if epoch.known == epoch.good:
        output.say("epoch.nothing_disowned")
        return
    output.say("epoch.disowned", start=epoch.good, end=epoch.known - 1, entries=epoch.known - epoch.good)
    if epoch.missing:
        output.say("epoch.missing", start=epoch.size, end=epoch.known - 1, entries=epoch.missing)
    if epoch.again:
        output.table(
            ("cert.identifier", "epoch.old_index", "epoch.index"),
            [(each.identifier, each.old_index, each.index) for each in epoch.again[:SHOWN]],
        )


def _json(epoch: Epoch) -> dict[str, object]:
    end = epoch.closing
    return {
        "epoch": epoch.log.epoch,
        "log": epoch.log.id.hex(),
        "size": epoch.size,
        "anchored": epoch.anchored,
        "acknowledged": epoch.acknowledged,
        "stands": epoch.good,
        "closed": {"block": end.block, "time": end.time} if end else None,
        "continued_in": epoch.continued_in,
        "disowned": [epoch.good, epoch.known] if epoch.known > epoch.good else None,
        "missing": [epoch.size, epoch.known] if epoch.missing else None,
        "recorded_again": [
            {"identifier": each.identifier, "index": each.old_index, "index_now": each.index} for each in epoch.again
        ],
    }
