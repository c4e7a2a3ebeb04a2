"""Status lists (IETF Token Status List): places taken at issue, and the lists themselves.

A list has 2^18 places of 2 bits. The n-th certificate gets the place a keyed permutation gives to n, so places never
collide and neighbours in a list were not issued together.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from hashlib import blake2b

from ledger import canonical, jws
from ledger.canonical import Json
from ledger.jws import Signer
from ledger.status import Status

_HALF_BITS = 9
_HALF = 1 << _HALF_BITS
LIST_SIZE = _HALF * _HALF
BITS = 2
TYP = "statuslist+jwt"
VALID, INVALID, SUSPENDED = 0, 1, 2
"""Values of a place (Token Status List §7.1)."""
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


def value_of(status: Status) -> int:
    """What a list says of a status: suspended may end, everything else that is not active is final."""
    if status is Status.ACTIVE:
        return VALID
    return SUSPENDED if status in (Status.SUSPENDED, Status.TRANSFERRING) else INVALID


def encode(values: Mapping[int, int]) -> str:
    """The `lst` member: 2 bits a place, least significant first, zlib at its best level, base64url (§4)."""
    places = bytearray(LIST_SIZE * BITS // 8)
    for index, value in values.items():
        places[index * BITS // 8] |= value << index * BITS % 8
    return jws.b64url(zlib.compress(bytes(places), 9))


def token(values: Mapping[int, int], *, uri: str, issued_at: int, lifetime: int, signer: Signer) -> str:
    """A Status List Token: `uri` as certificates name it, `lifetime` in seconds until it must be fetched anew."""
    payload: dict[str, Json] = {
        "sub": uri,
        "iat": issued_at,
        "exp": issued_at + lifetime,
        "ttl": lifetime,
        "status_list": {"bits": BITS, "lst": encode(values)},
    }
    return jws.sign_compact(canonical.dumps(payload), typ=TYP, signer=signer)
