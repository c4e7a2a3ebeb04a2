"""`certledger log …`: the city's log for other people's programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

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
