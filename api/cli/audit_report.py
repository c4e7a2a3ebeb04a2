"""`certledger audit report`: a period of one or several cities as HTML, PDF or CSV."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli.audit_books import From, Key, To, moment, office_of
from api.cli.audit_office import PasswordFile
from api.cli.options import Json, Lang, Language, Trust
from api.cli.output import Output
from api.private_file import write


class Format(StrEnum):
    HTML = "html"
    PDF = "pdf"
    CSV = "csv"


def report(
    places: Annotated[list[Path], typer.Argument(help="各城市的文件夹或导出 Cities' folders or exports.")],
    out: Annotated[Path, typer.Option("--out", help="报告文件 File to write.")] = Path("audit-report.html"),
    form: Annotated[Format | None, typer.Option("--format", help="格式 Format; else by the file's ending.")] = None,
    start: From = None,
    end: To = None,
    persons: Annotated[int, typer.Option("--bulk", min=1, help="一小时人数上限 Persons an hour; more is bulk.")] = 100,
    case_persons: Annotated[int, typer.Option("--case", min=1, help="一个办件人数上限 Persons one case can be.")] = 20,
    reported: Annotated[
        Path | None,
        typer.Option("--self-reported", help="自查的查询编号 Requests a city reported itself."),
    ] = None,
    keystore: Key = None,
    password_file: PasswordFile = None,
    trust: Trust = None,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """审计报告 Heads, counts, charts, and each finding as an audit form 审计取证单; several cities are compared too."""
    from api import book_check, books, reporting
    from api.messages import Words
    from api.render.report import lay_out

    output = Output(lang, as_json)
    office = office_of(keystore, password_file, trust) if keystore else None
    period = reporting.Period(moment(start), moment(end))
    limits = reporting.Limits(persons=persons, case_persons=case_persons)
    with ExitStack() as stack:
        opened = [stack.enter_context(books.opened(place, office)) for place in places]
        with output.progress("books.checking") as progress:
            for each in opened:
                book_check.refuse_unsound(each, progress)
        made = reporting.make(opened, period, limits, _requests(reported), datetime.now(UTC))
    write(out, _rendered(lay_out(made, Words(lang)), _format(form, out), lang))
    value = {"file": str(out), "records": made.summary.records, "findings": len(made.findings)}
    output.result(
        value, [("report.file", out), ("report.records", made.summary.records), ("report.found", len(made.findings))]
    )


def _format(given: Format | None, out: Path) -> Format:
    from api.errors import ApiError

    ending = out.suffix.removeprefix(".")
    if given is None and ending not in set(Format):
        problem = "--out ends in .html, .pdf or .csv, or --format says which"
        raise ApiError("USAGE", problem, problem=problem)
    return given or Format(ending)


def _rendered(laid_out: object, form: Format, lang: str) -> bytes:
    from api.render import report_csv, report_html, report_pdf
    from api.render.report import LaidOut

    assert isinstance(laid_out, LaidOut)  # noqa: S101  # imported late, so that no other command pays for it
    if form is Format.PDF:
        return report_pdf.render(laid_out)
    return (report_html.render(laid_out, lang) if form is Format.HTML else report_csv.render(laid_out)).encode()


def _requests(file: Path | None) -> set[bytes]:
    """Raises `ApiError` FILE_UNREADABLE, REQUEST_IDS."""
    from api.errors import ApiError
    from api.verify import read_bundle

    if file is None:
        return set()
    try:
        ids = {bytes.fromhex(line) for line in read_bundle(file).decode().split()}
    except ValueError:
        raise ApiError("REQUEST_IDS", "not a list of request ids", path=file) from None
    if any(len(id) != 32 for id in ids):
        raise ApiError("REQUEST_IDS", "not a list of request ids", path=file)
    return ids
