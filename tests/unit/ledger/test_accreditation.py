"""Who could do what when, as known when: against a reference that plays the records forward."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from ledger import accreditation as rules
from ledger.facts import Accreditation, Agency, City, Compromise, Facts, Key, Term

TIMES = range(6)
FOREVER = 99
AGENCY, TYPE, KID = "11330105002500287C", "11100000000013338W011", "k" * 43


def known_seconds(terms: tuple[Term, ...], as_of: int) -> set[int]:
    """Seconds in force, by writing each record down when its block comes: a set of seconds a term."""
    held: dict[int, set[int]] = {}
    for index, record in enumerate(terms):
        if record.recorded > as_of:
            break
        end = FOREVER if record.end is None else record.end
        if record.opens == index:
            held[index] = {second for second in range(FOREVER) if record.start <= second < end}
        elif record.opens in held:
            held[record.opens] = {second for second in held[record.opens] if second < end}
    return set().union(*held.values())


def timelines() -> Iterator[tuple[Term, ...]]:
    """Every list of up to three records over five seconds: opened, opened again, shortened once or twice."""
    opens = [(start, end) for start in TIMES for end in (*range(start + 1, 6), None)]
    for start, end in opens:
        yield (Term(start, end, 1, 0),)
        for cut in TIMES:
            yield (Term(start, end, 1, 0), Term(start, cut, 3, 0))
            for other in TIMES:
                yield (Term(start, end, 1, 0), Term(start, cut, 2, 0), Term(start, other, 3, 0))
            yield from ((Term(start, end, 1, 0), Term(start, cut, 2, 0), Term(s, e, 3, 2)) for s, e in opens)
        yield from ((Term(start, end, 1, 0), Term(s, e, 2, 1), Term(s, 3, 3, 1)) for s, e in opens)


def test_covers_equals_the_records_played_forward() -> None:
    counted = 0
    for terms in timelines():
        for as_of in range(5):
            seconds = known_seconds(terms, as_of)
            for time in TIMES:
                counted += 1
                assert rules.covers(terms, time, as_of) == (time in seconds), (terms, time, as_of)
    print(f"covers: {counted} cases")
    assert counted > 80_000


@given(st.lists(st.tuples(*[st.integers(0, 8)] * 3, st.booleans()), max_size=8), st.integers(0, 9))
def test_longer_timelines_are_covered_alike(drawn: list[tuple[int, int, int, bool]], as_of: int) -> None:
    terms: list[Term] = []
    for index, (start, end, opens, endless) in enumerate(drawn):
        recorded = index // 2
        openers = [i for i, term in enumerate(terms) if term.opens == i]
        if openers and opens % 2:
            terms.append(Term(start, end, recorded, openers[opens % len(openers)]))
        else:
            terms.append(Term(start, None if endless else end, recorded, index))
    seconds = known_seconds(tuple(terms), as_of)
    assert [t for t in range(10) if rules.covers(terms, t, as_of)] == [t for t in range(10) if t in seconds]


def test_nothing_recorded_covers_nothing() -> None:
    assert not rules.covers((), 0, 10**9)


def facts(city: tuple[int, int], agency: tuple[int, int], granted: tuple[int, int], **more: object) -> Facts:
    """City 1, an agency of it and its accreditation, each for one term [from, to)."""

    def term(span: tuple[int, int]) -> tuple[Term, ...]:
        return (Term(*span, 0, 0),)

    return Facts(
        bytes(32),
        1,
        9,
        bytes(32),
        9,
        cities=(City(2, 1, (Term(0, None, 0, 0),)), City(1, 1, term(city))),
        agencies=(Agency(AGENCY, 1, term(agency)),),
        accreditations=(Accreditation(AGENCY, 1, TYPE, term(granted)),),
        **more,  # type: ignore[arg-type]
    )


def test_accredited_means_granted_by_the_active_city_it_belonged_to_then() -> None:
    spans = [(0, 6), (1, 3), (2, 5)]
    for city, agency, granted, time in product(spans, spans, spans, TIMES):
        read = facts(city, agency, granted)
        member = all(start <= time < end for start, end in (city, agency))
        assert rules.city_of(read, AGENCY, time) == (1 if member else None)
        assert rules.accredited(read, AGENCY, TYPE, time) == (member and granted[0] <= time < granted[1])


def test_another_agency_type_or_city_grants_nothing() -> None:
    read = facts((0, 9), (0, 9), (0, 9))
    assert rules.accredited(read, AGENCY, TYPE, 1)
    assert not rules.accredited(read, AGENCY[::-1], TYPE, 1)
    assert not rules.accredited(read, AGENCY, TYPE[::-1], 1)
    moved = Facts(
        bytes(32), 1, 9, bytes(32), 9, read.cities, (Agency(AGENCY, 2, read.agencies[0].terms),), read.accreditations
    )
    assert rules.city_of(moved, AGENCY, 1) == 2 and not rules.accredited(moved, AGENCY, TYPE, 1)


def test_an_agency_that_moved_is_accredited_by_the_city_of_that_time() -> None:
    read = Facts(
        bytes(32),
        1,
        9,
        bytes(32),
        9,
        cities=(City(1, 1, (Term(0, None, 0, 0),)), City(2, 1, (Term(0, None, 0, 0),))),
        agencies=(Agency(AGENCY, 1, (Term(0, 3, 0, 0),)), Agency(AGENCY, 2, (Term(3, None, 0, 0),))),
        accreditations=(Accreditation(AGENCY, 1, TYPE, (Term(0, None, 0, 0),)),),
    )
    assert [rules.city_of(read, AGENCY, time) for time in (0, 2, 3, 5)] == [1, 1, 2, 2]
    assert [rules.accredited(read, AGENCY, TYPE, time) for time in (0, 2, 3, 5)] == [True, True, False, False]


def test_a_key_is_valid_in_its_term_and_before_any_known_compromise() -> None:
    for since, recorded, time, as_of in product(TIMES, TIMES, TIMES, TIMES):
        key = Key(KID, 1, AGENCY, 1, 1, bytes(32), bytes(32), (Term(1, 5, 2, 0),), (Compromise(since, recorded),))
        known = recorded <= as_of and since <= time
        assert rules.compromised(key, time, as_of) == known
        assert rules.key_valid(key, time, as_of) == (1 <= time < 5 and as_of >= 2 and not known)


def test_the_earliest_of_several_compromises_counts() -> None:
    key = Key(KID, 1, "", 1, 1, bytes(32), bytes(32), (Term(0, None, 0, 0),), (Compromise(5, 1), Compromise(2, 3)))
    assert [rules.compromised(key, 3, as_of) for as_of in (1, 2, 3)] == [False, False, True]
    assert rules.find_key(facts((0, 1), (0, 1), (0, 1), keys=(key,)), KID) is key
    assert rules.find_key(facts((0, 1), (0, 1), (0, 1)), KID) is None
