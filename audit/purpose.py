"""Why somebody reads: a catalogued matter and a case, never a constant text.

The members are those of a national retrieval (useCause) and its five elements. A counter system that fills in the same
word for every reading makes a log worthless, so what is plainly no case number is refused here; what only shows over
many readings is the behaviour rule "reads without a case".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from audit.errors import AuthorizationError
from ledger import schema as s
from ledger.canonical import Json

MATTER_CODE: s.Schema = {"type": "string", "pattern": "^[0-9A-Z]{31}$"}
OPERATOR: s.Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"}
"""A pseudonym that the agency can resolve and nobody else; never a name or an account."""
_TEXT: s.Schema = {"type": "string", "minLength": 1, "maxLength": 200}
_USE_CAUSE = {"system": _TEXT, "cause": _TEXT, "category": _TEXT, "matter_name": _TEXT}
USE_CAUSE = s.record(**_USE_CAUSE)
CASE: s.Schema = {"type": "string", "pattern": r"^[0-9A-Za-z][0-9A-Za-z_./-]{5,63}$"}
SCHEMA = s.record(
    **_USE_CAUSE,
    matter_code=MATTER_CODE,
    business_code=s.optional(CASE),
    org=s.AGENCY,
    operator=OPERATOR,
)
FORM = s.Form("PURPOSE_FORM", SCHEMA)
_FEWEST_DIFFERENT = 3


@dataclass(frozen=True, slots=True)
class UseCause:
    """The words of a purpose: what a record keeps of it beside matter, agency, operator and case."""

    system: str
    cause: str
    category: str
    matter_name: str

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Purpose:
    system: str
    """certificateSystemName: the system that asks."""
    cause: str
    """certificateCopyCause."""
    category: str
    """certificateCallCategory."""
    matter_name: str
    """certificateMatterName."""
    matter_code: str
    """certificateEventCode, 31 characters: handling USCC, level, basic code (GB/T 39554.1 profile)."""
    business_code: str | None
    """办件编号: the case. None only in an agreement, which covers many."""
    org: str
    """USCC of the agency that asks."""
    operator: str
    """Pseudonym of the person who asks."""

    def __post_init__(self) -> None:
        FORM.check(self.to_json())
        if self.business_code is not None and _is_placeholder(self.business_code):
            raise AuthorizationError("PURPOSE_CONSTANT", "a placeholder is no case number")

    @property
    def use_cause(self) -> UseCause:
        return UseCause(self.system, self.cause, self.category, self.matter_name)

    def to_json(self) -> dict[str, Json]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def from_json(value: Any) -> Purpose:
    """Raises `VerificationError` or `AuthorizationError`. A purpose that is a text and no object is refused."""
    return Purpose(**FORM.check(value))


def _is_placeholder(case: str) -> bool:
    """`000000`, `------1`, `123123`: fewer than three different characters, or no digit at all (`default`)."""
    return len(set(re.sub(r"[_./-]", "", case))) < _FEWEST_DIFFERENT or not re.search("[0-9]", case)
