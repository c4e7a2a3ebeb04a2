"""Names of logs: one stream of one city in one epoch.

logId = keccak256(abi.encode(uint32 city, bytes32 streamId, uint32 epoch)), computed by LogAnchor from the
sender's city, so that no city can even name another city's log.
"""

from __future__ import annotations

import re
from functools import lru_cache

from eth_hash.auto import keccak

from ledger.errors import LedgerError

CERTIFICATE = "certificate"
AUTHORIZATION = "authorization"
ACCESS = "access"
CASE = "case"
BUILT_IN_STREAMS = (CERTIFICATE, AUTHORIZATION, ACCESS, CASE)

_VISIBLE = re.compile(r"[!-~]{1,32}")
_STREAM = re.compile(r"[a-z][a-z0-9-]{0,31}")


def ascii32(text: str) -> bytes:
    """ASCII text left-aligned in 32 zero-padded bytes: how streams, agencies and types are named on chain."""
    if not _VISIBLE.fullmatch(text):
        raise LedgerError("NAME_NOT_ASCII32", "a name on chain is 1 to 32 visible ASCII characters", name=text)
    return text.encode().ljust(32, b"\0")


def from_ascii32(value: bytes) -> str:
    """The inverse of `ascii32`; the empty string for the zero word."""
    return value.rstrip(b"\0").decode("ascii")


def stream_id(stream: str) -> bytes:
    """The on-chain id of a stream: lower-case letters, digits and hyphens, at most 32."""
    if not _STREAM.fullmatch(stream):
        raise LedgerError("STREAM_NAME", "a stream is named by a-z, 0-9 and -, at most 32", stream=stream)
    return ascii32(stream)


@lru_cache(maxsize=1024)
def log_id(city: int, stream: str, epoch: int = 0) -> bytes:
    """32-byte log id; city and epoch are uint32."""
    if not (0 <= city < 2**32 and 0 <= epoch < 2**32):
        raise LedgerError("LOG_NAME_RANGE", "city and epoch are numbers of 32 bits", city=city, epoch=epoch)
    return bytes(keccak(city.to_bytes(32, "big") + stream_id(stream) + epoch.to_bytes(32, "big")))
