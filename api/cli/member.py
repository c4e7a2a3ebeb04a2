"""`certledger member …`: the agencies of this city, and what the cities decide together."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import decisions
from api.cli.member_account import app as member_account
from api.cli.member_agency import app as member_agency
from api.cli.member_key import app as member_key
from api.cli.member_successor import app as member_successor
from api.cli.options import DEFAULT_HOME, Agency, Home, Json, Lang, Language
from api.cli.output import Output

app = typer.Typer(no_args_is_help=True)


@app.command("add")
def add(
    agency: Agency,
    name: Annotated[str, typer.Option("--name", help="机构名称 Name, as printed on certificates.")],
    types: Annotated[
        list[str] | None, typer.Option("--type", help="可签发的证照类型,可重复 Type it may issue; repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只显示,不执行 Show, do nothing.")] = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """接入机构 Make an agency, its key and its types known on the chain. Safe to run again."""
    from api import members
    from api.wiring import City
    from certs.holder import check_uscc

    output = Output(lang, as_json)
    check_uscc(agency)
    with City(home) as city:
        wanted = members.Member(agency, name, tuple(types or ()))
        steps = members.plan(city, agency, types or ()) if dry_run else members.add(city, wanted)
    if as_json:
        acts = [{"act": step.act, "subject": step.subject} for step in steps]
        output.json({"agency": agency, "done": not dry_run, "acts": acts})
        return
    output.table(("member.act", "member.subject"), [(step.act, step.subject) for step in steps])
    output.say("member.planned" if dry_run else "member.added", agency=agency, acts=len(steps))


@app.command("list")
def list_(home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """机构列表 The agencies of this city and the types each may issue, as last read from the chain."""
    from api.wiring import City
    from certs import agencies, store
    from certs.certificate_type import load_catalogue
    from ledger import accreditation as rules

    output = Output(lang, as_json)
    catalogue = load_catalogue()
    found = []
    with City(home) as city, city.database.reading() as connection:
        for row in store.agencies(connection):
            facts = agencies.known(row)
            types = [each for each in catalogue.values() if rules.accredited(facts, row.code, each.code, facts.time)]
            found.append((row, types, facts))
    if as_json:
        output.json(
            {
                "agencies": [
                    {"agency": row.code, "name": row.name, "types": [t.id for t in types], "as_of_block": facts.block}
                    for row, types, facts in found
                ]
            }
        )
        return
    titles = [(row, "、".join(t.title_zh if lang == Language.ZH else t.id for t in types)) for row, types, _ in found]
    output.table(("member.code", "member.name", "member.types"), [(row.code, row.name, shown) for row, shown in titles])


app.add_typer(member_key, name="key", help="密钥 Keys of the city and its agencies.")
app.add_typer(member_agency, name="agency", help="机构 An agency that leaves or moves.")
app.add_typer(member_successor, name="successor", help="承接 Who follows an agency that is gone.")
app.add_typer(member_account, name="account", help="账户 The city's hot accounts.")
app.command("propose")(decisions.propose)
app.command("approve")(decisions.approve)
app.command("execute")(decisions.execute)
app.command("cancel")(decisions.cancel)
app.command("proposals")(decisions.proposals)
