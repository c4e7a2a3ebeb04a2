"""No personal value of the demonstration's rows is on its chain, in any form a reader could look for.

Apart from the demonstration's own search: rows by the csv module, the chain by raw JSON-RPC. And the search finds:
values planted in a copy of the chain.
"""

from __future__ import annotations

import shutil
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import prepared_city as homes
import pytest
from command_line import certledger, height, rpc, transactions
from demo_lines import Played
from evidence import Shown
from raw_chain import RawChain

from ledger.evm.account import Account

SHORTEST = 6
"""Bytes of a form that do not occur by chance: two Chinese characters in UTF-8."""
PERSONAL = (
    *("证照编号", "持证主体", "持证主体代码", "统一社会信用代码", "名称", "法定代表人或负责人", "住所或经营场所"),
    *("姓名", "公民身份号码", "住址"),
)


def values() -> set[str]:
    """Every personal cell of the two files that the demonstration issues."""
    found = set()
    for file in (homes.SAMPLE, homes.IDENTITIES):
        header, *rows = homes.table(file)
        columns = [at for at, name in enumerate(header) if name in PERSONAL]
        found |= {row[at] for row in rows for at in columns if row[at]}
    return found


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """How a value may stand in bytes: text in four encodings, hexadecimal text, base64 at each of three offsets."""
    utf8 = value.encode()
    yield "UTF-8", utf8
    yield "GBK", value.encode("gbk")
    yield "UTF-16", value.encode("utf-16-be")
    yield "UTF-16, little end first", value.encode("utf-16-le")
    yield "hexadecimal", utf8.hex().encode()
    yield "hexadecimal, capitals", utf8.hex().upper().encode()
    for offset in range(3):
        # The first and last characters depend on the neighbours: only those in between are the value's own.
        shifted = b"\0" * offset + utf8
        start, end = (0, 2, 3)[offset], len(shifted) // 3 * 4
        yield f"base64 at {offset}", b64encode(shifted)[start:end]
        yield f"base64url at {offset}", urlsafe_b64encode(shifted)[start:end]


class Searched:
    """Everything on a chain, ready to be searched for many values."""

    def __init__(self, url: str) -> None:
        self.transactions = transactions(url)
        self.events: list[dict[str, Any]] = rpc(url, "eth_getLogs", {"fromBlock": "0x0", "toBlock": hex(height(url))})
        calldata = [bytes.fromhex(each["input"][2:]) for each in self.transactions]
        logged = [bytes.fromhex("".join(part[2:] for part in (*e["topics"], e["data"]))) for e in self.events]
        self.bytes = b"\n".join((*calldata, *logged))
        # One pass finds every place where a form could begin; almost none is left to look for in full.
        self._beginnings = {self.bytes[i : i + SHORTEST] for i in range(len(self.bytes))}

    def holds(self, form: bytes) -> bool:
        return len(form) >= SHORTEST and form[:SHORTEST] in self._beginnings and form in self.bytes

    def found(self, wanted: set[str]) -> list[tuple[str, str]]:
        """(form, value) of everything that is there."""
        return sorted({(name, value) for value in wanted for name, form in forms(value) if self.holds(form)})


@pytest.fixture(scope="module")
def wanted() -> set[str]:
    return values()


def test_no_personal_value_is_on_the_chain_of_the_demonstration(played: Played, wanted: set[str], shown: Shown) -> None:
    url = certledger("devnet", "up", "--home", played.home, "--json").json["url"]
    try:
        searched = Searched(url)
    finally:
        certledger("devnet", "down", "--home", played.home)
    looked_for = sum(len(form) >= SHORTEST for value in wanted for _, form in forms(value))
    found = searched.found(wanted)
    shown(
        "personal values in calldata and events",
        f"{len(wanted):,} values in {looked_for:,} forms, {len(searched.transactions)} transactions, "
        f"{len(searched.events)} events, {len(searched.bytes):,} bytes: {len(found)} found",
    )
    assert found == []
    assert len(wanted) > 30_000 and len(searched.transactions) >= 10 and len(searched.events) >= 20
    # What should be there is seen: the head's transaction names the stream.
    assert b"certificate" in searched.bytes


def test_the_search_finds_what_is_planted(played: Played, wanted: set[str], tmp_path: Path, shown: Shown) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(played.home, copy)
    name = next(row[1] for row in homes.licences()[200:])
    legal = next(row[11] for row in homes.licences()[300:] if len(row[11]) == 3)
    code = homes.table(homes.IDENTITIES)[5][2]
    plants = {
        ("UTF-8", name): name.encode(),
        ("UTF-8", legal): b"\0\0" + legal.encode() + b"\0",
        ("GBK", name): name.encode("gbk"),
        ("hexadecimal", code): code.encode().hex().encode(),
        ("base64 at 0", name): b64encode(name.encode()),
        ("base64 at 2", code): b64encode(b"xx" + code.encode() + b"yyy"),
    }
    url = certledger("devnet", "up", "--home", copy, "--json").json["url"]
    try:
        chain, sender = RawChain(url), Account(sha256(b"who plants").digest())
        for planted in plants.values():
            chain.send(sender, planted, "0x" + "11" * 20)
        found = Searched(url).found(wanted)
    finally:
        certledger("devnet", "down", "--home", copy)
    assert set(plants) <= set(found)
    # Nothing but what was planted; a name may hold another, and base64 has two alphabets.
    assert all(any(value in planted for planted in (name, legal, code)) for _, value in found)
    shown("the search finds what is planted in a copy", f"{len(plants)} of {len(plants)} planted")
