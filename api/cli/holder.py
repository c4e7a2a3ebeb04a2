"""`certledger holder …`: who read what of mine; and what is lawfully kept from that view for a while."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

if TYPE_CHECKING:
    from api.holder import View
    from api.render.history_sheet import Sheet

app = typer.Typer(no_args_is_help=True)
Counter = Annotated[
    str, typer.Option("--agency", help="身份核验机构,默认为登记机构 USCC of the counter; else the steward.")
]
Proofs = Annotated[Path | None, typer.Option("--proofs", help="逐条证明文件 File for the proof of every line.")]
Print = Annotated[Path | None, typer.Option("--print", help="大字版 PDF 文件 PDF in large type.")]


@app.command("history")
def history(
    agency: Counter = "",
    proofs: Proofs = None,
    print_to: Print = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """查询记录 Who read what of mine, when, why, by which right. Type and code of the holder on standard input."""
    from api import holder
    from api.private_file import write
    from api.render.history_sheet import names_of, sheet
    from api.wiring import City
    from ledger.canonical import dumps

    output = Output(lang, as_json)
    with City(home) as city:
        city.unlock()
        person = holder.holder_from(typer.get_text_stream("stdin").readline())
        with output.progress("holder.progress") as progress:
            view = holder.look(city, person, agency or city.steward, progress)
        shown = sheet(view, names_of(city), output.words)
    if proofs is not None:
        write(proofs, dumps({"v": 1, "lines": [*view.evidence]}))
    if print_to is not None:
        from api.render.history_pdf import pdf

        write(print_to, pdf(shown, lambda page: output.words.say("holder.page", page=page)))
    _show(output, view, shown)


@app.command("withhold")
def withhold(
    request: Annotated[str, typer.Argument(help="查询编号 Id of the request, 64 hexadecimal digits.")],
    until: Annotated[str, typer.Option("--until", help="到期日 First day on which it is shown, YYYY-MM-DD.")],
    basis: Annotated[str, typer.Option("--basis", help="法律依据 The law it rests on.")],
    operators: Annotated[list[str], typer.Option("--operator", help="两名经办人代号 Pseudonyms of two operators.")],
    agency: Counter = "",
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """依法暂不告知 Keep a reading out of its subject's view until a day. Recorded, anchored, audited all the same."""
    from api import holder
    from api.moments import seconds
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        city.unlock()
        order = holder.order_from(request, seconds(until), basis, tuple(operators))
        made = holder.withhold(city, order, agency or city.steward)
    value = {"request": request, "until": order.until, "index": made.first_index}
    output.result(value, [("holder.request", request), ("holder.until", until), ("holder.index", made.first_index)])


def _show(output: Output, view: View, shown: Sheet) -> None:
    from api.history_evidence import to_json

    if output.as_json:
        output.json(to_json(view))
        return
    output.out.print(shown.title, style="bold", markup=False)
    for line in shown.lines:
        style = "red" if line.refused else None
        output.out.print(f"\n{line.when}  {line.who}", style="bold", markup=False)
        output.out.print(f"  {line.what}\n  {line.why}", markup=False)
        output.out.print(f"  {line.outcome}", style=style, markup=False)
        output.out.print(f"  {line.right}  {line.proof}", style="dim", markup=False)
    for text in ("", *shown.counts, *shown.standing, *shown.notes, shown.made):
        output.out.print(text, markup=False)
