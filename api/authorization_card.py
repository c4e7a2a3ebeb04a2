"""What is shown of an authorization: what it covers and where it stands; nobody's code, and nothing that was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.messages import Words
from api.wiring import City
from audit import stored
from audit.authorization import Authorization
from audit.errors import AuthorizationError
from audit.mandate import Mandate
from audit.request import StatusView
from audit.store import rights
from audit.store.rights import AuthorizationRow
from certs.certificate import CHINA
from ledger.status import Status
from ledger.store.database import Connection


@dataclass(frozen=True, slots=True)
class Card:
    value: dict[str, object]

    def lines(self, words: Words) -> list[tuple[str, object]]:
        """(name of the line, what stands there)."""
        return [(name, _shown(name, value, words)) for name, value in self.value.items() if value not in (None, [])]


def of(city: City, id: bytes) -> Card:
    """Raises `AuthorizationError` AUTHORIZATION_UNKNOWN, or what makes the stored object unreadable."""
    with city.database.reading() as connection:
        row = rights.find(connection, id)
        if row is not None:
            return _card(city, connection, row)
        kept = stored.mandate(connection, city.keyring, id)
        if kept is None:
            raise AuthorizationError("AUTHORIZATION_UNKNOWN", "nothing of this id is recorded here", id=id.hex())
        status = _status(connection, id, rights.local_mandate_status(connection, id))
    return Card(_of_mandate(id, kept[0].mandate, status))


def newest(city: City, limit: int) -> Sequence[Card]:
    with city.database.reading() as connection:
        return [_card(city, connection, row) for row in rights.newest(connection, limit)]


def _card(city: City, connection: Connection, row: AuthorizationRow) -> Card:
    kept = stored.authorization(connection, city.keyring, row.id)
    assert kept is not None  # noqa: S101  # its row was just read
    return Card(_of_authorization(row, kept[0].authorization, _status(connection, row.id, row.status)))


def _of_authorization(row: AuthorizationRow, a: Authorization, status: Status) -> dict[str, object]:
    return {
        "id": row.id.hex(),
        "kind": a.kind.value,
        "status": status.name,
        "grantee": a.grantee,
        "providers": list(a.providers),
        "scopes": [f"{scope.resource}: {', '.join(scope.fields)}" for scope in a.scopes],
        "matter": a.purpose.matter_name,
        "matter_code": a.purpose.matter_code,
        "not_before": _time(a.not_before),
        "not_after": _time(a.not_after),
        "uses": f"{row.uses} / {a.max_uses}",
        "daily_limit": a.daily_limit,
        "mandate": a.grantor.mandate.hex() if a.grantor.mandate else None,
        "basis": a.basis,
        "log_index": row.log_index,
    }


def _of_mandate(id: bytes, m: Mandate, status: Status) -> dict[str, object]:
    return {
        "id": id.hex(),
        "kind": m.relation.value,
        "status": status.name,
        "matters": list(m.matters),
        "not_before": _time(m.not_before),
        "not_after": _time(m.not_after),
        "basis": m.basis,
    }


def _status(connection: Connection, id: bytes, local: Status) -> Status:
    """The worst source wins, as in a decision."""
    return StatusView(0, {id: rights.chain_status(connection, id)}, {id: local}).of(id)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, CHINA).isoformat(timespec="seconds")


def _shown(name: str, value: object, words: Words) -> object:
    if name == "status":
        return words.status(str(value))
    return "; ".join(map(str, value)) if isinstance(value, list) else value
