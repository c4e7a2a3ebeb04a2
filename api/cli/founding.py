"""`certledger prepare` and `join`: a ledger of several cities is founded together, or joined later."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import DEFAULT_HOME, Home, Json, Lang, Language
from api.cli.output import Output
from api.private_file import write

if TYPE_CHECKING:
    from api.card import Card
    from ledger.trust import Deployment

City = Annotated[int, typer.Option("--city", min=1, help="城市编号 Id of the city on chain.")]
Division = Annotated[int, typer.Option("--division", min=100000, max=999999, help="行政区划代码 GB/T 2260.")]
Name = Annotated[str, typer.Option("--name", help="城市名称 Name of the city.")]


def prepare(
    city: City,
    division: Division,
    name: Name,
    consortium: Annotated[
        str, typer.Option("--consortium", help="联盟标识 Id of the consortium, from another founder's card.")
    ] = "",
    out: Annotated[Path | None, typer.Option("--out", help="名片文件 File for the city's card.")] = None,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """准备城市 Make a home with keys and no ledger yet, and the card by which others found with it or admit it."""
    from api import initialise
    from api.card import card_of
    from ledger import canonical

    output = Output(lang, as_json)
    with initialise.prepare(home, city=city, division=division, name=name, consortium=consortium) as made:
        card = card_of(made)
    if out is not None:
        write(out, canonical.dumps(card.to_json()))
    _tell(output, card)


def join(
    deployment: Annotated[Path, typer.Argument(help="部署文件 The ledger's deployment.json, from a member.")],
    rpc_url: Annotated[str, typer.Option("--rpc-url", help="链节点地址 Address of a node of the chain.")],
    city: City,
    division: Division,
    name: Name,
    home: Home = DEFAULT_HOME,
    lang: Lang = Language.ZH,
    as_json: Json = False,
) -> None:
    """加入联盟 Join a ledger that is deployed; exit 1 until the cities have admitted this one: run it again then."""
    from api import initialise
    from api.card import card_of

    output = Output(lang, as_json)
    with initialise.join(
        home, _deployment(deployment), city=city, division=division, name=name, rpc_url=rpc_url
    ) as made:
        card = card_of(made)
    _tell(output, card)


def read_card(path: Path) -> Card:
    """Raises `ApiError` FILE_UNREADABLE; `VerificationError` CARD_FORM."""
    from api import input_file
    from api.card import MAX_BYTES, decode

    return decode(input_file.read(path, MAX_BYTES))


def _deployment(path: Path) -> Deployment:
    from api import input_file
    from ledger import trust

    return trust.deployment_from(input_file.read_json(path, trust.MAX_BYTES))


def _tell(output: Output, card: Card) -> None:
    value = card.to_json()
    shown = {**value, "hot": "、".join(card.hot)}
    output.result(value, [(f"card.{key}", each) for key, each in shown.items()])
