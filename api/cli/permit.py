"""`certledger permit …`: decisions about data that others hold, for the gateway that releases it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli import exits
from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

app = typer.Typer(no_args_is_help=True)


@app.command("decide")
def decide(
    request: Annotated[Path, typer.Argument(help="收到的请求文件 The signed request, as it came.")],
    out: Annotated[Path, typer.Option("--out", help="放行凭证文件 File for the permit.")],
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """开具放行凭证 Decide about data held elsewhere, record it, sign a permit. Exit 0 allowed, 1 refused."""
    from api import permits, private_file, reuse, rulebook
    from api.wiring import City
    from audit import asking

    output = Output(lang, as_json)
    with City(home) as city:
        asked = reuse.verified(city, asking.parse(reuse.read_text(request)))
        found = permits.decide(city, asked, rulebook.current(city), city.steward)
    decision, recorded = found.recorded.decision, found.recorded
    words = output.words.decision(decision.code.name, dict(decision.params or {}))
    file = str(out) if found.permit is not None else None
    value = {"request": decision.request.hex(), "code": decision.code.name, "index": recorded.index, "permit": file}
    if found.permit is not None:
        private_file.write(out, found.permit.encode("ascii"))
    output.result(
        value, [("permit.decision", words.text), ("permit.index", recorded.index), ("permit.file", file or "–")]
    )
    if found.permit is None:
        output.err.print(words.remedy, markup=False)
        raise typer.Exit(exits.REFUSED)


@app.command("close")
def close(
    permit: Annotated[Path, typer.Argument(help="放行凭证文件 The permit.")],
    response: Annotated[
        str, typer.Option("--response", help="答复的 SHA-256 SHA-256 of what was released; empty: nothing was.")
    ] = "",
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """回报放行结果 Record what became of a permit. The same report again changes nothing; another one is refused."""
    from api import permits, reuse
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        digest = permits.response_from(response)
        closed = permits.close(city, reuse.read_text(permit), digest, city.steward)
    output.result({"new": closed.value}, [])
    output.say("permit.closed" if closed.value else "permit.closed_before")


@app.command("key")
def key(home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """核验公钥 The key that permits are signed with, for setting up a gateway."""
    from api import permits
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        found = permits.key(city)
    output.result(found, [(f"permit.{name}", value) for name, value in found.items()])
