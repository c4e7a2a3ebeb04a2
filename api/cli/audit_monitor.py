"""`certledger audit monitor`: keeps every head it saw, and says when two of them cannot both be true."""

from __future__ import annotations

import signal
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from api.cli import exits
from api.cli.options import Json, Lang, Language, Trust
from api.cli.output import Output


def monitor(
    places: Annotated[list[Path], typer.Argument(help="log export 写出的文件夹 Folders that cities publish.")],
    trust: Trust = None,
    memory: Annotated[Path, typer.Option("--memory", help="记录所见 What it has seen.")] = Path("monitor.sqlite"),
    evidence: Annotated[Path, typer.Option("--evidence", help="证据文件夹 Folder for evidence.")] = Path("evidence"),
    every: Annotated[float, typer.Option("--every", min=1, help="间隔秒数 Seconds between looks.")] = 60,
    once: Annotated[bool, typer.Option("--once", help="只看一次 Look once.")] = False,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """监测 Watch published logs and the chain; a split view is raised with a file that proves it. Exit 1 if one was."""
    import time

    from api.monitoring import Monitor, passes, raised_json
    from api.verify import read_trust
    from ledger.errors import ChainUnavailable

    output = Output(lang, as_json)
    watching = Monitor(memory, evidence, read_trust(trust), lambda: int(time.time()))
    stop, alarmed = Event(), False
    if not once:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    try:
        for _ in passes(lambda seconds: once or stop.wait(seconds), every):
            try:
                look = watching.look(places)
            except ChainUnavailable as error:
                if once:
                    raise
                output.say("monitor.silent", style="yellow", code=error.code)
                continue
            alarmed = alarmed or bool(look.raised)
            if as_json:
                output.json({"seen": look.seen, "raised": [raised_json(*each) for each in look.raised]})
            for raised, path in look.raised:
                size, before = raised.second.head.size, raised.first.head.size
                log = f"{raised.first.log.city}/{raised.first.log.stream}/{raised.first.log.epoch}"
                output.say(f"monitor.{raised.alarm.name.lower()}", style="red", log=log, size=size, before=before)
                output.say("monitor.evidence", path=path)
            output.say("monitor.seen", seen=look.seen, raised=len(look.raised))
    finally:
        watching.close()
    if alarmed:
        raise typer.Exit(exits.REFUSED)
