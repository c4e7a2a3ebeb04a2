"""Places in status lists: taken at issue in an order nobody outside can follow.

A list has 2^18 places. The n-th certificate gets the place a keyed permutation gives to n, so places never collide
and neighbours in a list were not issued together. The lists themselves are served by a later part.
"""

from __future__ import annotations

from hashlib import blake2b

_HALF_BITS = 9
_HALF = 1 << _HALF_BITS
LIST_SIZE = _HALF * _HALF
_ROUNDS = 4
_PERSON = b"statuslist/v1"


def place(number: int, key: bytes) -> tuple[int, int]:
    """(list number, index in it) of the `number`-th certificate under a secret `key`.

    A balanced Feistel network of four keyed rounds (Luby–Rackoff): a bijection on each list.
    """
    list_no, inside = divmod(number, LIST_SIZE)
    left, right = divmod(inside, _HALF)
    for round_no in range(_ROUNDS):
        text = b"%d/%d/%d" % (list_no, round_no, right)
        mixed = int.from_bytes(blake2b(text, key=key, digest_size=2, person=_PERSON).digest(), "big") % _HALF
        left, right = right, left ^ mixed
    return list_no, left * _HALF + right
