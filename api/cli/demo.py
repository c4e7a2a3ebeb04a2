"""`certledger demo`: the walk of a certificate, played for real."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import Lang, Language
from api.cli.output import Output


def demo(
    folder: Annotated[Path, typer.Option("--dir", help="存放文件夹 Folder, made anew at each run.")] = Path("demo-run"),
    explain: Annotated[bool, typer.Option("--explain", help="显示全部技术标识 Show all technical ids.")] = False,
    lang: Lang = Language.ZH,
) -> None:
    """演示 Issue, anchor, verify, tamper, revoke, stop the chain. Exit 0 only if every line came out as it should."""
    from api.demo.stage import Stage

    output = Output(lang, as_json=False)
    stage = Stage(output, explain=explain)
    stage.line("demo.title")  # before the chain client is loaded, which takes longer than everything so far
    from api.demo.walk import run

    raise typer.Exit(run(folder, output, stage))
