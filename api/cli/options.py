"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


MOST_INPUT = 1024
"""Characters read from standard input for a holder's type and code."""
DEFAULT_HOME = Path("certledger-city")

Home = Annotated[Path, typer.Option("--home", envvar="CERTLEDGER_HOME", help="城市的数据文件夹 The city's folder.")]
Lang = Annotated[Language, typer.Option("--lang", envvar="CERTLEDGER_LANG", help="语言 Language of the words.")]
Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出结果 Print the result as JSON.")]
Trust = Annotated[
    Path | None, typer.Option("--trust", envvar="CERTLEDGER_TRUST", help="信任文件 The verifier's trust file.")
]
Agency = Annotated[str, typer.Option("--agency", help="机构统一社会信用代码 USCC of the agency that acts.")]
Type = Annotated[str, typer.Option("--type", help="证照类型 Certificate type, id or code.")]
Identifier = Annotated[str, typer.Argument(help="电子证照标识 Certificate identifier.")]
