"""What a crash, a cut or a second beginning leaves behind is picked up again: making a city, and running it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from homes import HANG_SECONDS, MARKET, MARKET_NAME, Home, licences

from api import devchain, initialise, members, service, wiring
from api.errors import ApiError
from api.members import Member
from api.wiring import City
from ledger.errors import AppendRefused, ChainUnavailable, LedgerError
from ledger.evm.engine import DevChain
from ledger.store import outbox
from ledger.verdict import Result


class Power(Exception):
    """The machine went off here."""


class Making:
    """A city being made, on one chain that runs on through every cut."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._chain: DevChain | None = None
        self._opened: City | None = None

    def done(self) -> City:
        return initialise.initialise(self._home, city=1, division=330100, name="杭州市", start_chain=self._start_chain)

    def cut_short(self) -> None:
        with pytest.raises(Power):
            self.done()
        if self._opened is not None:  # what the end of a process closes
            self._opened.close()

    def close(self) -> None:
        if self._chain is not None:
            self._chain.stop()

    def _start_chain(self, city: City) -> None:
        self._opened = city
        self._chain = self._chain or devchain.start_inside(city)


def test_a_city_whose_making_was_cut_at_every_step_is_one_city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut before each step that leaves something behind, then begun again: one set of keys, one deployment."""
    making = Making(tmp_path / "home")
    cuts: list[tuple[object, str]] = [
        (initialise.settings_file, "write"),
        (initialise.Keystore, "create"),
        (initialise.runner, "upgrade"),
        (initialise, "deploy"),
        (initialise.canonical, "dumps"),
        (initialise.members, "carry_out"),
    ]
    try:
        for owner, name in cuts:
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, cut)
                making.cut_short()
        with making.done() as city:
            first = (city.deployment, city.keystore.names(), city.settings.consortium)
            sent = [each.label for each in transactions(city)]
        with making.done() as city:
            assert (city.deployment, city.keystore.names(), city.settings.consortium) == first
            assert [each.label for each in transactions(city)] == sent
            city.chain.confirm()
            assert {each.state for each in transactions(city)} == {outbox.FINAL}
        assert len([label for label in sent if label.startswith("deploy/")]) == 3
    finally:
        making.close()


def cut(*_: object, **__: object) -> None:
    raise Power


def transactions(city: City) -> list[outbox.StoredTransaction]:
    with city.database.reading() as connection:
        return outbox.transactions(connection)


def test_deploying_is_cut_between_the_contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first contract, and after all three: the outbox remembers them, the addresses are the same."""
    making = Making(tmp_path / "home")
    real = wiring.Transactor.settle_all
    calls = [0]

    def settle_all(self: wiring.Transactor, *arguments: object) -> None:
        calls[0] += 1
        if calls[0] in (1, 3):
            raise Power
        real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(wiring.Transactor, "settle_all", settle_all)

    try:
        for _ in range(2):
            making.cut_short()
        with making.done() as city:
            city.chain.confirm()
            labels = [each.label for each in transactions(city) if each.label.startswith("deploy/")]
        assert sorted(labels) == ["deploy/LogAnchor", "deploy/MemberRegistry", "deploy/StatusRegistry"]
    finally:
        making.close()


def test_making_a_member_known_twice_changes_nothing(home: Home) -> None:
    before = transactions(home.city)
    assert members.add(home.city, Member(MARKET, MARKET_NAME, ("business_licence",))) == []
    assert transactions(home.city) == before


def test_another_city_in_the_same_folder_is_refused(home: Home) -> None:
    with pytest.raises(ApiError) as refused:
        initialise.initialise(home.folder, city=2, division=320100, name="南京市", start_chain=cut)
    assert refused.value.code == "HOME_EXISTS"


def test_the_chain_dies_and_comes_back_on_its_own(home: Home) -> None:
    """The engine is killed under the publisher; the supervisor replays it; nothing is lost and nothing sent twice."""
    home.issued(3)
    home.publish()
    assert home.chain._keeper is not None
    home.chain._keeper._engine.interrupt()  # type: ignore[union-attr]
    home.issued(3, start=4)
    home.publish()
    assert home.contiguous() == 6 and not home.wrong()
    assert all(home.verify(each.identifier).verdict.result is Result.VALID for each in home.certificates())


# --------------------------------------------------------------------- the service


class Running:
    """`certledger up` in a thread; what it reports."""

    def __init__(self, folder: Path) -> None:
        self.reports: list[str] = []
        self.problem: BaseException | None = None
        self._stop, self._told = Event(), threading.Condition()
        self._thread = threading.Thread(target=self._serve, args=(folder,))
        self._thread.start()

    def _serve(self, folder: Path) -> None:
        try:
            service.serve(folder, self._stop, self._report)
        except BaseException as error:
            self.problem = error
        finally:
            self._report("ended", {})

    def _report(self, key: str, _: dict[str, str]) -> None:
        with self._told:
            self.reports.append(key)
            self._told.notify_all()

    def heard(self, key: str) -> None:
        with self._told:
            assert self._told.wait_for(lambda: key in self.reports, HANG_SECONDS), self.reports

    def end(self) -> None:
        self._stop.set()
        self._thread.join(HANG_SECONDS)
        assert not self._thread.is_alive()


def test_up_publishes_tells_an_outage_once_and_recovers(home: Home) -> None:
    up = Running(home.folder)
    try:
        up.heard("up.chain")
        home.issued(2)
        until(lambda: home.outbox() == {("head", "done"): 1})
        home.chain.stop()
        up.heard("up.outage") if home.issued(2, start=3) else None
        home.chain.start()
        up.heard("up.recovered")
        home.reopen()
        until(lambda: home.outbox() == {("head", "done"): 2})
    finally:
        up.end()
    assert up.problem is None
    assert up.reports == ["up.chain", "up.outage", "up.recovered", "ended"]
    assert home.contiguous() == 4 and not home.wrong()


def until(question: Callable[[], bool]) -> None:
    waited = Event()
    for _ in range(int(HANG_SECONDS * 20)):
        if question():
            return
        waited.wait(0.05)
    raise AssertionError("waited in vain")


def test_a_second_up_on_one_folder(home: Home) -> None:
    up = Running(home.folder)
    try:
        up.heard("up.chain")
        with pytest.raises(ApiError) as refused:
            service.serve(home.folder, Event(), lambda *_: None)
        assert refused.value.code == "HOME_IN_USE" and refused.value.params["pid"].isdigit()
    finally:
        up.end()
    assert up.problem is None
    again = Running(home.folder)
    again.heard("up.chain")
    again.end()
    assert again.problem is None


def test_up_refuses_a_database_that_was_restored_from_an_older_copy(home: Home) -> None:
    home.issued(2)
    home.publish()
    home.edit("UPDATE log SET size = 1")
    with pytest.raises(AppendRefused) as refused:
        service.serve(home.folder, Event(), lambda *_: None)
    assert refused.value.code == "CITY_DISAGREES"


def test_nothing_waits_for_a_chain_that_is_away(home: Home) -> None:
    home.chain.stop()
    city = home.reopen()
    assert home.issue(licences(home.folder / "rows.csv", 2)).issued == 2
    problem: LedgerError | None = None
    try:
        problem = city.try_publishing(1.0)
    except ChainUnavailable as error:
        problem = error
    assert problem is not None and problem.code == "CHAIN_STOPPED"
    assert home.outbox() == {("head", "waiting"): 1}
