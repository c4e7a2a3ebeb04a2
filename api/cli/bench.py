"""`certledger bench`: the speed of the real paths, beside the peers of the field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import Json, Lang, Language
from api.cli.output import Output


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="小规模 A tenth of the size, in a minute.")] = False,
    leaves: Annotated[
        int | None,
        typer.Option("--leaves", min=1, help="只测这么多叶的树 Only a tree of so many leaves, and its proofs."),
    ] = None,
    write: Annotated[Path | None, typer.Option("--write", help="写入文档 Replace the figures in this page.")] = None,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """测速 Measure issuing, verifying, appending and proofs, interleaved with peers; quote the ratios."""
    from dataclasses import asdict

    from api.bench import report
    from api.bench.run import FULL, QUICK, grow, run

    output, size = Output(lang, as_json), QUICK if quick else FULL
    if leaves is not None:
        with output.progress("speed.progress") as progress:
            tree = grow(leaves, size.asked, lambda _, done, total: progress(done, total))
        if as_json:
            output.json(asdict(tree))
        else:
            output.table(("speed.figure", "speed.value"), report.tree_rows(tree))
        return
    with output.progress("speed.progress") as progress:
        figures = run(size, lambda _, done, total: progress(done, total))
    if write is not None:
        before = write.read_text(encoding="utf-8").partition(report.MARK)[0] if write.exists() else ""
        write.write_text(before + report.markdown(figures), encoding="utf-8")
    if as_json:
        output.json(asdict(figures))
        return
    output.table(("speed.case", "speed.ours", "speed.peer", "speed.ratio"), report.rows(figures))
    output.table(
        ("speed.figure", "speed.value"),
        [*report.tree_rows(figures.proofs), *((name, f"{rate:,.0f}/s") for name, rate in figures.machine.items())],
    )
    if figures.absent:
        output.say("speed.absent", peers=", ".join(figures.absent))
