"""Making a city on a node that somebody else runs: is it the chain meant, and can the city's accounts pay on it?

On a free-gas chain nothing is paid. Elsewhere whoever runs the chain sends money to three addresses first. A
development chain has an account that everybody knows (`ledger.evm.anvil`): there the city helps itself.
"""

from __future__ import annotations

from api import wiring
from api.errors import ApiError
from api.wiring import City
from ledger.evm import node
from ledger.evm.account import Account
from ledger.evm.deploy import GAS, SETTLE_SECONDS
from ledger.evm.node import Node
from ledger.ports import Call
from ledger.transactor import Transactor

NEEDED_GAS = 40_000_000
"""Each account must be able to pay for so much: three deployments are 27,000,000 at their limits."""
GRANTED_GAS = 20_000_000_000
"""What the development chain's account gives: some 200,000 anchors."""
TRANSFER_GAS = 21_000
_PAYERS = (wiring.DEPLOYER, wiring.GOVERNOR, wiring.PUBLISHER)


def reach(city: City) -> Node:
    """The node, if it will do. Raises what `ledger.evm.node.demand` raises; nothing is signed then."""
    settings, found = city.settings, node.look(city.rpc)
    node.demand(found, chain_id=settings.chain_id, gas_price=settings.gas_price, gas=GAS)
    return found


def fund(city: City) -> None:
    """Return when the accounts can pay. Raises `ApiError` ACCOUNTS_UNFUNDED (addresses, wei); nothing is deployed
    then, and the same call may be repeated.
    """
    settings, poor = city.settings, _poor(city)
    if poor and not settings.production and settings.chain_id == node.CHAIN_ID:
        _give(city, poor)
        poor = _poor(city)
    if poor:
        wei = NEEDED_GAS * settings.gas_price
        addresses = ", ".join(f"{name} {address}" for name, address in poor.items())
        raise ApiError("ACCOUNTS_UNFUNDED", "accounts cannot pay for gas", addresses=addresses, wei=wei)


def _poor(city: City) -> dict[str, str]:
    """Address by name of each account that has less than it needs."""
    accounts = {name: Account(city.keystore.account_secret(name)).address for name in _PAYERS}
    held = node.balances(city.rpc, list(accounts.values()))
    need = NEEDED_GAS * city.settings.gas_price
    return {name: address for (name, address), wei in zip(accounts.items(), held, strict=True) if wei < need}


def _give(city: City, poor: dict[str, str]) -> None:
    """From the development chain's account, if it is there and has enough; through the outbox like everything."""
    wei = GRANTED_GAS * city.settings.gas_price
    if node.balances(city.rpc, [node.FUNDING_ADDRESS])[0] < 2 * len(poor) * wei:
        return
    giver = Transactor(city.database, city.wire, Account(bytes.fromhex(node.FUNDING_KEY.removeprefix("0x"))))
    for name, address in poor.items():
        giver.once(f"fund/{name}", lambda to=address: Call(to, b"", TRANSFER_GAS, wei), finished=False)  # type: ignore[misc]
    giver.settle_all(SETTLE_SECONDS)
