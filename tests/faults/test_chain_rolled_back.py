"""The chain loses what it had: its engine's state, its newest blocks, or everything.

Published again under the same consortium, never deployed again; and whoever holds an old bundle is told.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import referee
from homes import POLICE, POLICE_NAME, Home, found
from labels import Server
from test_labelled_steps import ROLLED_BACK

from api import devchain, members
from api.cli.main import main
from api.initialise import initialise
from api.members import Member
from api.reading import bundle_of
from api.wiring import City
from certs.errors import BundleError
from certs.lifecycle import Change
from ledger.errors import ChainMismatch, EngineError, LedgerError
from ledger.evm.journal import HEIGHT, JOURNAL
from ledger.store import outbox

Said = pytest.CaptureFixture[str]


class Operator:
    """Types commands and reads their JSON."""

    def __init__(self, home: Home, said: Said) -> None:
        self.home = home
        self._said = said
        self.trust = home.folder.parent / "trust.json"

    def run(self, *arguments: object, expect: int = 0) -> dict[str, object]:
        self._said.readouterr()
        code = main([*map(str, arguments), "--lang", "en", "--json"])
        out = self._said.readouterr().out
        assert code == expect, f"{arguments}: {code}\n{out}"
        return dict(json.loads(out))

    def here(self, *arguments: object, expect: int = 0) -> dict[str, object]:
        return self.run(*arguments, "--home", self.home.folder, expect=expect)

    def bundle(self, identifier: str, name: str) -> Path:
        folder = self.home.folder.parent / name
        self.here("bundle", "export", identifier, "--out", folder)
        return folder / f"{identifier}.json"

    def verdict(self, bundle: Path, *more: str, expect: int) -> dict[str, str]:
        """Reason by step; the exit code is what is expected."""
        answer = self.run("verify", bundle, "--trust", self.trust, *more, expect=expect)
        return {step["step"]: step["reason"] for step in answer["steps"]}  # type: ignore[attr-defined]


@pytest.fixture
def operator(home: Home, capsys: Said) -> Operator:
    operator = Operator(home, capsys)
    operator.here("trust", "export", "--out", operator.trust)
    return operator


def kept_chain(home: Home) -> Path:
    """A copy of the chain's folder, made while it is stopped."""
    home.chain.stop()
    copy = Path(shutil.copytree(home.city.chain_folder, home.folder.parent / "older"))
    home.chain.start()
    home.reopen()
    return copy


def rolled_back(home: Home, copy: Path) -> None:
    home.chain.stop()
    shutil.rmtree(home.city.chain_folder)
    shutil.copytree(copy, home.city.chain_folder)
    home.chain.start()
    home.reopen()


def anchored(home: Home) -> list[tuple[int, int]]:
    """(size, block) of the anchors kept."""
    return [(size, block) for size, block in home.ask("SELECT size, block FROM anchor ORDER BY size")]


def test_the_engines_state_is_lost_and_the_journal_kept(home: Home) -> None:
    home.issued(5)
    home.publish()
    before = anchored(home)
    home.chain.stop()
    for path in home.city.chain_folder.iterdir():
        if path.name not in (JOURNAL, HEIGHT, devchain.PORT):
            path.unlink()
    home.chain.start()
    home.reopen()
    home.publish()
    judged = referee.judge(home.folder, home.chain.url)
    assert (anchored(home), judged.transactions, judged.heads[-1][0]) == (before, 1, 5)
    assert not home.wrong()


def test_the_newest_anchors_are_missing(operator: Operator) -> None:
    """Three heads and a revocation go; all come back as they were, under the same contracts."""
    home = operator.home
    first, *_ = home.issued(2)
    home.publish()
    deployment = home.city.deployment
    older = kept_chain(home)
    kept = operator.bundle(first.identifier, "kept")
    for start in (3, 5, 7):
        home.issued(2, start=start)
        home.publish()
    lost_one, revoked, *_ = home.certificates()
    home.change(revoked.identifier, Change.REVOKE)
    home.publish()
    lost, bad = (operator.bundle(each.identifier, "lost") for each in (lost_one, revoked))
    nonces = referee.judge(home.folder, home.chain.url).transactions
    operator.verdict(lost, expect=0)
    operator.verdict(bad, expect=1)

    rolled_back(home, older)
    wrong = home.wrong()
    assert {line.error and line.error.code for line in wrong} == {"CHAIN_ROLLED_BACK"}
    # Nobody is told VALID of what the chain does not hold, and nobody FORGED.
    assert operator.verdict(lost, expect=2)["STATUS"] == "STATUS_NODE_BEHIND"
    assert operator.verdict(bad, expect=1)["STATUS"] == "STATUS_REVOKED"
    assert operator.verdict(lost, "--offline", expect=0)["ANCHOR"] == "ANCHOR_OK"
    with pytest.raises(BundleError) as refused:
        bundle_of(home.city, lost_one.identifier)
    assert refused.value.code == "ANCHOR_LOST"
    operator.verdict(kept, expect=0)

    waiting = len(home.ask("SELECT id FROM chain_transaction"))
    operator.here("anchor", "submit")
    judged = referee.judge(home.folder, home.chain.url)
    fresh = len(home.ask("SELECT id FROM chain_transaction")) - waiting
    assert judged.waiting == 0 and judged.heads[-1][0] == home.size() == 10 - 1 and fresh <= 3
    assert home.reopen().deployment == deployment and not home.wrong()
    home.city.chain.confirm()
    # The old bundles name a block that is none any more: said so, until they are renewed.
    assert operator.verdict(lost, expect=2)["STATUS"] == "STATUS_NODE_BEHIND"
    operator.here("bundle", "refresh", lost, bad, kept)
    operator.verdict(lost, expect=0)
    operator.verdict(lost, "--offline", expect=0)
    operator.verdict(kept, expect=0)
    assert operator.verdict(bad, expect=1)["STATUS"] == "STATUS_REVOKED"
    assert operator.verdict(bad, "--offline", expect=1)["STATUS"] == "STATUS_REVOKED"
    operator.verdict(operator.bundle(lost_one.identifier, "new"), expect=0)
    print(f"rolled back by {nonces - 1} transactions: sent again, and {fresh} new; {len(judged.heads)} heads")
    # What was handed out since was recorded: its heads are anchored once, and nothing of the certificates' log again.
    operator.here("anchor", "submit")
    settled = referee.judge(home.folder, home.chain.url)
    assert settled.heads == judged.heads and settled.transactions - judged.transactions <= 1
    operator.here("anchor", "submit")
    assert referee.judge(home.folder, home.chain.url) == settled


def test_it_is_rolled_back_again_while_what_was_lost_is_under_way(operator: Operator) -> None:
    home = operator.home
    older = kept_chain(home)
    home.issued(3)
    home.publish()
    for _ in range(3):
        rolled_back(home, older)
        home.city.publisher.step()
    rolled_back(home, older)
    home.publish()
    judged = referee.judge(home.folder, home.chain.url)
    assert (judged.entries, judged.transactions, judged.heads[-1][0]) == (3, 1, 3)


@pytest.mark.parametrize("step", ROLLED_BACK)
def test_killed_while_taking_back_what_was_lost(operator: Operator, server: Server, tmp_path: Path, step: str) -> None:
    home = operator.home
    older = kept_chain(home)
    home.issued(3)
    home.publish()
    rolled_back(home, older)
    server.killed_at(step, tmp_path, "anchor", "submit", "--home", home.folder, "--json")
    operator.here("anchor", "submit")
    judged = referee.judge(home.folder, home.chain.url)
    assert (judged.transactions, judged.heads[-1][0], home.wrong()) == (1, 3, [])


def test_a_journal_cut_off_is_refused_until_the_operator_says_so(operator: Operator) -> None:
    """Final blocks are missing: no silent going on. Without its height the shorter journal is the chain."""
    home = operator.home
    home.issued(3)
    home.publish()
    home.chain.stop()
    journal = home.city.chain_folder / JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(EngineError) as refused:
        home.chain.start()
    assert refused.value.code == "JOURNAL_BEHIND"
    (home.city.chain_folder / HEIGHT).unlink()
    home.chain.start()
    home.reopen()
    operator.here("anchor", "submit")
    judged = referee.judge(home.folder, home.chain.url)
    assert (judged.transactions, judged.heads[-1][0], home.wrong()) == (1, 3, [])


def test_what_the_governor_registered_comes_back_with_it(operator: Operator) -> None:
    """An agency's new type went with the blocks: `anchor submit` brings it back before anything that needs it."""
    home = operator.home
    older = kept_chain(home)
    before = len(home.ask("SELECT id FROM chain_transaction"))
    members.add(home.city, Member(POLICE, POLICE_NAME, ("fire_safety_opinion",)))
    rolled_back(home, older)
    operator.here("anchor", "submit")
    assert members.plan(home.city, POLICE, ("fire_safety_opinion",)) == []
    assert len(home.ask("SELECT id FROM chain_transaction")) == before + 1
    rolled_back(home, older)
    members.add(home.city, Member(POLICE, POLICE_NAME, ("fire_safety_opinion",)))
    assert len(home.ask("SELECT id FROM chain_transaction")) == before + 1


def test_another_consortium_in_the_chains_place(operator: Operator, tmp_path: Path) -> None:
    """Reset to its beginning, and another ledger founded there: refused with words, and nothing sent to it."""
    home = operator.home
    home.issued(3)
    home.publish()
    bundle = operator.bundle(home.certificates()[0].identifier, "bundle")
    home.issued(2, start=4)
    home.chain.stop()
    other = tmp_path / "other"
    found(other)
    shutil.rmtree(home.city.chain_folder)
    shutil.copytree(other / "chain", home.city.chain_folder)
    home.chain.start()
    home.reopen()
    for ask in (lambda: home.city.publisher, lambda: home.city.bundler, lambda: members.plan(home.city, POLICE, ())):
        assert refusal(ask).code in ("CHAIN_CONSORTIUM", "CHAIN_CODE")
    error = operator.here("anchor", "submit", expect=3)["error"]
    assert error["code"] == "CHAIN_CONSORTIUM" and "do not deploy again" in error["remedy"]  # type: ignore[index]
    assert {state for (state,) in home.ask("SELECT state FROM chain_transaction")} == {"final"}
    assert operator.verdict(bundle, expect=2)["STATUS"] == "STATUS_CHAIN_SILENT"
    operator.verdict(bundle, "--offline", expect=0)


def refusal(ask: Callable[[], object]) -> LedgerError:
    with pytest.raises(ChainMismatch) as refused:
        ask()
    return refused.value


def test_the_chain_is_gone_while_a_city_is_being_made(tmp_path: Path) -> None:
    """Deployed, not yet written down, and the chain's folder lost: the same contracts, sent again."""
    chains = []
    folder = tmp_path / "home"

    def start(city: City) -> None:
        chains.append(devchain.start_inside(city))

    def make() -> City:
        return initialise(folder, city=1, division=330100, name="杭州市", start_chain=start)

    with make() as city:
        deployment = city.deployment
    chains.pop().stop()
    (folder / "deployment.json").unlink()
    shutil.rmtree(folder / "chain")
    with make() as city:
        assert city.deployment == deployment
        city.chain.confirm()
        with city.database.reading() as connection:
            labels = [each.label for each in outbox.transactions(connection)]
    chains.pop().stop()
    assert len(labels) == 4 and len({*labels}) == 4
