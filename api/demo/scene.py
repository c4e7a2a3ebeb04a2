"""What all acts of the demonstration share: the folder, the cities, the verifier's trust file, and the stage."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api.cli.output import Output
from api.demo import world
from api.demo.stage import Stage
from api.demo.world import DemoAgency
from api.issue import IssueReport, issue_file
from api.private_file import write
from api.reading import bundle_of
from api.verify import verify
from api.wiring import PROJECT, City
from certs import store
from certs.bundle import encode
from certs.changing import ChangeStatus
from certs.lifecycle import Change
from certs.store import Certificate
from ledger.evm.engine import DevChain
from ledger.status import Reason
from ledger.trust import Trust
from ledger.verdict import Finding, State, Verdict

SAMPLES = PROJECT / "samples"
LICENCES = "business_licence"
MARKET, POLICE, CONSTRUCTION = "hangzhou_market", "hangzhou_police", "hangzhou_construction"
ANCHOR_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Licence:
    """A certificate and the bundle that was made of it."""

    identifier: str
    path: Path


class Scene:
    """Set up by the first act; each act leaves behind what a later one needs."""

    chain: DevChain
    city: City
    """Hangzhou: the city that issues, in whose folder the chain runs."""
    others: Sequence[City] = ()
    """Nanjing and Hefei."""
    trust: Trust
    """What a verifier somewhere else holds."""

    def __init__(self, folder: Path, output: Output, stage: Stage, to_stop: Callable[[DevChain], None]) -> None:
        self.folder = folder
        self.output = output
        self.stage = stage
        self.to_stop = to_stop

    def close(self) -> None:
        for city in (*([self.city] if "city" in self.__dict__ else []), *self.others):
            city.close()

    # ------------------------------------------------------------- what acts do

    def sample(self, type_id: str) -> Path:
        """A committed sample copied beside the city: rejects are written next to the file that is issued."""
        return Path(shutil.copy(SAMPLES / f"{type_id}.csv", self.folder))

    def issue(self, path: Path, type_id: str, agency: DemoAgency, *, renew: bool = False) -> IssueReport:
        with self.output.progress("issue.progress") as progress:
            return issue_file(
                self.city,
                path,
                type_id=type_id,
                agency=agency.code,
                words=self.output.words,
                progress=progress,
                renew=renew,
            )

    def change(self, identifier: str, change: Change, reason: Reason) -> None:
        act = ChangeStatus(identifier, world.agency(MARKET).code, change, reason)
        self.city.sequencer.append(self.city.log, act)

    def anchor(self) -> None:
        self.city.publisher.catch_up(ANCHOR_SECONDS)

    def bundle(self, identifier: str, *, only: tuple[str, ...] | None = None, name: str = "") -> Licence:
        path = self.folder / "bundles" / f"{name or identifier}.json"
        write(path, encode(bundle_of(self.city, identifier, only)))
        return Licence(identifier, path)

    def verdict(self, path: Path, *, offline: bool) -> Verdict:
        return verify(path.read_bytes(), self.trust, datetime.now(UTC), offline=offline).verdict

    def newest(self, number: int) -> list[Certificate]:
        with self.city.database.reading() as connection:
            return store.newest(connection, number)

    # ------------------------------------------------------------------- words

    def reason(self, finding: Finding) -> str:
        return self.output.words.reason(finding.reason, finding.compared).text

    def named(self, zh: str, en: str) -> str:
        return en if self.output.words.language == "en" else zh

    def names(self, *rows: world.DemoAgency | world.DemoCity) -> str:
        return self.named("、", ", ").join(self.named(row.name, row.name_en) for row in rows)


def failed(verdict: Verdict) -> Finding:
    """The first step that did not pass; the last one if all did."""
    bad = [f for f in verdict.findings if f.state in (State.FAIL, State.UNKNOWN)]
    return bad[0] if bad else verdict.findings[-1]


def checked(verdict: Verdict) -> dict[str, object]:
    return {"steps": " ".join(f"{f.step.name}={f.state}" for f in verdict.findings if f.state is not State.NOT_ASKED)}
