"""Rules from files: read, compared with those that count, and adopted once somebody has confirmed the differences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api import policy_files, rulebook
from api.wiring import City
from audit import list_file, rule_differences
from audit.errors import PolicyError
from audit.lists import Lists
from audit.matter import Matters
from audit.request import Rules
from audit.resource import ResourceCatalogue, contested
from audit.resource_rows import RowFault
from audit.rule_differences import RuleChange
from audit.rulebook import Origin


@dataclass(frozen=True, slots=True)
class Proposal:
    """Rules that were read and are not adopted."""

    rules: Rules
    over: bytes | None
    """The version they were compared with."""
    differences: tuple[RuleChange, ...]
    faults: tuple[RowFault, ...]
    """Of the catalogue's rows; with any of them nothing is adopted."""
    contested: dict[str, tuple[str, ...]]
    """Items that several resources claim to lead → their codes."""


def propose(city: City, catalogue: Path, *, matters: Path | None = None, lists: Path | None = None) -> Proposal:
    """Read the files; what no file says stays as it is. Nothing is recorded. Raises as `api.policy_files` does."""
    present = _present(city)
    read = policy_files.read_catalogue(catalogue)
    rules = Rules(
        read.catalogue,
        policy_files.read_matters_file(matters) if matters else present.matters,
        policy_files.read_lists_file(lists) if lists else present.lists,
    )
    if not read.faults:
        list_file.check(rules)
    over = present.version if present.catalogue else None
    return Proposal(rules, over, rule_differences.compare(present, rules), read.faults, contested(rules.catalogue))


def adopt(city: City, proposal: Proposal, agency: str) -> bool:
    """Whether something was adopted. Raises `PolicyError` CATALOGUE_ROWS_REFUSED, RULES_CHANGED."""
    if proposal.faults:
        raise PolicyError("CATALOGUE_ROWS_REFUSED", "rows are wrong; nothing is adopted", rows=len(proposal.faults))
    adopted = rulebook.adopt(city, proposal.rules, agency=agency, origin=Origin.IMPORTED, over=proposal.over)
    return adopted.value


def adopt_files(city: City, catalogue: Path, *, matters: Path, lists: Path, agency: str) -> Rules:
    """All of it at once, without asking: for demonstrations and scripts."""
    proposal = propose(city, catalogue, matters=matters, lists=lists)
    adopt(city, proposal, agency)
    return proposal.rules


def _present(city: City) -> Rules:
    """What counts now; nothing at all before the first rules."""
    try:
        return rulebook.present(city)
    except PolicyError as error:
        if error.code != "RULES_MISSING":
            raise
        return Rules(ResourceCatalogue(()), Matters(()), Lists())
