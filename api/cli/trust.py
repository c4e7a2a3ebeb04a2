"""`certledger trust …`: what a verifier must hold beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output
from api.private_file import write

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `trust` a group while it has one command."""


@app.command("export")
def export(
    out: Annotated[Path, typer.Option("--out", help="文件 File to write.")] = Path("trust.json"),
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="有效天数 Days it holds.")] = 365,
    k: Annotated[int, typer.Option("--k", min=1, max=256, help="签认城市数 How many cities must cosign.")] = 1,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """导出信任文件 Write the trust file of this ledger. Hand it over by a way the verifier trusts."""
    from api.trusting import trust_of
    from api.wiring import City
    from ledger.trust import encode

    output = Output(lang, as_json)
    with City(home) as city:
        trust = trust_of(city, days=days, k=k)
    write(out, encode(trust))
    cities = sorted({witness.city for witness in trust.witnesses})
    value = {"file": str(out), "consortium": trust.deployment.consortium.hex(), "k": trust.k, "cities": cities}
    output.result(
        value,
        [
            ("trust.file", out),
            ("trust.consortium", trust.deployment.consortium.hex()),
            ("trust.k", f"{trust.k} / {', '.join(map(str, cities))}"),
            ("trust.until", trust.valid_until),
        ],
    )
