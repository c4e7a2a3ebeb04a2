"""`certledger bench`: the speed of the real paths, beside the peers of the field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import Json, Lang, Language
from api.cli.output import Output


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="小规模 A tenth of the size, in a minute.")] = False,
    write: Annotated[Path | None, typer.Option("--write", help="写入文档 Replace the figures in this page.")] = None,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """测速 Measure issuing, verifying, appending and proofs, interleaved with peers; quote the ratios."""
    from dataclasses import asdict

    from api.bench import report
    from api.bench.run import FULL, QUICK, run

    output = Output(lang, as_json)
    with output.progress("speed.progress") as progress:
        figures = run(QUICK if quick else FULL, lambda _, done, total: progress(done, total))
    if write is not None:
        before = write.read_text(encoding="utf-8").partition(report.MARK)[0] if write.exists() else ""
        write.write_text(before + report.markdown(figures), encoding="utf-8")
    if as_json:
        output.json(asdict(figures))
        return
    output.table(("speed.case", "speed.ours", "speed.peer", "speed.ratio"), report.rows(figures))
    output.table(
        ("speed.figure", "speed.value"),
        [(name, f"{value:,.2f}") for name, value in {**figures.proofs, **figures.machine}.items()],
    )
