"""Verifying a bundle: a numbered list, one finding a step, one verdict. Pure: no clock, no network, no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from certs import sdjwt
from certs.sdjwt import Presentation
from certs.source_file import SourceFile
from certs.verify import anchor, binding, inclusion, issuer, material, signature, status, validity
from certs.verify.finding import failed, not_asked, not_reached, passed
from certs.verify.material import FormatError, Material
from certs.verify.reasons import Reason
from certs.verify.view import Policy, Silent, view
from ledger import snapshot
from ledger.canonical import Json
from ledger.errors import CanonicalError, VerificationError
from ledger.facts import Facts, Question
from ledger.statement import parse_timestamp
from ledger.trust import Trust
from ledger.verdict import Result, State, Step, Verdict

_LATER_STEPS = (Step.HOLDER, Step.RECOGNITION, Step.AUTHORIZATION, Step.ACCESS)
_VOUCHING = (Step.SIGNATURE, Step.ISSUER, Step.BINDING, Step.INCLUSION, Step.ANCHOR)
"""What must have passed before an agency is said to have registered a file."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A verdict, and what it is about."""

    verdict: Verdict
    shown: Presentation | None
    """What was shown, if the verdict is VALID."""
    cosigners: int
    """How many cities had to sign the snapshot (k of the trust file)."""
    file_registered_by: str = ""
    """USCC of the agency that registered exactly the bytes of the file shown beside the bundle, whatever became of the
    certificate since. Empty: no file was shown, or nobody is proven to have registered it."""

    @property
    def claims(self) -> dict[str, Json]:
        """The claims shown. Empty unless VALID: nobody should act on the fields of a certificate that is not."""
        return sdjwt.disclosed(self.shown) if self.shown else {}


SNAPSHOTS_KEPT = 16
"""Each may be as large as a bundle."""


class Verifier:
    """Trusts what is in `trust` and nothing else."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        # A snapshot that many bundles carry is verified once: signatures and trust do not change under it, its age is
        # judged every time, and one that was refused is not remembered.
        self._verified_snapshot = lru_cache(SNAPSHOTS_KEPT)(snapshot.verify)

    def question(self, untrusted: bytes) -> Question | None:
        """What to read from the chain for this bundle; None if it has no form to ask by."""
        try:
            return material.read(untrusted).question()
        except FormatError:
            return None

    def signed_block(self, untrusted: bytes) -> tuple[int, bytes] | None:
        """(number, hash) of the block that enough trusted cities have signed in this bundle; None if they have not.

        A node whose chain does not hold it is behind what these cities saw, or was rolled back: not to be believed.
        """
        try:
            facts = snapshot.verify(material.read(untrusted).bundle.snapshot, self._trust)
        except (FormatError, VerificationError, CanonicalError):
            return None
        return facts.block, facts.block_hash

    def verify(
        self,
        untrusted: bytes,
        policy: Policy,
        now: datetime,
        live: Facts | Silent | None,
        file: SourceFile | None = None,
    ) -> Verified:
        """`live`: facts read from a node for `question`, or why it was silent; None: offline.

        `file`: an OFD or PDF shown beside the bundle, to be one of those that an import registered.
        Raises `VerificationError` TRUST_EXPIRED, and nothing else: whatever is wrong with a bundle is a finding.
        """
        if now >= parse_timestamp(self._trust.valid_until):
            raise VerificationError("TRUST_EXPIRED", "the trust file is out of date", until=self._trust.valid_until)
        # 1. FORMAT: exactly one bundle of a known version.
        try:
            parts = material.read(untrusted)
        except FormatError as error:
            rest = tuple(not_reached(step) for step in Step if step != Step.FORMAT)
            return self._verified(Verdict((failed(error.reason, **error.compared), *rest)), None)
        known = view(live, parts.bundle.snapshot, self._trust, now, self._verified_snapshot)
        findings = (
            passed(Reason.FORMAT_OK, version=1, bytes=len(untrusted)),
            # 2. SIGNATURE: the named key signed these claims and these disclosures.
            signature.check(parts),
            # 3. ISSUER: the key was this agency's, and the agency could issue this type, then.
            issuer.check(parts, known, policy),
            # 4. VALIDITY: between the certificate's own dates.
            validity.check(parts, known),
            # 5. BINDING: the recorded statement is about this certificate.
            binding.check(parts, known, file),
            # 6. INCLUSION: the statement is in the log.
            inclusion.check(parts),
            # 7. ANCHOR: the chain accepted that log's head.
            anchor.check(parts, known, policy),
            # 8. STATUS: nothing says that it no longer holds.
            status.check(parts, known, policy),
            # 9.–12. asked by policies that reuse certificates across cities, a later part.
            *(not_asked(step) for step in _LATER_STEPS),
        )
        return self._verified(Verdict(findings), parts, file)

    def _verified(self, verdict: Verdict, parts: Material | None, file: SourceFile | None = None) -> Verified:
        shown = parts.presentation if parts is not None and verdict.result == Result.VALID else None
        vouched = file is not None and all(verdict.at(step).state is State.PASS for step in _VOUCHING)
        return Verified(verdict, shown, self._trust.k, parts.agency if parts and vouched else "")
