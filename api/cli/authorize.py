"""`certledger authorize …`: authorizations and mandates, from a description to a record, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.authorize_key import app as key
from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

app = typer.Typer(no_args_is_help=True)
app.add_typer(key, name="key", help="个人密钥 A person's own key.")

Id = Annotated[str, typer.Argument(help="授权或委托编号 Id of an authorization or mandate, 64 hexadecimal digits.")]
SignedFile = Annotated[Path, typer.Argument(help="已签署的授权或委托 A signed authorization or mandate.")]


@app.command("create")
def create(
    description: Annotated[Path, typer.Argument(help="授权内容,JSON What is granted, a JSON file.")],
    out: Annotated[Path, typer.Option("--out", help="签署后的文件 File for what was signed.")],
    trust: Annotated[Path, typer.Option("--trust", help="信任文件,指明账本 Trust file: which ledger it is for.")],
    key_file: Annotated[Path | None, typer.Option("--key", help="本人密钥库 Keystore of the person who signs.")] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="密钥库口令文件 File with its password; else it is asked for."),
    ] = None,
    agency: Annotated[
        str, typer.Option("--agency", help="由该机构的见证密钥签署 Sign with this agency's witness key.")
    ] = "",
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """签署授权 Sign an authorization or mandate: by a person's own key, or by an agency that witnesses or grants."""
    from api import authorizing, holder_keys
    from api.verify import read_trust

    output = Output(lang, as_json)
    consortium = read_trust(trust).deployment.consortium
    described = authorizing.description(description)
    signer = holder_keys.signer(key_file, password_file) if key_file else authorizing.agency_signer(home, agency)
    signed = authorizing.create(described, consortium, signer)
    authorizing.write(out, signed.object)
    value = {"id": signed.id.hex(), "kind": signed.kind, "file": str(out)}
    output.result(value, [("authorize.id", value["id"]), ("authorize.kind", signed.kind), ("authorize.file", out)])


@app.command("record")
def record(file: SignedFile, home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """登记授权 Record a signed authorization or mandate in this city, after checking that its signer may grant it."""
    from api import authorizing
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        appended = authorizing.record(city, authorizing.load(file))
    value = {"id": appended.value.hex(), "log_index": appended.first_index}
    output.result(value, [("authorize.id", value["id"]), ("authorize.log_index", value["log_index"])])


@app.command("show")
def show(id: Id, home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """查看授权 What is recorded of an authorization or mandate: scope, window, uses, status. Nobody's code."""
    from api import authorization_card, authorizing
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        card = authorization_card.of(city, authorizing.id_of(id))
    output.result(card.value, [(f"authorize.{name}", shown) for name, shown in card.lines(output.words)])


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="最多几条 At most so many.")] = 20,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """授权列表 The newest authorizations recorded here."""
    from api import authorization_card
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        rows = authorization_card.newest(city, limit)
    if as_json:
        output.json({"authorizations": [row.value for row in rows]})
        return
    columns = ("id", "kind", "grantee", "status", "uses")
    shown = [[dict(row.lines(output.words))[column] for column in columns] for row in rows]
    output.table([f"authorize.{column}" for column in columns], shown)


@app.command("revoke")
def revoke(
    id: Id,
    by: Annotated[str, typer.Option("--by", help="撤回人 Who revokes: subject, agent, agency.")] = "subject",
    reason_file: Annotated[
        Path | None, typer.Option("--reason-file", help="撤回原因,文本文件 File with the reason in words.")
    ] = None,
    no_anchor: Annotated[bool, typer.Option("--no-anchor", help="只登记,稍后上链 Record now, anchor later.")] = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """撤回授权 Revoke an authorization or mandate: here at once, everywhere when the chain says so. Final."""
    from api import authorizing
    from api.cli.anchor import at_once
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        authorizing.revoke(city, authorizing.id_of(id), by, reason_file)
        anchored = not no_anchor and at_once(output, city)
    value = {"id": id, "status": "REVOKED", "state": "anchored" if anchored else "recorded"}
    state = output.words.say("issue.anchored" if anchored else "issue.recorded")
    output.result(
        value, [("authorize.id", id), ("authorize.status", output.words.status("REVOKED")), ("issue.state", state)]
    )


@app.command("review")
def review(
    id: Id,
    outcome: Annotated[str, typer.Option("--outcome", help="结论 justified or not_justified.")],
    form: Annotated[
        Path, typer.Option("--form", help="复核文书,只登记摘要 The written review; its digest is recorded.")
    ],
    reviewers: Annotated[list[str], typer.Option("--reviewer", help="复核人代号,可重复 Pseudonym; repeatable.")],
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """复核紧急授权 Record what came out of the review of an emergency."""
    from api import authorizing
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        appended = authorizing.review(city, authorizing.id_of(id), outcome, form, tuple(reviewers))
    value = {"id": id, "outcome": outcome, "log_index": appended.first_index}
    output.result(value, [("authorize.id", id), ("authorize.outcome", outcome)])


@app.command("refresh")
def refresh(home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """更新状态 Read from the chain what was revoked elsewhere. `certledger up` does it every minute."""
    from api.wiring import City
    from audit import status_view

    output = Output(lang, as_json)
    with City(home) as city:
        now = int(city.clock().timestamp())
        changed = status_view.refresh(city.database, city.chain, city.keyring, city.settings.city, now)
    output.result({"changed": changed}, [("authorize.changed", changed)])
