"""A verifier that trusts no single city: two of three must have asked their own node and signed."""

from __future__ import annotations

from dataclasses import replace

from api.demo import world
from api.demo.founding import TRUST_DAYS
from api.demo.scene import Licence, Scene
from api.private_file import write
from api.trusting import trust_of
from api.verify import verify
from certs import bundle as bundles
from ledger import cosigning
from ledger import trust as trusts
from ledger.verdict import Result

K = 2


def cosign(scene: Scene, licence: Licence) -> None:
    """The other cities cosign the snapshot of a copy of this bundle; only the snapshot goes to them."""
    trust = trust_of(scene.city, days=TRUST_DAYS, k=K)
    write(scene.folder / "trust-2-of-3.json", trusts.encode(trust))
    bundle = bundles.decode(licence.path.read_bytes())
    alone = verify(bundles.encode(bundle), trust, scene.city.clock(), offline=True).verdict
    cosigned = [city.cosigner.cosign(bundle.snapshot) for city in scene.others]
    path = scene.folder / "bundles" / "cosigned.json"
    write(path, bundles.encode(replace(bundle, snapshot=cosigning.join(bundle.snapshot, *cosigned))))
    together = verify(path.read_bytes(), trust, scene.city.clock(), offline=True).verdict
    scene.stage.line(
        "demo.cosigned",
        ok=(alone.result, together.result) == (Result.INVALID, Result.VALID),
        ids={"bundle": path, "trust": scene.folder / "trust-2-of-3.json"},
        city=scene.names(world.city("B"), world.city("C")),
        alone=alone.result.value,
        result=together.result.value,
    )
