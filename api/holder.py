"""A holder's own view, put together: identified at a counter, recorded, then read. It asks no chain.

The look is recorded like every other reading, before anything is shown. What stands in the answer is from this city's
log alone; each line comes with its proof, and with the salts that open it, so that its reader needs nobody's word.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from api.errors import ApiError
from api.history_evidence import Proof, proof_json, prove
from api.wiring import CITY_KEY, City
from audit import hiding
from audit.access import Recorded
from audit.errors import PolicyError
from audit.hiding import Withhold
from audit.history import History, Line, history
from audit.lists import Lists
from audit.matter import Matters
from audit.own import HISTORY, HISTORY_FIELDS, Ground, OwnReading
from audit.private import openings_json
from audit.reading import Keys, Records, city_keys
from audit.recording import RecordedAccess
from audit.request import Rules
from audit.resource import ResourceCatalogue
from audit.store import accesses, rights
from audit.store.accesses import Wanted
from audit.store.rights import AuthorizationRow
from audit.subject import Holder
from audit.trace import of_subject
from audit.withholding import STREAM, Order, in_force
from certs.holder import normalised_code
from ledger.canonical import Json
from ledger.errors import VerificationError
from ledger.sequencer import Appended
from ledger.status import Status
from ledger.store import logs
from ledger.store.database import Connection

MOST_LINES = 100_000
"""Records of one person that are read; more than that is no person's."""
_LONGEST_INPUT = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """An authorization that lets somebody read today, or will."""

    row: AuthorizationRow
    status: Status


@dataclass(frozen=True, slots=True)
class View:
    """What the holder sees."""

    at: int
    """When it was recorded that he looks, seconds."""
    history: History
    standing: tuple[Standing, ...]
    opened_by: RecordedAccess
    proofs: dict[tuple[bytes, int], Proof]
    """By (log, index)."""
    evidence: tuple[dict[str, Json], ...]
    """Of each line, in the order of the lines: statement, salt and openings with its proof."""


def holder_from(text: str) -> Holder:
    """`<type of GB/T 36903> <code>`, read from standard input, as arguments are listed for everybody.

    Raises `ApiError` HOLDER_INPUT, `HolderError`."""
    parts = text.split(maxsplit=1) if len(text) <= _LONGEST_INPUT else []
    if len(parts) != 2:
        raise ApiError("HOLDER_INPUT", "a holder is given as type and code on one line of standard input")
    return Holder(parts[0], normalised_code(parts[0], parts[1]))


def look(city: City, holder: Holder, agency: str, progress: Callable[[int, int], None]) -> View:
    """`agency`: USCC of the agency at whose counter the person was identified. Raises `ApiError` and the stores'."""
    reading = OwnReading(secrets.token_bytes(32), Ground.OWN_HOLDER, holder, agency, holder, HISTORY, HISTORY_FIELDS)
    recorded = city.recorder.own(reading, rules_of(city))
    # Crash holder/recorded: a look is on record that showed nothing; the next one shows it.
    if recorded.opens is None:
        raise ApiError("HOLDER_REFUSED", "the reading was refused", reason=recorded.decision.code.name)
    return _view(city, holder, recorded.opens, progress)


def order_from(request: str, until: int, basis: str, operators: tuple[str, ...]) -> Order:
    """Raises `ApiError` WITHHOLDING_INPUT for what is no id, no law or not two different pseudonyms."""
    try:
        return Order(bytes.fromhex(request), until, basis, operators)
    except (ValueError, VerificationError):
        raise ApiError("WITHHOLDING_INPUT", "an order names a request, its law and two operators") from None


def withhold(city: City, order: Order, agency: str) -> Appended[Order]:
    """Raises `AccessError` WITHHOLDING_WINDOW."""
    return city.sequencer.append(city.log_of(STREAM), Withhold(order, agency, city.keyring))


def rules_of(city: City) -> Rules:
    """The version in force; a city without a catalogue shows a holder his history all the same."""
    from api import rulebook

    try:
        return rulebook.current(city)
    except PolicyError as error:
        if error.code != "RULES_MISSING":
            raise
        return Rules(ResourceCatalogue(()), Matters(()), Lists((), ()))


def _view(city: City, holder: Holder, opened_by: RecordedAccess, progress: Callable[[int, int], None]) -> View:
    now = int(city.clock().timestamp())
    with city.database.reading() as connection:
        keys = city_keys(connection, city.keystore.wrapper(CITY_KEY), city.day_keys)
        ref = city.keyring.ref(holder)
        records = _records(connection, city, ref, keys, progress)
        hidden = in_force(hiding.orders(connection, city.settings.city, keys), now)
        found = history((record for record, _ in records), of_subject((ref.hex(),)), hidden)
        evidence = {(record.log, record.index): opened for record, opened in records}
        proofs = {_place(line): prove(connection, line.record) for line in found.lines}
        told = tuple(
            evidence[_place(line)] | proof_json(line.record.index, proofs[_place(line)]) for line in found.lines
        )
        return View(now, found, _standing(connection, ref, now), opened_by, proofs, told)


def _records(
    connection: Connection, city: City, ref: bytes, keys: Keys, progress: Callable[[int, int], None]
) -> list[tuple[Recorded, dict[str, Json]]]:
    """Every record of the person, and what opens it."""
    index_key = city.keyring.index_key
    places = accesses.find(connection, Wanted(subject_refs=(ref,)), index_key, limit=MOST_LINES)
    rows = {row.no: row for row in logs.every(connection)}
    readers = {no: Records(connection, rows[no], keys) for no in {place.log_no for place in places}}
    found: list[tuple[Recorded, dict[str, Json]]] = []
    for done, place in enumerate(places, 1):
        line = readers[place.log_no].line(place.log_index)
        opened: dict[str, Json] = {
            "statement": line.statement.to_json(),
            "salt": line.salt.hex(),
            "openings": openings_json(line.openings),
        }
        found.append((readers[place.log_no].record(line), opened))
        progress(done, len(places))
    return found


def _standing(connection: Connection, ref: bytes, now: int) -> tuple[Standing, ...]:
    """Authorizations of the person that have not ended by time, revocation or use."""
    found = []
    for row in rights.of_subject(connection, (ref,)):
        status = max(row.status, rights.chain_status(connection, row.id), key=_badness)
        if now < row.not_after and status in (Status.ACTIVE, Status.SUSPENDED):
            found.append(Standing(row, status))
    return tuple(found)


def _badness(status: Status) -> int:
    return 0 if status is Status.ACTIVE else 1 if status is Status.SUSPENDED else 2


def _place(line: Line) -> tuple[bytes, int]:
    return line.record.log, line.record.index
