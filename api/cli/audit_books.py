"""`certledger audit export`, `check-export` and `reconcile`."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import exits
from api.cli.audit_office import PasswordFile
from api.cli.city import report
from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language, Trust
from api.cli.output import Output

if TYPE_CHECKING:
    from api.books import Office
    from audit.finding import Finding

Key = Annotated[
    Path | None, typer.Option("--keystore", help="审计机关密钥库 Keystore of the audit office, to open exports.")
]
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
From = Annotated[datetime | None, typer.Option("--from", formats=FORMATS, help="起(含) Recorded from then on.")]
To = Annotated[datetime | None, typer.Option("--to", formats=FORMATS, help="止(不含) Recorded before then.")]
SHOWN_DIGITS = 16
"""Of a request's id in a terminal; `--json` has all."""


def export(
    out: Annotated[Path, typer.Option("--out", help="空文件夹 Empty folder for the export.")] = Path("audit-export"),
    start: From = None,
    end: To = None,
    streams: Annotated[
        list[str] | None, typer.Option("--stream", help="日志类别,可重复 Streams; repeatable; else all.")
    ] = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """导出账簿 Write the logs with proofs for the audit office, which alone can open what is sealed. Recorded."""
    from api.exporting import Wanted, export_books
    from api.wiring import City

    output = Output(lang, as_json)
    wanted = Wanted(tuple(streams or ()), _text(start), _text(end))
    with City(home) as city:
        city.unlock()
        with output.progress("books.progress") as progress:
            made = export_books(city, out, wanted, progress)
    value = {
        "folder": str(out),
        "manifest": made.digest.hex(),
        "logs": [
            {"stream": p.log.stream, "epoch": p.log.epoch, "size": p.head.size, "start": p.start, "end": p.end}
            for p in made.parts
        ],
    }
    if as_json:
        output.json(value)
        return
    output.table(
        ("books.stream", "books.size", "books.entries"),
        [(f"{p.log.stream}/{p.log.epoch}", p.head.size, f"{p.start}–{p.end}") for p in made.parts],
    )
    output.result({}, [("books.folder", out), ("books.manifest", made.digest.hex())])


def check_export(
    folder: Annotated[Path, typer.Argument(help="导出的账簿 Folder of an export.")],
    keystore: Key = None,
    password_file: PasswordFile = None,
    trust: Trust = None,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """检查导出 Is this export what the chain says? Offline. Exit 0 in order, 1 something is wrong."""
    from api import book_check
    from api.checking import Outcome

    output = Output(lang, as_json)
    office = office_of(keystore, password_file, trust)
    with output.progress("books.checking") as progress:
        found = list(book_check.of_export(folder, office, progress))
    report(output, found)
    if any(line.outcome is Outcome.WRONG for line in found):
        raise typer.Exit(exits.REFUSED)


def reconcile(
    places: Annotated[list[Path], typer.Argument(help="各城市的文件夹或导出 Cities' folders or exports.")],
    keystore: Key = None,
    password_file: PasswordFile = None,
    trust: Trust = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=FORMATS, help="判断时刻 When lateness is judged."),
    ] = None,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """双方对账 Lay cities' access logs side by side; exit 1 if one lacks something or says it otherwise."""
    from api import book_check, books, reconciling
    from api.errors import ApiError

    if len(places) == 1:
        raise ApiError("USAGE", "one city has nobody to compare with", problem="one city has nobody to compare with")
    output = Output(lang, as_json)
    office = office_of(keystore, password_file, trust) if keystore else None
    with ExitStack() as stack:
        opened = [stack.enter_context(books.opened(place, office)) for place in places]
        with output.progress("books.checking") as progress:
            for each in opened:
                book_check.refuse_unsound(each, progress)
        judged = moment(as_of) or datetime.now(UTC)
        compared = reconciling.compare(opened, int(judged.timestamp()))
    if as_json:
        counts = {"records": compared.records, "hidden": compared.hidden}
        output.json({**counts, "findings": [finding_json(each) for each in compared.findings]})
    else:
        _say(output, compared.findings)
        output.say("books.compared", records=compared.records, hidden=compared.hidden, found=len(compared.findings))
    if compared.findings:
        raise typer.Exit(exits.REFUSED)


def sample(
    place: Annotated[Path, typer.Argument(help="城市的文件夹或导出 A city's folder, or an export.")],
    seed: Annotated[str, typer.Option("--seed", help="种子 Seed; named after the head was anchored.")],
    size: Annotated[int, typer.Option("--size", min=1, max=100_000, help="抽取条数 How many entries.")] = 20,
    stream: Annotated[str, typer.Option("--stream", help="日志类别 Stream of the log.")] = "access",
    keystore: Key = None,
    password_file: PasswordFile = None,
    trust: Trust = None,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """抽样 Draw entries by seed and anchored root: anybody draws the same ones. A proof with each."""
    from api import books, sampling

    output = Output(lang, as_json)
    office = office_of(keystore, password_file, trust) if keystore else None
    with books.opened(place, office) as opened:
        row, head = sampling.head_of(opened, stream)
        drawn = list(sampling.draw(opened, row, head, seed, size))
    if as_json:
        anchored = {"log": row.id.hex(), "size": head.size, "root": head.root.hex(), "block": head.block}
        output.json({"seed": seed, **anchored, "entries": [each.to_json() for each in drawn]})
        return
    lines = [
        (each.line.index, each.line.statement.at, each.line.statement.type, each.line.leaf.hex()[:SHOWN_DIGITS])
        for each in drawn
    ]
    output.table(("sample.index", "sample.at", "sample.type", "sample.leaf"), lines)
    output.say("sample.drawn", size=head.size, root=head.root.hex(), block=head.block)


def finding_json(finding: Finding) -> dict[str, object]:
    return {
        "code": finding.code.value,
        "severity": finding.severity.value,
        "city": finding.city,
        "agency": finding.agency,
        "request": finding.request.hex() if finding.request else None,
        "fields": list(finding.fields),
        "count": finding.count,
        "evidence": [
            {"city": e.city, "log": e.log.hex(), "index": e.index, "leaf": e.leaf.hex()} for e in finding.evidence
        ],
    }


def _say(output: Output, findings: tuple[Finding, ...]) -> None:
    if not findings:
        return
    output.table(
        ("finding.severity", "finding.code", "finding.city", "finding.request", "finding.evidence", "finding.fact"),
        [
            (
                output.words.say(f"severity.{each.severity}"),
                each.code,
                each.city,
                each.request.hex()[:SHOWN_DIGITS] if each.request else "–",
                " ".join(f"{e.city}#{e.index}" for e in each.evidence),
                output.words.finding(each.code, each.params).text,
            )
            for each in findings
        ],
    )


def office_of(keystore: Path | None, password_file: Path | None, trust: Path | None) -> Office:
    from api.books import Office
    from api.errors import ApiError
    from api.verify import read_trust

    if keystore is None:
        raise ApiError("OFFICE_MISSING", "an export is opened with the audit office's key", path="--keystore")
    return Office(keystore, read_trust(trust), str(password_file or ""))


def moment(given: datetime | None) -> datetime | None:
    """A time without a zone is China's."""
    from certs.certificate import CHINA

    return given if given is None or given.tzinfo else given.replace(tzinfo=CHINA)


def _text(given: datetime | None) -> str | None:
    from ledger.statement import timestamp

    at = moment(given)
    return timestamp(at) if at else None
