"""At the end: is everything in order, and does anything personal stand on the chain?"""

from __future__ import annotations

from pathlib import Path

from api import checking
from api.demo import canaries
from api.demo.scene import Scene


def check(scene: Scene) -> None:
    found = list(checking.run(scene.city, leaves=checking.NEWEST_LEAVES, progress=lambda _: None))
    wrong = [line for line in found if line.outcome is not checking.Outcome.OK]
    scene.stage.line("demo.checked", ok=not wrong, ids={line.check: line.detail for line in found[-2:]})


def search_chain(scene: Scene, rows: Path) -> None:
    searched = canaries.search(scene.city, rows)
    scene.stage.line(
        "demo.canaries",
        ok=not searched.found and searched.values > 0 and searched.transactions > 0,
        values=f"{searched.values:,}",
        transactions=searched.transactions,
        events=searched.events,
        found=len(searched.found),
    )
