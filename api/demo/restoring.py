"""A city puts back yesterday's database: it is refused, told what is missing, and goes on without hiding it."""

from __future__ import annotations

import shutil
from pathlib import Path

from api import epochs, members
from api.demo import world
from api.demo.scene import ANCHOR_SECONDS, LICENCES, Scene
from api.issue import issue_file
from api.members import Member
from api.wiring import DATABASE, City
from ledger.epochs import Why
from ledger.errors import AppendRefused
from ledger.logid import CERTIFICATE

ISSUER = "nanjing_market"
BEHIND = "DATABASE_BEHIND_GUARD"
FIRST_ROW = 15
KEPT, LOST = 15, 15
"""Certificates in yesterday's copy, and those issued since."""


def restore(scene: Scene) -> None:
    agency, home = world.agency(ISSUER), scene.folder / world.city("B").home
    scene.others[0].close()  # the last to close the database leaves everything in the one file
    with City(home) as nanjing:
        members.add(nanjing, Member(agency.code, agency.name, tuple(world.types_of(ISSUER))))
        _issue(scene, nanjing, FIRST_ROW, KEPT)
    shutil.copy(home / DATABASE, scene.folder / "yesterday.sqlite")
    with City(home) as nanjing:
        _issue(scene, nanjing, FIRST_ROW + KEPT, LOST)
    shutil.copy(scene.folder / "yesterday.sqlite", home / DATABASE)
    with City(home) as nanjing:
        _refused(scene, nanjing)
        _continued(scene, nanjing)


def _refused(scene: Scene, nanjing: City) -> None:
    code, missing = "", 0
    try:
        _issue(scene, nanjing, FIRST_ROW + KEPT, LOST)
    except AppendRefused as error:
        code, missing = error.code, epochs.survey(nanjing, CERTIFICATE)[-1].missing
    scene.stage.line(
        "demo.restored",
        ok=(code, missing) == (BEHIND, LOST),
        ids={"home": nanjing.home},
        city=scene.names(world.city("B")),
        missing=missing,
        code=code or "–",
    )


def _continued(scene: Scene, nanjing: City) -> None:
    """Closed with what can be proven, which is shown before it is done; then on, and what was lost issued anew."""
    shown, _ = epochs.close(nanjing, CERTIFICATE, None)
    epochs.close(nanjing, CERTIFICATE, shown.good)
    over = epochs.go_on(nanjing, CERTIFICATE, Why.RESTORED)
    issued = _issue(scene, nanjing, FIRST_ROW, KEPT + LOST)
    (head,) = nanjing.chain.heads([nanjing.log.id])
    scene.stage.line(
        "demo.continued",
        ok=(over.good, over.known - over.good, issued) == (KEPT, LOST, LOST) and head is not None,
        ids={"closed": over.log.id.hex(), "log": nanjing.log.id.hex()},
        good=over.good,
        disowned=over.known - over.good,
        issued=issued,
    )


def _issue(scene: Scene, city: City, start: int, count: int) -> int:
    """So many good rows of the sample as a file of their own, issued and anchored; how many were issued."""
    header, *rows = (scene.folder / f"{LICENCES}.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    path: Path = city.home / f"rows-{start}-{count}.csv"
    path.write_text(header + "".join(rows[start : start + count]), encoding="utf-8")
    report = issue_file(
        city,
        path,
        type_id=LICENCES,
        agency=world.agency(ISSUER).code,
        words=scene.output.words,
        progress=lambda *_: None,
    )
    city.publisher.catch_up(ANCHOR_SECONDS)
    return report.issued
