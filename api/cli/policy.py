"""`certledger policy …`: the catalogue, matters and lists that decisions go by."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import exits
from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output
from api.cli.policy_correct import Recorder
from api.cli.policy_correct import app as correct

if TYPE_CHECKING:
    from api.policy_import import Proposal
    from api.rulebook import Adopted
    from audit.request import Rules

app = typer.Typer(no_args_is_help=True)


@app.command("import")
def import_(
    catalogue: Annotated[Path, typer.Option("--catalogue", help="政务数据资源目录 CSV or XLSX of the catalogue.")],
    matters: Annotated[Path | None, typer.Option("--matters", help="事项清单 YAML of the matters.")] = None,
    lists: Annotated[Path | None, typer.Option("--lists", help="负面清单与责任清单 YAML of the lists.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 Adopt without asking.")] = False,
    agency: Recorder = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> int:
    """导入规则 Read a catalogue, matters and lists, show what differs, and adopt them when confirmed."""
    from api import policy_import
    from api.cli.anchor import SUBMIT_SECONDS
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        speaker = agency or city.steward
        city.unlock()
        proposal = policy_import.propose(city, catalogue, matters=matters, lists=lists)
        if not as_json:
            _show_proposal(output, proposal)
        if proposal.faults and as_json:
            output.json({"adopted": False, "rejected": _faults_json(output, proposal)})
            return exits.REFUSED
        wanted = bool(proposal.differences or proposal.faults) and (yes or _confirmed(output, proposal))
        adopted = policy_import.adopt(city, proposal, speaker) if wanted else False
        if adopted:
            city.try_publishing(SUBMIT_SECONDS)
    if as_json:
        output.json(_proposal_json(proposal, adopted))
    elif adopted:
        output.say("policy.adopted", version=proposal.rules.version.hex())
    else:
        output.say("policy.not_adopted" if proposal.differences else "policy.same")
    return exits.DONE


@app.command("show")
def show(
    version: Annotated[
        str | None, typer.Option("--version", help="规则版本 Version; otherwise the present one.")
    ] = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """查看规则 The catalogue, matters and lists of a version."""
    from api import rulebook
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        rules = rulebook.named(city, version) if version else rulebook.present(city)
    if as_json:
        output.json(_rules_json(rules))
        return
    _show_rules(output, rules)


@app.command("history")
def history(home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """规则沿革 Every version that was adopted, from the log, oldest first."""
    from api import rulebook
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        found = rulebook.history(city)
    if as_json:
        output.json({"versions": [_adopted_json(each) for each in found]})
        return
    output.table(
        tuple(f"policy.{name}" for name in ("index", "at", "version", "origin", "agency", "anchored")),
        [
            (e.index, e.at, e.version[:16], output.words.say(f"policy.{e.origin}"), e.agency, _yes(output, e.anchored))
            for e in found
        ],
    )


@app.command("findings")
def findings(home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False) -> None:
    """待处理事项 What a steward has to settle: items with two sources, corrections that are overdue."""
    from api import correcting
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        found = correcting.findings(city)
    told = [(each, output.words.finding(each.code, each.params)) for each in found]
    if as_json:
        rows = [
            {"code": f.code, "severity": f.severity, "agency": f.agency, "fields": f.fields, "text": words.text}
            for f, words in told
        ]
        output.json({"findings": rows})
        return
    output.table(("policy.rule", "policy.problem", "policy.todo"), [(f.code, w.text, w.remedy) for f, w in told])


app.add_typer(correct, name="correct", help="校核纠错 Entries that are reported wrong.")


def _confirmed(output: Output, proposal: Proposal) -> bool:
    """Asked at a terminal; a script says --yes."""
    if proposal.faults:
        return True  # adopting refuses it, with the reason
    return sys.stdin.isatty() and not output.as_json and typer.confirm(output.words.say("policy.ask"), err=True)


def _show_proposal(output: Output, proposal: Proposal) -> None:
    if proposal.faults:
        rows = [
            (fault.line, fault.column or "–", fault.code, output.words.error(fault.code, fault.params).text)
            for fault in proposal.faults
        ]
        output.table(("policy.line", "policy.column", "policy.rule", "policy.problem"), rows)
        return
    output.table(
        tuple(f"policy.{name}" for name in ("part", "kind", "key", "member", "old", "new")),
        [
            (
                output.words.say(f"policy.{each.part}"),
                output.words.say(f"policy.{each.kind}"),
                "" if each.part in ("negative", "responsibility", "clock") else each.key,
                each.member,
                each.old,
                each.new,
            )
            for each in proposal.differences
        ],
    )
    for title, codes in proposal.contested.items():
        output.say("policy.contested", title=title, resources=", ".join(codes))


def _show_rules(output: Output, rules: Rules) -> None:
    resources = [rules.catalogue[code] for code in rules.catalogue]
    output.table(
        tuple(f"policy.{name}" for name in ("resource", "name", "provider", "sharing", "cycle", "fields")),
        [(r.code, r.name, r.provider_name, r.sharing.value, r.cycle, len(r.items)) for r in resources],
    )
    if rules.matters:
        output.table(
            ("policy.matter", "policy.name", "policy.needs"),
            [
                (m.code, m.name, "; ".join(f"{r}: {', '.join(sorted(f))}" for r, f in sorted(m.needs.items())))
                for m in rules.matters.values()
            ],
        )
    if rules.lists.negative:
        output.table(
            ("policy.resource", "policy.field", "policy.basis"),
            [(line.resource, line.field, line.basis) for line in rules.lists.negative],
        )
    output.result(
        {},
        [("policy.version", rules.version.hex()), ("policy.responsibility", len(rules.lists.shares))],
    )


def _rules_json(rules: Rules) -> dict[str, object]:
    return {
        "version": rules.version.hex(),
        "catalogue": [rules.catalogue[code].to_json() for code in rules.catalogue],
        "matters": [rules.matters[code].to_json() for code in rules.matters],
        "negative": [line.to_json() for line in rules.lists.negative],
        "responsibility": [line.to_json() for line in rules.lists.shares],
        "clocks": [line.to_json() for line in rules.lists.duties],
    }


def _faults_json(output: Output, proposal: Proposal) -> list[dict[str, object]]:
    return [
        {"line": f.line, "column": f.column, "rule": f.code, "problem": output.words.error(f.code, f.params).text}
        for f in proposal.faults
    ]


def _proposal_json(proposal: Proposal, adopted: bool) -> dict[str, object]:
    differences = [
        {"part": d.part, "kind": d.kind, "key": d.key, "member": d.member, "old": d.old, "new": d.new}
        for d in proposal.differences
    ]
    contested = {title: list(codes) for title, codes in proposal.contested.items()}
    version = proposal.rules.version.hex()
    return {"adopted": adopted, "version": version, "differences": differences, "contested": contested}


def _adopted_json(each: Adopted) -> dict[str, object]:
    return {
        "index": each.index,
        "log": each.log,
        "at": each.at,
        "version": each.version,
        "previous": each.previous,
        "origin": each.origin,
        "agency": each.agency,
        "anchored": each.anchored,
    }


def _yes(output: Output, so: bool) -> str:
    return output.words.say("policy.yes" if so else "policy.no")
