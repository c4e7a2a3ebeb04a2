"""`certledger authorize key …`: a person's own key, made on a device, registered where the person was identified."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

app = typer.Typer(no_args_is_help=True)


@app.command("new")
def new(
    out: Annotated[Path, typer.Option("--out", help="新密钥库文件 File for the new keystore.")],
    public: Annotated[Path, typer.Option("--public", help="公钥文件 File for the public half, to be registered.")],
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="密钥库口令文件 File with its password; else it is asked for."),
    ] = None,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """新建个人密钥 Make a key on a person's own device; only the public half leaves it."""
    from api import holder_keys

    output = Output(lang, as_json)
    kid = holder_keys.make(out, public, password_file)
    output.result({"kid": kid, "public": str(public)}, [("authorize.kid", kid), ("authorize.file", public)])


@app.command("register")
def register(
    public: Annotated[Path, typer.Argument(help="公钥文件 The public half.")],
    holder: Annotated[
        Path, typer.Option("--holder", help="持证主体 {type, code},JSON Whose it is: a JSON file, - for stdin.")
    ],
    method: Annotated[
        str,
        typer.Option("--method", help="核验方式 How the person was identified: clerk_witness, face_check_reference, …"),
    ],
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", help="核验留存件,只登记摘要 What is kept of it; its digest is recorded."),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=1098, help="有效天数 Days it holds.")] = 366,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """登记个人密钥 Record that a key belongs to a person whom this city has identified."""
    from api import holder_keys
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        appended = holder_keys.register(city, public, holder, method, evidence, days)
    value = {"kid": appended.value, "log_index": appended.first_index}
    output.result(value, [("authorize.kid", appended.value), ("authorize.log_index", appended.first_index)])
