"""Publishing: interrupted anywhere, twice at once, against a chain or a database that lost something."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from homes import HANG_SECONDS, MARKET, Home, anchored_once, licences, publisher

from api import wiring
from api.cli.main import main
from api.wiring import PUBLISHER, City
from certs.errors import LifecycleError
from certs.lifecycle import Change
from ledger.errors import AppendRefused, StoreConflict
from ledger.evm import history as chain_history
from ledger.evm.account import Account
from ledger.evm.anvil import Anvil, find_engine
from ledger.evm.client import EvmChain
from ledger.evm.journal import Journal
from ledger.facts import Question
from ledger.ports import StatusChange
from ledger.publisher import Publisher
from ledger.status import Reason, Status
from ledger.store import outbox
from ledger.transactor import Transactor
from ledger.verdict import Result

# ---------------------------------------------------------------------- crashes


def test_a_crash_between_store_and_send(home: Home) -> None:
    """Signed and stored, never sent: another publisher sends the very same bytes."""
    home.issued(5)
    first = publisher(home.city)
    plans = first._plans()
    signed = first._transactor.sign([plan.call for plan in plans])
    with home.city.database.writing() as connection:
        kept = first._transactor.store(connection, signed[0], plans[0].label)
        outbox.take(connection, plans[0].items[0].id, plans[0].bodies[0], kept.id)
    assert home.city.wire.receipt(kept.hash) is None
    home.reopen()
    publisher(home.city).catch_up(HANG_SECONDS)
    (only,) = home.transactions("publish")
    assert (only.raw, only.state) == (kept.raw, outbox.FINAL)
    anchored_once(home, 5)


def test_a_crash_between_send_and_settle(home: Home) -> None:
    home.issued(5)
    publisher(home.city).step()
    (sent,) = home.transactions("publish")
    assert sent.state == outbox.SIGNED and home.outbox() == {("head", "sent"): 1}
    home.reopen()
    publisher(home.city).catch_up(HANG_SECONDS)
    assert [each.hash for each in home.transactions("publish")] == [sent.hash]
    anchored_once(home, 5)


def test_a_crash_between_send_and_settle_while_the_log_grows(home: Home) -> None:
    """What is under way proves the old size; what came since waits its turn and is proven from there."""
    home.issued(5)
    publisher(home.city).step()
    home.issued(3, start=6)
    assert home.outbox() == {("head", "sent"): 1, ("head", "waiting"): 1}
    home.reopen()
    publisher(home.city).catch_up(HANG_SECONDS)
    sizes = [size for (size,) in home.ask("SELECT size FROM anchor ORDER BY size")]
    assert sizes == [5, 8]
    anchored_once(home, 8)


def test_the_same_transaction_sent_again_and_again(home: Home) -> None:
    home.issued(5)
    one = publisher(home.city)
    one.step()
    stored = home.transactions("publish")
    for _ in range(3):
        one._transactor.send(stored)
    one.catch_up(HANG_SECONDS)
    one._transactor.send(stored)
    assert home.city.wire.next_nonce(one._transactor.address) == 1
    anchored_once(home, 5)


def test_a_transaction_that_the_chain_lost_is_sent_again(home: Home) -> None:
    """The engine dies with the transaction in its pool or in a block that was not journaled."""
    home.issued(5)
    publisher(home.city).step()
    home.chain.stop()
    home.chain.start()
    home.reopen()
    publisher(home.city).catch_up(HANG_SECONDS)
    assert len(home.transactions("publish")) == 1
    anchored_once(home, 5)


@pytest.fixture
def bare(home: Home, tmp_path: Path) -> Iterator[Anvil]:
    """The city's chain without its supervisor: blocks come, and go, when the test says so."""
    home.chain.stop()
    journal = Journal(home.city.chain_folder)
    engine = Anvil(find_engine(home.city.settings.engine or None, wiring.PROJECT), tmp_path, journal.genesis.time)
    try:
        chain_history.rebuild(engine.rpc, journal)
        yield engine
    finally:
        engine.kill()
        journal.close()


def test_the_chain_lost_its_newest_unfinal_block(home: Home, bare: Anvil) -> None:
    """One confirmation is wanted; the block with our head goes away before it has one: never called final."""
    city = home.city
    chain = EvmChain(bare.rpc, city.deployment, final=lambda newest: newest - 1)
    sender = Account(city.keystore.account_secret(PUBLISHER))
    one = Publisher(city.database, chain, Transactor(city.database, chain, sender))
    home.issued(5)
    now = int(time.time()) + 10
    undo = bare.rpc.call("evm_snapshot")
    one.step()
    chain_history.mine(bare.rpc, now)
    (sent,) = home.transactions("publish")
    lost = chain.receipt(sent.hash)
    assert lost is not None and one.step().under_way == 1
    assert home.transactions("publish")[0].state == outbox.SIGNED and not home.ask("SELECT * FROM anchor")
    assert bare.rpc.call("evm_revert", undo) is True
    assert chain.receipt(sent.hash) is None
    chain_history.mine(bare.rpc, now + 1)
    assert one.step().under_way == 1  # sent again
    for later in (2, 3):
        chain_history.mine(bare.rpc, now + later)
    one.catch_up(HANG_SECONDS)
    assert [(each.hash, each.state) for each in home.transactions("publish")] == [(sent.hash, outbox.FINAL)]
    (head,) = chain.heads([city.log.id])
    assert head is not None and head.block != lost.block
    assert home.ask("SELECT size, block FROM anchor") == [(5, head.block)]


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_publishing_transaction_reverts_however_soon_it_follows(home: Home) -> None:
    """A head proven right after the one before it must reserve the gas of being accepted, not of TOO_SOON."""
    for start in range(1, 6):
        home.issued(1, start=start)
        home.publish()
    states = [each.state for each in home.transactions("publish")]
    anchored_once(home, 5)
    assert states == [outbox.FINAL] * 5


# ------------------------------------------------------------------- two at once


def test_two_publishers_at_once(home: Home) -> None:
    """A service and a command, say: whoever comes second finds the work taken, and both come to an end."""
    home.issued(5)
    home.change(home.certificates()[0].identifier, Change.SUSPEND)
    cities = [City(home.folder) for _ in range(2)]
    problems: list[BaseException] = []
    start = threading.Barrier(len(cities))

    def catch_up(city: City) -> None:
        mine = publisher(city)
        try:
            for round_no in range(2):
                start.wait(HANG_SECONDS)
                mine.catch_up(HANG_SECONDS)
                start.wait(HANG_SECONDS)
                if city is cities[0]:
                    home.issued(2, start=10 + 2 * round_no)
        except BaseException as error:
            problems.append(error)
            start.abort()

    threads = [threading.Thread(target=catch_up, args=(city,)) for city in cities]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * HANG_SECONDS)
    for city in cities:
        city.close()
    assert not problems
    home.publish()
    nonces = [each.nonce for label in ("publish", "status") for each in home.transactions(label)]
    assert sorted(nonces) == list(range(len(nonces)))
    assert home.contiguous() == 10 and not home.wrong()
    assert {state for _, state in home.outbox()} == {outbox.DONE}


def test_a_publisher_that_planned_before_another_one_sent(home: Home) -> None:
    home.issued(5)
    slow, fast = publisher(home.city), publisher(home.city)
    plans = slow._plans()
    fast.catch_up(HANG_SECONDS)
    slow_step(slow, plans)
    slow.catch_up(HANG_SECONDS)
    assert len(home.transactions("publish")) == 1
    anchored_once(home, 5)


def slow_step(slow: Publisher, plans: Any) -> None:
    """What `step` does after planning; the conflict is one that `step` itself swallows."""
    with pytest.raises(StoreConflict) as lost:
        slow._send(plans)
    assert lost.value.code in {"OUTBOX_TAKEN", "STORE_CONFLICT"}


# ------------------------------------------------------------- memory that is lost


def test_an_outbox_emptied_while_the_chain_has_the_head(home: Home) -> None:
    """The head is there already: its anchor is kept from what the chain says, and nothing is sent twice."""
    home.issued(5)
    home.publish()
    before = home.ask("SELECT * FROM anchor")
    for table in ("outbox", "anchor", "chain_transaction WHERE label = 'publish'"):
        home.edit(f"DELETE FROM {table}")
    with home.city.database.writing() as connection:
        outbox.put_head(connection, home.city.log.id)
    home.reopen()
    publisher(home.city).catch_up(HANG_SECONDS)
    assert home.ask("SELECT * FROM anchor") == before and not home.transactions("publish")
    anchored_once(home, 5)


def test_an_outbox_emptied_after_several_heads(home: Home) -> None:
    """The anchors of older leaves are on the chain too: without them an old certificate can prove nothing."""
    (old,) = home.issued(1)
    home.publish()
    home.issued(1, start=2)
    home.publish()
    assert home.verify(old.identifier).verdict.result is Result.VALID
    for table in ("outbox", "anchor"):
        home.edit(f"DELETE FROM {table}")
    with home.city.database.writing() as connection:
        outbox.put_head(connection, home.city.log.id)
    home.publish()
    assert home.verify(old.identifier).verdict.result is Result.VALID


# --------------------------------------------------------------------- statuses


def test_a_status_that_the_chain_refuses_is_told(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Another of the city's accounts was faster: the certificate is closed on chain, and ours cannot be recorded."""
    (one,) = home.issued(1)
    home.publish()
    home.change(one.identifier, Change.SUSPEND)
    cancel_on_chain(home, one.digest)
    home.publish()
    assert home.outbox()["status", "refused"] == 1
    home.city.close()
    assert main(["anchor", "status", "--home", str(home.folder), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {"kind": "status", "state": "refused", "items": 1} in shown["outbox"]
    assert main(["anchor", "status", "--home", str(home.folder), "--lang", "en"]) == 0
    assert "refused" in capsys.readouterr().out


def cancel_on_chain(home: Home, digest: bytes) -> None:
    """The same account, from another machine: the transaction is not in this outbox."""
    city = home.city
    call = city.chain.set_status([StatusChange(MARKET, digest, Status.CANCELLED, Reason.CANCELLED, 0)])
    (signed,) = city.transactor(PUBLISHER).sign([call])
    city.chain.send(signed.raw)
    until(lambda: city.chain.receipt(signed.hash) is not None)


def test_one_refused_status_does_not_mark_its_neighbours(home: Home) -> None:
    """Two certificates in one transaction, of which the chain takes one."""
    first, second = home.issued(2)
    home.publish()
    home.change(first.identifier, Change.SUSPEND)
    home.change(second.identifier, Change.SUSPEND)
    cancel_on_chain(home, second.digest)
    home.publish()
    assert home.outbox()["status", "refused"] == 1 and home.outbox()["status", "done"] == 1
    verdicts = [home.verify(each.identifier).verdict.findings[7].reason for each in (first, second)]
    assert verdicts == ["STATUS_SUSPENDED", "STATUS_CANCELLED"]


def test_a_change_that_the_contract_would_refuse_is_refused_before_it_is_recorded(home: Home) -> None:
    """Only 撤销 reaches back. Recorded here and refused there, the certificate could never be revoked any more."""
    (one,) = home.issued(1)
    home.publish()
    yesterday = int(datetime.now(UTC).timestamp()) - 86_400
    with pytest.raises(LifecycleError):
        home.change(one.identifier, Change.REVOKE, Reason.PENALTY, effective_from=yesterday)
    home.change(one.identifier, Change.REVOKE, Reason.ANNULLED, effective_from=yesterday)
    home.publish()
    assert home.verify(one.identifier).verdict.findings[7].reason == "STATUS_REVOKED"


def test_many_statuses_in_their_order(home: Home) -> None:
    certificates = home.issued(3)
    for each in certificates:
        home.change(each.identifier, Change.SUSPEND)
        home.change(each.identifier, Change.REINSTATE)
        home.change(each.identifier, Change.REVOKE)
    home.publish()
    assert len(home.transactions("status")) == 1 and home.outbox()["status", "done"] == 9
    for each in certificates:
        verified = home.verify(each.identifier, online=True)
        assert verified.verdict.findings[7].reason == "STATUS_REVOKED"


# ---------------------------------------------------------------------- older copies


def test_appending_is_refused_once_the_database_was_restored_from_an_older_copy(home: Home) -> None:
    home.issued(2)
    home.publish()
    copy = kept_copy(home)
    home.issued(2, start=3)
    home.publish()
    restored(home, copy)
    with pytest.raises(AppendRefused) as refused:
        home.issue(licences(home.folder / "more.csv", 1, start=20))
    assert refused.value.code == "DATABASE_BEHIND_GUARD"
    assert refused.value.params["size"] == "2" and refused.value.params["guard"] == "4"


@pytest.mark.parametrize(("again", "code"), [(1, "DATABASE_BEHIND_CHAIN"), (2, "LOG_DIVERGED"), (5, "LOG_DIVERGED")])
def test_publishing_is_refused_when_the_guard_is_gone_too(home: Home, again: int, code: str) -> None:
    home.issued(2)
    home.publish()
    copy = kept_copy(home)
    home.issued(2, start=3)
    home.publish()
    restored(home, copy)
    (home.folder / "guard.sqlite").unlink()
    home.issued(again, start=20)
    with pytest.raises(AppendRefused) as refused:
        home.publish()
    assert refused.value.code == code
    assert len(home.transactions("publish")) == 1
    assert "heads" in [line.check for line in home.wrong()]
    (head,) = home.city.chain.heads([home.city.log.id])
    assert head is not None and head.size == 4


@pytest.mark.parametrize("guard", ["guard", "no guard"])
def test_an_older_copy_suspends_nobody_again(home: Home, guard: str) -> None:
    """The copy holds a suspension not yet sent. The chain has it, and the reinstatement that followed: a suspension
    sent now would be a late duplicate, and the contract could not tell it from a new one. None is sent."""
    (one,) = home.issued(1)
    home.publish()
    home.change(one.identifier, Change.SUSPEND)
    copy = kept_copy(home)
    home.publish()
    home.change(one.identifier, Change.REINSTATE)
    home.publish()
    restored(home, copy)
    if guard == "no guard":
        (home.folder / "guard.sqlite").unlink()
    assert home.outbox()["status", "waiting"] == 1
    with pytest.raises(AppendRefused) as refused:
        home.publish()
    assert refused.value.code == "DATABASE_BEHIND_CHAIN"
    assert home.outbox()["status", "waiting"] == 1 and home.transactions("status") == []
    facts = home.city.chain.facts(Question(statuses=((MARKET, one.digest),)))
    assert [record.status for record in facts.statuses[0].records] == [Status.SUSPENDED, Status.ACTIVE]


def kept_copy(home: Home) -> Path:
    home.city.close()
    copy = home.folder.parent / "backup.sqlite"
    shutil.copy(home.folder / "ledger.sqlite", copy)
    home.reopen()
    return copy


def restored(home: Home, copy: Path) -> None:
    home.city.close()
    for beside in home.folder.glob("ledger.sqlite-*"):
        beside.unlink()
    shutil.copy(copy, home.folder / "ledger.sqlite")
    home.reopen()


def test_a_restored_database_that_lost_nothing_goes_on(home: Home) -> None:
    """The copy was made after the last append and before it was anchored: guard and chain agree with it."""
    home.issued(3)
    copy = kept_copy(home)
    home.publish()
    restored(home, copy)
    home.publish()
    anchored_once(home, 3)
    home.issued(2, start=4)
    home.publish()
    anchored_once(home, 5)


def test_two_copies_of_a_city_cannot_both_publish(home: Home, tmp_path: Path) -> None:
    """Split brain: a second machine started from the same backup. The chain keeps the first history it saw."""
    home.issued(2)
    twin_folder = Path(shutil.copytree(home.folder, tmp_path / "twin", ignore=shutil.ignore_patterns("chain")))
    (twin_folder / "chain").symlink_to(home.folder / "chain")
    home.issued(2, start=3)
    home.publish()
    with City(twin_folder) as twin:
        from homes import LICENCE, WORDS

        from api.issue import issue_file

        path = licences(twin_folder / "rows.csv", 3, start=10)
        issue_file(twin, path, type_id=LICENCE, agency=MARKET, words=WORDS, progress=lambda *_: None)
        with pytest.raises(AppendRefused) as refused:
            publisher(twin).step()
    assert refused.value.code == "LOG_DIVERGED"
    anchored_once(home, 4)
