"""`certledger init`, `up` and `check`: making a city, running it, and looking whether it is in order."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import exits
from api.cli.founding import read_card
from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

if TYPE_CHECKING:
    from api.checking import Checked
    from api.messages import Message

MARKS = {
    "ok": "[green]✔[/green]",
    "wrong": "[red]✘[/red]",
    "unknown": "[yellow]?[/yellow]",
    "note": "[yellow]![/yellow]",
}


def init(
    home: Home = DEFAULT_HOME,
    city: Annotated[int, typer.Option("--city", min=1, help="城市编号 Id of the city on chain.")] = 1,
    division: Annotated[
        int, typer.Option("--division", min=100000, max=999999, help="行政区划代码 GB/T 2260.")
    ] = 330100,
    name: Annotated[str, typer.Option("--name", help="城市名称 Name of the city.")] = "杭州市",
    founders: Annotated[
        list[Path] | None, typer.Option("--founder", help="其他创始城市的名片 Card of another founder; repeatable.")
    ] = None,
    rpc_url: Annotated[str | None, typer.Option("--rpc-url", help="节点地址 A node that runs already.")] = None,
    chain_id: Annotated[int | None, typer.Option("--chain-id", min=1, help="链编号 Its chain id.")] = None,
    gas_price: Annotated[int | None, typer.Option("--gas-price", min=0, help="单价 Wei per gas there.")] = None,
    confirmations: Annotated[
        int | None,
        typer.Option("--confirmations", min=0, help="确认数 Blocks until final."),
    ] = None,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """新建城市 Make a development ledger: keys, database, contracts. Safe to run again."""
    from api.devchain import start_detached
    from api.home import Elsewhere
    from api.initialise import initialise
    from api.wiring import GOVERNOR, PUBLISHER

    output = Output(lang, as_json)
    cards = [read_card(path) for path in founders or ()]
    node = Elsewhere(rpc_url, chain_id, gas_price, confirmations)
    made = initialise(
        home, city=city, division=division, name=name, start_chain=start_detached, founders=cards, node=node
    )
    with made:
        value = {
            "home": str(home),
            "city": city,
            "consortium": made.settings.consortium,
            "chain": made.rpc.shown,
            "member_registry": made.deployment.member_registry.address,
            "log_anchor": made.deployment.log_anchor.address,
            "status_registry": made.deployment.status_registry.address,
            "governor": made.address(GOVERNOR),
            "publisher": made.address(PUBLISHER),
        }
    output.result(value, [(f"init.{key}", shown) for key, shown in value.items()])


def up(
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="开发链端口 Port of the development chain.")
    ] = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
) -> None:
    """运行 Run the city: its development chain and its publisher, until Ctrl-C."""
    from api.service import serve

    output = Output(lang, as_json=False)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    serve(home, stop, lambda key, params: output.say(key, **params), port=port)
    output.say("up.stopped")


def check(
    home: Home = DEFAULT_HOME,
    every: Annotated[bool, typer.Option("--all", help="全部重算 Derive every leaf, not the newest 10,000.")] = False,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """检查 Is this city in order? Exit 0 in order, 1 something is wrong, 2 something could not be looked at."""
    from api import checking
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as opened, output.progress("check.progress") as progress:
        done = 0

        def told(leaves: int) -> None:
            nonlocal done
            done += leaves
            progress(done, max(done, checking.NEWEST_LEAVES))

        found = list(checking.run(opened, leaves=0 if every else checking.NEWEST_LEAVES, progress=told))
    report(output, found)
    outcomes = {checked.outcome for checked in found}
    if checking.Outcome.WRONG in outcomes:
        raise typer.Exit(exits.REFUSED)
    raise typer.Exit(exits.UNDETERMINED if checking.Outcome.UNKNOWN in outcomes else exits.DONE)


def report(output: Output, found: Sequence[Checked]) -> None:
    """A line for each thing that was looked at, and below what is wrong what to do."""
    if output.as_json:
        output.json({"checks": [_json(each) for each in found]})
        return
    for line in found:
        output.out.print(f"{MARKS[line.outcome]} {output.words.say(f'check.{line.check}')}  [dim]{line.detail}[/dim]")
        message = _message(output, line)
        if message is not None:
            output.out.print(f"  {message.text}\n  → {message.remedy}", markup=False)


def _json(line: Checked) -> dict[str, object]:
    told = line.error or line.difference
    value: dict[str, object] = {"check": line.check, "outcome": line.outcome, "detail": line.detail}
    return value | ({"code": told.code} if told else {}) | ({"params": line.error.params} if line.error else {})


def _message(output: Output, line: Checked) -> Message | None:
    """What is wrong and what to do."""
    if line.error is not None:
        return output.words.error(line.error.code, line.error.params, str(line.error))
    if line.difference is None:
        return None
    d = line.difference
    place = {"log": d.stream, "index": "-" if d.index is None else d.index}
    return output.words.difference(d.code, {**place, "table": d.table, "column": d.column})
