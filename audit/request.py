"""What a decision is made from: the rules, the request, the statuses, the uses. Values, all handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from audit.errors import PolicyError
from audit.lists import Lists
from audit.matter import Matters
from audit.purpose import OPERATOR, Purpose
from audit.resource import ResourceCatalogue
from audit.subject import Holder
from audit.terms import FIELDS, RESOURCE
from ledger import canonical
from ledger import schema as s
from ledger.canonical import Json
from ledger.status import Status

_DOMAIN = b"certledger/policy/v1\x00"
_WORST = {Status.ACTIVE: 0, Status.SUSPENDED: 1, Status.TRANSFERRING: 1}
"""Every other status is final and worse than these."""


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of everything a decision goes by."""

    catalogue: ResourceCatalogue
    matters: Matters
    lists: Lists
    version: bytes = field(init=False)
    """32 bytes, in every record: a decision can be derived again by the rules of its day."""

    def __post_init__(self) -> None:
        parts = {
            "catalogue": self.catalogue.digest.hex(),
            "lists": self.lists.digest.hex(),
            "matters": self.matters.digest.hex(),
        }
        object.__setattr__(self, "version", sha256(_DOMAIN + canonical.dumps({**parts})).digest())


FORM = s.Form(
    "REQUEST_FORM",
    s.record(agency=s.AGENCY, operator=OPERATOR, provider=s.CITY, resource=RESOURCE, fields=FIELDS, id=s.HEX32),
)
"""What will stand in a record must be names, whoever sent them: no text of a stranger's choosing."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; its signature has been verified, and the asker is who the key says."""

    id: bytes
    """SHA-256 of the signature base."""
    agency: str
    """USCC of the asker."""
    operator: str
    """Pseudonym."""
    provider: int
    """This city's id."""
    subject: Holder
    resource: str
    fields: tuple[str, ...]
    purpose: Purpose
    item: bytes | None = None
    """Digest of the very certificate that would be read."""

    def __post_init__(self) -> None:
        fields: list[Json] = [*self.fields]
        who: dict[str, Json] = {"agency": self.agency, "operator": self.operator, "provider": self.provider}
        FORM.check(who | {"resource": self.resource, "fields": fields, "id": self.id.hex()})
        if sorted(set(self.fields)) != [*self.fields]:
            raise PolicyError("REQUEST_FIELDS", "fields are asked for in rising order, each once")


@dataclass(frozen=True, slots=True)
class StatusView:
    """Statuses of authorizations and mandates by id, this city's own and the chain's as last read; unlisted: active."""

    read_at: int
    """Seconds."""
    chain: Mapping[bytes, Status] = field(default_factory=dict)
    local: Mapping[bytes, Status] = field(default_factory=dict)
    """Revocations recorded here and not anchored yet count at once."""

    def of(self, id: bytes) -> Status:
        """The worst source wins."""
        found = (self.chain.get(id, Status.ACTIVE), self.local.get(id, Status.ACTIVE))
        return max(found, key=lambda status: _WORST.get(status, 2))


@dataclass(frozen=True, slots=True)
class Uses:
    """Counted at this provider, read under the lock that will also write the new count."""

    total: int = 0
    today: int = 0
    """In the present day in China."""
    repeated: bool = False
    """A request of this id was decided before."""
    review_overdue: bool = False
    """The grantor has an emergency behind it that should have been reviewed by now."""


@dataclass(frozen=True, slots=True)
class Unbound:
    """An authorization was shown, and it is not the grantor's."""

    id: bytes
    mandate: bytes | None = None
    """Id of the mandate it names."""
