"""The walk: a city issues a file of licences, anchors it, and somebody else verifies — until the chain is stopped."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api import devchain, members
from api.cli.bundle import write
from api.cli.output import Output
from api.demo import canaries, world
from api.demo.stage import Stage
from api.demo.world import DemoAgency
from api.errors import ApiError
from api.initialise import initialise
from api.issue import IssueReport, issue_file
from api.members import Member
from api.trusting import trust_of
from api.verify import verify
from api.wiring import PROJECT, PUBLISHER, City
from certs import store
from certs.bundle import encode
from certs.changing import ChangeStatus
from certs.lifecycle import Change
from certs.store import Certificate
from ledger import trust as trusts
from ledger.evm.engine import DevChain
from ledger.status import Reason
from ledger.store import outbox
from ledger.trust import Trust
from ledger.verdict import Finding, Result, State, Verdict

MARKER = ".certledger-demo"
SAMPLES = PROJECT / "samples"
LICENCES = "business_licence"
LATE_TYPE = "resident_id_card"
MARKET = "hangzhou_market"
POLICE = "hangzhou_police"
ANCHOR_SECONDS = 60.0
BAD_ROWS = 3
"""Rows of the sample that must be refused: samples/README.md."""
RENEWED_ROWS = 2
LATE_ROWS = 200
SHOWN_CLAIMS = ("enterprise_name", "legal_representative")


def run(folder: Path, output: Output, stage: Stage) -> int:
    """Play the whole walk in `folder`, made anew. The exit code: 0 only if every line came out as it should."""
    _clear(folder)
    stopped: list[DevChain] = []
    try:
        Walk(folder, output, stage, stopped.append).play()
    finally:
        for chain in stopped:
            chain.stop()
    return 1 if stage.failures else 0


@dataclass(frozen=True, slots=True)
class _Licence:
    """A certificate and the bundle that was made of it."""

    identifier: str
    path: Path


class Walk:
    """The acts in their order; each leaves behind what the next one needs."""

    def __init__(self, folder: Path, output: Output, stage: Stage, to_stop: Callable[[DevChain], None]) -> None:
        self._folder = folder
        self._output = output
        self._stage = stage
        self._to_stop = to_stop
        self._market, self._police = world.agency(MARKET), world.agency(POLICE)

    def play(self) -> None:
        self._found_city()
        with self._city as city:
            self._file, self._late = self._sample(LICENCES), self._sample(LATE_TYPE)
            self._issue(city)
            self._trust = self._export_trust(city)
            self._verify(city)
            self._tamper()
            self._change(city)
            self._outage(city)
            self._look_back(city)
        self._where_next()

    # ------------------------------------------------------------------ acts

    def _found_city(self) -> None:
        row = world.city("A")

        def start(city: City) -> None:
            self._chain = devchain.start_inside(city)
            self._to_stop(self._chain)

        home = self._folder / "hangzhou"
        self._city = initialise(home, city=1, division=row.division, name=row.name, start_chain=start)
        deployment = self._city.deployment
        ids = {
            "consortium": deployment.consortium.hex(),
            "MemberRegistry": deployment.member_registry.address,
            "LogAnchor": deployment.log_anchor.address,
            "StatusRegistry": deployment.status_registry.address,
        }
        self._stage.line("demo.city", ids=ids, city=self._named(row.name, row.name_en))
        wanted = ((MARKET, self._market), (POLICE, self._police))
        members.add(self._city, *(Member(a.code, a.name, tuple(world.types_of(key))) for key, a in wanted))
        names = self._named("、", ", ").join(self._named(a.name, a.name_en) for a in (self._market, self._police))
        self._stage.line("demo.agency", ids={"agency": self._market.code}, agency=names)

    def _issue(self, city: City) -> None:
        report = self._issue_file(city, self._file)
        rejects = report.rejects.name if report.rejects else "–"
        self._stage.line(
            "demo.issued",
            ok=report.issued > 0 and report.rejected == BAD_ROWS and report.issued + report.rejected == report.rows,
            ids={"last": report.last, "rejects": report.rejects, "rules": report.rules},
            issued=f"{report.issued:,}",
            rejected=report.rejected,
            rejects=rejects,
        )
        city.publisher.catch_up(ANCHOR_SECONDS)
        self._anchored(city, "demo.anchored")
        again = self._issue_file(city, self._file)
        self._stage.line(
            "demo.again", ok=(again.issued, again.already) == (0, report.issued), already=f"{again.already:,}"
        )

    def _anchored(self, city: City, key: str) -> None:
        with city.database.reading() as connection:
            sent = outbox.transactions(connection, sender=city.transactor(PUBLISHER).address)
        (head,) = city.chain.heads([city.log.id])
        assert head is not None  # noqa: S101  # catch_up returned
        self._stage.line(
            key,
            ok=len(sent) == 1 and sent[0].state == outbox.FINAL,
            ids={
                "root": head.root.hex(),
                "log": head.log.hex(),
                "block": head.block,
                "transaction": sent[-1].hash.hex(),
            },
            size=f"{head.size:,}",
            transactions=len(sent),
        )

    def _verify(self, city: City) -> None:
        first, second, third = self._newest(city, 3)
        self._genuine = self._bundle(city, first.identifier)
        self._revoked = self._bundle(city, second.identifier)
        self._suspended = self._bundle(city, third.identifier)
        online = self._verdict(self._genuine.path, offline=False)
        self._stage.verdict("demo.online", Result.VALID, online.result, ids={"bundle": self._genuine.path})
        offline = self._verdict(self._genuine.path, offline=True)
        self._stage.verdict("demo.offline", Result.VALID, offline.result, ids=_checked(offline))
        shown = self._bundle(city, first.identifier, only=SHOWN_CLAIMS, name="two-claims")
        partly = self._verdict(shown.path, offline=True)
        self._stage.verdict("demo.selective", Result.VALID, partly.result, ids={"bundle": shown.path})

    def _tamper(self) -> None:
        """One byte of a disclosed value changed: same length, still a file of the right form."""
        genuine = self._genuine.path.read_bytes()
        at = genuine.index(b"~") + 40
        changed = genuine[:at] + (b"A" if genuine[at : at + 1] != b"A" else b"B") + genuine[at + 1 :]
        path = self._folder / "bundles" / "tampered.json"
        write(path, changed)
        verdict = self._verdict(path, offline=True)
        failed = _failed(verdict)
        self._stage.verdict(
            "demo.tampered", Result.INVALID, verdict.result, ids={"bundle": path}, reason=self._reason(failed)
        )

    def _change(self, city: City) -> None:
        self._append(city, self._revoked.identifier, Change.REVOKE, Reason.PENALTY)
        self._append(city, self._suspended.identifier, Change.SUSPEND, Reason.SUSPENDED)
        renewed = self._renew(city)
        city.publisher.catch_up(ANCHOR_SECONDS)
        for key, licence in (("demo.revoked", self._revoked), ("demo.suspended", self._suspended)):
            verdict = self._verdict(licence.path, offline=False)
            ids = {"identifier": licence.identifier}
            self._stage.verdict(key, Result.INVALID, verdict.result, ids=ids, reason=self._reason(_failed(verdict)))
        self._append(city, self._suspended.identifier, Change.REINSTATE, Reason.REINSTATED)
        city.publisher.catch_up(ANCHOR_SECONDS)
        verdict = self._verdict(self._suspended.path, offline=False)
        self._stage.verdict("demo.reinstated", Result.VALID, verdict.result)
        fresh = self._bundle(city, renewed)
        verdict = self._verdict(fresh.path, offline=True)
        self._stage.verdict("demo.renewed", Result.VALID, verdict.result, ids={"identifier": renewed})

    def _outage(self, city: City) -> None:
        self._chain.stop()
        silent = self._verdict(self._genuine.path, offline=False)
        self._stage.verdict(
            "demo.stopped",
            Result.INDETERMINATE,
            silent.result,
            ids=_checked(silent),
            reason=self._reason(_failed(silent)),
        )
        offline = self._verdict(self._genuine.path, offline=True)
        self._stage.verdict("demo.stopped_offline", Result.VALID, offline.result)
        report = self._issue_file(city, self._late, LATE_TYPE, self._police)
        waits = city.try_publishing(1.0) is not None
        self._stage.line("demo.stopped_issued", ok=waits and report.issued == LATE_ROWS, issued=report.issued)
        self._chain.start()
        city.forget_chain()
        city.publisher.catch_up(ANCHOR_SECONDS)
        back = self._verdict(self._genuine.path, offline=False)
        late = self._verdict(self._bundle(city, report.last).path, offline=False)
        both = Result.VALID if {back.result, late.result} == {Result.VALID} else late.result
        self._stage.verdict("demo.back", Result.VALID, both, issued=report.issued)

    def _look_back(self, city: City) -> None:
        from api import checking

        found = list(checking.run(city, leaves=checking.NEWEST_LEAVES, progress=lambda _: None))
        wrong = [line for line in found if line.outcome is not checking.Outcome.OK]
        self._stage.line("demo.checked", ok=not wrong, ids={line.check: line.detail for line in found[-2:]})
        searched = canaries.search(city, self._file)
        self._stage.line(
            "demo.canaries",
            ok=not searched.found and searched.values > 0 and searched.transactions > 0,
            values=f"{searched.values:,}",
            transactions=searched.transactions,
            events=searched.events,
            found=len(searched.found),
        )

    def _where_next(self) -> None:
        stage, folder = self._stage, self._folder
        stage.blank()
        stage.hint("demo.where", bundles=folder / "bundles", trust=folder / "trust.json")
        stage.hint("demo.try_offline", bundle=self._genuine.path, trust=folder / "trust.json")
        stage.hint("demo.try_up", home=self._city.home)
        stage.hint("demo.try_check", home=self._city.home)
        stage.blank()
        stage.hint("demo.failed" if stage.failures else "demo.done", failures=stage.failures)

    # --------------------------------------------------------------- properties

    def _sample(self, type_id: str) -> Path:
        """A committed sample copied beside the city: rejects are written next to the file that is issued."""
        return Path(shutil.copy(SAMPLES / f"{type_id}.csv", self._folder))

    def _renew(self, city: City) -> str:
        """Rows whose premises moved: same numbers, other attributes. The identifier of the last new version."""
        lines = self._file.read_text(encoding="utf-8").splitlines(keepends=True)
        moved = [line.replace("号", "号之一", 1) for line in lines[1:] if "号" in line][:RENEWED_ROWS]
        path = self._folder / "moved.csv"
        path.write_text(lines[0] + "".join(moved), encoding="utf-8")
        report = self._issue_file(city, path, renew=True)
        self._stage.line("demo.moved", ok=report.renewed == RENEWED_ROWS, renewed=report.renewed)
        return report.last

    def _issue_file(
        self,
        city: City,
        path: Path,
        type_id: str = LICENCES,
        agency: DemoAgency | None = None,
        *,
        renew: bool = False,
    ) -> IssueReport:
        with self._output.progress("issue.progress") as progress:
            return issue_file(
                city,
                path,
                type_id=type_id,
                agency=(agency or self._market).code,
                words=self._output.words,
                progress=progress,
                renew=renew,
            )

    def _export_trust(self, city: City) -> Trust:
        trust = trust_of(city, days=365)
        write(self._folder / "trust.json", trusts.encode(trust))
        return trusts.decode((self._folder / "trust.json").read_bytes())

    def _newest(self, city: City, number: int) -> list[Certificate]:
        with city.database.reading() as connection:
            return store.newest(connection, number)

    def _bundle(self, city: City, identifier: str, *, only: tuple[str, ...] | None = None, name: str = "") -> _Licence:
        path = self._folder / "bundles" / f"{name or identifier}.json"
        write(path, encode(city.bundler.bundle(identifier, only=only)))
        return _Licence(identifier, path)

    def _append(self, city: City, identifier: str, change: Change, reason: Reason) -> None:
        city.sequencer.append(city.log, ChangeStatus(identifier, self._market.code, change, reason))

    def _verdict(self, path: Path, *, offline: bool) -> Verdict:
        return verify(path.read_bytes(), self._trust, datetime.now(UTC), offline=offline).verdict

    def _reason(self, finding: Finding) -> str:
        return self._output.words.reason(finding.reason, finding.compared).text

    def _named(self, zh: str, en: str) -> str:
        return en if self._output.words.language == "en" else zh


def _failed(verdict: Verdict) -> Finding:
    """The first step that did not pass; the last one if all did."""
    bad = [f for f in verdict.findings if f.state in (State.FAIL, State.UNKNOWN)]
    return bad[0] if bad else verdict.findings[-1]


def _checked(verdict: Verdict) -> dict[str, object]:
    return {"steps": " ".join(f"{f.step.name}={f.state}" for f in verdict.findings if f.state is not State.NOT_ASKED)}


def _clear(folder: Path) -> None:
    """Only a folder that a demonstration made is removed."""
    if folder.exists():
        if not (folder / MARKER).exists() and any(folder.iterdir()):
            raise ApiError("DEMO_FOLDER_FOREIGN", "the folder is not a demonstration's", path=folder)
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True)
        (folder / MARKER).touch()
    except OSError as error:
        raise ApiError("HOME_UNWRITABLE", str(error), path=folder, reason=error.strerror) from None
