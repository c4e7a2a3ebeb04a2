"""Cosigning: one city's word for a snapshot that another city made, after its own node said the same.

This is what a city answers when it is asked to cosign, by a file today and over HTTP later: who asks is not trusted,
and sees nothing that is not on chain.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger import accreditation as rules
from ledger import canonical, facts, jws
from ledger import snapshot as snapshots
from ledger.canonical import Json
from ledger.errors import ChainUnavailable, LedgerError, VerificationError
from ledger.facts import Facts, Question
from ledger.ports import Chain
from ledger.snapshot import Snapshot

MAX_NAMED = 8
"""Differences that are named; the first is enough to refuse."""


class Cosigner:
    """Signs with `signer`, the witness key of `city`, what `chain` says too."""

    def __init__(self, chain: Chain, city: int, signer: jws.Signer) -> None:
        self._chain = chain
        self._city = city
        self._signer = signer

    def cosign(self, untrusted: Snapshot) -> Snapshot:
        """The snapshot with one more signature; as it is, if this key has signed it already.

        Raises `VerificationError` SNAPSHOT_CONSORTIUM, SNAPSHOT_DIFFERS (facts: the places that differ),
        SNAPSHOT_FORM; `LedgerError` NOT_A_WITNESS; `ChainUnavailable` SNAPSHOT_TOO_NEW where the own node is behind.
        """
        if self._signer.kid in snapshots.signers(untrusted):
            return untrusted
        claimed = snapshots.read(untrusted)
        deployment = self._chain.deployment
        if (claimed.consortium, claimed.chain_id) != (deployment.consortium, deployment.chain_id):
            raise VerificationError("SNAPSHOT_CONSORTIUM", "the snapshot is of another ledger")
        if claimed.block > self._chain.final_height():
            raise ChainUnavailable("SNAPSHOT_TOO_NEW", "the block is not final for this node", block=claimed.block)
        self._refuse_outsider()
        ours = self._chain.facts(facts.question(claimed), claimed.block)
        differing = list(_differing(facts.to_json(claimed), facts.to_json(ours)))
        if differing:
            named = " ".join(differing[:MAX_NAMED])
            raise VerificationError("SNAPSHOT_DIFFERS", f"this city's node says otherwise: {named}", facts=named)
        # What is signed is the very text that was compared, not ours: they are equal, and there is one payload.
        return snapshots.cosign(untrusted, self._signer)

    def _refuse_outsider(self) -> None:
        """A signature that no trust file will list is not given."""
        now = self._chain.facts(Question(kids=(self._signer.kid,), cities=(self._city,)))
        if not any(key.city == self._city for key in witnesses(now)):
            raise LedgerError("NOT_A_WITNESS", "this city's witness key is not in force", city=self._city)


def witnesses(read: Facts) -> list[facts.Key]:
    """Of the keys among the facts, those that may witness now: in force, of a city that is active."""
    return [
        key
        for key in read.keys
        if key.use == rules.WITNESS
        and key.suite == rules.P256
        and not key.agency
        and rules.key_valid(key, read.time, read.block)
        and rules.city_active(read, key.city, read.time)
    ]


def join(snapshot: Snapshot, *others: Snapshot) -> Snapshot:
    """All their signatures under one payload, each once. Raises `VerificationError` SNAPSHOT_OTHER."""
    if any(other.payload != snapshot.payload for other in others):
        raise VerificationError("SNAPSHOT_OTHER", "the snapshots do not hold the same facts")
    pairs = [pair for each in (snapshot, *others) for pair in each.signatures]
    return Snapshot(snapshot.payload, tuple(dict.fromkeys(pairs)))


def read_file(untrusted: bytes) -> Snapshot:
    """A snapshot alone in a file. Raises `VerificationError` or `CanonicalError`."""
    return snapshots.from_json(canonical.loads(untrusted, max_bytes=snapshots.MAX_FILE_BYTES))


def _differing(claimed: Json, ours: Json, place: str = "") -> Iterator[str]:
    """Places, such as statuses/0/records, at which two forms differ."""
    if isinstance(claimed, dict) and isinstance(ours, dict):
        for name in sorted({*claimed, *ours}):
            yield from _differing(claimed.get(name), ours.get(name), f"{place}/{name}" if place else name)
    elif isinstance(claimed, list) and isinstance(ours, list) and len(claimed) == len(ours):
        for index, pair in enumerate(zip(claimed, ours, strict=True)):
            yield from _differing(*pair, f"{place}/{index}")
    elif claimed != ours:
        yield place
