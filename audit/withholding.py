"""Lawful hiding: a reading that its subject is not told of before a day. Statements of the stream `withholding`.

The reading is recorded, anchored and audited like every other; only the holder's own view leaves it out, and counts it.
An order names one request, ends by itself, is signed for by two operators, and stands in a log like everything else:
whoever hides what he should not is found by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.errors import AccessError
from audit.private import DIGESTS, Opened, Openings, conceal, reveal
from audit.purpose import OPERATOR
from audit.terms import DAY
from ledger import schema as s
from ledger.canonical import Json
from ledger.statement import Draft, Statement

STREAM = "withholding"
ORDER = "withholding/order"
LONGEST = 366 * DAY
"""Seconds from the order to its end; a longer one needs a new order, and somebody who answers for it."""
PRIVATE_MEMBERS = 2

_FORM = s.Form("WITHHOLDING_FORM", s.record(request=s.HEX32, until=s.NATURAL, private=DIGESTS))
_PRIVATE_FORM = s.Form(
    "WITHHOLDING_FORM",
    s.record(
        basis=s.optional({"type": "string", "minLength": 1, "maxLength": 200}),
        operators=s.optional({**s.rows(OPERATOR, 2), "minItems": 2, "uniqueItems": True}),
    ),
)


@dataclass(frozen=True, slots=True)
class Order:
    """Validated on construction; `basis` and `operators` are None where they are not open."""

    request: bytes
    """Id of the request whose lines are hidden."""
    until: int
    """Seconds: from then on the holder sees them."""
    basis: str | None
    """The law it rests on."""
    operators: tuple[str, ...] | None
    """Pseudonyms of the two who answer for it."""

    def __post_init__(self) -> None:
        _PRIVATE_FORM.check(_private(self))


def _private(order: Order) -> dict[str, Json]:
    return {"basis": order.basis, "operators": None if order.operators is None else [*order.operators]}


def draft(order: Order, agency: str, *, now: int, salts: bytes) -> tuple[Draft, dict[str, Opened]]:
    """What to record, and the openings to keep beside it. Salts: 64 bytes. Raises `AccessError`."""
    if not now < order.until <= now + LONGEST:
        raise AccessError("WITHHOLDING_WINDOW", "hidden for at most a year, and not into the past", longest=366)
    if order.basis is None or order.operators is None:
        raise AccessError("WITHHOLDING_UNFOUNDED", "hiding needs its law and two operators")
    digests, openings = conceal(_private(order), salts)
    body: dict[str, Json] = {"request": order.request.hex(), "until": order.until, "private": {**digests}}
    _FORM.check(body)
    return Draft(ORDER, agency, body), openings


def decode(statement: Statement, openings: Openings) -> Order:
    """Raises `VerificationError` or `AccessError`."""
    if statement.type != ORDER:
        raise AccessError("WITHHOLDING_TYPE", "not a statement of the stream withholding", type=statement.type)
    v = _FORM.check(statement.body)
    opened = {"basis": None, "operators": None} | reveal(v["private"], openings)
    private = _PRIVATE_FORM.check(opened)
    operators = private["operators"]
    return Order(bytes.fromhex(v["request"]), v["until"], private["basis"], operators and tuple(operators))


def in_force(orders: Iterable[Order], now: int) -> Mapping[bytes, int]:
    """Until when what is hidden at `now` is hidden, by request. The longest order counts."""
    found: dict[bytes, int] = {}
    for order in orders:
        if now < order.until:
            found[order.request] = max(order.until, found.get(order.request, 0))
    return found
