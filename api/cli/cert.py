"""`certledger cert …`: issuing, and everything that happens to a certificate afterwards."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import changes, exits
from api.cli.anchor import at_once
from api.cli.options import DEFAULT_HOME, Agency, Home, Identifier, Json, Lang, Language, Type
from api.cli.output import Output
from api.errors import ApiError

if TYPE_CHECKING:
    from api.importing import ImportReport
    from api.issue import IssueReport

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="CSV 或 JSON Lines 文件 A file of rows.")]
NoAnchor = Annotated[bool, typer.Option("--no-anchor", help="只登记,稍后上链 Record now, anchor later.")]
Receipts = Annotated[
    Path | None, typer.Option("--receipts", help="回执文件,追加写入 File of signed receipts, appended to.")
]


@app.command("issue")
def issue(
    file: File,
    type_: Type,
    agency: Agency,
    no_anchor: NoAnchor = False,
    receipts: Receipts = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """签发 Issue a file. Rows that fail go to <name>.rejects.csv; run again, nothing is issued twice."""
    _run_file(Output(lang, as_json), home, file, type_, agency, no_anchor, receipts, renew=False)


@app.command("renew")
def renew(
    file: File,
    type_: Type,
    agency: Agency,
    no_anchor: NoAnchor = False,
    receipts: Receipts = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """延续、换发 Issue the next version of certificates whose attributes changed; the old ones are superseded."""
    _run_file(Output(lang, as_json), home, file, type_, agency, no_anchor, receipts, renew=True)


@app.command("import")
def import_(
    path: Annotated[
        Path, typer.Argument(help="CSV、JSON Lines 文件,或 OFD、PDF 文件夹 A file of rows, or a folder of OFD or PDF.")
    ],
    type_: Type,
    agency: Agency,
    since: Annotated[
        str, typer.Option("--since", help="只导入该日起新发或变更的 Only what was issued or changed since, YYYY-MM-DD.")
    ] = "",
    no_anchor: NoAnchor = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """导入已有证照 Register certificates that exist under their identifiers; run again, none is registered twice."""
    from api.importing import import_certificates
    from api.wiring import City

    output = Output(lang, as_json)
    from_day = _day(since)
    with City(home) as city:
        city.unlock()
        with output.progress("import.progress") as progress:
            report = import_certificates(
                city, path, type_id=type_, agency=agency, words=output.words, progress=progress, since=from_day
            )
        anchored = not no_anchor and at_once(output, city)
    _report_import(output, report, anchored)
    raise typer.Exit(exits.REFUSED if report.rejected else exits.DONE)


app.command("suspend")(changes.suspend)
app.command("reinstate")(changes.reinstate)
app.command("revoke")(changes.revoke)
app.command("cancel")(changes.cancel)


@app.command("show")
def show(identifier: Identifier, home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """查看 Show a certificate's life: status, place in the log, anchor. No attribute of the holder."""
    from api.wiring import City
    from certs import store
    from certs.certificate_type import load_catalogue
    from certs.errors import LifecycleError
    from certs.identifier import parse
    from ledger.store import outbox

    output = Output(lang, as_json)
    with City(home) as city, city.database.reading() as connection:
        row = store.by_identifier(connection, identifier)
        if row is None:
            raise LifecycleError("CERTIFICATE_UNKNOWN", "no such certificate here", identifier=identifier)
        anchor = outbox.first_anchor_covering(connection, row.log_no, row.log_index)
    certificate_type = load_catalogue().find(row.type_code)
    value = {
        "identifier": row.identifier,
        "digest": row.digest.hex(),
        "notes": list(parse(row.identifier).notes),
        "type": certificate_type.id,
        "issuer": row.issuer,
        "version": row.version,
        "status": row.status.name,
        "log_index": row.log_index,
        "erased": row.erased,
        "anchor": {"size": anchor.size, "block": anchor.block, "time": anchor.time} if anchor else None,
    }
    anchored = (
        output.words.say("cert.anchored", size=anchor.size, block=anchor.block)
        if anchor
        else (output.words.say("cert.waiting"))
    )
    title = certificate_type.title_zh if lang == Language.ZH else certificate_type.title_en
    output.result(
        value,
        [
            ("cert.identifier", row.identifier),
            ("cert.type", title),
            ("cert.issuer", row.issuer),
            ("cert.status", output.words.status(row.status.name)),
            ("cert.log_index", row.log_index),
            ("cert.anchor", anchored),
            ("cert.digest", row.digest.hex()),
            *([("cert.content", output.words.say("cert.erased"))] if row.erased else []),
            *(("cert.note", output.words.note(note)) for note in parse(row.identifier).notes),
        ],
    )


def _run_file(
    output: Output,
    home: Path,
    file: Path,
    type_id: str,
    agency: str,
    no_anchor: bool,
    receipts: Path | None,
    *,
    renew: bool,
) -> None:
    from api.issue import issue_file
    from api.wiring import City

    with City(home) as city:
        city.unlock()
        with output.progress("issue.progress") as progress:
            report = issue_file(
                city,
                file,
                type_id=type_id,
                agency=agency,
                words=output.words,
                progress=progress,
                renew=renew,
                receipts=receipts,
            )
        anchored = not no_anchor and at_once(output, city)
    _report(output, report, anchored)
    raise typer.Exit(exits.REFUSED if report.rejected else exits.DONE)


def _report(output: Output, report: IssueReport, anchored: bool) -> None:
    value = {
        "rows": report.rows,
        "issued": report.issued,
        "renewed": report.renewed,
        "already": report.already,
        "rejected": report.rejected,
        "rules": report.rules,
        "rejects": str(report.rejects) if report.rejects else None,
        "first": report.first or None,
        "last": report.last or None,
        "state": "anchored" if anchored else "recorded",
    }
    lines: list[tuple[str, object]] = [
        ("issue.rows", report.rows),
        ("issue.issued", report.issued),
        ("issue.renewed", report.renewed),
        ("issue.already", report.already),
        ("issue.rejected", report.rejected),
    ]
    if report.rejects:
        lines.append(("issue.rejects", report.rejects))
    if report.last:
        lines.append(("issue.last", report.last))
    lines.append(("issue.state", output.words.say("issue.anchored" if anchored else "issue.recorded")))
    output.result(value, lines)


def _report_import(output: Output, report: ImportReport, anchored: bool) -> None:
    value = {
        "rows": report.rows,
        "registered": report.registered,
        "ended": report.ended,
        "already": report.already,
        "older": report.older,
        "rejected": report.rejected,
        "files": report.files,
        "rules": report.rules,
        "notes": dict(report.notes),
        "rejects": str(report.rejects) if report.rejects else None,
        "first": report.first or None,
        "last": report.last or None,
        "state": "anchored" if anchored else "recorded",
    }
    counts = ("rows", "registered", "ended", "already", "older", "files", "rejected")
    lines: list[tuple[str, object]] = [(f"import.{name}", value[name]) for name in counts]
    if report.rejects:
        lines.append(("issue.rejects", report.rejects))
    lines += [("import.note", f"{number} × {output.words.note(note)}") for note, number in report.notes.items()]
    if report.last:
        lines.append(("issue.last", report.last))
    lines.append(("issue.state", output.words.say("issue.anchored" if anchored else "issue.recorded")))
    output.result(value, lines)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ApiError("DATE_FORM", f"not a day: {text}", value=text) from None
