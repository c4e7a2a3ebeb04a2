"""`certledger snapshot …`: other cities' signatures under what the chain said, by files that hold nothing personal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output
from api.private_file import write

if TYPE_CHECKING:
    from ledger.snapshot import Snapshot

app = typer.Typer(no_args_is_help=True)
ENDING = ".snapshot.json"


@app.command("request")
def request(
    bundles: Annotated[list[Path], typer.Argument(help="证据包 Evidence bundles.")],
    out: Annotated[Path, typer.Option("--out", help="存放文件夹 Folder for the snapshots.")] = Path("snapshots"),
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """取出快照 Write the snapshot of each bundle alone, for other cities to cosign; nothing personal is in it."""
    from api.verify import read_bundle
    from certs.bundle import decode

    written = []
    for path in bundles:
        to = out / f"{path.stem}{ENDING}"
        write(to, _encoded(decode(read_bundle(path)).snapshot))
        written.append(str(to))
    Output(lang, as_json).result({"snapshots": written}, [("bundle.written", path) for path in written])


@app.command("cosign")
def cosign(
    files: Annotated[list[Path], typer.Argument(help="快照 Snapshots, signed in place.")],
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """签认快照 Ask this city's own node at the same block, compare every fact, and only then sign."""
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        city.unlock()
        cosigner = city.cosigner
        for path in files:
            write(path, _encoded(cosigner.cosign(_read(path))))
    output.result({"cosigned": [str(path) for path in files]}, [("snapshot.cosigned", path) for path in files])


@app.command("join")
def join(
    bundle: Annotated[Path, typer.Argument(help="证据包 Evidence bundle, renewed in place.")],
    files: Annotated[list[Path], typer.Argument(help="已签认的快照 Cosigned snapshots of it.")],
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """合并签认 Put the signatures of cosigned snapshots into the bundle that they were requested from."""
    from dataclasses import replace

    from api.verify import read_bundle
    from certs.bundle import decode, encode
    from ledger.cosigning import join as joined

    found = decode(read_bundle(bundle))
    snapshot = joined(found.snapshot, *map(_read, files))
    write(bundle, encode(replace(found, snapshot=snapshot)))
    value = {"bundle": str(bundle), "signatures": len(snapshot.signatures)}
    Output(lang, as_json).result(value, [("bundle.written", bundle), ("snapshot.signatures", len(snapshot.signatures))])


def _read(path: Path) -> Snapshot:
    from api.verify import read_bundle
    from ledger.cosigning import read_file

    return read_file(read_bundle(path))


def _encoded(snapshot: Snapshot) -> bytes:
    from ledger.canonical import dumps

    return dumps(snapshot.to_json())
