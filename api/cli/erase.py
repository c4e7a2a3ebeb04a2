"""`certledger erase`: destroy the content of certificates for good, by two persons, recorded and anchored first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import exits
from api.cli.anchor import at_once
from api.cli.options import DEFAULT_HOME, MOST_INPUT, Home, Json, Lang, Language
from api.cli.output import Output
from api.errors import ApiError

if TYPE_CHECKING:
    from api.wiring import City
    from certs.erasure import Order
    from certs.store import Certificate

SHOWN = 20
"""Certificates listed in a terminal; `--json` has all."""


def erase(
    basis: Annotated[str, typer.Option("--basis", help="依据,不写姓名 By which law or request; names nobody.")],
    operator: Annotated[
        list[str], typer.Option("--operator", help="经办人代号,两人 Pseudonym; given twice, two persons.")
    ],
    identifier: Annotated[str | None, typer.Argument(help="电子证照标识 Certificate identifier.")] = None,
    holder: Annotated[
        bool, typer.Option("--holder", help="从标准输入读持有人类型和号码 Everything of one holder, read from stdin.")
    ] = False,
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="张数,照显示的数填写才执行 With --holder: as shown; erases.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只显示,不执行 Show what would be erased.")] = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """清除证照内容 Destroy the content of certificates for good. Every proof stays. Safe to run again."""
    from api.wiring import City

    output = Output(lang, as_json)
    if holder == (identifier is not None):
        raise ApiError("USAGE", "IDENTIFIER or --holder", problem="IDENTIFIER | --holder")
    order = _order(basis, operator)
    with City(home) as city:
        city.unlock()
        found = _of_holder(city) if holder else [_one(city, identifier or "")]
        due = [each for each in found if not each.erased]
        if dry_run or (holder and count is None):
            _tell(output, found, "shown")
            return
        if holder and count != len(due):
            raise ApiError("ERASURE_COUNT", "another number was shown", given=count, found=len(due))
        state = _carry_out(output, city, [each.identifier for each in found], order)
    _tell(output, found, state)
    raise typer.Exit(exits.DONE if state == "erased" else exits.UNDETERMINED)


def _order(basis: str, operators: list[str]) -> Order:
    from certs.erasure import Order
    from certs.errors import ErasureError

    if len(operators) != 2:
        raise ErasureError("ERASURE_OPERATORS", "an erasure needs two persons")
    return Order(basis, (operators[0], operators[1]))


def _one(city: City, identifier: str) -> Certificate:
    from certs import store
    from certs.errors import LifecycleError

    with city.database.reading() as connection:
        row = store.by_identifier(connection, identifier)
    if row is None:
        raise LifecycleError("CERTIFICATE_UNKNOWN", "no such certificate here", identifier=identifier)
    return row


def _of_holder(city: City) -> list[Certificate]:
    from api.holder import holder_from
    from certs import store

    reference = city.keyring.ref(holder_from(sys.stdin.read(MOST_INPUT)))
    with city.database.reading() as connection:
        return store.of_subject(connection, reference)


def _carry_out(output: Output, city: City, identifiers: list[str], order: Order) -> str:
    """`erased`; `recorded` if the chain is away: then `up`, or the same command again, finishes it."""
    from certs.erasing import RecordErasure

    if identifiers:
        city.sequencer.append(city.log, RecordErasure(identifiers, order))
        # Crash erase/recorded: the statement stands; the next start, or the same again, goes on.
    anchored = at_once(output, city)
    # Crash erase/anchored: the statement is final and the content opens still; finished in the same two ways.
    city.erasing.apply()
    return "erased" if anchored else "recorded"


def _tell(output: Output, found: list[Certificate], state: str) -> None:
    value = {"certificates": [each.identifier for each in found], "number": len(found), "state": state}
    lines: list[tuple[str, object]] = [("erase.number", len(found))]
    lines += [("cert.identifier", each.identifier) for each in found[:SHOWN]]
    output.result(value, [*lines, ("issue.state", output.words.say(f"erase.{state}"))])
