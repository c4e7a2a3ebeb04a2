"""Deploying the contracts: three transactions through the outbox, so that a crash never makes a second ledger.

Addresses follow from sender and nonce. The deployer has no role afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address
from rlp import encode as rlp_encode

from ledger.errors import ChainMismatch
from ledger.evm.client import EvmWire
from ledger.evm.contracts import log_anchor, member_registry, status_registry
from ledger.evm.contracts.member_registry import Founder
from ledger.ports import Call
from ledger.store.outbox import StoredTransaction
from ledger.transactor import Transactor
from ledger.trust import Contract, Deployment

SETTLE_SECONDS = 60.0
GAS = 9_000_000
"""Gas limit of each deployment; tests/contracts/gas.json says what each takes. An estimate would need the registry."""


def deploy(
    transactor: Transactor,
    wire: EvmWire,
    *,
    consortium: bytes,
    founders: Sequence[Founder],
    production: bool,
    min_interval: int,
) -> Deployment:
    """Deploy, or finish deploying; safe to call again after a crash. `min_interval` in seconds."""
    registry = transactor.once(
        "deploy/MemberRegistry",
        lambda: Call(None, member_registry.creation(consortium, founders, production=production), GAS),
    )
    # Crash deploy/registry: the outbox has the first contract under its label, so it is not made twice.
    at = created_address(registry)
    # The others read the registry in their constructors; nonces keep the order, so one block can hold all three.
    anchor = transactor.once("deploy/LogAnchor", lambda: Call(None, log_anchor.creation(at, min_interval), GAS))
    status = transactor.once("deploy/StatusRegistry", lambda: Call(None, status_registry.creation(at), GAS))
    # Crash deploy/sent: the same three transactions are found under their labels.
    transactor.settle_all(SETTLE_SECONDS)
    # Crash deploy/settled: addresses follow from sender and nonce, so nothing about them can be lost.
    return Deployment(
        consortium=consortium,
        chain_id=wire.chain_id,
        member_registry=_contract(wire, registry),
        log_anchor=_contract(wire, anchor),
        status_registry=_contract(wire, status),
    )


def created_address(transaction: StoredTransaction) -> str:
    """Address of the contract a transaction creates: keccak256(rlp([sender, nonce])), last 20 bytes."""
    sender = bytes.fromhex(transaction.sender.removeprefix("0x"))
    return str(to_checksum_address(keccak(rlp_encode([sender, transaction.nonce]))[12:]))


def _contract(wire: EvmWire, transaction: StoredTransaction) -> Contract:
    address = created_address(transaction)
    code = wire.code(address)
    if not code:
        raise ChainMismatch("DEPLOY_FAILED", "the chain did not accept a contract", transaction=transaction.label)
    return Contract(address, bytes(keccak(code)))
