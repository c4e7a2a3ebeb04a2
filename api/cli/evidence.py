"""`certledger evidence …`: what other systems record in streams of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output
from api.cli.policy_correct import Recorder

MAX_BYTES = 16 * 1024 * 1024
Stream = Annotated[str, typer.Option("--stream", help="日志类别 Stream of the client system.")]
Kind = Annotated[str, typer.Option("--type", help="证据类型 Type of evidence.")]

app = typer.Typer(no_args_is_help=True)


@app.command("register")
def register(
    stream: Stream,
    kind: Kind,
    schema: Annotated[Path, typer.Argument(help="类型定义 JSON: schemas of the members, clear and private.")],
    agency: Recorder = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """登记类型 Register a type of evidence; it is never changed afterwards. Safe to run again."""
    from api import evidence
    from api.wiring import City
    from audit.evidence_stream import FORM, EvidenceType

    output = Output(lang, as_json)
    content = EvidenceType(**FORM.check(_read(schema)))
    with City(home) as city:
        new = evidence.register(city, stream, kind, content, agency=agency or city.steward)
    output.result({"stream": stream, "type": kind, "new": new}, [("evidence.type", f"{stream}/{kind}")])
    output.say("evidence.registered" if new else "evidence.known")


@app.command("append")
def append(
    stream: Stream,
    kind: Kind,
    file: Annotated[Path, typer.Argument(help="证据 JSON: one item, or a list of at most 1,000.")],
    agency: Recorder = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """登记证据 Append evidence; the receipt promises that it will be anchored."""
    from api import evidence
    from api.wiring import City

    output = Output(lang, as_json)
    read = _read(file)
    with City(home) as city:
        done = evidence.append(
            city, stream, kind, read if isinstance(read, list) else [read], agency=agency or city.steward
        )
    value: dict[str, object] = {
        "log": done.log.id.hex(),
        "index": done.first_index,
        "leaves": [leaf.hex() for leaf in done.leaves],
        "at": done.at,
        "receipt": done.receipt,
    }
    output.result(value, [(f"evidence.{name}", value[name]) for name in ("log", "index", "at", "receipt")])


@app.command("show")
def show(
    stream: Stream,
    index: Annotated[int, typer.Argument(min=0, help="序号 Index of the entry.")],
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """查看证据 An entry with its salt, its openings and the proof to the anchored head, as JSON."""
    from api import evidence
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        found = evidence.show(city, stream, index)
    output.json(found)
    output.say("evidence.anchored" if found["head"] else "evidence.waiting")


def _read(path: Path) -> Any:
    from api import input_file

    return input_file.read_json(path, MAX_BYTES)
