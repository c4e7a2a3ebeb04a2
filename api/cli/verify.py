"""`certledger verify FILE`: twelve steps, one verdict; of a bundle, or of an OFD or PDF by its bundle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from api.cli.options import Json, Lang, Language, Trust
from api.cli.output import Output
from api.errors import ApiError
from api.verify import read_bundle, read_file, read_trust
from api.verify import verify as verify_bundle
from certs.source_file import SourceFile, media_type
from certs.verify.verifier import Verified
from ledger.verdict import Finding, Result, State

MARKS = {
    State.PASS: "[green]✔[/green]",
    State.FAIL: "[red]✘[/red]",
    State.UNKNOWN: "[yellow]?[/yellow]",
    State.NOT_ASKED: "[dim]–[/dim]",
    State.NOT_REACHED: "[dim]·[/dim]",
}
STYLES = {Result.VALID: "bold green", Result.INVALID: "bold red", Result.INDETERMINATE: "bold yellow"}


def verify(
    file: Annotated[Path, typer.Argument(help="证据包,或 OFD、PDF 证照文件 A bundle, or an OFD or PDF file.")],
    trust: Trust = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="OFD、PDF 文件的证据包 The bundle of an OFD or PDF file.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="不联网 Ask no node.")] = False,
    max_status_age: Annotated[
        int,
        typer.Option("--max-status-age", min=0, max=8760, help="状态信息最长小时数 Hours a status may be old."),
    ] = 24,
    explain: Annotated[bool, typer.Option("--explain", help="显示比对内容 Show what was compared.")] = False,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """核验证照 Verify a certificate. Exit 0 VALID, 1 INVALID, 2 INDETERMINATE."""
    output = Output(lang, as_json)
    if bundle is None and media_type(file.name) is not None:
        raise ApiError("BUNDLE_NOT_NAMED", f"{file} is verified by its bundle", path=file)
    untrusted, trusted = read_bundle(bundle or file), read_trust(trust)
    shown = read_file(file) if bundle else None
    age = timedelta(hours=max_status_age)
    verified = verify_bundle(untrusted, trusted, datetime.now(UTC), offline=offline, file=shown, max_status_age=age)
    if as_json:
        output.json(to_json(verified, output) | (_file_json(verified, shown) if shown else {}))
    else:
        render(verified, output, explain=explain)
        if shown:
            _say_file(verified, output)
    raise typer.Exit(verified.verdict.exit_code)


def to_json(verified: Verified, output: Output) -> dict[str, object]:
    """The verdict as programs read it; names and numbers are stable, words follow --lang."""
    return {
        "result": verified.verdict.result,
        "snapshot_cosigners_needed": verified.cosigners,
        "steps": [_step_json(finding, output) for finding in verified.verdict.findings],
        "claims": verified.claims,
    }


def _file_json(verified: Verified, shown: SourceFile) -> dict[str, object]:
    """What is said of the file; its stamps are judged by nobody here, and no program should think otherwise."""
    said = {
        "sha256": shown.sha256.hex(),
        "sm3": shown.sm3.hex(),
        "registered_by": verified.file_registered_by or None,
        "seals": "NOT_JUDGED",
    }
    return {"file": said}


def _say_file(verified: Verified, output: Output) -> None:
    if verified.file_registered_by:
        name = verified.claims.get("issuing_authority_name", "")
        agency = f"{name} {verified.file_registered_by}".strip()
        output.out.print(escape(output.words.say("verify.file_identical", agency=agency)))
    output.out.print(output.words.say("verify.seals_not_judged"), style="dim")


def _step_json(finding: Finding, output: Output) -> dict[str, object]:
    message = output.words.reason(finding.reason, finding.compared)
    return {
        "step": finding.step.name,
        "state": finding.state,
        "reason": finding.reason,
        "code": finding.code,
        "text": message.text,
        "remedy": message.remedy,
        "compared": dict(finding.compared),
    }


def render(verified: Verified, output: Output, *, explain: bool) -> None:
    """The steps one under the other, then the verdict nobody can overlook."""
    verdict = verified.verdict
    table = Table.grid(padding=(0, 1))
    for overflow in ("ignore", "ignore", "fold"):
        table.add_column(overflow=overflow, no_wrap=overflow == "ignore")
    for finding in verdict.findings:
        if finding.state is State.NOT_ASKED and not explain:
            continue
        message = output.words.reason(finding.reason, finding.compared)
        step = f"{finding.step:>2} {output.words.step(finding.step.name)}"
        table.add_row(MARKS[finding.state], step, escape(message.text))
        if message.remedy and finding.state in (State.FAIL, State.UNKNOWN):
            table.add_row("", "", f"[italic]→ {escape(message.remedy)}[/italic]")
        if explain:
            compared = "  ".join(f"{name}={value}" for name, value in finding.compared.items())
            table.add_row("", "", f"[dim]{finding.code} {escape(compared)}[/dim]")
    output.out.print(table)
    title = output.words.result(verdict.result)
    output.out.print(Panel.fit(f"{verdict.result}  {title}", style=STYLES[verdict.result]))
    if verified.cosigners == 1:
        output.out.print(output.words.say("verify.one_cosigner"), style="dim")
