"""`certledger member key …`: the keys of a city and its agencies on the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.members import Step

app = typer.Typer(no_args_is_help=True)
DryRun = Annotated[bool, typer.Option("--dry-run", help="只显示,不执行 Show, do nothing.")]


@app.command("register")
def register(
    dry_run: DryRun = False, home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False
) -> None:
    """登记本市密钥 Make the city's own witness, receipt and checkpoint keys known on the chain. Safe to run again."""
    from api import members
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        show(output, members.register_own_keys(city, dry_run=dry_run), dry_run=dry_run)


def show(output: Output, steps: Sequence[Step], *, dry_run: bool) -> None:
    """What was done, or would be."""
    if output.as_json:
        acts = [{"act": step.act, "subject": step.subject} for step in steps]
        output.json({"done": not dry_run, "acts": acts})
        return
    output.table(("member.act", "member.subject"), [(step.act, step.subject) for step in steps])
    output.say("member.acts_planned" if dry_run else "member.acts_done", acts=len(steps))
