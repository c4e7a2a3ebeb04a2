"""`certledger devnet …`: the development chain in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

if TYPE_CHECKING:
    from ledger.evm.devnet import Status

app = typer.Typer(no_args_is_help=True)

Port = Annotated[int | None, typer.Option("--port", min=1, max=65535, help="端口 Port; default: a free one.")]


@app.command("up")
def up(port: Port = None, home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """启动 Start it, rebuilt from its journal; leave it alone if it runs."""
    from api.devchain import start_detached
    from api.wiring import City

    with City(home) as city:
        _show(Output(lang, as_json), start_detached(city, port))


@app.command("down")
def down(home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """停止 Stop it. Nothing final is lost."""
    from api.wiring import City
    from ledger.evm import devnet

    with City(home) as city:
        devnet.down(city.chain_folder)
        _show(Output(lang, as_json), devnet.status(city.chain_folder))


@app.command("status")
def status(home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """状态 Whether it runs, where, and how far it is final."""
    from api.wiring import City
    from ledger.evm import devnet

    with City(home) as city:
        _show(Output(lang, as_json), devnet.status(city.chain_folder))


def _show(output: Output, now: Status) -> None:
    url = now.record.url if now.record and now.state == "running" else None
    pid = now.record.pid if now.record and now.state == "running" else None
    value = {"state": now.state, "url": url, "pid": pid, "height": now.height, "final": now.journaled}
    output.result(
        value,
        [
            ("devnet.state", output.words.say(f"devnet.{now.state}")),
            ("devnet.url", url or "–"),
            ("devnet.pid", pid or "–"),
            ("devnet.height", "–" if now.height is None else now.height),
            ("devnet.final", "–" if now.journaled is None else now.journaled),
        ],
    )
