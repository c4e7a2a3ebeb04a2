"""A monitor: looks at what cities publish and at what the chain holds, keeps it, and raises what cannot both be true.

It needs nobody's key and no city's help: a trust file, and the folders that cities publish (`log export`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from api.errors import ApiError
from api.verify import ask
from certs.verify.view import Silent
from ledger import accreditation as rules
from ledger import checkpoint, monitor, tiles_export
from ledger.canonical import Json
from ledger.errors import ChainUnavailable, VerificationError
from ledger.facts import Facts, PublishedHead, Question
from ledger.monitor import CHAIN, Alarm, Raised, Seen
from ledger.ports import Chain
from ledger.store import sightings
from ledger.store.database import Database
from ledger.tile import ReadTile
from ledger.trust import Trust
from ledger.types import Head, LogName


@dataclass(frozen=True, slots=True)
class Look:
    """What one pass saw."""

    seen: int
    raised: tuple[tuple[Raised, Path], ...]
    """Each with the file that proves it."""


class Monitor:
    """Keeps its memory in one SQLite file; safe to stop at any time."""

    def __init__(self, memory: Path, evidence: Path, trust: Trust, clock: Callable[[], int]) -> None:
        self._database = Database(f"sqlite:///{memory}")
        self._evidence = evidence
        self._trust = trust
        self._clock = clock
        with self._database.writing() as connection:
            sightings.prepare(connection)

    def close(self) -> None:
        self._database.close()

    def look(self, places: Sequence[Path]) -> Look:
        """One pass. Raises `ChainUnavailable`, `ApiError` CHECKPOINT_MISSING; what was seen before stays."""
        shown = [_read(place, self._trust.deployment.consortium, self._clock()) for place in places]
        facts = self._facts([seen.log for seen, _ in shown])
        forged = [Raised(Alarm.FORGED, seen, seen) for seen, _ in shown if not self._signed(seen, facts)]
        sound = [(seen, read) for seen, read in shown if all(seen is not each.first for each in forged)]
        chain = [(self._on_chain(head, shown), None) for head in facts.heads]
        raised = [*forged, *self._kept(chain), *self._kept(sound)]
        return Look(len(sound) + len(chain), tuple((each, self._written(each)) for each in raised))

    def _facts(self, logs: Sequence[LogName]) -> Facts:
        """The newest head of each log, and the keys with which cities sign heads."""
        heads = tuple(PublishedHead(log.id, 1, bytes(32), 0, 0, 0) for log in dict.fromkeys(logs))

        def question(chain: Chain) -> Question:
            return Question(kids=tuple(chain.registered_keys(rules.HEAD)), heads=heads)

        found = ask(self._trust, question)
        if isinstance(found, Silent):
            raise ChainUnavailable("NODES_SILENT", "no node of the trust file answered", problem=found.reason)
        return found

    def _signed(self, seen: Seen, facts: Facts) -> bool:
        """By any key of use *head* that its city has registered."""
        name = checkpoint.origin(self._trust.deployment.consortium, seen.log)
        for key in facts.keys:
            if (key.city, key.use) == (seen.log.city, rules.HEAD):
                with suppress(VerificationError):
                    return checkpoint.verify(seen.note, name=name, public=key.x) == seen.head
        return False

    def _on_chain(self, head: PublishedHead, shown: Sequence[tuple[Seen, ReadTile]]) -> Seen:
        log = next(seen.log for seen, _ in shown if seen.log.id == head.log)
        return Seen(log, Head(head.size, head.root), CHAIN, self._clock(), block=head.block)

    def _kept(self, looked: Sequence[tuple[Seen, ReadTile | None]]) -> list[Raised]:
        """Compare with everything that is known, then keep it: what is contradicted is kept too."""
        raised: list[Raised] = []
        for seen, read in looked:
            with self._database.writing() as connection:
                raised += monitor.compare(list(sightings.of_log(connection, seen.log)), seen, read)
                sightings.keep(connection, seen)
                # Crash monitor/kept: rolled back; the next pass sees and raises the same.
        return raised

    def _written(self, raised: Raised) -> Path:
        """A name that the same evidence has again, so that a monitor that runs for days does not fill a folder."""
        first, second = raised.first, raised.second
        name = f"{raised.alarm}-{first.log.city}-{first.log.stream}-{first.log.epoch}"
        sizes = f"{first.head.size}-{first.head.root.hex()[:8]}-{second.head.size}-{second.head.root.hex()[:8]}"
        path = self._evidence / f"{name}-{sizes}.json"
        try:
            self._evidence.mkdir(parents=True, exist_ok=True)
            path.write_bytes(monitor.encode(raised, self._trust.deployment.consortium))
        except OSError as error:
            raise ApiError("FILE_UNWRITABLE", str(error), path=path, reason=error.strerror) from None
        return path


def _read(place: Path, consortium: bytes, at: int) -> tuple[Seen, ReadTile]:
    """What a folder of `log export` shows: whose it is, by its own words; nothing is verified yet."""
    try:
        note = (place / "checkpoint").read_bytes()[: checkpoint.MAX_BYTES + 1].decode()
    except (OSError, UnicodeDecodeError):
        raise ApiError("CHECKPOINT_MISSING", "no log is published there", path=place) from None
    log, head = checkpoint.claimed(note, consortium)
    return Seen(log, head, str(place.resolve()), at, note), tiles_export.reader(place)


def passes(stop: Callable[[float], bool], every: float) -> Iterator[None]:
    """Pass after pass until `stop` says so."""
    yield
    while not stop(every):
        yield


def raised_json(raised: Raised, path: Path) -> dict[str, Json]:
    return {
        "alarm": raised.alarm.value,
        "city": raised.first.log.city,
        "stream": raised.first.log.stream,
        "epoch": raised.first.log.epoch,
        "sizes": [raised.first.head.size, raised.second.head.size],
        "sources": [raised.first.source, raised.second.source],
        "evidence": str(path),
    }
