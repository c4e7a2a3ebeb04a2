"""A file of licences: issued, anchored by one transaction, verified elsewhere, and one byte of it changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api.demo import world
from api.demo.scene import LICENCES, MARKET, Licence, Scene, checked, failed
from api.private_file import write
from api.wiring import PUBLISHER
from ledger.store import outbox
from ledger.verdict import Result

BAD_ROWS = 3
"""Rows of the sample that must be refused: samples/README.md."""
SHOWN_CLAIMS = ("enterprise_name", "legal_representative")


@dataclass(frozen=True, slots=True)
class Shown:
    """Three of the licences, with the bundles made while all of them held."""

    genuine: Licence
    to_revoke: Licence
    to_suspend: Licence


def issue(scene: Scene, rows: Path) -> None:
    report = scene.issue(rows, LICENCES, world.agency(MARKET))
    scene.stage.line(
        "demo.issued",
        ok=report.issued > 0 and report.rejected == BAD_ROWS and report.issued + report.rejected == report.rows,
        ids={"last": report.last, "rejects": report.rejects, "rules": report.rules},
        issued=f"{report.issued:,}",
        rejected=report.rejected,
        rejects=report.rejects.name if report.rejects else "–",
    )
    scene.anchor()
    _anchored(scene)
    again = scene.issue(rows, LICENCES, world.agency(MARKET))
    as_before = (again.issued, again.already) == (0, report.issued)
    scene.stage.line("demo.again", ok=as_before, already=f"{again.already:,}")


def _anchored(scene: Scene) -> None:
    city = scene.city
    with city.database.reading() as connection:
        sent = outbox.transactions(connection, sender=city.transactor(PUBLISHER).address)
    (head,) = city.chain.heads([city.log.id])
    assert head is not None  # noqa: S101  # anchored just now
    ids = {
        "root": head.root.hex(),
        "log": head.log.hex(),
        "block": head.block,
        "transaction": sent[-1].hash.hex(),
    }
    final = len(sent) == 1 and sent[0].state == outbox.FINAL
    scene.stage.line("demo.anchored", ok=final, ids=ids, size=f"{head.size:,}", transactions=len(sent))


def verify(scene: Scene) -> Shown:
    first, second, third = scene.newest(3)
    shown = Shown(*(scene.bundle(each.identifier) for each in (first, second, third)))
    path = shown.genuine.path
    online = scene.verdict(path, offline=False)
    scene.stage.verdict("demo.online", Result.VALID, online.result, ids={"bundle": path})
    offline = scene.verdict(path, offline=True)
    scene.stage.verdict("demo.offline", Result.VALID, offline.result, ids=checked(offline))
    two = scene.bundle(first.identifier, only=SHOWN_CLAIMS, name="two-claims")
    partly = scene.verdict(two.path, offline=True)
    scene.stage.verdict("demo.selective", Result.VALID, partly.result, ids={"bundle": two.path})
    return shown


def tamper(scene: Scene, genuine: Licence) -> None:
    """One byte of a disclosed value changed: same length, still a file of the right form."""
    text = genuine.path.read_bytes()
    at = text.index(b"~") + 40
    changed = text[:at] + (b"A" if text[at : at + 1] != b"A" else b"B") + text[at + 1 :]
    path = scene.folder / "bundles" / "tampered.json"
    write(path, changed)
    verdict = scene.verdict(path, offline=True)
    why = scene.reason(failed(verdict))
    scene.stage.verdict("demo.tampered", Result.INVALID, verdict.result, ids={"bundle": path}, reason=why)
