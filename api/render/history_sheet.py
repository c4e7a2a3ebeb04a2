"""The holder's history in words: one sheet that a terminal, a page and paper show alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from api.history_evidence import Proof
from api.holder import Standing, View, rules_of
from api.messages import Words
from api.wiring import City
from audit.access import Access
from audit.history import Line, Outcome
from audit.own import HISTORY, HISTORY_FIELDS
from audit.request import Rules
from certs import store
from certs.certificate import CHINA

_SHORT = 12
"""Digits of an id that a person compares by eye."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names for codes. What is not in them is shown by its code."""

    agencies: Mapping[str, str]
    rules: Rules

    def agency(self, code: str) -> str:
        return self.agencies.get(code, code)

    def resource(self, code: str, words: Words) -> str:
        if code == HISTORY:
            return words.say("holder.access_history")
        found = self.rules.catalogue.get(code)
        return found.name if found else code

    def fields(self, code: str, fields: Iterable[str], words: Words) -> str:
        if code == HISTORY and tuple(fields) == HISTORY_FIELDS:
            return words.say("holder.all")
        found = self.rules.catalogue.get(code)
        titles = {item.field: item.title for item in found.items} if found else {}
        return words.say("holder.comma").join(titles.get(field, field) for field in fields)


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One reading; every member one line of text."""

    when: str
    who: str
    what: str
    why: str
    right: str
    """Under which authorization, or by what else."""
    outcome: str
    refused: bool
    proof: str
    """Where it stands, and whether the chain has it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    title: str
    made: str
    lines: tuple[SheetLine, ...]
    counts: tuple[str, ...]
    """What is not shown, and how much of it there is."""
    standing: tuple[str, ...]
    """Authorizations that hold."""
    notes: tuple[str, ...]


def sheet(view: View, names: Names, words: Words) -> Sheet:
    history = view.history
    withheld = [words.say("holder.withheld", lines=count, until=_moment(until)) for until, count in history.withheld]
    closed = [words.say("holder.closed", lines=history.closed)] if history.closed else []
    return Sheet(
        title=words.say("holder.title"),
        made=words.say("holder.made", time=_moment(view.at), index=view.opened_by.index),
        lines=tuple(_line(line, view.proofs[_place(line)], names, words) for line in history.lines),
        counts=(*withheld, *closed) or (words.say("holder.nothing_hidden"),),
        standing=tuple(_standing(each, names, words) for each in view.standing),
        notes=tuple(words.say(f"holder.note_{name}") for name in ("proof", "revoke", "limits")),
    )


def _line(line: Line, proof: Proof, names: Names, words: Words) -> SheetLine:
    access = line.record.access
    fields = names.fields(access.resource, line.fields, words)
    return SheetLine(
        when=_moment(line.record.at),
        who=names.agency(access.asker),
        what=words.say("holder.what", resource=names.resource(access.resource, words), fields=fields),
        why=_why(access, words),
        right=_right(access, words),
        outcome=_outcome(line, names, words),
        refused=line.outcome is Outcome.REFUSED,
        proof=_proof(line, proof, words),
    )


def _why(access: Access, words: Words) -> str:
    if access.purpose is None:
        return words.say(f"holder.{access.ground.value}")
    named = {"matter": access.purpose.matter_name, "cause": access.purpose.cause}
    if access.case is None:
        return words.say("holder.why_without_case", **named)
    return words.say("holder.why", case=access.case, **named)


def _right(access: Access, words: Words) -> str:
    if access.authorization is None:
        return words.say("holder.no_authorization")
    return words.say("holder.authorization", id=access.authorization.hex()[:_SHORT])


def _outcome(line: Line, names: Names, words: Words) -> str:
    code = line.record.access.code
    told = words.say(f"holder.{line.outcome.value}")
    if line.outcome is not Outcome.REFUSED or code is None:
        return told
    access = line.record.access
    params = {
        "agency": names.agency(access.asker),
        "matter": access.purpose.matter_name if access.purpose else "–",
        "resource": names.resource(access.resource, words),
        "fields": names.fields(access.resource, access.fields, words),
    }
    return words.say("holder.because", outcome=told, reason=words.decision(code.name, params).text)


def _proof(line: Line, proof: Proof, words: Words) -> str:
    place = {"index": line.record.index, "leaf": line.record.leaf.hex()[:_SHORT]}
    if proof.anchor is None:
        return words.say("holder.waiting", **place)
    return words.say("holder.anchored", block=proof.anchor.block, **place)


def _standing(standing: Standing, names: Names, words: Words) -> str:
    row = standing.row
    return words.say(
        "holder.standing",
        id=row.id.hex()[:_SHORT],
        agency=names.agency(row.grantee),
        status=words.status(standing.status.name),
        until=_moment(row.not_after),
        uses=row.uses,
    )


def names_of(city: City) -> Names:
    """Of the city's own agencies and by its rules."""
    with city.database.reading() as connection:
        agencies = {row.code: row.name for row in store.agencies(connection)}
    return Names(agencies, rules_of(city))


def _place(line: Line) -> tuple[bytes, int]:
    return line.record.log, line.record.index


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
