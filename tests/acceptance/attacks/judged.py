"""What `certledger verify` of a source tree says of a bundle, and bundles as an attacker edits them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from command_line import GUARD, environment

from attacks.attack import Attack, Outcome
from attacks.weakening import PRODUCT, Change, Target


@dataclass(frozen=True, slots=True)
class Court:
    """Where bundles are judged: files in a folder, and the trust file of the verifier."""

    folder: Path
    trust: Path
    home: Path
    """The city that made the bundles: it renews a snapshot for whoever asks."""

    def file(self, bundle: bytes) -> Path:
        path = self.folder / f"{hashlib.sha256(bundle).hexdigest()[:16]}.json"
        path.write_bytes(bundle)
        return path

    def verdict(self, target: Target, bundle: bytes, *options: str, trust: Path | None = None) -> dict[str, Any]:
        """Of the real command, offline unless `options` say otherwise."""
        chosen = options or ("--offline",)
        ran = target.run("verify", self.file(bundle), "--trust", trust or self.trust, "--json", *filter(None, chosen))
        return dict(ran.json)

    def refreshed(self, bundle: bytes) -> bytes:
        """The same with a snapshot of now, by the real command: the city answers whatever bundle it is shown."""
        path = self.file(bundle)
        PRODUCT.run("bundle", "refresh", path, "--home", self.home, expect=0)
        return path.read_bytes()

    def later(self, bundle: bytes) -> Callable[[], bytes]:
        """`refreshed`, once, when it is played."""
        return cache(partial(self.refreshed, bundle))

    def attack(
        self,
        name: str,
        bundle: bytes | Callable[[], bytes],
        expected: str,
        *defences: Change,
        options: tuple[str, ...] = (),
    ) -> Attack:
        """Won if the bundle is VALID."""

        def play(target: Target) -> Outcome:
            verdict = self.verdict(target, bundle() if callable(bundle) else bundle, *options)
            return Outcome(verdict["result"] == "VALID", said(verdict))

        return Attack(name, play, expected, defences)

    def every(self, target: Target, bundles: list[bytes]) -> list[dict[str, Any]]:
        """Verdicts of many bundles in one process of this tree: what the command does, started once."""
        paths = [str(self.file(bundle)) for bundle in bundles]
        done = subprocess.run(
            [sys.executable, "-c", _EVERY, str(self.trust), *paths],
            capture_output=True,
            timeout=GUARD,
            cwd=target.root,
            env=environment(PYTHONPATH=str(target.root)),
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return list(json.loads(done.stdout))


_EVERY = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from api.cli.output import Output
from api.cli.verify import to_json
from api.verify import read_bundle, read_trust, verify
trust = read_trust(Path(sys.argv[1]))
output = Output("en", True)
def judged(path):
    try:
        return to_json(verify(read_bundle(path), trust, datetime.now(UTC), offline=True), output)
    except Exception as error:  # what the command answers with exit 4
        return {"result": f"INTERNAL {type(error).__name__}", "steps": []}
print(json.dumps([judged(Path(each)) for each in sys.argv[2:]]))
"""


def said(verdict: dict[str, Any]) -> str:
    """The result, and the reasons of whatever did not pass."""
    reasons = [step["reason"] for step in verdict["steps"] if step["state"] in ("FAIL", "UNKNOWN")]
    return f"{verdict['result']}: {', '.join(reasons)}" if reasons else str(verdict["result"])


def step(verdict: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in verdict["steps"] if each["step"] == name)


Edit = Callable[[dict[str, Any]], object]


def edited(bundle: bytes, edit: Edit) -> bytes:
    """The bundle with something changed, its members in their order."""
    content = json.loads(bundle)
    edit(content)
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def member(bundle: bytes, name: str) -> Any:
    return json.loads(bundle)[name]


def with_members(bundle: bytes, **members: Any) -> bytes:
    return edited(bundle, partial(dict.update, **members))
