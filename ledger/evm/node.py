"""What a node demands of whoever deploys on it: asked once, before the first transaction is signed.

A node may take a transaction that it will never mine and say nothing: one whose price is below the base fee, or whose
sender has no money. So both are looked at beforehand. What a node says of itself is shown and believed no further.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.errors import ChainMismatch, ChainUnavailable, LedgerError
from ledger.evm.anvil import CHAIN_ID, FUNDING_ADDRESS, FUNDING_KEY
from ledger.evm.rpc import Rpc, RpcError

__all__ = ["CHAIN_ID", "FUNDING_ADDRESS", "FUNDING_KEY", "Node", "balances", "demand", "look"]


@dataclass(frozen=True, slots=True)
class Node:
    """A node at its newest block."""

    engine: str
    """`web3_clientVersion`, e.g. Ganache/v7.9.2/…"""
    chain_id: int
    height: int
    base_fee: int
    """Wei per gas below which nothing is mined (EIP-1559); 0 where there is none."""
    gas_limit: int
    """Of a block."""


def look(rpc: Rpc) -> Node:
    """Raises `ChainUnavailable`."""
    try:
        engine, chain, block = rpc.batch(
            [("web3_clientVersion",), ("eth_chainId",), ("eth_getBlockByNumber", "latest", False)]
        )
    except RpcError as error:
        raise ChainUnavailable("CHAIN_REFUSED", str(error), method=error.method, reason=error.text) from None
    if not isinstance(block, dict):
        raise ChainUnavailable("CHAIN_MALFORMED", "the node has no newest block")
    return Node(
        engine=str(engine)[:100],
        chain_id=_number(chain),
        height=_number(block.get("number")),
        base_fee=_number(block.get("baseFeePerGas", "0x0")),
        gas_limit=_number(block.get("gasLimit")),
    )


def demand(node: Node, *, chain_id: int, gas_price: int, gas: int) -> None:
    """Refuse a node on which a transaction of this price and gas limit would wait for ever.

    Raises `ChainMismatch` CHAIN_ID (found); `LedgerError` GAS_PRICE_TOO_LOW (price, base_fee), BLOCK_TOO_SMALL (limit,
    gas).
    """
    if node.chain_id != chain_id:
        raise ChainMismatch("CHAIN_ID", "the node serves another chain", found=node.chain_id)
    if gas_price < node.base_fee:
        raise LedgerError("GAS_PRICE_TOO_LOW", "below the base fee", price=gas_price, base_fee=node.base_fee)
    if node.gas_limit < gas:
        raise LedgerError("BLOCK_TOO_SMALL", "a transaction does not fit a block", limit=node.gas_limit, gas=gas)


def balances(rpc: Rpc, addresses: list[str]) -> list[int]:
    """Wei, at the newest block."""
    try:
        return [_number(each) for each in rpc.batch([("eth_getBalance", each, "latest") for each in addresses])]
    except RpcError as error:
        raise ChainUnavailable("CHAIN_REFUSED", str(error), method=error.method, reason=error.text) from None


def _number(value: Any) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise ChainUnavailable("CHAIN_MALFORMED", "the node did not answer with a quantity") from None
