"""Places in status lists: every one taken once, in an order that tells nothing."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from certs.statuslist import LIST_SIZE, place

KEY = b"k" * 32


def test_a_whole_list_is_filled_and_no_place_twice() -> None:
    places = [place(number, KEY) for number in range(LIST_SIZE)]
    assert {list_no for list_no, _ in places} == {0}
    assert sorted(index for _, index in places) == list(range(LIST_SIZE))


@given(st.integers(0, 2**40), st.binary(min_size=32, max_size=32))
def test_a_place_is_always_the_same_and_inside_its_list(number: int, key: bytes) -> None:
    list_no, index = place(number, key)
    assert (list_no, index) == place(number, key)
    assert list_no == number // LIST_SIZE and 0 <= index < LIST_SIZE


def test_the_next_list_begins_where_the_first_ends_and_is_mixed_otherwise() -> None:
    first = [place(number, KEY)[1] for number in range(2000)]
    second = [place(LIST_SIZE + number, KEY) for number in range(2000)]
    assert {list_no for list_no, _ in second} == {1}
    assert sum(a == b for a, (_, b) in zip(first, second, strict=True)) < 20


def test_neighbours_in_a_list_were_not_issued_together() -> None:
    """Of 2,000 certificates issued in a row, hardly two stand next to each other."""
    indices = [place(number, KEY)[1] for number in range(2000)]
    neighbours = sum(abs(a - b) == 1 for a, b in pairwise(indices))
    assert neighbours < 10
    assert indices != [place(number, b"j" * 32)[1] for number in range(2000)]
    # Spread over the list: each quarter gets its share.
    quarters = [sum(index * 4 // LIST_SIZE == quarter for index in indices) for quarter in range(4)]
    assert min(quarters) > 350
