"""`certledger audit trace`, `evidence` and `verify-evidence`: lines with proofs, and one of them for a third party."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.audit_books import Key, office_of
from api.cli.audit_office import PasswordFile
from api.cli.options import DEFAULT_HOME, MOST_INPUT, Home, Json, Lang, Language, Trust
from api.cli.output import Output
from api.errors import ApiError

if TYPE_CHECKING:
    from api.tracing import Proof, Traced
    from api.wiring import City
    from audit.access import Recorded


def trace(
    holder: Annotated[
        bool, typer.Option("--holder", help="从标准输入读持有人类型和号码 Of a person: type and code on stdin.")
    ] = False,
    certificate: Annotated[str | None, typer.Option("--certificate", help="电子证照标识 Its identifier.")] = None,
    agency: Annotated[str | None, typer.Option("--agency", help="查询机构 USCC of the agency that read.")] = None,
    operator: Annotated[str | None, typer.Option("--operator", help="经办人代号 Pseudonym of who read.")] = None,
    case: Annotated[str | None, typer.Option("--case", help="办件编号 Business code of the case.")] = None,
    matter: Annotated[str | None, typer.Option("--matter", help="事项编码 Code of the matter.")] = None,
    authorization: Annotated[str | None, typer.Option("--authorization", help="授权编号 Its id, 64 digits.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="起始日 From this day (China) on.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="截止日 Before this day (China).")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="每页条数 Lines on a page.")] = 100,
    offset: Annotated[int, typer.Option("--offset", min=0, help="跳过条数 Lines to leave out first.")] = 0,
    export: Annotated[
        Path | None, typer.Option("--export", help="导出的账簿 In an export, instead of a city's folder.")
    ] = None,
    keystore: Key = None,
    password_file: PasswordFile = None,
    trust: Trust = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """追查 Who read what: every line that fits, the oldest first; --json has an inclusion proof for each."""
    from api import books, tracing
    from api.wiring import City
    from audit.store.accesses import Wanted

    output = Output(lang, as_json)
    if export and (holder or certificate):
        problem = "only the city knows the reference of a person or certificate"
        raise ApiError("USAGE", problem, problem=problem)
    wanted = Wanted(
        asker=agency,
        operator=operator,
        case=case,
        matter=matter,
        authorization=_id(authorization) if authorization else None,
        start=_seconds(since),
        end=_seconds(until),
    )
    if export:
        with books.of_export(export, office_of(keystore, password_file, trust)) as opened:
            found = tracing.scan(opened, wanted, limit=limit, offset=offset)
    else:
        with City(home) as city:
            refs = (_subject(city),) if holder else None
            item = _item(city, certificate) if certificate else None
            found = tracing.find(city, replace(wanted, subject_refs=refs, item=item), limit=limit, offset=offset)
    _show(output, found)


def _show(output: Output, found: Traced) -> None:
    pairs = list(zip(found.lines, found.proofs, strict=True))
    if output.as_json:
        counts = {"total": found.total, "hidden": found.hidden, "astray": found.astray}
        output.json({"lines": [_json(line, proof) for line, proof in pairs], **counts})
        return
    heads = ("index", "at", "step", "asker", "resource", "outcome", "anchored")
    output.table(tuple(f"trace.{head}" for head in heads), [_row(line) for line in found.lines])
    output.say("trace.counted", lines=len(pairs), total=found.total, hidden=found.hidden)
    if found.astray:
        output.say("trace.astray", style="red", astray=found.astray)


def evidence(
    index: Annotated[int, typer.Argument(min=0, help="查询日志中的序号 Index in the log of accesses.")],
    show: Annotated[
        list[str] | None, typer.Option("--show", help="公开该保密项,可重复 Open this private member; repeatable.")
    ] = None,
    epoch: Annotated[int, typer.Option("--epoch", min=0, help="日志期数 Epoch of the log.")] = 0,
    out: Annotated[Path, typer.Option("--out", help="证据文件 File of the evidence.")] = Path("evidence.json"),
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """出证 Write one record as evidence for a third party: offline, with only the private members that are named."""
    from api import private_file, tracing
    from api.wiring import City
    from audit.evidence import encode

    output = Output(lang, as_json)
    with City(home) as city:
        made = tracing.evidence(city, index, epoch=epoch, shown=show or [])
    private_file.write(out, encode(made))
    value = {"file": str(out), "index": index, "shown": sorted(made.openings)}
    output.result(value, [("evidence.file", out), ("evidence.shown", ", ".join(sorted(made.openings)) or "–")])


def verify_evidence(
    file: Annotated[Path, typer.Argument(help="证据文件 File of the evidence.")],
    trust: Trust = None,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """验证 Verify evidence of a record, offline. Exit 0 VALID, 1 INVALID, 2 INDETERMINATE."""
    from api.verify import read_bundle, read_trust
    from audit.evidence import verify
    from ledger.verdict import Result

    output = Output(lang, as_json)
    judged = verify(read_bundle(file), read_trust(trust), datetime.now(UTC))
    opened = {name: each.value for name, each in judged.evidence.openings.items()} if judged.evidence else {}
    said = judged.evidence.statement.to_json() if judged.evidence else None
    value = {"result": judged.result, "code": judged.code, "statement": said, "opened": opened}
    lines: list[tuple[str, object]] = [("evidence.result", judged.result), ("evidence.code", judged.code)]
    output.result(value, [*lines, *(("evidence.opened", f"{name}: {each}") for name, each in opened.items())])
    output.say(f"evidence.{judged.result.value.lower()}")
    raise typer.Exit({Result.VALID: 0, Result.INVALID: 1, Result.INDETERMINATE: 2}[judged.result])


def _subject(city: City) -> bytes:
    from api.holder import holder_from

    return city.keyring.ref(holder_from(sys.stdin.read(MOST_INPUT)))


def _item(city: City, identifier: str) -> bytes:
    from certs import store
    from certs.errors import LifecycleError

    with city.database.reading() as connection:
        row = store.by_identifier(connection, identifier)
    if row is None:
        raise LifecycleError("CERTIFICATE_UNKNOWN", "no such certificate here", identifier=identifier)
    return row.digest


def _id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ApiError("USAGE", "an id is hexadecimal", problem="--authorization") from None


def _seconds(day: datetime | None) -> int | None:
    """The first second of a day in China."""
    from certs.certificate import CHINA

    return int(day.replace(tzinfo=CHINA).timestamp()) if day else None


def _row(line: Recorded) -> tuple[object, ...]:
    a = line.access
    outcome = "–" if a.code is None else a.code.name
    anchored = _moment(line.anchored) if line.anchored else "–"
    return line.index, _moment(line.at), a.step.value, a.asker, a.resource, outcome, anchored


def _moment(seconds: int) -> str:
    """In China."""
    from certs.certificate import CHINA

    return datetime.fromtimestamp(seconds, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _json(line: Recorded, proof: Proof | None) -> dict[str, object]:
    from ledger.facts import published_head_json

    a = line.access
    proven = proof and {"proof": [node.hex() for node in proof.nodes], "head": published_head_json(proof.head)}
    return {
        "log": line.log.hex(),
        "index": line.index,
        "leaf": line.leaf.hex(),
        "at": line.at,
        "anchored": line.anchored,
        "step": a.step.value,
        "request": a.request.hex(),
        "asker": a.asker,
        "resource": a.resource,
        "fields": list(a.fields),
        "matter": a.matter,
        "authorization": a.authorization and a.authorization.hex(),
        "code": None if a.code is None else a.code.name,
        "operator": a.operator,
        "case": a.case,
        "hidden": sorted(a.hidden),
        "inclusion": proven,
    }
