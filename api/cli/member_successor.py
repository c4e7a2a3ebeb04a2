"""`certledger member successor …`: who may change the statuses of an agency that is gone."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.member_key import DryRun, perform
from api.cli.options import DEFAULT_HOME, Agency, Home, Json, Lang, Language
from api.cli.output import Output

app = typer.Typer(no_args_is_help=True)
Successor = Annotated[str, typer.Option("--successor", help="承接机构 USCC of the successor.")]


@app.command("name")
def name(
    agency: Agency,
    successor: Successor,
    dry_run: DryRun = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """指定承接机构 Name the successor of an agency of this city; it has no right before it accepts."""
    from ledger.evm.contracts import governance

    data = governance.name_successor(agency, successor)
    perform(Output(lang, as_json), home, "name-successor", f"{agency} → {successor}", data, dry_run)


@app.command("accept")
def accept(
    agency: Agency,
    successor: Successor,
    dry_run: DryRun = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """接受承接 Accept for an agency of this city to succeed another; for good."""
    from ledger.evm.contracts import governance

    data = governance.accept_succession(agency, successor)
    perform(Output(lang, as_json), home, "accept-succession", f"{agency} → {successor}", data, dry_run)
