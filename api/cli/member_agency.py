"""`certledger member agency …`: an agency that leaves, or moves to another city."""

from __future__ import annotations

import typer

from api.cli.member_key import DryRun, perform
from api.cli.options import DEFAULT_HOME, Agency, Home, Json, Lang, Language
from api.cli.output import Output

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `agency` a group while it has one command."""


@app.command("end")
def end(
    agency: Agency,
    dry_run: DryRun = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """机构退出 End an agency's membership from now on; another city may take it over with `member add`."""
    from ledger.evm.contracts import member_registry

    perform(Output(lang, as_json), home, "end-agency", agency, member_registry.end_agency(agency), dry_run)
