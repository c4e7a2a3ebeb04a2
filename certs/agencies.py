"""May this agency issue this type now? Asked of the chain's rows as last read, so that issuing never waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from certs import store
from certs.errors import IssuingError
from certs.store import AgencyRow
from ledger import accreditation as rules
from ledger import canonical, facts
from ledger.facts import Facts, Question
from ledger.ports import Chain
from ledger.store.database import Database

MAX_FACTS_BYTES = 256 * 1024


def question(agency: str, city: int, kids: Sequence[str], type_codes: Sequence[str]) -> Question:
    """Everything the chain knows about what an agency may issue, and with which of these keys."""
    return Question(
        kids=tuple(kids),
        cities=(city,),
        agencies=((agency, city),),
        accreditations=tuple((agency, city, code) for code in type_codes),
    )


def remember(database: Database, chain: Chain, agency: str, name: str, asked: Question) -> Facts:
    """Read the chain's rows of an agency and keep them. Raises `ChainUnavailable`."""
    read = chain.facts(asked)
    with database.writing() as connection:
        store.put_agency(connection, AgencyRow(agency, name, canonical.dumps(facts.to_json(read))))
    return read


def known(row: AgencyRow) -> Facts:
    """The facts kept with an agency."""
    return facts.from_json(canonical.loads_canonical(row.facts, max_bytes=MAX_FACTS_BYTES))


def in_force(read: Facts, kids: Sequence[str], time: int) -> str | None:
    """The first of these keys with which the agency may sign at `time`."""
    keys = (rules.find_key(read, kid) for kid in kids)
    return next((key.kid for key in keys if key is not None and rules.key_valid(key, time, read.block)), None)


def check(read: Facts, agency: str, type_code: str, kid: str, time: int) -> None:
    """Raises `IssuingError` unless a certificate signed at `time` (seconds) would pass ISSUER, by these facts."""
    key = rules.find_key(read, kid)
    if key is None or key.agency != agency or not rules.key_valid(key, time, read.block):
        raise IssuingError("AGENCY_KEY_MISSING", "the agency's key is not registered or has ended", agency=agency)
    if not rules.accredited(read, agency, type_code, time):
        raise IssuingError("AGENCY_NOT_ACCREDITED", "the agency may not issue this type", agency=agency, type=type_code)
