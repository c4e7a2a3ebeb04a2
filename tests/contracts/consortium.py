"""The consortium that the contract tests deploy: three cities in production, and the codes they use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evm_chain import Chain, code
from web3.contract import Contract

CONSORTIUM = bytes(range(1, 33))
TYPE_A = code("11100000000013338W011")
TYPE_B = code("11100000000013338W032")
AGENCY = code("11330105002500287C")
OTHER_AGENCY = code("11430000006122244L")
HANGZHOU, CHANGSHA, NANJING = 1, 2, 3
MIN_INTERVAL = 10  # seconds


@dataclass(frozen=True, slots=True)
class Consortium:
    """Three cities. City i is governed by governor[i] and has one hot account hot[i]."""

    registry: Contract
    anchor: Contract
    status: Contract
    deployer: str
    stranger: str
    governor: dict[int, str]
    hot: dict[int, str]
    spare: tuple[str, ...]


def founders(accounts: list[str]) -> list[tuple[Any, ...]]:
    return [
        (HANGZHOU, 330100, accounts[1], [accounts[4]], [TYPE_A, TYPE_B], "https://hangzhou.example"),
        (CHANGSHA, 430100, accounts[2], [accounts[5]], [TYPE_A], ""),
        (NANJING, 320100, accounts[3], [accounts[6]], [], ""),
    ]


def deploy_consortium(chain: Chain) -> Consortium:
    accounts = [*chain.w3.eth.accounts]
    registry = chain.deploy("MemberRegistry", CONSORTIUM, founders(accounts), True)
    return Consortium(
        registry=registry,
        anchor=chain.deploy("LogAnchor", registry.address, MIN_INTERVAL),
        status=chain.deploy("StatusRegistry", registry.address),
        deployer=accounts[0],
        stranger=accounts[9],
        governor={HANGZHOU: accounts[1], CHANGSHA: accounts[2], NANJING: accounts[3]},
        hot={HANGZHOU: accounts[4], CHANGSHA: accounts[5], NANJING: accounts[6]},
        spare=(accounts[7], accounts[8]),
    )
