"""ABI of one contract: calls to bytes, bytes to values. An answer that does not decode is `ChainUnavailable`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from eth_abi.exceptions import DecodingError
from eth_utils.abi import (
    event_abi_to_log_topic,
    function_abi_to_4byte_selector,
    get_abi_input_types,
    get_abi_output_types,
)
from eth_utils.address import to_checksum_address

from ledger.errors import ChainUnavailable, LedgerError

OPEN_ENDED = 2**64 - 1


class Codec:
    """Calls and events of a compiled contract."""

    def __init__(self, name: str) -> None:
        from web3 import Web3  # most of a second: only for those who speak to the chain

        artifact = json.loads((resources.files("ledger.evm") / "artifacts" / f"{name}.json").read_text())
        self.name = name
        self.bytecode = bytes.fromhex(artifact["bytecode"].removeprefix("0x"))
        self._web3 = Web3()
        self._contract = self._web3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
        self._outputs = {e["name"]: get_abi_output_types(e) for e in artifact["abi"] if e["type"] == "function"}
        self._inputs = {e["name"]: get_abi_input_types(e) for e in artifact["abi"] if e["type"] == "function"}
        self._errors = {function_abi_to_4byte_selector(e): e for e in artifact["abi"] if e["type"] == "error"}
        self._events = {event_abi_to_log_topic(e): e for e in artifact["abi"] if e["type"] == "event"}

    def encode(self, function: str, *args: object) -> bytes:
        return bytes.fromhex(self._contract.encode_abi(function, args=list(args)).removeprefix("0x"))

    def creation(self, *args: object) -> bytes:
        """Init code with encoded constructor arguments."""
        data: str = self._contract.constructor(*args).data_in_transaction
        return bytes.fromhex(data.removeprefix("0x"))

    def decode(self, function: str, answer: bytes) -> Any:
        """The return value; a tuple if there are several."""
        try:
            values = self._web3.codec.decode(self._outputs[function], answer)
        except (DecodingError, OverflowError, UnicodeDecodeError):
            raise ChainUnavailable("CHAIN_MALFORMED", "a contract's answer does not decode", call=function) from None
        return values[0] if len(values) == 1 else values

    def topic(self, event: str) -> bytes:
        """First topic of an event's log entries."""
        return next(topic for topic, abi in self._events.items() if abi["name"] == event)

    def input_types(self, function: str) -> list[str]:
        """ABI types of a function's arguments; a struct as a tuple's."""
        return list(self._inputs[function])

    def values(self, types: Sequence[str], values: Sequence[object]) -> bytes:
        """abi.encode(…)."""
        return bytes(self._web3.codec.encode(types, values))

    def error(self, revert: bytes) -> tuple[str, dict[str, Any]] | None:
        """(name, values) of a custom error in a call's revert bytes, or None if it is none of this contract's."""
        abi = self._errors.get(revert[:4])
        if abi is None:
            return None
        try:
            values = self._decode(abi["inputs"], revert[4:])
        except DecodingError:
            raise ChainUnavailable("CHAIN_MALFORMED", "an error does not decode", call=abi["name"]) from None
        return abi["name"], dict(zip((i["name"] for i in abi["inputs"]), values, strict=True))

    def event(self, topics: list[bytes], data: bytes) -> tuple[str, dict[str, Any]] | None:
        """(name, values) of a log entry, or None if this contract has no such event."""
        abi = self._events.get(topics[0]) if topics else None
        if abi is None:
            return None
        indexed = [i for i in abi["inputs"] if i["indexed"]]
        plain = [i for i in abi["inputs"] if not i["indexed"]]
        try:
            values = dict(zip((i["name"] for i in plain), self._decode(plain, data), strict=True))
            for argument, topic in zip(indexed, topics[1:], strict=True):
                values[argument["name"]] = self._decode([argument], topic)[0]
        except (DecodingError, ValueError):
            raise ChainUnavailable("CHAIN_MALFORMED", "an event does not decode", call=abi["name"]) from None
        return abi["name"], values

    def _decode(self, arguments: list[Any], data: bytes) -> tuple[Any, ...]:
        return self._web3.codec.decode([a["type"] for a in arguments], data)


@cache
def codec(name: str) -> Codec:
    """The codec of a contract by name; built once, thread-safe to use."""
    return Codec(name)


def checksummed(address: str) -> str:
    """EIP-55. Raises `LedgerError` ADDRESS_FORM for what is no address, or one with a wrong checksum."""
    plain = address.lower()
    if not re.fullmatch("0x[0-9a-f]{40}", plain):
        raise LedgerError("ADDRESS_FORM", "not an address of the chain", address=address)
    proper = str(to_checksum_address(plain))
    if address not in (plain, proper):
        raise LedgerError("ADDRESS_FORM", "the address's letters do not fit its checksum", address=address)
    return proper
