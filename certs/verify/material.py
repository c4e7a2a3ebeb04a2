"""Step 1, FORMAT: the bundle taken apart once; the other steps look at the parts and never at the text again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from certs import bundle as bundles
from certs import certificate, sdjwt
from certs.bundle import Bundle
from certs.certificate import Visible
from certs.sdjwt import Presentation
from certs.verify.reasons import Reason
from ledger import statement as statements
from ledger.canonical import Json
from ledger.errors import CanonicalError, VerificationError
from ledger.facts import Question
from ledger.jws import unb64url
from ledger.statement import Statement
from ledger.status import Status

T = TypeVar("T")


class FormatError(Exception):
    """Which part of the bundle is not of the fixed form, and why."""

    def __init__(self, reason: Reason, error: VerificationError | CanonicalError) -> None:
        super().__init__(str(error))
        self.reason = reason
        self.compared = {"problem": error.code, **error.params}


@dataclass(frozen=True, slots=True)
class Material:
    """Everything the bundle claims, in form; nothing verified."""

    bundle: Bundle
    presentation: Presentation
    digest: bytes
    payload: dict[str, Json]
    visible: Visible
    statement: Statement
    replaces: bytes | None
    """Digest of the certificate that this one renews."""
    status_at_import: Status
    """ACTIVE but for a twin that did not hold when it was imported."""

    @property
    def agency(self) -> str:
        return self.visible.issuer

    def question(self) -> Question:
        """The facts of the chain a verdict on this bundle needs."""
        city, agency = self.bundle.city, self.agency
        statuses = [(agency, self.digest)] + ([(agency, self.replaces)] if self.replaces else [])
        return Question(
            kids=(self.presentation.untrusted.kid,),
            cities=(city,),
            agencies=((agency, city),),
            accreditations=((agency, city, self.visible.type_code),),
            heads=(self.bundle.head,),
            statuses=tuple(statuses),
        )


def read(untrusted: bytes) -> Material:
    """Raises `FormatError` naming the part."""
    bundle = _part(Reason.FORMAT_BUNDLE, lambda: bundles.decode(untrusted))
    presentation = _part(Reason.FORMAT_PRESENTATION, lambda: sdjwt.parse(bundle.presentation))
    _part(Reason.FORMAT_PRESENTATION, lambda: _thumbprint(presentation.untrusted.kid))
    payload = _part(Reason.FORMAT_PRESENTATION, lambda: sdjwt.payload(presentation))
    visible = _part(Reason.FORMAT_CERTIFICATE, lambda: certificate.read_visible(payload))
    statement = _part(Reason.FORMAT_STATEMENT, lambda: statements.from_json(bundle.statement))
    _part(Reason.FORMAT_STATEMENT, lambda: statements.parse_timestamp(statement.at))
    replaces = _part(Reason.FORMAT_STATEMENT, lambda: _replaces(statement))
    status = _part(Reason.FORMAT_STATEMENT, lambda: _status(statement))
    return Material(bundle, presentation, presentation.digest, payload, visible, statement, replaces, status)


def _part(reason: Reason, make: Callable[[], T]) -> T:
    try:
        return make()
    except (VerificationError, CanonicalError) as error:
        raise FormatError(reason, error) from None


def _thumbprint(kid: str) -> bytes:
    """A key is named by 32 bytes; anything else could not even be asked for."""
    value = unb64url(kid)
    if len(value) != 32:
        raise VerificationError("JWS_KID", "the header does not name a key by its thumbprint")
    return value


def _replaces(statement: Statement) -> bytes | None:
    value = statement.body.get("replaces")
    if value is None:
        return None
    try:
        digest = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise VerificationError("STATEMENT_FORM", "replaces is not a digest", type=statement.type)
    return digest


def _status(statement: Statement) -> Status:
    """What an import says beside the origin; one of the statuses in which a certificate does not hold."""
    value = statement.body.get("status")
    if value is None:
        return Status.ACTIVE
    if isinstance(value, bool) or value not in (Status.SUSPENDED, Status.REVOKED, Status.CANCELLED):
        raise VerificationError("STATEMENT_FORM", "status is not one of an import", type=statement.type)
    return Status(value)
