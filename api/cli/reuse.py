"""`certledger reuse …`: reading another city's data for a case, by files. Every step is recorded before it happens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli import exits
from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

app = typer.Typer(no_args_is_help=True)

AuthorizationFile = Annotated[
    Path | None, typer.Option("--authorization", help="所依据的授权文件 The authorization it cites, as it was signed.")
]


@app.command("ask")
def ask(
    description: Annotated[Path, typer.Argument(help="查询内容,JSON What is asked, a JSON file.")],
    out: Annotated[Path, typer.Option("--out", help="请求文件 File for the request.")],
    authorization: AuthorizationFile = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """提出查询 Sign a request to another city and record that it was asked. The person in it is encrypted."""
    from api import authorizing, private_file, reuse
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        sent = reuse.ask(city, authorizing.description(description), reuse.cited(authorization))
    private_file.write(out, sent.text.encode("ascii"))
    output.result({"request": sent.id.hex(), "file": str(out)}, [("reuse.request", sent.id.hex()), ("reuse.file", out)])


@app.command("answer")
def answer(
    request: Annotated[Path, typer.Argument(help="收到的请求文件 The request, as it came.")],
    out: Annotated[Path, typer.Option("--out", help="答复文件 File for the answer.")],
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """答复查询 Decide a request, record the decision, release what is allowed. Exit 0 allowed, 1 refused."""
    from api import private_file, reuse
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        answered = reuse.answer(city, reuse.read_text(request))
    private_file.write(out, answered.text.encode("ascii"))
    decision = answered.recorded.decision
    words = output.words.decision(decision.code.name, dict(decision.params or {}))
    value = {
        "request": decision.request.hex(),
        "decision": decision.code.name,
        "code": int(decision.code),
        "fields": list(decision.fields),
        "log_index": answered.recorded.index,
        "leaf": answered.recorded.leaf.hex(),
        "file": str(out),
    }
    lines: list[tuple[str, object]] = [
        ("reuse.request", value["request"]),
        ("reuse.decision", f"{decision.code.name} ({int(decision.code)})"),
        ("reuse.words", words.text),
        ("reuse.fields", ", ".join(decision.fields)),
        ("reuse.log_index", answered.recorded.index),
        ("reuse.file", out),
    ]
    output.result(value, lines)
    raise typer.Exit(exits.DONE if decision.allowed else exits.REFUSED)


@app.command("receive")
def receive(
    answer: Annotated[Path, typer.Argument(help="收到的答复文件 The answer, as it came.")],
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """接收答复 Verify an answer, record that it came, then show the fields. Exit 0 allowed, 1 refused."""
    from api import reuse
    from api.wiring import City
    from audit.decision import DecisionCode

    output = Output(lang, as_json)
    with City(home) as city:
        found = reuse.receive(city, reuse.read_text(answer))
    value = {
        "decision": found.code.name,
        "code": int(found.code),
        "fields": dict(found.fields),
        "receipt": found.receipt,
    }
    lines: list[tuple[str, object]] = [("reuse.decision", f"{found.code.name} ({int(found.code)})")]
    output.result(value, lines + [("reuse.field", f"{name}: {shown}") for name, shown in found.fields.items()])
    raise typer.Exit(exits.DONE if found.code is DecisionCode.ALLOW else exits.REFUSED)
