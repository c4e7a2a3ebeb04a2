"""`certledger member account …`: the hot accounts of a city on the chain."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from api.cli.member_key import DryRun, perform
from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output

app = typer.Typer(no_args_is_help=True)
Account = Annotated[str, typer.Argument(help="账户地址 Its address.")]


class Role(StrEnum):
    """What an account may do."""

    PUBLISH = "publish"
    STATUS = "status"


@app.command("add")
def add(
    account: Account,
    roles: Annotated[list[Role], typer.Option("--role", help="权限,可重复 What it may do; repeatable.")],
    agency: Annotated[str, typer.Option("--agency", help="仅代表该机构 Acts for this agency alone.")] = "",
    dry_run: DryRun = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """增加账户 An account that may publish or set statuses for this city, from now on."""
    from ledger.evm.contracts import member_registry
    from ledger.evm.contracts.codec import checksummed

    bits = {Role.PUBLISH: member_registry.ROLE_PUBLISH, Role.STATUS: member_registry.ROLE_STATUS}
    address, given = checksummed(account), sum(bits[role] for role in set(roles))
    data = member_registry.add_account(address, agency, given)
    perform(Output(lang, as_json), home, "add-account", address, data, dry_run)


@app.command("remove")
def remove(
    account: Account,
    dry_run: DryRun = False,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """停用账户 End an account from now on."""
    from ledger.evm.contracts import member_registry
    from ledger.evm.contracts.codec import checksummed

    address = checksummed(account)
    perform(Output(lang, as_json), home, "end-account", address, member_registry.end_account(address), dry_run)
