"""The life of a certificate: what may follow what, how it is recorded, and what the chain is told.

recorded → anchored; active ⇄ suspended; → revoked | cancelled | superseded. Final states are final.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from certs.errors import LifecycleError
from ledger.canonical import Json
from ledger.status import Reason, Status, allowed


class Change(StrEnum):
    """What an agency can do to a certificate of its own."""

    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REVOKE = "revoke"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Kind:
    """One change: the statement it makes, the status it leads to, the reasons that go with it."""

    statement: str
    status: Status
    reasons: tuple[Reason, ...]
    """The first is the default."""


KINDS = {
    Change.SUSPEND: Kind("certificate/suspend", Status.SUSPENDED, (Reason.SUSPENDED, Reason.OTHER)),
    Change.REINSTATE: Kind("certificate/reinstate", Status.ACTIVE, (Reason.REINSTATED,)),
    Change.REVOKE: Kind("certificate/revoke", Status.REVOKED, (Reason.PENALTY, Reason.ANNULLED, Reason.OTHER)),
    Change.CANCEL: Kind("certificate/cancel", Status.CANCELLED, (Reason.CANCELLED, Reason.OTHER)),
}


def check(current: Status, change: Change, reason: Reason, *, identifier: str, effective_from: int, now: int) -> None:
    """Raises `LifecycleError` where the contract would refuse too: what is recorded must also take effect.

    `effective_from` in seconds, 0: when it is anchored. Only 撤销 reaches back.
    """
    kind = KINDS[change]
    if effective_from and (reason is not Reason.ANNULLED or effective_from > now):
        raise LifecycleError(
            "EFFECTIVE_FROM_NOT_POSSIBLE", "only an annulment has a date, and a past one", identifier=identifier
        )
    if reason not in kind.reasons:
        raise LifecycleError(
            "REASON_NOT_FOR_CHANGE", "this reason does not go with this change", reason=reason.name, change=change
        )
    if not allowed(current, kind.status):
        raise LifecycleError(
            "STATUS_NOT_POSSIBLE",
            "the certificate's status does not allow this",
            identifier=identifier,
            status=current.name,
            change=change,
        )


def change_body(*, digest: bytes, identifier: str, reason: Reason, effective_from: int) -> dict[str, Json]:
    """Body of the statement of a change (docs/formats.md). `effective_from` in seconds, 0: when it is anchored."""
    return {
        "digest": digest.hex(),
        "identifier": identifier,
        "reason": int(reason),
        "effective_from": effective_from,
    }
