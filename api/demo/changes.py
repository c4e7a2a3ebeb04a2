"""What happens to certificates later: revoked, suspended and reinstated, renewed."""

from __future__ import annotations

from pathlib import Path

from api.demo import world
from api.demo.licences import Shown
from api.demo.scene import LICENCES, MARKET, Scene, failed
from certs.lifecycle import Change
from ledger.status import Reason
from ledger.verdict import Result

RENEWED_ROWS = 2


def change(scene: Scene, shown: Shown, rows: Path) -> None:
    scene.change(shown.to_revoke.identifier, Change.REVOKE, Reason.PENALTY)
    scene.change(shown.to_suspend.identifier, Change.SUSPEND, Reason.SUSPENDED)
    renewed = _renew(scene, rows)
    scene.anchor()
    for key, licence in (("demo.revoked", shown.to_revoke), ("demo.suspended", shown.to_suspend)):
        verdict = scene.verdict(licence.path, offline=False)
        ids, why = {"identifier": licence.identifier}, scene.reason(failed(verdict))
        scene.stage.verdict(key, Result.INVALID, verdict.result, ids=ids, reason=why)
    scene.change(shown.to_suspend.identifier, Change.REINSTATE, Reason.REINSTATED)
    scene.anchor()
    verdict = scene.verdict(shown.to_suspend.path, offline=False)
    scene.stage.verdict("demo.reinstated", Result.VALID, verdict.result)
    verdict = scene.verdict(scene.bundle(renewed).path, offline=True)
    scene.stage.verdict("demo.renewed", Result.VALID, verdict.result, ids={"identifier": renewed})


def _renew(scene: Scene, rows: Path) -> str:
    """Rows whose premises moved: same numbers, other attributes. The identifier of the last new version."""
    lines = rows.read_text(encoding="utf-8").splitlines(keepends=True)
    moved = [line.replace("号", "号之一", 1) for line in lines[1:] if "号" in line][:RENEWED_ROWS]
    path = scene.folder / "moved.csv"
    path.write_text(lines[0] + "".join(moved), encoding="utf-8")
    report = scene.issue(path, LICENCES, world.agency(MARKET), renew=True)
    scene.stage.line("demo.moved", ok=report.renewed == RENEWED_ROWS, renewed=report.renewed)
    return report.last
