"""The rules of periods, tried through agencies' memberships, and against a model rebuilt from the events alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest
from consortium import AGENCY, HANGZHOU, Consortium
from evm_chain import FOREVER, Chain, events

Term = tuple[int, int, int, int]  # from, to, recorded, opens


@dataclass(slots=True)
class Model:
    """A timeline by the sentence in ITerms, and nothing cleverer."""

    terms: list[Term] = field(default_factory=list)

    def openings(self, as_of: int) -> list[tuple[int, int]]:
        """Periods known at block `as_of`, those cut to their own start included."""
        known = [term for term in self.terms if term[2] <= as_of]
        return [
            (begin, min(to for _, to, _, o in known if o == opens))
            for opens in sorted({o for *_, o in known})
            for begin in [self.terms[opens][0]]
        ]

    def covers(self, time: int, as_of: int) -> bool:
        return any(begin <= time < end for begin, end in self.openings(as_of))

    def record(self, event: tuple[object, ...], block: int) -> None:
        match event:
            case ("AgencyAdded", _, _, int(begin), int(end)):
                self.terms.append((begin, end, block, len(self.terms)))
            case ("AgencyEnded", _, _, int(stop)):
                standing = {o: end for o, (_, end) in zip(self.opened(), self.openings(FOREVER), strict=True)}
                for opens, end in reversed(standing.items()):
                    begin = self.terms[opens][0]
                    if end > stop and end > begin:
                        self.terms.append((begin, max(begin, stop), block, opens))

    def opened(self) -> list[int]:
        return sorted({o for *_, o in self.terms})


@pytest.mark.parametrize("seed", range(4))
def test_any_history_answers_as_the_sentence_says(chain: Chain, consortium: Consortium, seed: int) -> None:
    """Random openings and endings; every (time, block) around every edge is asked as of every block."""
    random, model = Random(seed), Model()
    registry, governor = consortium.registry, consortium.governor[HANGZHOU]
    done = 0
    while done < 9:
        begin = chain.time + random.randint(1, 60)
        call = random.choice(
            [
                registry.functions.addAgency(AGENCY, begin, begin + random.randint(1, 60)),
                registry.functions.addAgency(AGENCY, begin, FOREVER),
                registry.functions.endAgency(AGENCY, begin),
                registry.functions.endAgency(AGENCY, 0),
            ]
        )
        at = chain.time + random.randint(1, 9)
        if not accepted(chain, call, governor, at):
            continue
        receipt = chain.send(call, governor, at=at)
        for event in events(registry, receipt):
            model.record(event, receipt["blockNumber"])
        done += 1
    assert registry.functions.agencyTerms(AGENCY, HANGZHOU).call() == model.terms
    edges = {t + d for begin, end, *_ in model.terms for t in (begin, end) for d in (-1, 0)}
    blocks = sorted({recorded + d for _, _, recorded, _ in model.terms for d in (-1, 0)})
    city_of = registry.functions.cityOfAgency
    asked = [(t, b) for t in sorted(edges) if t <= FOREVER for b in blocks]
    wrong = [(t, b) for t, b in asked if (city_of(AGENCY, t, b).call() == HANGZHOU) != model.covers(t, b)]
    assert not wrong
    assert {model.covers(t, b) for t, b in asked} == {True, False}


def accepted(chain: Chain, call: object, sender: str, at: int) -> bool:
    try:
        refusal = chain.refused(call, sender, at=at)
    except AssertionError:
        return True
    assert refusal[0] in {"TermStartsInPast", "TermOverlaps", "TermAhead", "TermNothingToEnd", "TermEndsInPast"}
    return False


def test_the_past_is_closed(chain: Chain, consortium: Consortium) -> None:
    registry, governor = consortium.registry.functions, consortium.governor[HANGZHOU]
    now = chain.time + 1
    late = registry.addAgency(AGENCY, now - 1, FOREVER)
    assert chain.refused(late, governor) == ("TermStartsInPast", now - 1, now)
    chain.send(registry.addAgency(AGENCY, now, FOREVER), governor)  # exactly now is not past
    late = registry.endAgency(AGENCY, now)
    assert chain.refused(late, governor) == ("TermEndsInPast", now, now + 1)
    chain.send(registry.endAgency(AGENCY, now + 1), governor)
    assert registry.agencyTerms(AGENCY, HANGZHOU).call()[1][:2] == (now, now + 1)


@pytest.mark.parametrize("length", [0, -1])
def test_a_period_lasts_at_least_a_second(chain: Chain, consortium: Consortium, length: int) -> None:
    begin = chain.time + 100
    call = consortium.registry.functions.addAgency(AGENCY, begin, begin + length)
    assert chain.refused(call, consortium.governor[HANGZHOU]) == ("TermEmpty", begin, begin + length)


def test_the_largest_times_do_not_overflow(chain: Chain, consortium: Consortium) -> None:
    registry, governor = consortium.registry.functions, consortium.governor[HANGZHOU]
    never = registry.addAgency(AGENCY, FOREVER, FOREVER)
    assert chain.refused(never, governor) == ("TermEmpty", FOREVER, FOREVER)
    chain.send(registry.addAgency(AGENCY, FOREVER - 1, FOREVER), governor)
    block = chain.block
    seen = [registry.cityOfAgency(AGENCY, t, FOREVER).call() for t in (FOREVER - 2, FOREVER - 1, FOREVER)]
    assert seen == [0, HANGZHOU, 0]
    assert registry.cityOfAgency(AGENCY, FOREVER - 1, block - 1).call() == 0
    nothing = registry.endAgency(AGENCY, FOREVER)
    assert chain.refused(nothing, governor) == ("TermNothingToEnd", FOREVER)


def test_ending_ends_the_running_and_the_coming(chain: Chain, consortium: Consortium) -> None:
    registry, governor = consortium.registry.functions, consortium.governor[HANGZHOU]
    begin = chain.time + 1
    chain.send(registry.addAgency(AGENCY, 0, begin + 100), governor)
    overlapping = registry.addAgency(AGENCY, begin + 99, FOREVER)
    assert chain.refused(overlapping, governor) == ("TermOverlaps", begin + 99, begin + 100)
    chain.send(registry.addAgency(AGENCY, begin + 100, FOREVER), governor)  # seamless
    known = chain.block
    chain.send(registry.endAgency(AGENCY, begin + 50), governor)
    listed = registry.agencyTerms(AGENCY, HANGZHOU).call()
    assert [(t[0] - begin, t[1] - begin, t[3]) for t in listed[2:]] == [(100, 100, 1), (0, 50, 0)]
    city_of = registry.cityOfAgency
    assert [city_of(AGENCY, begin + s, chain.block).call() for s in (49, 50, 100, 200)] == [1, 0, 0, 0]
    assert [city_of(AGENCY, begin + s, known).call() for s in (49, 50, 100, 200)] == [1, 1, 1, 1]
    # Room was made: a new period may begin where the cut one ended, before the one that never held.
    chain.send(registry.addAgency(AGENCY, begin + 60, FOREVER), governor)
    assert city_of(AGENCY, begin + 60, chain.block).call() == HANGZHOU
