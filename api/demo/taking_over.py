"""Certificates that exist already come in under their own identifiers, with the digests of their files."""

from __future__ import annotations

from datetime import UTC, datetime

from api.demo import existing, world
from api.demo import scene as scenes
from api.demo.scene import CONSTRUCTION, Licence, Scene, failed
from api.importing import import_certificates
from api.verify import read_file, verify
from ledger.verdict import Result, Verdict


def take_over(scene: Scene) -> None:
    folder, agency = scene.folder / "existing", world.agency(CONSTRUCTION)
    existing.write(folder, scenes.SAMPLES, agency.code)
    with scene.output.progress("import.progress") as progress:
        report = import_certificates(
            scene.city,
            folder,
            type_id=existing.TYPE,
            agency=agency.code,
            words=scene.output.words,
            progress=progress,
        )
    scene.stage.line(
        "demo.imported",
        ok=(report.registered, report.rejected) == (existing.COUNT, len(existing.BAD)),
        ids={"last": report.last, "rejects": report.rejects, "rules": report.rules},
        registered=f"{report.registered:,}",
        rejected=report.rejected,
        rejects=report.rejects.name if report.rejects else "–",
    )
    scene.anchor()
    _file(scene, scene.bundle(report.last, name="imported"))


def _file(scene: Scene, licence: Licence) -> None:
    """The original file of an imported certificate, and the same with one byte changed."""
    original = next((scene.folder / "existing").glob(f"{licence.identifier}.*"))
    changed = original.with_name(f"changed{original.suffix}")
    content = bytearray(original.read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(content)

    def verdict(name: str) -> Verdict:
        file = read_file(original.with_name(name))
        return verify(licence.path.read_bytes(), scene.trust, datetime.now(UTC), offline=True, file=file).verdict

    genuine, other = verdict(original.name), verdict(changed.name)
    scene.stage.line(
        "demo.file",
        ok=(genuine.result, other.result) == (Result.VALID, Result.INVALID),
        ids={"file": original, "bundle": licence.path},
        kind=original.suffix.removeprefix(".").upper(),
        result=genuine.result.value,
        changed=other.result.value,
        reason=scene.reason(failed(other)),
    )
