"""`certledger receipt …`: whether a city kept what it promised when it recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli import exits
from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output
from api.private_file import write

app = typer.Typer(no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="回执文件 File of receipts.")]
SHOWN = 20
"""Entries listed in a terminal; `--json` has all that were not kept."""


@app.command("check")
def check(
    file: File,
    trust: Annotated[
        Path | None, typer.Option("--trust", envvar="CERTLEDGER_TRUST", help="信任文件 Trust file.")
    ] = None,
    snapshot: Annotated[
        Path | None, typer.Option("--snapshot", help="链上快照,不再询问节点 Ask no node, but this.")
    ] = None,
    log: Annotated[Path | None, typer.Option("--log", help="日志导出文件夹 The log, as exported by its city.")] = None,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """核对回执 Was everything anchored in time, and is it this entry? Exit 0 kept or not due, 1 broken, 2 unproven."""
    from api import receipts
    from api.verify import read_bundle, read_trust
    from ledger.cosigning import read_file
    from ledger.receipt import BROKEN, Kept

    output = Output(lang, as_json)
    lines = receipts.read(file)
    facts = receipts.known(lines, read_trust(trust), read_file(read_bundle(snapshot)) if snapshot else None)
    found = list(receipts.judge(lines, facts, log))
    wanting = [each for each in found if each.outcome not in (Kept.KEPT, Kept.NOT_DUE)]
    counts = receipts.counted(found)
    if as_json:
        rows = [
            {"identifier": e.identifier, "log": e.log.id.hex(), "index": e.index, "outcome": e.outcome} for e in wanting
        ]
        output.json({"counts": counts, "block": facts.block, "time": facts.time, "wanting": rows})
    else:
        output.result({}, [(f"receipt.{name}", number) for name, number in counts.items()])
        for each in wanting[:SHOWN]:
            output.out.print(
                f"{each.index}  {each.identifier}  {output.words.say(f'receipt.{each.outcome}')}", markup=False
            )
    if any(each.outcome in BROKEN for each in wanting):
        raise typer.Exit(exits.REFUSED)
    raise typer.Exit(exits.UNDETERMINED if wanting else exits.DONE)


@app.command("evidence")
def evidence(
    file: File,
    out: Annotated[Path, typer.Option("--out", help="快照文件 Snapshot to write.")] = Path("receipts.snapshot.json"),
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """固定证据 A snapshot of all that a check of these receipts needs, signed by this city; any member can make it."""
    from api import receipts
    from api.wiring import WITNESS, City
    from ledger import snapshot
    from ledger.canonical import dumps

    output = Output(lang, as_json)
    lines = receipts.read(file)
    with City(home) as city:
        city.unlock()
        facts = city.chain.facts(receipts.question(lines, city.chain))
        signed = snapshot.sign(facts, city.keystore.signer(WITNESS))
    write(out, dumps(signed.to_json()))
    output.result({"snapshot": str(out), "block": facts.block}, [("bundle.written", out)])
