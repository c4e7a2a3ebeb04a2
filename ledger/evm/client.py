"""One node of the chain behind plain `eth_*` JSON-RPC: fills `ledger.ports.Chain`.

Reads `latest` and hex quantities only (a QBFT chain has no `finalized`, and `eth_accounts` does not exist outside
development). All reads of one decision are one batch at one block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from ledger.errors import ChainMismatch, ChainUnavailable, VerificationError
from ledger.evm.contracts import log_anchor, member_registry, status_registry
from ledger.evm.contracts.codec import codec
from ledger.evm.rpc import Call as RpcCall
from ledger.evm.rpc import Rpc, RpcError
from ledger.facts import EpochClosing, Facts, PublishedHead, Question
from ledger.ports import Call, HeadItem, Receipt, StatusChange, StatusEvent
from ledger.trust import CONTRACTS, Contract, Deployment

MAX_ITEMS = 64
MAX_CHANGES = 200
TRANSACTION_GAS, HEAD_GAS, HASH_GAS, CHANGE_GAS = 80_000, 100_000, 2_000, 140_000
"""Upper bounds for a transaction, a head, a hash of its proof, a status change; a test compares them with gas.json."""
HISTORY_WINDOW = 5_000
"""Blocks in one question for events: what nodes commonly allow."""
LOG_WINDOW = 500
"""Blocks asked for at once: far below what nodes refuse, small enough for one answer."""
_GAS_MARGIN = 1.2
_KNOWN_ALREADY = ("already ", "known transaction", "nonce too low", "correct nonce")


class EvmWire:
    """Carries transactions: fills `ledger.ports.Wire`.

    `final` maps the newest block's number to the newest final one: the engine's finality rule.
    """

    def __init__(self, rpc: Rpc, *, chain_id: int, final: Callable[[int], int], gas_price: int = 0) -> None:
        self._rpc = rpc
        self._final = final
        self.chain_id = chain_id
        self.gas_price = gas_price

    def newest(self) -> int:
        return _number(self._read(("eth_blockNumber",))[0])

    def final_height(self) -> int:
        return self._final(self.newest())

    def next_nonce(self, address: str, block: int | None = None) -> int:
        at = "latest" if block is None else hex(block)
        return _number(self._read(("eth_getTransactionCount", address, at))[0])

    def gas_for(self, sender: str, call: Call) -> int:
        # A margin: proofs do not grow between estimate and block, but other senders change what storage costs.
        fields = {"from": sender} | ({"to": call.to} if call.to else {}) | _input(call)
        return int(_number(self._rpc.call("eth_estimateGas", fields)) * _GAS_MARGIN)

    def send(self, raw: bytes) -> None:
        # Asked first: ganache takes a transaction of nonce 0 any number of times and mines each under the next nonce.
        if self._read(("eth_getTransactionByHash", _hex(keccak(raw))))[0] is not None:
            return
        try:
            self._rpc.call("eth_sendRawTransaction", _hex(raw))
        except RpcError as error:
            if not any(words in error.text.lower() for words in _KNOWN_ALREADY):
                raise

    def receipt(self, transaction: bytes) -> Receipt | None:
        answer: Any = self._read(("eth_getTransactionReceipt", _hex(transaction)))[0]
        if answer is None:
            return None
        if not isinstance(answer, dict) or _bytes(answer.get("transactionHash")) != transaction:
            raise ChainUnavailable("CHAIN_MALFORMED", "the node answered with another transaction's receipt")
        return _receipt(answer)

    def rehearse(self, sender: str, call: Call) -> bytes | None:
        """What this call would revert with now; None if it would go through. Nothing is sent."""
        try:
            self._rpc.call("eth_call", {"from": sender} | ({"to": call.to} if call.to else {}) | _input(call), "latest")
        except RpcError as error:
            if not isinstance(error.payload, str):
                raise
            return _bytes(error.payload)
        return None

    def code(self, address: str) -> bytes:
        """Runtime code at an address; empty if there is none."""
        return _bytes(self._read(("eth_getCode", address, "latest"))[0])

    def _read(self, *calls: RpcCall) -> list[Any]:
        """Answers of one batch. A node that refuses to answer a read (too many requests, still syncing) is away."""
        try:
            return [self._rpc.call(*calls[0])] if len(calls) == 1 else list(self._rpc.batch(calls))
        except RpcError as error:
            raise ChainUnavailable("CHAIN_REFUSED", str(error), method=error.method, reason=error.text) from None


class EvmChain(EvmWire):
    """A node with this deployment's contracts on it."""

    def __init__(self, rpc: Rpc, deployment: Deployment, *, final: Callable[[int], int], gas_price: int = 0) -> None:
        super().__init__(rpc, chain_id=deployment.chain_id, final=final, gas_price=gas_price)
        self.deployment = deployment

    def confirm(self) -> None:
        expected = self.deployment
        contracts: list[Contract] = [getattr(expected, name) for name in CONTRACTS]
        consortium = _call(expected.member_registry.address, codec(member_registry.NAME).encode("consortiumId"))
        chain, named, *codes = self._read(
            ("eth_chainId",),
            ("eth_call", consortium, "latest"),
            *(("eth_getCode", contract.address, "latest") for contract in contracts),
        )
        if _number(chain) != expected.chain_id:
            raise ChainMismatch("CHAIN_ID", "the node serves another chain", found=_number(chain))
        if _bytes(named) != expected.consortium:
            raise ChainMismatch("CHAIN_CONSORTIUM", "the node does not hold this consortium's contracts")
        for contract, code in zip(contracts, codes, strict=True):
            if keccak(_bytes(code)) != contract.code_hash:
                raise ChainMismatch("CHAIN_CODE", "another program at a contract's address", address=contract.address)

    def heads(self, logs: Sequence[bytes]) -> list[PublishedHead | None]:
        to = self.deployment.log_anchor.address
        answers = self._calls([(to, log_anchor.head_call(log)) for log in logs], "latest")
        return [log_anchor.head(log, answer) for log, answer in zip(logs, answers, strict=True)]

    def history(self, log: bytes) -> list[PublishedHead]:
        topics = [_hex(codec(log_anchor.NAME).topic("HeadPublished")), _hex(log)]
        found: list[PublishedHead] = []
        for entry in self._event_entries(self.deployment.log_anchor.address, topics):
            found += [
                h for h in [log_anchor.published(*e, _number(entry["blockNumber"])) for e in _events([entry])] if h
            ]
        return found

    def status_events(self, since: int) -> tuple[int, list[StatusEvent]]:
        newest = self.newest()
        topics = [_hex(codec(status_registry.NAME).topic("StatusChanged"))]
        found = self._event_entries(self.deployment.status_registry.address, topics, since, newest)
        return newest, [status_registry.changed(values) for _, values in _events(list(found))]

    def registered_keys(self, use: int) -> list[str]:
        topic = codec(member_registry.NAME).topic("KeyAdded")
        added = [
            codec(member_registry.NAME).event([_bytes(each) for each in entry["topics"]], _bytes(entry["data"]))
            for entry in self._event_entries(self.deployment.member_registry.address, [_hex(topic)])
        ]
        return [member_registry.kid_added(values) for _, values in filter(None, added) if values["use"] == use]

    def _event_entries(
        self, address: str, topics: list[str], since: int = 0, newest: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Log entries of one contract, over the whole chain unless blocks are named, oldest first."""
        newest = self.newest() if newest is None else newest
        for start in range(since, newest + 1, HISTORY_WINDOW):
            span = {"fromBlock": hex(start), "toBlock": hex(min(start + HISTORY_WINDOW - 1, newest))}
            (logs,) = self._read(("eth_getLogs", {**span, "address": address, "topics": topics}))
            yield from logs

    def closings(self, logs: Sequence[bytes]) -> list[EpochClosing | None]:
        to = self.deployment.log_anchor.address
        answers = self.ask([(to, log_anchor.closing_call(log)) for log in logs])
        return [log_anchor.closing(log, answer) for log, answer in zip(logs, answers, strict=True)]

    def current_epoch(self, city: int, stream: str) -> int:
        (answer,) = self.ask([(self.deployment.log_anchor.address, log_anchor.current_epoch_call(city, stream))])
        return log_anchor.current_epoch(answer)

    def holds(self, number: int, block_hash: bytes) -> bool:
        """Whether the chain has this very block."""
        (block,) = self._read(("eth_getBlockByNumber", hex(number), False))
        return isinstance(block, dict) and _bytes(block.get("hash")) == block_hash

    def ask(self, calls: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """Answers of several views, (address, call) each, at the newest block; in one batch."""
        return self._calls(calls, "latest")

    def publish(self, items: Sequence[HeadItem]) -> Call:
        # Not estimated: a head that is too soon now and not in the next block would be given too little.
        gas = TRANSACTION_GAS + sum(HEAD_GAS + HASH_GAS * len(item.proof) for item in items)
        return Call(self.deployment.log_anchor.address, log_anchor.publish_many(items), gas)

    def set_status(self, changes: Sequence[StatusChange]) -> Call:
        gas = TRANSACTION_GAS + CHANGE_GAS * len(changes)
        return Call(self.deployment.status_registry.address, status_registry.set_status_many(changes), gas)

    def facts(self, question: Question, block: int | None = None) -> Facts:
        """Two requests: the block, then every row at that block."""
        (found,) = self._read(("eth_getBlockByNumber", "latest" if block is None else hex(block), False))
        if not isinstance(found, dict):
            raise ChainUnavailable("CHAIN_MALFORMED", "the node does not have the block")
        height = _number(found.get("number"))
        read = _FactReader(question, self.deployment)
        answers = self._calls(read.calls, hex(height))
        try:
            return read.facts(height, _bytes(found.get("hash")), _number(found.get("timestamp")), answers)
        except (UnicodeDecodeError, OverflowError, VerificationError):
            raise ChainUnavailable("CHAIN_MALFORMED", "the contracts' answers are not what they can hold") from None

    def calldata_and_events(self) -> tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]:
        """(transaction hash, calldata) and (transaction hash, topics and data) of everything on the chain.

        For audits of what is on chain, block by block; not for use while somebody waits.
        """
        calldata: list[tuple[bytes, bytes]] = []
        events: list[tuple[bytes, bytes]] = []
        newest = self.newest()
        for start in range(0, newest + 1, LOG_WINDOW):
            window = range(start, min(start + LOG_WINDOW, newest + 1))
            blocks = self._read(*(("eth_getBlockByNumber", hex(n), True) for n in window))
            for block in blocks:
                calldata += [(_bytes(tx["hash"]), _bytes(tx["input"])) for tx in block["transactions"]]
            (logs,) = self._read(("eth_getLogs", {"fromBlock": hex(window[0]), "toBlock": hex(window[-1])}))
            events += [
                (_bytes(log["transactionHash"]), b"".join(map(_bytes, (*log["topics"], log["data"])))) for log in logs
            ]
        return calldata, events

    def _calls(self, calls: Sequence[tuple[str, bytes]], block: str) -> list[bytes]:
        return [_bytes(answer) for answer in self._read(*(("eth_call", _call(to, data), block) for to, data in calls))]


class _FactReader:
    """Lists the calls a question needs, and reads their answers back in the same order."""

    def __init__(self, question: Question, deployment: Deployment) -> None:
        self._q = question
        self._deployment = deployment
        registry, anchor = deployment.member_registry.address, deployment.log_anchor.address
        status = deployment.status_registry.address
        self._logs = tuple(dict.fromkeys(head.log for head in question.heads))
        self.calls: list[tuple[str, bytes]] = [
            *((registry, member_registry.city_call(city)) for city in question.cities),
            *((registry, member_registry.agency_call(*pair)) for pair in question.agencies),
            *((registry, member_registry.accreditation_call(*triple)) for triple in question.accreditations),
            *((registry, member_registry.key_call(kid)) for kid in question.kids),
            *((anchor, log_anchor.is_head_call(head)) for head in question.heads),
            *((anchor, log_anchor.head_call(log)) for log in self._logs),
            *((anchor, log_anchor.closing_call(log)) for log in self._logs),
            *((status, status_registry.records_call(*pair)) for pair in question.statuses),
        ]

    def facts(self, block: int, block_hash: bytes, time: int, answers: Sequence[bytes]) -> Facts:
        q, left = self._q, iter(answers)
        cities = tuple(member_registry.city_row(city, next(left)) for city in q.cities)
        agencies = tuple(member_registry.agency_row(*pair, next(left)) for pair in q.agencies)
        accreditations = tuple(member_registry.accreditation_row(*t, next(left)) for t in q.accreditations)
        keys = tuple(filter(None, [member_registry.key_row(kid, next(left)) for kid in q.kids]))
        confirmed = [head for head in q.heads if log_anchor.is_head(next(left))]
        newest = [head for head in [log_anchor.head(log, next(left)) for log in self._logs] if head]
        ends = {log: log_anchor.closing(log, next(left)) for log in self._logs}
        # A void head is no fact: what verifies against it would be an entry that its city has disowned.
        heads = [head for head in (*confirmed, *newest) if log_anchor.counts(head, ends[head.log])]
        statuses = tuple(status_registry.records(*pair, next(left)) for pair in q.statuses)
        return Facts(
            consortium=self._deployment.consortium,
            chain_id=self._deployment.chain_id,
            block=block,
            block_hash=block_hash,
            time=time,
            cities=cities,
            agencies=agencies,
            accreditations=accreditations,
            keys=keys,
            heads=tuple(dict.fromkeys(heads)),
            statuses=statuses,
            closings=tuple(filter(None, ends.values())),
        )


def _receipt(answer: dict[str, Any]) -> Receipt:
    block = _number(answer.get("blockNumber"))
    events = _events(answer.get("logs"))
    published = [log_anchor.published(*event, block) for event in events]
    refusals = [log_anchor.refusal(*event) or status_registry.refusal(*event) for event in events]
    created = answer.get("contractAddress")
    return Receipt(
        block=block,
        succeeded=_number(answer.get("status")) == 1,
        gas_used=_number(answer.get("gasUsed")),
        created=to_checksum_address(created) if isinstance(created, str) else None,
        published=tuple(filter(None, published)),
        refusals=tuple(filter(None, refusals)),
    )


def _events(entries: Any) -> list[tuple[str, dict[str, Any]]]:
    """Events of ours in a receipt's logs."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ChainUnavailable("CHAIN_MALFORMED", "a receipt without logs")
    found = []
    for entry in entries:
        topics, data = [_bytes(topic) for topic in entry.get("topics", ())], _bytes(entry.get("data"))
        for contract in (log_anchor, status_registry):
            event = codec(contract.NAME).event(topics, data)
            if event:
                found.append(event)
    return found


def _input(call: Call) -> dict[str, str]:
    return {"data": _hex(call.data)}


def _call(to: str, data: bytes) -> dict[str, str]:
    return {"to": to, "data": _hex(data)}


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _bytes(value: Any) -> bytes:
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except (AttributeError, ValueError):
        raise ChainUnavailable("CHAIN_MALFORMED", "the node did not answer with hexadecimal bytes") from None


def _number(value: Any) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise ChainUnavailable("CHAIN_MALFORMED", "the node did not answer with a quantity") from None
