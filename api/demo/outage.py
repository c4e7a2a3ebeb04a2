"""The chain is away: no verdict of forgery, no counter that waits, and nothing lost when it is back."""

from __future__ import annotations

from api.demo import world
from api.demo.scene import POLICE, Licence, Scene, checked, failed
from ledger.verdict import Result

LATE_TYPE = "resident_id_card"
LATE_ROWS = 200


def outage(scene: Scene, genuine: Licence) -> None:
    stage = scene.stage
    scene.chain.stop()
    silent = scene.verdict(genuine.path, offline=False)
    why = scene.reason(failed(silent))
    stage.verdict("demo.stopped", Result.INDETERMINATE, silent.result, ids=checked(silent), reason=why)
    offline = scene.verdict(genuine.path, offline=True)
    stage.verdict("demo.stopped_offline", Result.VALID, offline.result)
    report = scene.issue(scene.sample(LATE_TYPE), LATE_TYPE, world.agency(POLICE))
    waits = scene.city.try_publishing(1.0) is not None
    stage.line("demo.stopped_issued", ok=waits and report.issued == LATE_ROWS, issued=report.issued)
    scene.chain.start()
    scene.city.forget_chain()
    scene.anchor()
    back = scene.verdict(genuine.path, offline=False)
    late = scene.verdict(scene.bundle(report.last).path, offline=False)
    both = Result.VALID if {back.result, late.result} == {Result.VALID} else late.result
    stage.verdict("demo.back", Result.VALID, both, issued=report.issued)
