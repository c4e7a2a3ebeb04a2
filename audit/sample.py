"""A sample that anybody can repeat: which entries of a log are looked at follows from a seed and the log's root. Pure.

The root is fixed by the chain before the seed is named, so neither the city nor the auditor chooses what is looked at.
"""

from __future__ import annotations

from hashlib import sha256

from audit.errors import AuditError

_DOMAIN = b"certledger/sample/v1\x00"
_WORD_BYTES = 8
MAX_SEED_BYTES = 256
MAX_SIZE = 100_000


def indices(seed: str, root: bytes, log_size: int, size: int) -> tuple[int, ...]:
    """`size` different indices below `log_size`, rising; all of them where there are no more.

    Draw n is the first 8 bytes of SHA-256(domain ‖ SHA-256(seed) ‖ root ‖ log size ‖ n); each number 8 bytes.
    A draw at or above the largest multiple of the log's size is passed over, so that each entry is equally likely; so
    is one that was drawn before. Raises `AuditError` SAMPLE_SIZE, SAMPLE_SEED.
    """
    if not 0 < size <= MAX_SIZE:
        raise AuditError("SAMPLE_SIZE", "not a number of entries that can be drawn", limit=MAX_SIZE)
    if not 0 < len(seed.encode()) <= MAX_SEED_BYTES:
        raise AuditError("SAMPLE_SEED", "a seed is a text of 1 to 256 bytes", limit=MAX_SEED_BYTES)
    if size >= log_size:
        return tuple(range(log_size))
    prefix = _DOMAIN + sha256(seed.encode()).digest() + root + log_size.to_bytes(_WORD_BYTES, "big")
    limit = 2 ** (8 * _WORD_BYTES) // log_size * log_size
    drawn: set[int] = set()
    number = 0
    while len(drawn) < size:
        value = int.from_bytes(sha256(prefix + number.to_bytes(_WORD_BYTES, "big")).digest()[:_WORD_BYTES], "big")
        number += 1
        if value < limit:
            drawn.add(value % log_size)
    return tuple(sorted(drawn))
