"""Between an engine and its journal: read new blocks off the one, replay them into the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from ledger.errors import EngineError
from ledger.evm.journal import BlockRun, Genesis, Journal
from ledger.evm.rpc import Json, Rpc, RpcError

Progress = Callable[[int, int], None]
"""Called with (blocks replayed, blocks in all)."""

_EMPTY_AT_ONCE = 1_000
_RAW_AT_ONCE = 200


def genesis_of(rpc: Rpc) -> Genesis:
    """Block 0 of a fresh engine."""
    block = _block(rpc, 0)
    return Genesis(
        chain_id=_number(rpc.call("eth_chainId")),
        time=_number(block["timestamp"]),
        hash=_text(block["hash"]),
        engine=_text(rpc.call("web3_clientVersion")),
    )


def height(rpc: Rpc) -> int:
    """The engine's newest block, final or not."""
    return _number(rpc.call("eth_blockNumber"))


def pending(rpc: Rpc) -> int:
    """Transactions that could be mined now."""
    status = rpc.call("txpool_status")
    return _number(status["pending"]) if isinstance(status, dict) else 0


def mine(rpc: Rpc, time: int) -> None:
    """One block at `time` (Unix seconds) with whatever waits."""
    rpc.call("evm_setNextBlockTimestamp", time)
    rpc.call("evm_mine")


def read_next(rpc: Rpc, journal: Journal) -> BlockRun:
    """The block after the journal's last. Raises EngineError HISTORY_CHANGED, UNSIGNED_TRANSACTION."""
    number = journal.height + 1
    block = _block(rpc, number)
    if block["parentHash"] != journal.hash:
        raise EngineError("HISTORY_CHANGED", f"block {number} follows another history", number=number)
    transactions = cast("list[dict[str, Json]]", block["transactions"])
    for transaction in transactions:
        # An impersonated sender leaves no signature, so nobody could ever send this transaction again.
        if _number(transaction["r"]) == 0:
            raise EngineError("UNSIGNED_TRANSACTION", "an impersonated transaction cannot be kept", number=number)
    raw = _raw(rpc, [_text(transaction["hash"]) for transaction in transactions])
    return BlockRun(number, _number(block["timestamp"]), _text(block["hash"]), raw)


def rebuild(rpc: Rpc, journal: Journal, progress: Progress | None = None) -> None:
    """Make a fresh engine's chain the journal's, every hash compared. Nobody else may be talking to the engine.

    Raises EngineError REBUILD_DIVERGED: another engine version, other flags, or state that was changed by calls
    that are no transactions (anvil_set…) and therefore stand in no journal.
    """
    _same(rpc, 0, journal.genesis.hash, journal)
    waiting: BlockRun | None = None
    for run in journal.runs():
        if waiting and (joined := _joined(waiting, run)):
            waiting = joined
            continue
        if waiting:
            _replay(rpc, waiting, journal)
        waiting = run
        if progress:
            progress(run.number - run.count, journal.height)
    if waiting:
        _replay(rpc, waiting, journal)
    if progress:
        progress(journal.height, journal.height)


def _joined(first: BlockRun, second: BlockRun) -> BlockRun | None:
    """Empty blocks at one pace are mined by one call: an idle month replays in seconds."""
    if first.transactions or second.transactions or first.count + second.count > _EMPTY_AT_ONCE:
        return None
    step = second.first_time - first.time
    if (first.count > 1 and first.step != step) or (second.count > 1 and second.step != step):
        return None
    return BlockRun(second.number, second.time, second.hash, (), first.count + second.count, step)


def _replay(rpc: Rpc, run: BlockRun, journal: Journal) -> None:
    try:
        rpc.call("evm_setNextBlockTimestamp", run.first_time)
        for raw in run.transactions:
            rpc.call("eth_sendRawTransaction", raw)
        rpc.call("evm_mine")
        if run.count > 1:
            rpc.call("anvil_mine", hex(run.count - 1), hex(run.step))
    except RpcError as refused:
        raise _diverged(run.number, journal) from refused
    _same(rpc, run.number, run.hash, journal)


def _same(rpc: Rpc, number: int, expected: str, journal: Journal) -> None:
    block = rpc.call("eth_getBlockByNumber", hex(number), False)
    if not isinstance(block, dict) or block.get("hash") != expected:
        raise _diverged(number, journal)


def _diverged(number: int, journal: Journal) -> EngineError:
    return EngineError(
        "REBUILD_DIVERGED",
        f"block {number} does not come out as it was; the journal was begun with {journal.genesis.engine}",
        number=number,
        engine=journal.genesis.engine,
    )


def _raw(rpc: Rpc, hashes: list[str]) -> tuple[str, ...]:
    raw: list[str] = []
    for start in range(0, len(hashes), _RAW_AT_ONCE):
        piece = hashes[start : start + _RAW_AT_ONCE]
        raw.extend(_text(item) for item in rpc.batch([("eth_getRawTransactionByHash", hash_) for hash_ in piece]))
    return tuple(raw)


def _block(rpc: Rpc, number: int) -> dict[str, Json]:
    block = rpc.call("eth_getBlockByNumber", hex(number), True)
    if not isinstance(block, dict):
        raise EngineError("HISTORY_CHANGED", f"block {number} is gone", number=number)
    return block


def _number(value: Json) -> int:
    return int(_text(value), 16)


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise EngineError("HISTORY_CHANGED", "the engine left out a value")
    return value
