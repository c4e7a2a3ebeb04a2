"""Any node: the whole walk by the command, on engines that somebody else runs, as their containers start them."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path

import pytest
from command_line import FULL, GUARD, Ran, certledger, rpc
from containers import PRICE, Contained, arguments
from evidence import Shown
from prepared_city import LICENCE, MARKET, MARKET_NAME, Home, licences, write

NAMED = ("anvil", "ganache") if FULL else ("ganache",)


@pytest.mark.parametrize("name", NAMED)
def test_a_city_lives_on_a_node_that_somebody_else_runs(name: str, tmp_path: Path, shown: Shown) -> None:
    home = Home(tmp_path / "city", tmp_path / "trust.json")
    with Contained(name, tmp_path / "engine") as engine:
        made = home.run("init", "--rpc-url", engine.url, "--gas-price", PRICE[name], "--json").json
        assert made["chain"] == engine.url
        assert home.run("init", "--rpc-url", engine.url, "--json").json == made  # again: nothing is deployed twice
        home.run("member", "add", "--agency", MARKET, "--name", MARKET_NAME, "--type", LICENCE)
        issued = home.issue(write(tmp_path / "first.csv", licences()[:11]), "--json").json
        assert (issued["issued"], issued["state"]) == (10, "anchored")
        home.run("trust", "export", "--out", home.trust)
        good, ended = home.export(*home.identifiers(2))
        assert verdicts(home, good, ended) == ["VALID", "VALID"]
        home.run("cert", "revoke", home.identifiers(2)[1], "--agency", MARKET)
        assert verdicts(home, good, ended) == ["VALID", "INVALID"]

        height = int(rpc(engine.url, "eth_blockNumber"), 16)
        if name == "anvil":  # it writes its state once a second, and keeps no more than that
            time.sleep(2.5)
        assert engine.kill() == -9
        away = certledger("verify", good, "--trust", home.trust, "--json", expect=None).json["result"]
        assert certledger("verify", good, "--trust", home.trust, "--offline", "--json").json["result"] == "VALID"
        waits = home.issue(write(tmp_path / "second.csv", [licences()[0], *licences()[11:16]]), "--json").json
        assert (waits["issued"], waits["state"]) == (5, "recorded")
        engine.start()
        lost = max(height - int(rpc(engine.url, "eth_blockNumber"), 16), 0)
        home.run("anchor", "submit")
        assert home.anchored_size() == home.size() and verdicts(home, good, ended) == ["VALID", "INVALID"]
        assert home.run("check", "--json").json["checks"]
        version = rpc(engine.url, "web3_clientVersion")
    shown(
        f"any node: a whole walk on {name} as its container starts it",
        f"{version}; 15 issued, anchored, verified, 1 revoked; killed by signal 9: blocks lost {lost}, "
        f"verify online meanwhile {away}, offline VALID, 5 recorded meanwhile and anchored after it came back",
    )


def verdicts(home: Home, *bundles: Path) -> list[str]:
    ran = [certledger("verify", each, "--trust", home.trust, "--json", expect=None) for each in bundles]
    return [str(each.json["result"]) for each in ran]


def test_a_node_that_would_keep_transactions_in_silence_is_named_first(tmp_path: Path, shown: Shown) -> None:
    """Price, chain and money are asked about before anything is signed; said right, the same command goes on."""

    def init(*more: object, expect: int) -> Ran:
        return certledger(
            *("init", "--home", tmp_path / "city", "--rpc-url", engine.url, "--json", *more), expect=expect
        )

    with Contained("ganache", tmp_path / "engine", chainId="1337") as engine:
        price = ("--gas-price", PRICE["ganache"])
        said = [init(expect=3).json["error"]["code"]]
        said.append(init("--chain-id", 1337, expect=3).json["error"]["code"])
        poor = init("--chain-id", 1337, *price, expect=3).json["error"]
        said.append(poor["code"])
        assert said == ["CHAIN_ID", "GAS_PRICE_TOO_LOW", "ACCOUNTS_UNFUNDED"]
        accounts = [each.split()[1] for each in poor["params"]["addresses"].split(", ")]
        assert len(accounts) == 3 and int(rpc(engine.url, "eth_getTransactionCount", accounts[0], "latest"), 16) == 0
        giver, wei = rpc(engine.url, "eth_accounts")[0], int(poor["params"]["wei"])
        for each in accounts:
            paid = {"from": giver, "to": each, "value": hex(wei), "gasPrice": hex(PRICE["ganache"])}
            mined(engine.url, rpc(engine.url, "eth_sendTransaction", paid))
        made = init("--chain-id", 1337, *price, expect=0).json
        assert init("--chain-id", 1337, expect=0).json == made  # money was spent, and nothing more is asked for
        assert init("--rpc-url", "http://127.0.0.1:1", expect=3).json["error"]["code"] == "HOME_EXISTS"
    assert made["log_anchor"]
    shown("any node: what it demands is said before anything is signed", f"{' → '.join(said)} → made")


def mined(url: str, transaction: str) -> None:
    deadline = time.monotonic() + GUARD
    while rpc(url, "eth_getTransactionReceipt", transaction) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("name", ("anvil", "ganache"))
def test_a_container_of_two_engines_serves_one_chain(name: str, tmp_path: Path) -> None:
    """What compose.yaml starts, started: the chain id and block limit that the driver's defaults expect."""
    assert any("31337" in each for each in arguments(name))
    with Contained(name, tmp_path / secrets.token_hex(4)) as engine:
        block = rpc(engine.url, "eth_getBlockByNumber", "latest", False)
        assert (int(rpc(engine.url, "eth_chainId"), 16), int(block["gasLimit"], 16)) == (31337, 30_000_000)
        assert len(json.dumps(rpc(engine.url, "eth_accounts"))) > 40
