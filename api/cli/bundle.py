"""`certledger bundle …`: evidence for a verifier, one file a certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output
from api.private_file import write

app = typer.Typer(no_args_is_help=True)


@app.command("export")
def export(
    identifiers: Annotated[list[str], typer.Argument(help="电子证照标识 Certificate identifiers.")],
    out: Annotated[Path, typer.Option("--out", help="存放文件夹 Folder for the bundles.")] = Path("bundles"),
    only: Annotated[
        list[str] | None, typer.Option("--only", help="只出示该项,可重复 Show only this claim; repeatable.")
    ] = None,
    operator: Annotated[str, typer.Option("--operator", help="经办人代号 Pseudonym of whoever exports.")] = "",
    cause: Annotated[str, typer.Option("--cause", help="事由 Why, for the access log.")] = "导出证据包",
    case: Annotated[str, typer.Option("--case", help="办件编号 Case it is for, for the access log.")] = "",
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """导出证据包 Write one bundle a certificate, with a fresh cosigned snapshot. The reading is recorded first."""
    from api.reading import Reader, bundle_of
    from api.wiring import City
    from certs.bundle import encode

    output = Output(lang, as_json)
    written = []
    with City(home) as city:
        city.unlock()
        with output.progress("bundle.progress") as progress:
            for done, identifier in enumerate(identifiers, 1):
                path = out / f"{identifier}.json"
                write(path, encode(bundle_of(city, identifier, only, Reader(operator, cause, case or None))))
                written.append(str(path))
                progress(done, len(identifiers))
    output.result({"bundles": written}, [("bundle.written", path) for path in written])


@app.command("refresh")
def refresh(
    files: Annotated[list[Path], typer.Argument(help="证据包 Evidence bundles, renewed in place.")],
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """更新快照 Give bundles a fresh cosigned snapshot; the certificate in them stays as it is."""
    from api.verify import read_bundle
    from api.wiring import City
    from certs.bundle import encode

    output = Output(lang, as_json)
    with City(home) as city:
        city.unlock()
        with output.progress("bundle.progress") as progress:
            for done, path in enumerate(files, 1):
                write(path, encode(city.bundler.refresh(read_bundle(path))))
                progress(done, len(files))
    output.result({"bundles": [str(path) for path in files]}, [("bundle.written", path) for path in files])
