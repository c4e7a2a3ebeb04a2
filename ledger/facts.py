"""What was read from the chain, at one block, as one value.

A verifier's answer must not mix two moments. So everything it needs is read first, at one block, from a node or
from a cosigned snapshot, and handed to pure code as `Facts`. Times are seconds since 1970 (block time); terms are
half-open [from, to); `recorded` is the number of the block that made a row known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger import schema as s
from ledger.canonical import Json


@dataclass(frozen=True, slots=True)
class Term:
    """One append-only record of a bitemporal period: it opens a term, or shortens the one at `opens`."""

    start: int
    end: int | None
    """None: open-ended."""
    recorded: int
    opens: int
    """Index of the term this record opens (its own) or shortens."""


@dataclass(frozen=True, slots=True)
class City:
    city: int
    division: int
    """GB/T 2260 code of the city, e.g. 330100."""
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Agency:
    """Membership of an agency in a city."""

    agency: str
    city: int
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Accreditation:
    """What an agency may issue, under the city that says so."""

    agency: str
    city: int
    type_code: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Compromise:
    since: int
    recorded: int


@dataclass(frozen=True, slots=True)
class Key:
    kid: str
    """RFC 7638 thumbprint, base64url."""
    city: int
    agency: str
    """Empty: the city's own key."""
    suite: int
    """1 P-256, 2 Ed25519."""
    use: int
    """1 cert, 2 http, 3 receipt, 4 head, 5 witness, 6 enc."""
    x: bytes
    y: bytes
    terms: tuple[Term, ...]
    compromises: tuple[Compromise, ...]


@dataclass(frozen=True, slots=True)
class PublishedHead:
    """A head as LogAnchor holds it."""

    log: bytes
    size: int
    root: bytes
    prev_size: int
    block: int
    time: int


@dataclass(frozen=True, slots=True)
class EpochClosing:
    """The end of a log: its first `last_good_size` entries stand, heads above are void."""

    log: bytes
    last_good_size: int
    block: int
    time: int
    """Block time, seconds."""


@dataclass(frozen=True, slots=True)
class StatusRecord:
    status: int
    reason: int
    effective_from: int
    next_issuer: str
    next_digest: bytes
    """Zero bytes: none."""
    recorded: int
    time: int


@dataclass(frozen=True, slots=True)
class StatusHistory:
    """All records of one (issuer, digest); empty means active from the beginning."""

    issuer: str
    digest: bytes
    records: tuple[StatusRecord, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    consortium: bytes
    chain_id: int
    block: int
    block_hash: bytes
    time: int
    cities: tuple[City, ...] = ()
    agencies: tuple[Agency, ...] = ()
    accreditations: tuple[Accreditation, ...] = ()
    keys: tuple[Key, ...] = ()
    heads: tuple[PublishedHead, ...] = ()
    statuses: tuple[StatusHistory, ...] = ()
    closings: tuple[EpochClosing, ...] = ()
    """Of the logs of the heads asked for, those that were closed."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which facts a verification needs; read together, at one block."""

    kids: tuple[str, ...] = ()
    cities: tuple[int, ...] = ()
    agencies: tuple[tuple[str, int], ...] = ()
    """(agency, the city it is said to belong to)."""
    accreditations: tuple[tuple[str, int, str], ...] = ()
    """(agency, city, type code)."""
    heads: tuple[PublishedHead, ...] = ()
    """Claimed heads; the answer holds those the chain confirms, and the latest head of each log, without void ones."""
    statuses: tuple[tuple[str, bytes], ...] = ()
    """(issuer, digest)."""


def question(facts: Facts) -> Question:
    """What was asked to get these facts, or asks for the same ones again at their block."""
    return Question(
        kids=tuple(key.kid for key in facts.keys),
        cities=tuple(row.city for row in facts.cities),
        agencies=tuple((row.agency, row.city) for row in facts.agencies),
        accreditations=tuple((row.agency, row.city, row.type_code) for row in facts.accreditations),
        heads=facts.heads,
        statuses=tuple((row.issuer, row.digest) for row in facts.statuses),
    )


_TERM = {
    "type": "array",
    "prefixItems": [s.NATURAL, s.optional(s.NATURAL), s.NATURAL, s.NATURAL],
    "items": False,
    "minItems": 4,
}
_TERMS = s.rows(_TERM, 256)
_STATUS_RECORD = s.record(
    status={"type": "integer", "minimum": 0, "maximum": 6},
    reason=s.NATURAL,
    effective_from=s.NATURAL,
    next_issuer=s.OPTIONAL_AGENCY,
    next_digest=s.HEX32,
    recorded=s.NATURAL,
    time=s.NATURAL,
)
_KEY = s.record(
    kid=s.KID,
    city=s.CITY,
    agency=s.OPTIONAL_AGENCY,
    suite=s.NATURAL,
    use=s.NATURAL,
    x=s.HEX32,
    y=s.HEX32,
    terms=_TERMS,
    compromises=s.rows(s.record(since=s.NATURAL, recorded=s.NATURAL), 64),
)
PUBLISHED_HEAD = s.record(
    log=s.HEX32, size=s.NATURAL, root=s.HEX32, prev_size=s.NATURAL, block=s.NATURAL, time=s.NATURAL
)
_CLOSING = s.record(log=s.HEX32, last_good_size=s.NATURAL, block=s.NATURAL, time=s.NATURAL)
FORM = s.Form(
    "FACTS_FORM",
    s.record(
        # Only there if there is one: facts from before epochs could end, and all of open logs, read as they did.
        _optional={"closings": {**s.rows(_CLOSING, 256), "minItems": 1}},
        consortium=s.HEX32,
        chain_id=s.NATURAL,
        block=s.NATURAL,
        block_hash=s.HEX32,
        time=s.NATURAL,
        cities=s.rows(s.record(city=s.CITY, division=s.NATURAL, terms=_TERMS), 64),
        agencies=s.rows(s.record(agency=s.AGENCY, city=s.CITY, terms=_TERMS), 256),
        accreditations=s.rows(s.record(agency=s.AGENCY, city=s.CITY, type_code=s.TYPE_CODE, terms=_TERMS), 256),
        keys=s.rows(_KEY, 256),
        heads=s.rows(PUBLISHED_HEAD, 256),
        statuses=s.rows(s.record(issuer=s.AGENCY, digest=s.HEX32, records=s.rows(_STATUS_RECORD, 256)), 256),
    ),
)


def to_json(facts: Facts) -> dict[str, Json]:
    """The JSON form that snapshots sign."""
    form: dict[str, Json] = _plain(facts)
    if not facts.closings:
        del form["closings"]
    return form


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Term):
        return [value.start, value.end, value.recorded, value.opens]
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def from_json(value: Json) -> Facts:
    """The inverse of `to_json`. Raises `VerificationError`."""
    v = FORM.check(value)
    return Facts(
        consortium=bytes.fromhex(v["consortium"]),
        chain_id=v["chain_id"],
        block=v["block"],
        block_hash=bytes.fromhex(v["block_hash"]),
        time=v["time"],
        cities=tuple(City(r["city"], r["division"], _terms(r)) for r in v["cities"]),
        agencies=tuple(Agency(r["agency"], r["city"], _terms(r)) for r in v["agencies"]),
        accreditations=tuple(
            Accreditation(r["agency"], r["city"], r["type_code"], _terms(r)) for r in v["accreditations"]
        ),
        keys=tuple(_key(r) for r in v["keys"]),
        heads=tuple(published_head(r) for r in v["heads"]),
        statuses=tuple(
            StatusHistory(r["issuer"], bytes.fromhex(r["digest"]), tuple(map(_status_record, r["records"])))
            for r in v["statuses"]
        ),
        closings=tuple(EpochClosing(**{**r, "log": bytes.fromhex(r["log"])}) for r in v.get("closings", ())),
    )


def published_head(row: Any) -> PublishedHead:
    """A head from its checked JSON form."""
    log, root = bytes.fromhex(row["log"]), bytes.fromhex(row["root"])
    return PublishedHead(log, row["size"], root, row["prev_size"], row["block"], row["time"])


def published_head_json(head: PublishedHead) -> dict[str, Json]:
    """The JSON form of a head, as bundles carry it."""
    form: dict[str, Json] = _plain(head)
    return form


def _terms(row: Any) -> tuple[Term, ...]:
    return tuple(Term(*term) for term in row["terms"])


def _key(row: Any) -> Key:
    return Key(
        kid=row["kid"],
        city=row["city"],
        agency=row["agency"],
        suite=row["suite"],
        use=row["use"],
        x=bytes.fromhex(row["x"]),
        y=bytes.fromhex(row["y"]),
        terms=_terms(row),
        compromises=tuple(Compromise(c["since"], c["recorded"]) for c in row["compromises"]),
    )


def _status_record(row: Any) -> StatusRecord:
    return StatusRecord(**{**row, "next_digest": bytes.fromhex(row["next_digest"])})
