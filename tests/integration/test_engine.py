"""The development chain on the real anvil: killed, torn, stopped, refused; and the same history afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from eth_account import Account
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from ledger.errors import ChainUnavailable, LedgerError
from ledger.evm import devnet, history
from ledger.evm.anvil import Anvil
from ledger.evm.engine import FUNDING_ADDRESS, FUNDING_KEY, DevChain, find_engine, journaled_height
from ledger.evm.folder import RECORD, process_start, read_record
from ledger.evm.journal import JOURNAL, Journal
from ledger.evm.rpc import Rpc, RpcError

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
ENGINE = find_engine(None, ROOT)
GUARD_SECONDS = 60.0
"""A longer wait is a hang; no aim."""

KEEPER_OF_ONE_WORD = "0x6007600c60003960076000f3" + "60003560005500"
"""Constructor, and what it leaves: sstore(0, calldataload(0))."""


class Sender:
    """The funding account: signs in nonce order and keeps every raw transaction, as an outbox does."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def sign(self, payload: str, to: str | None = None) -> str:
        fields: dict[str, Any] = {
            "chainId": 31337,
            "nonce": len(self.kept),
            "gas": 200_000,
            "gasPrice": 0,
            "value": 0,
        }
        fields |= {"data": payload} | ({"to": to_checksum_address(to)} if to else {})
        self.kept.append(str(Account.sign_transaction(fields, FUNDING_KEY).raw_transaction.to_0x_hex()))
        return self.kept[-1]


class Hammer:
    """Asks for the height without a pause and notes every answer below what was final before the question."""

    def __init__(self, chain: DevChain) -> None:
        self.answers, self.refusals = 0, 0
        self.too_low: list[tuple[int, int]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(chain.url, chain.folder))
        self._thread.start()

    def _ask(self, url: str, folder: Path) -> None:
        with Rpc(url) as rpc:
            while not self._end.wait(0.002):
                final_before = journaled_height(folder)
                try:
                    height = history.height(rpc)
                except ChainUnavailable:
                    self.refusals += 1
                    continue
                self.answers += 1
                if height < final_before:
                    self.too_low.append((height, final_before))

    def end(self) -> None:
        self._end.set()
        self._thread.join()


def until(question: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + GUARD_SECONDS
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.005)
    raise AssertionError(f"waited in vain for {what}")


def send(rpc: Rpc, raw: str) -> str:
    """Send until the chain has it; its hash."""

    def taken() -> bool:
        try:
            rpc.call("eth_sendRawTransaction", raw)
        except ChainUnavailable:
            return False
        except RpcError as refused:
            assert "already imported" in refused.text or "nonce too low" in refused.text, refused.text
        return True

    until(taken, "the chain to take a transaction")
    return "0x" + keccak(bytes.fromhex(raw[2:])).hex()


def receipt(rpc: Rpc, transaction: str) -> dict[str, Any] | None:
    answer: Any = rpc.call("eth_getTransactionReceipt", transaction)
    return dict(answer) if answer else None


def final(rpc: Rpc, folder: Path, transaction: str) -> dict[str, Any]:
    def asked() -> dict[str, Any] | None:
        with contextlib.suppress(ChainUnavailable):
            height = journaled_height(folder)
            if (found := receipt(rpc, transaction)) and int(found["blockNumber"], 16) <= height:
                return found
        return None

    return until(asked, "a final receipt")


def deployed(rpc: Rpc, folder: Path, sender: Sender) -> str:
    return str(final(rpc, folder, send(rpc, sender.sign(KEEPER_OF_ONE_WORD)))["contractAddress"])


def story(rpc: Rpc, upto: int) -> list[Any]:
    """Everything a client can see of the blocks up to a height, hashes, times, transactions and receipts."""
    blocks: list[Any] = rpc.batch([("eth_getBlockByNumber", hex(number), True) for number in range(upto + 1)])
    hashes = [transaction["hash"] for block in blocks for transaction in block["transactions"]]
    return [blocks, rpc.batch([("eth_getTransactionReceipt", hash_) for hash_ in hashes])]


def word(rpc: Rpc, place: str) -> str:
    return str(rpc.call("eth_getStorageAt", place, "0x0", "latest"))


def gone(pid: int) -> bool:
    return process_start(pid) is None


def kill_engine(chain: DevChain, rpc: Rpc) -> None:
    """kill -9, and wait until the next engine answers or the chain gives up."""
    pid, before = chain.engine_pid, chain.restarts
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: chain.restarts > before or chain.failure, "the engine's death to be noticed")
    until(lambda: chain.failure or height(rpc) is not None, "the next engine")


def height(rpc: Rpc) -> int | None:
    with contextlib.suppress(ChainUnavailable):
        return history.height(rpc)
    return None


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that ended meanwhile
            found += map(int, (task / "children").read_text().split())
    return found


def refusal(call: Callable[[], object]) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        call()
    return refused.value


def working_in(folder: Path) -> list[int]:
    """Engines of this folder: they have it as working directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append(int(process.name))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "chain"
    yield folder
    devnet.down(folder)
    until(lambda: not working_in(folder), "every engine of this test to be gone")


@pytest.fixture
def chain(folder: Path) -> Iterator[DevChain]:
    with DevChain(folder, ENGINE) as chain:
        yield chain


@pytest.fixture
def rpc(chain: DevChain) -> Iterator[Rpc]:
    with Rpc(chain.url) as rpc:
        yield rpc


def test_killed_at_random_moments_the_history_stays(chain: DevChain, rpc: Rpc) -> None:
    seed = random.SystemRandom().randrange(2**32)
    dice, sender, unfinished = random.Random(seed), Sender(), 0
    place = deployed(rpc, chain.folder, sender)
    hammer = Hammer(chain)
    try:
        for _ in range(6):
            words = ["0x" + dice.randbytes(32).hex() for _ in range(dice.randint(1, 3))]
            hashes = [send(rpc, sender.sign(each, place)) for each in words]
            time.sleep(dice.random() * 1.1)
            before = story(rpc, journaled_height(chain.folder))
            kill_engine(chain, rpc)
            assert story(rpc, len(before[0]) - 1) == before
            unfinished += sum(receipt(rpc, hash_) is None for hash_ in hashes)
            for raw in sender.kept:
                send(rpc, raw)
        receipts = [final(rpc, chain.folder, send(rpc, raw)) for raw in sender.kept]
    finally:
        hammer.end()
    print(f"seed {seed}: 6 kills, {len(receipts)} transactions, {unfinished} of them unfinished at a kill,")
    print(f"{hammer.answers} heights asked meanwhile, {hammer.refusals} questions broken off")
    assert hammer.too_low == [], "a half replayed chain was shown"
    assert {found["status"] for found in receipts} == {"0x1"}
    whole = story(rpc, chain.journaled)
    chain.stop()
    chain.start()
    assert story(rpc, len(whole[0]) - 1) == whole
    assert word(rpc, place) == words[-1]


def test_stopped_and_started_it_is_the_same_chain_on_the_same_port(chain: DevChain, rpc: Rpc) -> None:
    place, url = deployed(rpc, chain.folder, Sender()), chain.url
    before = story(rpc, chain.journaled)
    chain.stop()
    chain.stop()
    assert refusal(lambda: rpc.call("eth_chainId")).code == "CHAIN_UNREACHABLE"
    assert not (chain.folder / RECORD).exists()
    chain.start()
    chain.start()
    assert (chain.url, story(rpc, len(before[0]) - 1)) == (url, before)
    assert rpc.call("eth_getCode", place, "latest") == "0x60003560005500"


def test_several_senders_in_one_block_keep_their_order(chain: DevChain, rpc: Rpc) -> None:
    accounts = [Account.create() for _ in range(3)]
    funding, raw = Sender(), []
    for account in accounts:
        send(rpc, funding.sign("0x", account.address))
    for nonce in (1, 0, 2):
        for account in accounts:
            fields = {
                "chainId": 31337,
                "nonce": nonce,
                "gas": 30_000,
                "gasPrice": 0,
                "value": 0,
                "to": FUNDING_ADDRESS,
            }
            raw.append(account.sign_transaction(fields).raw_transaction.to_0x_hex())
    for hash_ in [send(rpc, each) for each in raw]:
        final(rpc, chain.folder, hash_)
    before = story(rpc, chain.journaled)
    print([len(block["transactions"]) for block in before[0]])
    kill_engine(chain, rpc)
    assert story(rpc, len(before[0]) - 1) == before


def test_an_idle_chain_beats_and_its_empty_blocks_come_back(folder: Path) -> None:
    with DevChain(folder, ENGINE, heartbeat=1.0) as chain, Rpc(chain.url) as rpc:
        until(lambda: chain.journaled >= 3, "three heartbeats")
        # Somebody else may mine too: the door is open to development calls.
        rpc.call("anvil_mine", hex(50), hex(7))
        send(rpc, Sender().sign(KEEPER_OF_ONE_WORD))
        until(lambda: chain.journaled >= 54, "the foreign blocks to be journaled")
        before = story(rpc, chain.journaled)
        kill_engine(chain, rpc)
        assert story(rpc, len(before[0]) - 1) == before
        times = [int(block["timestamp"], 16) for block in before[0]]
        assert times == sorted(set(times))


def test_a_torn_tail_is_dropped(chain: DevChain, rpc: Rpc) -> None:
    deployed(rpc, chain.folder, Sender())
    before = story(rpc, chain.journaled)
    chain.stop()
    sound = (chain.folder / JOURNAL).read_bytes()
    (chain.folder / JOURNAL).write_bytes(sound + sound[-300:-1])
    chain.start()
    assert story(rpc, len(before[0]) - 1) == before
    assert (chain.folder / JOURNAL).read_bytes()[: len(sound)] == sound


def test_a_damaged_middle_is_refused_and_left_as_it_is(chain: DevChain, rpc: Rpc) -> None:
    deployed(rpc, chain.folder, Sender())
    chain.stop()
    sound = (chain.folder / JOURNAL).read_bytes()
    middle = len(sound) // 2
    damaged = sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1 :]
    (chain.folder / JOURNAL).write_bytes(damaged)
    refused = refusal(chain.start)
    assert (refused.code, refused.params["path"]) == ("JOURNAL_DAMAGED", str(chain.folder / JOURNAL))
    assert (chain.folder / JOURNAL).read_bytes() == damaged
    assert working_in(chain.folder) == []
    (chain.folder / JOURNAL).write_bytes(sound)
    chain.start()


def test_state_changed_without_a_transaction_is_not_rebuilt_quietly(chain: DevChain, rpc: Rpc) -> None:
    rpc.call("anvil_setBalance", "0x" + "11" * 20, "0x1")
    deployed(rpc, chain.folder, Sender())
    kill_engine(chain, rpc)
    failure = until(lambda: chain.failure, "the refusal")
    assert failure.code == "REBUILD_DIVERGED"
    assert refusal(lambda: rpc.call("eth_chainId")).code == "CHAIN_UNREACHABLE"
    chain.stop()
    assert refusal(chain.start).code == "REBUILD_DIVERGED"


def test_an_engine_that_forgets_is_replaced(chain: DevChain, rpc: Rpc) -> None:
    deployed(rpc, chain.folder, Sender())
    before = story(rpc, chain.journaled)
    with contextlib.suppress(ChainUnavailable):
        rpc.call("anvil_reset")
    until(lambda: chain.restarts == 1 and height(rpc) is not None, "the next engine")
    assert story(rpc, len(before[0]) - 1) == before


def test_an_impersonated_transaction_never_becomes_final(chain: DevChain, rpc: Rpc) -> None:
    deployed(rpc, chain.folder, Sender())
    before = story(rpc, chain.journaled)
    stranger = "0x" + "22" * 20
    rpc.call("anvil_impersonateAccount", stranger)
    sent = rpc.call("eth_sendTransaction", {"from": stranger, "to": stranger, "gas": hex(21_000), "gasPrice": "0x0"})
    until(lambda: chain.restarts == 1 and height(rpc) is not None, "the next engine")
    assert receipt(rpc, str(sent)) is None
    assert story(rpc, len(before[0]) - 1) == before


def test_a_hanging_engine_does_not_keep_the_chain_from_stopping(chain: DevChain) -> None:
    pid = chain.engine_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    time.sleep(1.2)
    chain.stop()
    assert gone(pid)


def test_two_supervisors_on_one_folder(chain: DevChain) -> None:
    refused = refusal(DevChain(chain.folder, ENGINE).start)
    assert (refused.code, refused.params["pid"]) == ("FOLDER_IN_USE", str(os.getpid()))
    elsewhere = refusal(lambda: devnet.up(chain.folder, ENGINE))
    assert (elsewhere.code, elsewhere.params["pid"]) == ("FOLDER_IN_USE", str(os.getpid()))
    # Neither of the two took anything away from the one that runs.
    assert devnet.status(chain.folder).state == "running"
    assert refusal(lambda: devnet.down(chain.folder)).code == "CHAIN_NOT_DETACHED"


def test_a_taken_port_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = refusal(DevChain(folder, ENGINE, port=port).start)
        assert (refused.code, refused.params["port"]) == ("PORT_TAKEN", str(port))
        assert refusal(lambda: devnet.up(folder, ENGINE, port)).code == "PORT_TAKEN"
    with DevChain(folder, ENGINE, port=port) as chain:
        assert chain.port == port


def test_a_folder_that_cannot_be_written_is_said_plainly() -> None:
    with tempfile.TemporaryDirectory() as above:
        folder = Path(above) / "read-only"
        folder.mkdir(mode=0o555)
        Path(above).chmod(0o755)
        # Root may write everywhere: give that up for a moment.
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            refused = refusal(DevChain(folder, ENGINE).start)
            beside = refusal(lambda: devnet.up(folder, ENGINE))
        finally:
            os.seteuid(user)
        assert (refused.code, beside.code) == ("FOLDER_READ_ONLY", "FOLDER_READ_ONLY")
        assert str(folder) in str(refused)


def test_what_is_no_engine_is_refused(folder: Path, tmp_path: Path) -> None:
    assert refusal(lambda: find_engine(str(tmp_path / "anvil"), ROOT)).code == "ENGINE_NOT_FOUND"
    assert refusal(DevChain(folder, find_engine("/bin/false", ROOT)).start).code == "ENGINE_FAILED"


def test_the_engine_is_found_by_setting_then_modules_then_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def program(*parts: str) -> Path:
        path = tmp_path.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        return path

    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert refusal(lambda: find_engine(None, tmp_path)).code == "ENGINE_NOT_FOUND"
    monkeypatch.setenv("PATH", str(program("path", "anvil").parent))
    assert find_engine(None, tmp_path) == tmp_path / "path" / "anvil"
    package = program("node_modules", "@foundry-rs", "anvil-linux-amd64", "bin", "anvil")
    assert find_engine(None, tmp_path) == package
    assert find_engine(str(program("chosen")), tmp_path) == tmp_path / "chosen"


def test_up_status_down(folder: Path) -> None:
    assert devnet.status(folder).state == "stopped"
    up = devnet.up(folder, ENGINE)
    record = read_record(folder)
    assert (up.state, up.record) == ("running", record)
    assert record is not None
    assert devnet.up(folder, ENGINE) == up
    assert os.getsid(record.pid) == record.pid != os.getsid(0)
    with Rpc(record.url) as rpc:
        deployed(rpc, folder, Sender())
    seen = devnet.status(folder)
    assert seen.journaled is not None
    assert seen.journaled >= 1
    engines = children(record.pid)
    assert len(engines) == 1
    assert devnet.down(folder).state == "running"
    assert (gone(record.pid), gone(engines[0]), devnet.status(folder).state) == (True, True, "stopped")
    assert devnet.down(folder).state == "stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_supervisor_and_its_engine(folder: Path, number: signal.Signals) -> None:
    record = devnet.up(folder, ENGINE).record
    assert record is not None
    engines = children(record.pid)
    os.kill(record.pid, number)
    until(lambda: gone(record.pid), "the supervisor's end")
    os.waitpid(record.pid, 0)
    assert len(engines) == 1
    assert gone(engines[0])
    assert devnet.status(folder).state == "stopped"


def test_a_killed_supervisor_takes_its_engine_along(folder: Path) -> None:
    record = devnet.up(folder, ENGINE).record
    assert record is not None
    with Rpc(record.url) as rpc:
        deployed(rpc, folder, Sender())
        before = story(rpc, journaled_height(folder))
    engines = children(record.pid)
    os.kill(record.pid, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(record.pid, 0)[1]) == -signal.SIGKILL
    assert len(engines) == 1
    until(lambda: gone(engines[0]), "the orphaned engine's end")
    assert devnet.status(folder).state == "stale"
    # The record now names a process that is not the one it meant: a reused pid must not be hit.
    (folder / RECORD).write_text(json.dumps(json.loads((folder / RECORD).read_text()) | {"pid": os.getpid()}))
    assert devnet.down(folder).state == "stale"
    again = devnet.up(folder, ENGINE)
    assert again.record is not None
    with Rpc(again.record.url) as rpc:
        assert story(rpc, len(before[0]) - 1) == before


def test_an_engine_born_to_a_dead_supervisor_leaves_at_once(tmp_path: Path) -> None:
    # The race that PR_SET_PDEATHSIG alone leaves open: the parent is gone before the child asks for the signal.
    from ledger.evm.anvil import _BIRTH

    born = subprocess.run([sys.executable, "-I", "-S", "-c", _BIRTH, "1", "/bin/true"], check=False, cwd=tmp_path)
    assert born.returncode == 126


def test_on_a_full_disk_nothing_is_called_final_until_it_is(folder: Path) -> None:
    record = devnet.up(folder, ENGINE).record
    assert record is not None
    with Rpc(record.url) as rpc:
        sender = Sender()
        place = deployed(rpc, folder, sender)
        limit = resource.prlimit(record.pid, resource.RLIMIT_FSIZE)
        full = (folder / JOURNAL).stat().st_size + 20
        promised = journaled_height(folder)
        resource.prlimit(record.pid, resource.RLIMIT_FSIZE, (full, limit[1]))
        sent = send(rpc, sender.sign("0x" + "05" * 32, place))
        found = until(lambda: receipt(rpc, sent), "the transaction to be mined")
        time.sleep(1.5)
        assert int(found["blockNumber"], 16) > journaled_height(folder) == promised
        resource.prlimit(record.pid, resource.RLIMIT_FSIZE, limit)
        final(rpc, folder, sent)
        assert word(rpc, place) == "0x" + "05" * 32


def test_a_thousand_transactions_come_back(folder: Path) -> None:
    folder.mkdir()
    sender, start = Sender(), int(time.time()) - 100_000
    engine = Anvil(ENGINE, folder, start)
    try:
        journal = Journal.create(folder, history.genesis_of(engine.rpc))
        place = ""
        for number in range(1000):
            hash_ = send(
                engine.rpc,
                sender.sign(hex(2**256 - number - 1), place) if place else sender.sign(KEEPER_OF_ONE_WORD),
            )
            history.mine(engine.rpc, start + 60 * (number + 1))
            journal.append(history.read_next(engine.rpc, journal))
            place = place or str((receipt(engine.rpc, hash_) or {})["contractAddress"])
        journal.close()
        before = story(engine.rpc, 1000)
    finally:
        engine.kill()
    told: list[tuple[int, int]] = []
    began = time.monotonic()
    with DevChain(folder, ENGINE, progress=lambda done, whole: told.append((done, whole))) as chain:
        seconds = time.monotonic() - began
        with Rpc(chain.url) as rpc:
            assert story(rpc, 1000) == before
            assert word(rpc, place) == hex(2**256 - 1000)
    print(f"1000 blocks with one transaction each rebuilt in {seconds:.2f} s ({1000 / seconds:.0f}/s)")
    assert told[-1] == (1000, 1000)


def test_how_long_things_take(folder: Path) -> None:
    """Prints; asserts only that it happened."""
    began = time.monotonic()
    with DevChain(folder, ENGINE) as chain, Rpc(chain.url) as rpc:
        print(f"start to first answer {1000 * (time.monotonic() - began):.0f} ms")
        sender = Sender()
        for kind, pause in (("after an idle second", 1.3), ("one after the other", 0.0)):
            took = []
            for _ in range(4):
                time.sleep(pause)
                sent = time.monotonic()
                final(rpc, folder, send(rpc, sender.sign("0x", FUNDING_ADDRESS)))
                took.append(1000 * (time.monotonic() - sent))
            print(f"send to final, {kind}: {', '.join(f'{each:.0f}' for each in took)} ms")
        assert chain.journaled >= 8
