"""`certledger member propose …`: what the cities decide together, with this city's governor."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output
from api.errors import ApiError
from ledger.governance import NOBODY, Action, Kind

if TYPE_CHECKING:
    from api.governance import Standing
    from api.wiring import City

Name = Annotated[str, typer.Argument(metavar="PROPOSAL", help="提案编号或标识 Number or id of the proposal.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只显示,不执行 Show, send nothing.")]


class Act(StrEnum):
    """The kinds of action, as they are typed."""

    ADMIT = "admit"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REMOVE = "remove"
    REKEY = "rekey"
    GRANT_TYPES = "grant-types"
    END_TYPES = "end-types"
    CLOSE_EPOCH = "close-epoch"


def propose(
    act: Annotated[Act, typer.Argument(help="动作 What is to be done.")],
    target: Annotated[int, typer.Option("--city", min=1, help="对象城市编号 Id of the city it is about.")],
    division: Annotated[int, typer.Option("--division", help="行政区划代码 GB/T 2260; admit.")] = 0,
    governor: Annotated[str, typer.Option("--governor", help="管理账户地址 Its governor; admit, rekey.")] = "",
    hot: Annotated[list[str] | None, typer.Option("--hot", help="发布账户地址,可重复 Accounts; admit.")] = None,
    types: Annotated[list[str] | None, typer.Option("--type", help="证照类型,可重复 Types; admit, …-types.")] = None,
    endpoint: Annotated[str, typer.Option("--endpoint", help="服务地址 Its service's base URL; admit.")] = "",
    stream: Annotated[str, typer.Option("--stream", help="日志类别 Stream; close-epoch.")] = "",
    size: Annotated[int, typer.Option("--size", min=0, help="保留条数 How many entries stand; close-epoch.")] = 0,
    dry_run: DryRun = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """提案 Propose an action about another city, which is this city's approval. Safe to run again."""
    from api import governance
    from api.wiring import City
    from certs.certificate_type import load_catalogue

    output = Output(lang, as_json)
    if act == Act.ADMIT and not 100_000 <= division <= 999_999:
        problem = "--division: six digits"
        raise ApiError("USAGE", problem, problem=problem)
    with City(home) as city:
        if act == Act.CLOSE_EPOCH:
            action = governance.closing(city, target, stream, size)
        else:
            codes = tuple(load_catalogue().find(each).code for each in types or ())
            account, accounts = _address(governor) or NOBODY, tuple(_address(each) for each in hot or ())
            action = Action(
                Kind[act.name], target, division=division, account=account, types=codes, hot=accounts, endpoint=endpoint
            )
        made = governance.propose(city, action, dry_run=dry_run)
        if made is None:
            needed = governance.needed(city, target)
            value = {"done": False, **_action_json(action), "needed": needed}
            output.result(value, [*_action_lines(output, action), ("proposal.needed", needed)])
        else:
            _result(output, made, done=not dry_run)
    _sent(output, dry_run)


def approve(
    name: Name, dry_run: DryRun = False, home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False
) -> None:
    """同意 Approve a proposal for this city. Approving again changes nothing."""
    _vote("approve", name, dry_run, home, lang, as_json)


def execute(
    name: Name, dry_run: DryRun = False, home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False
) -> None:
    """执行 Execute a proposal that has enough approvals; of a re-key, begin its delay, or end it seven days later."""
    _vote("execute", name, dry_run, home, lang, as_json)


def cancel(
    name: Name, dry_run: DryRun = False, home: Home = DEFAULT_HOME, lang: Lang = Language.ZH, as_json: Json = False
) -> None:
    """撤回 Cancel the replacement of this city's own governor."""
    _vote("cancel", name, dry_run, home, lang, as_json)


def proposals(
    every: Annotated[bool, typer.Option("--all", help="包括已办结的 Those that are over, too.")] = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """提案列表 Proposals that can still be decided, and how many approvals count."""
    from api import governance
    from api.wiring import City

    output = Output(lang, as_json)
    with City(home) as city:
        found = [standing for standing in governance.every(city) if every or standing.open]
    if as_json:
        output.json({"proposals": [_json(standing) for standing in found]})
        return
    output.table(
        ("proposal.number", "proposal.act", "proposal.city", "proposal.approvals", "proposal.state", "proposal.until"),
        [
            (
                s.proposal.number,
                output.words.say(f"decision.{s.proposal.action.kind.name.lower()}"),
                s.proposal.action.city,
                f"{s.tally.counted} / {s.tally.needed}",
                _state(output, s),
                _moment(s.proposal.expires),
            )
            for s in found
        ],
    )


def _vote(act: str, name: str, dry_run: bool, home: Home, lang: Lang, as_json: bool) -> None:
    from api import governance
    from api.wiring import City

    acts = {"approve": governance.approve, "execute": governance.execute, "cancel": governance.cancel}
    output = Output(lang, as_json)
    with City(home) as city:
        standing = governance.find(city, name)
        acts[act](city, standing.proposal, dry_run=dry_run)
        _result(output, standing if dry_run else _again(city, standing), done=not dry_run)
    _sent(output, dry_run)


def _again(city: City, standing: Standing) -> Standing:
    from api import governance

    return governance.find(city, standing.proposal.id.hex())


def _sent(output: Output, dry_run: bool) -> None:
    if not output.as_json:
        output.say("proposal.rehearsed" if dry_run else "proposal.sent")


def _address(text: str) -> str:
    from ledger.evm.contracts.codec import checksummed

    return checksummed(text) if text else ""


def _result(output: Output, standing: Standing, *, done: bool) -> None:
    proposal, tally = standing.proposal, standing.tally
    lines: list[tuple[str, object]] = [
        ("proposal.number", proposal.number),
        ("proposal.id", proposal.id.hex()),
        *_action_lines(output, proposal.action),
        ("proposal.state", _state(output, standing)),
        ("proposal.approved", ", ".join(str(approval.city) for approval in proposal.approvals)),
        ("proposal.approvals", f"{tally.counted} / {tally.needed}"),
        ("proposal.until", _moment(proposal.expires)),
    ]
    if proposal.due:
        lines.append(("proposal.due", _moment(proposal.due)))
    output.result({"done": done, **_json(standing)}, lines)


def _state(output: Output, standing: Standing) -> str:
    expired = standing.expired and not standing.open and standing.proposal.state.name == "OPEN"
    return output.words.say("proposal.expired" if expired else f"proposal.{standing.proposal.state.name.lower()}")


def _action_lines(output: Output, action: Action) -> list[tuple[str, object]]:
    """What is voted on, field by field; empty ones left out."""
    lines: list[tuple[str, object]] = [
        ("proposal.act", output.words.say(f"decision.{action.kind.name.lower()}")),
        ("proposal.city", action.city),
    ]
    more = {name: value for name, value in _action_json(action).items() if name not in ("act", "city")}
    for name, value in more.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        lines.append((f"action.{name}", shown))
    return lines


def _action_json(action: Action) -> dict[str, object]:
    fields: dict[str, object] = {"act": action.kind.name, "city": action.city}
    given: dict[str, object] = {
        "division": action.division or None,
        "account": None if action.account == NOBODY else action.account,
        "types": list(action.types) or None,
        "hot": list(action.hot) or None,
        "endpoint": action.endpoint or None,
        "stream": action.stream or None,
    }
    fields |= {name: value for name, value in given.items() if value is not None}
    return fields | ({"epoch": action.epoch, "size": action.size} if action.kind == Kind.CLOSE_EPOCH else {})


def _json(standing: Standing) -> dict[str, object]:
    proposal, tally = standing.proposal, standing.tally
    return {
        "id": proposal.id.hex(),
        "number": proposal.number,
        **_action_json(proposal.action),
        "state": proposal.state.name,
        "expired": standing.expired,
        "proposer": proposal.proposer,
        "approvals": [{"city": a.city, "governor": a.governor} for a in proposal.approvals],
        "counted": tally.counted,
        "needed": tally.needed,
        "made": proposal.made,
        "expires": proposal.expires,
        "due": proposal.due or None,
    }


def _moment(seconds: int) -> str:
    from certs.certificate import CHINA

    return datetime.fromtimestamp(seconds, CHINA).strftime("%Y-%m-%d %H:%M")
