"""`certledger cert suspend`, `reinstate`, `revoke` and `cancel`: what an agency does to a certificate later."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.anchor import at_once
from api.cli.options import DEFAULT_HOME, Agency, Home, Identifier, Json, Lang, Language
from api.cli.output import Output
from api.errors import ApiError

if TYPE_CHECKING:
    from ledger.status import Reason

ReasonName = Annotated[str, typer.Option("--reason", help="原因 Reason; see docs/cli.md.")]


def suspend(
    identifier: Identifier,
    agency: Agency,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """暂扣 Suspend a certificate."""
    _change(Output(lang, as_json), home, identifier, agency, "suspend", "SUSPENDED")


def reinstate(
    identifier: Identifier,
    agency: Agency,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """暂扣发还 Give a suspended certificate back."""
    _change(Output(lang, as_json), home, identifier, agency, "reinstate", "REINSTATED")


def revoke(
    identifier: Identifier,
    agency: Agency,
    reason: ReasonName = "PENALTY",
    since: Annotated[
        str, typer.Option("--since", help="仅限撤销:自何日起无效 For ANNULLED: void from this day, YYYY-MM-DD.")
    ] = "",
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """吊销、撤销 Revoke a certificate, for good. --reason PENALTY 吊销, ANNULLED 撤销, OTHER."""
    _change(Output(lang, as_json), home, identifier, agency, "revoke", reason, since)


def cancel(
    identifier: Identifier,
    agency: Agency,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """注销 Cancel a certificate, for good."""
    _change(Output(lang, as_json), home, identifier, agency, "cancel", "CANCELLED")


def _change(
    output: Output, home: Path, identifier: str, agency: str, change: str, reason: str, since: str = ""
) -> None:
    from api.wiring import City
    from certs.changing import ChangeStatus
    from certs.lifecycle import Change

    with City(home) as city:
        act = ChangeStatus(identifier, agency, Change(change), _reason(reason), first_second(since))
        appended = city.sequencer.append(city.log, act)
        anchored = at_once(output, city)
    value = {
        "identifier": identifier,
        "change": change,
        "reason": reason,
        "log_index": appended.first_index,
        "state": "anchored" if anchored else "recorded",
    }
    output.result(
        value,
        [
            ("cert.identifier", identifier),
            ("cert.change", output.words.status_reason(reason)),
            ("cert.log_index", appended.first_index),
            ("issue.state", output.words.say("issue.anchored" if anchored else "issue.recorded")),
        ],
    )


def _reason(name: str) -> Reason:
    from ledger.status import Reason

    try:
        return Reason[name.upper()]
    except KeyError:
        problem = f"--reason {name}: {', '.join(reason.name for reason in Reason)}"
        raise ApiError("USAGE", problem, problem=problem) from None


def first_second(day: str) -> int:
    """First second of a day in China; 0 if none is given."""
    from certs.certificate import CHINA

    if not day:
        return 0
    try:
        return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=CHINA).timestamp())
    except ValueError:
        raise ApiError("DATE_FORM", f"not a day: {day}", value=day) from None
