"""The walk: cities found a ledger, one issues a file of licences and anchors it, and somebody else verifies —
until the chain is stopped."""

from __future__ import annotations

import shutil
from pathlib import Path

from api.cli.output import Output
from api.demo import (
    changes,
    cosigning,
    editing,
    founding,
    licences,
    looking_back,
    outage,
    reading,
    restoring,
    taking_over,
    votes,
)
from api.demo.scene import LICENCES, Licence, Scene
from api.demo.stage import Stage
from api.errors import ApiError
from ledger.evm.engine import DevChain

MARKER = ".certledger-demo"


def run(folder: Path, output: Output, stage: Stage) -> int:
    """Play the whole walk in `folder`, made anew. The exit code: 0 only if every line came out as it should."""
    _clear(folder)
    stopped: list[DevChain] = []
    scene = Scene(folder, output, stage, stopped.append)
    try:
        _play(scene)
    finally:
        scene.close()
        for chain in stopped:
            chain.stop()
    return 1 if stage.failures else 0


def _play(scene: Scene) -> None:
    founding.found(scene)
    votes.alone(scene)
    rows = scene.sample(LICENCES)
    licences.issue(scene, rows)
    shown = licences.verify(scene)
    cosigning.cosign(scene, shown.genuine)
    licences.tamper(scene, shown.genuine)
    changes.change(scene, shown, rows)
    taking_over.take_over(scene)
    reading.read(scene)
    editing.edit(scene)
    restoring.restore(scene)
    outage.outage(scene, shown.genuine)
    looking_back.check(scene)
    looking_back.search_chain(scene, rows)
    _where_next(scene, shown.genuine)


def _where_next(scene: Scene, genuine: Licence) -> None:
    stage, folder, home = scene.stage, scene.folder, scene.city.home
    stage.blank()
    stage.hint("demo.where", bundles=folder / "bundles", trust=folder / "trust.json")
    stage.hint("demo.try_offline", bundle=genuine.path, trust=folder / "trust.json")
    stage.hint("demo.try_up", home=home)
    stage.hint("demo.try_check", home=home)
    stage.blank()
    stage.hint("demo.failed" if stage.failures else "demo.done", failures=stage.failures)


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
