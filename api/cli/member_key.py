"""`certledger member key …`: the keys of a city and its agencies on the chain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import DEFAULT_HOME, Agency, Home, Json, Lang, Language
from api.cli.output import Output
from api.errors import ApiError
from certs.errors import IssuingError

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


@app.command("add")
def add(
    agency: Agency,
    use: Annotated[str, typer.Option("--use", help="用途 http (signs requests) or witness (signs what it witnesses).")],
    dry_run: DryRun = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """登记机构密钥 Make an agency's key for requests or for witnessing, and make it known on the chain."""
    from api import agency_keys
    from api.wiring import City

    output = Output(lang, as_json)
    if use not in {each.value for each in agency_keys.Use}:
        raise ApiError("USAGE", f"no such use: {use}", problem="--use")
    with City(home) as city:
        show(output, agency_keys.register(city, agency, agency_keys.Use(use), dry_run=dry_run), dry_run=dry_run)


def show(output: Output, steps: Sequence[Step], *, dry_run: bool) -> None:
    """What was done, or would be."""
    if output.as_json:
        acts = [{"act": step.act, "subject": step.subject} for step in steps]
        output.json({"done": not dry_run, "acts": acts})
        return
    output.table(("member.act", "member.subject"), [(step.act, step.subject) for step in steps])
    output.say("member.acts_planned" if dry_run else "member.acts_done", acts=len(steps))


@app.command("rotate")
def rotate(
    agency: Agency,
    overlap: Annotated[
        int, typer.Option("--overlap", min=0, max=90, help="旧密钥继续有效的天数 Days the old key goes on.")
    ] = 7,
    dry_run: DryRun = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """更换机构密钥 A new certificate key for an agency; the old one ends after the overlap."""
    from api import governance, members
    from api.wiring import City
    from certs import store

    output = Output(lang, as_json)
    with City(home) as city:
        with city.database.reading() as connection:
            row = next((row for row in store.agencies(connection) if row.code == agency), None)
        if row is None:
            raise IssuingError("AGENCY_UNKNOWN", "no such agency in this city", agency=agency)
        steps = members.rotation(city, agency, overlap * 86_400, make=not dry_run)
        if not dry_run:
            governance.act(city, f"rotate/{agency}", steps, dry_run=False)
            members.refresh(city, agency, row.name)
        show(output, steps, dry_run=dry_run)


@app.command("compromise", context_settings={"ignore_unknown_options": True})  # a thumbprint may begin with "-"
def compromise(
    kid: Annotated[str, typer.Argument(help="密钥指纹 Thumbprint of the key (kid).")],
    since: Annotated[str, typer.Option("--since", help="自该日起不可信 Not trusted from this day on, YYYY-MM-DD.")],
    dry_run: DryRun = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """报告密钥失窃 Report a key of this city or its agencies as compromised, even from a past day; for good."""
    from api.cli.changes import first_second
    from ledger.evm.contracts import member_registry
    from ledger.jws import unb64url

    if len(unb64url(kid)) != 32:
        raise ApiError("USAGE", "not a thumbprint", problem=f"KID {kid}")
    perform(
        Output(lang, as_json),
        home,
        "compromise-key",
        kid,
        member_registry.compromise_key(kid, first_second(since)),
        dry_run,
    )


def perform(output: Output, home: Path, name: str, subject: str, data: bytes, dry_run: bool) -> None:
    """One act of the governor about its own city."""
    from api import governance
    from api.members import Step
    from api.wiring import City

    steps = [Step(name, subject, data)]
    with City(home) as city:
        governance.act(city, name, steps, dry_run=dry_run)
    show(output, steps, dry_run=dry_run)
