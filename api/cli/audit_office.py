"""`certledger audit office-key` and `office-set`: with whom a city shares the keys of its days."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="口令文件 Password of the keystore; else asked for."),
]


def office_key(
    folder: Annotated[
        Path, typer.Option("--folder", help="审计机关存放密钥库的文件夹 The office's own folder, on its own machine.")
    ] = Path("audit-office"),
    out: Annotated[Path, typer.Option("--out", help="公钥文件 Public key, for cities.")] = Path("audit-office.jwk"),
    password_file: PasswordFile = None,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """审计机关密钥 Make the audit office's key on the auditor's own machine; its public half goes to the cities."""
    from api.office import make_key
    from api.private_file import write

    public = make_key(folder, str(password_file or ""))
    write(out, public)
    Output(lang, as_json).result({"file": str(out)}, [("office.file", out)])


def office_set(
    file: Annotated[Path, typer.Argument(help="审计机关的公钥 The office's public key.")],
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """指定审计机关 Share the keys of all days, past and to come, with this audit office. Recorded in the log."""
    from api.office import share
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        city.unlock()
        shared = share(city, file)
    output.result({"kid": shared.kid, "days": shared.days}, [("office.kid", shared.kid), ("office.days", shared.days)])
