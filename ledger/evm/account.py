"""An account on the chain: signs transactions (EIP-155, legacy type, so that every engine takes them)."""

from __future__ import annotations

from ledger.ports import Call, Signed


class Account:
    """Fills `ledger.ports.Sender` with a key from the keystore."""

    def __init__(self, secret: bytes) -> None:
        from eth_account import Account as EthAccount  # half a second: only for those who sign transactions

        self._account = EthAccount.from_key(secret)
        self.address: str = self._account.address

    def sign(self, call: Call, *, nonce: int, gas: int, gas_price: int, chain_id: int) -> Signed:
        fields: dict[str, object] = {
            "nonce": nonce,
            "gas": gas,
            "gasPrice": gas_price,
            "chainId": chain_id,
            "value": call.value,
            "data": call.data,
        }
        if call.to is not None:
            fields["to"] = call.to
        signed = self._account.sign_transaction(fields)
        return Signed(self.address, nonce, bytes(signed.hash), bytes(signed.raw_transaction))
