"""The rules as versions that were adopted: written down whole, named by their digest, recorded in the stream `policy`.

A decision names the version it went by, so it can be derived again years later; what is kept under a version gives
that very digest, or it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from audit.errors import PolicyError
from audit.lists import Act, Duty, Forbidden, Lists, Share
from audit.matter import Limit, Matter, Matters
from audit.request import Rules
from audit.resource import Item, Resource, ResourceCatalogue, Sharing
from audit.store import rulebook as store
from audit.store.rulebook import RulesRow
from ledger import canonical
from ledger import schema as s
from ledger.canonical import Json
from ledger.errors import CanonicalError
from ledger.sequencer import Decided, Turn
from ledger.statement import Draft, seconds
from ledger.store.database import Connection

STREAM = "policy"
ADOPTED = "policy/adopted"
MAX_BYTES = 16 * 1024 * 1024
_REMEMBERED = 8
"""Versions kept decoded: the present one, and those that an audit goes back to."""


class Origin(StrEnum):
    """Where a version came from."""

    AUTOMATIC = "automatic"
    """Made from the types that the agencies may issue: nothing is shared by it."""
    IMPORTED = "imported"
    """From files, confirmed by the steward."""


FORM = s.Form(
    "POLICY_FORM",
    s.record(
        version=s.HEX32,
        catalogue=s.HEX32,
        matters=s.HEX32,
        lists=s.HEX32,
        previous=s.optional(s.HEX32),
        origin={"enum": [origin.value for origin in Origin]},
    ),
)
"""Body of `policy/adopted`."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """An act for the sequencer. Adopting the present version again records nothing."""

    rules: Rules
    agency: str
    """USCC of the agency that records it: the steward's."""
    origin: Origin
    over: bytes | None
    """The version it was compared with; None: there was none."""

    def decide(self, turn: Turn) -> Decided[bool]:
        """Whether something was adopted. Raises `PolicyError` RULES_CHANGED."""
        present = store.newest_version(turn.connection)
        if present == self.rules.version:
            return Decided((), False)
        if present != self.over:
            raise PolicyError("RULES_CHANGED", "other rules were adopted since they were compared")
        store.put(turn.connection, self._row(turn))
        # Crash adopt/stored: rolled back with the whole append; the former version counts.
        return Decided((Draft(ADOPTED, self.agency, self._body()),), True)

    def _row(self, turn: Turn) -> RulesRow:
        at = seconds(turn.at)
        return RulesRow(self.rules.version, self.origin, at, encode(self.rules), turn.log_no, turn.first_index)

    def _body(self) -> dict[str, Json]:
        body: dict[str, Json] = {
            "version": self.rules.version.hex(),
            "catalogue": self.rules.catalogue.digest.hex(),
            "matters": self.rules.matters.digest.hex(),
            "lists": self.rules.lists.digest.hex(),
            "previous": self.over.hex() if self.over else None,
            "origin": self.origin.value,
        }
        return dict(FORM.check(body))


_decoded: dict[bytes, Rules] = {}
"""A version is the digest of its rules, so one that was decoded is right in every city of this process."""


def current(connection: Connection) -> Rules:
    """The newest adopted version. Raises `PolicyError` RULES_MISSING."""
    version = store.newest_version(connection)
    if version is None:
        raise PolicyError("RULES_MISSING", "no rules were adopted yet")
    return at(connection, version)


def at(connection: Connection, version: bytes) -> Rules:
    """The rules that a decision of the past went by. Raises `PolicyError` RULES_UNKNOWN, RULES_DAMAGED."""
    if version not in _decoded:
        row = store.find(connection, version)
        if row is None:
            raise PolicyError("RULES_UNKNOWN", "no such version", version=version.hex())
        if len(_decoded) >= _REMEMBERED:
            _decoded.pop(next(iter(_decoded)))
        _decoded[version] = decode(row.content, version)
    return _decoded[version]


def encode(rules: Rules) -> bytes:
    """Canonical JSON, at most 16 MiB."""
    catalogue: list[Json] = [rules.catalogue[code].to_json() for code in rules.catalogue]
    matters: list[Json] = [rules.matters[code].to_json() for code in rules.matters]
    lists: dict[str, Json] = {
        "negative": [line.to_json() for line in rules.lists.negative],
        "shares": [line.to_json() for line in rules.lists.shares],
        "duties": [line.to_json() for line in rules.lists.duties],
    }
    content = canonical.dumps({"catalogue": catalogue, "matters": matters, "lists": lists})
    if len(content) > MAX_BYTES:
        raise PolicyError("RULES_TOO_LARGE", "the rules are longer than 16 MiB")
    return content


def decode(content: bytes, version: bytes) -> Rules:
    """The rules under a version. Raises `PolicyError` RULES_DAMAGED where the content is not what the version names."""
    try:
        rules = _from_json(canonical.loads_canonical(content, max_bytes=MAX_BYTES))
    except (KeyError, TypeError, ValueError, CanonicalError, PolicyError):
        rules = None
    if rules is None or rules.version != version:
        raise PolicyError("RULES_DAMAGED", "what is kept is not what was adopted", version=version.hex())
    return rules


def _from_json(v: Any) -> Rules:
    lists = v["lists"]
    return Rules(
        ResourceCatalogue(_resource(each) for each in v["catalogue"]),
        Matters(_matter(each) for each in v["matters"]),
        Lists(
            tuple(_forbidden(*line) for line in lists["negative"]),
            tuple(_share(*line) for line in lists["shares"]),
            tuple(Duty(Act(act), agency, days) for act, agency, days in lists["duties"]),
        ),
    )


def _forbidden(resource: str, field: str, basis: str, matters: list[str]) -> Forbidden:
    return Forbidden(resource, field, basis, frozenset(matters))


def _share(
    provider: str, resource: str, grantee: str, fields: list[str], matters: list[str], daily_limit: int
) -> Share:
    return Share(provider, resource, grantee, frozenset(fields), frozenset(matters), daily_limit)


def _resource(v: Any) -> Resource:
    read = {
        "sharing": Sharing(v["sharing"]),
        "items": tuple(Item(*item) for item in v["items"]),
        "authoritative": frozenset(v["authoritative"]),
    }
    return Resource(**v | read)


def _matter(v: Any) -> Matter:
    return Matter(
        code=v["code"],
        name=v["name"],
        needs=MappingProxyType({resource: frozenset(fields) for resource, fields in v["needs"].items()}),
        agencies=frozenset(v["agencies"]),
        limits=MappingProxyType({who: Limit(*days) for who, days in v["limits"].items()}),
    )
