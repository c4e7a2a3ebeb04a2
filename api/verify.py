"""Verifying a file as a person would: read it, ask the trusted nodes unless offline, hand everything to the verifier.

Imports nothing of the chain, the database or the web before a node has to be asked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from api import input_file
from api.errors import ApiError
from certs.bundle import MAX_BYTES
from certs.certificate_type import load_catalogue
from certs.source_file import SourceFile, digest, media_type
from certs.verify.verifier import Verified, Verifier
from certs.verify.view import MAX_STATUS_AGE, NODE_BEHIND, Policy, Silent
from ledger import trust as trusts
from ledger.errors import CanonicalError, ChainMismatch, ChainUnavailable, VerificationError
from ledger.facts import Facts, Question
from ledger.ports import Chain
from ledger.trust import Trust

NODE_SECONDS = 5.0
"""How long one node may take to answer."""


def read_trust(path: Path | None) -> Trust:
    """Raises `ApiError` TRUST_UNREADABLE."""
    if path is None:
        raise ApiError("TRUST_MISSING", "no trust file is named")
    try:
        return trusts.decode(path.read_bytes()[: trusts.MAX_BYTES + 1])
    except OSError as error:
        raise ApiError("TRUST_UNREADABLE", str(error), path=path, problem=error.strerror) from None
    except (VerificationError, CanonicalError) as error:
        raise ApiError("TRUST_UNREADABLE", str(error), path=path, problem=error.code) from None


def read_bundle(path: Path) -> bytes:
    """At most one byte more than a bundle may have: the verifier refuses it then."""
    return input_file.read(path, MAX_BYTES)


def policy(max_status_age: timedelta = MAX_STATUS_AGE) -> Policy:
    """The catalogue's anchoring times, and how old a good status may be offline."""
    lags = {each.code: each.max_anchor_lag for each in load_catalogue().values()}
    return Policy(max_status_age=max_status_age, max_anchor_lag=lags)


def read_file(path: Path) -> SourceFile:
    """The digests of an OFD or PDF, of whatever size. Raises `ApiError` FILE_UNREADABLE."""
    try:
        with path.open("rb") as file:
            return digest(file, media_type(path.name) or "application/octet-stream")
    except OSError as error:
        raise ApiError("FILE_UNREADABLE", str(error), path=path, reason=error.strerror) from None


def verify(
    untrusted: bytes,
    trust: Trust,
    now: datetime,
    *,
    offline: bool,
    file: SourceFile | None = None,
    max_status_age: timedelta = MAX_STATUS_AGE,
) -> Verified:
    """Online where the trust file names nodes and `offline` is not asked for."""
    verifier = Verifier(trust)
    live: Facts | Silent | None = None
    if trust.nodes and not offline:
        question = verifier.question(untrusted)
        live = ask(trust, question, verifier.signed_block(untrusted)) if question else None
    return verifier.verify(untrusted, policy(max_status_age), now, live, file)


def ask(
    trust: Trust, question: Question | Callable[[Chain], Question], signed: tuple[int, bytes] | None = None
) -> Facts | Silent:
    """The first node that answers for the trusted deployment; else why the last one did not.

    A question that follows from what is on the chain is asked for first, of the same node. `signed`: number and hash
    of a block that its chain must hold.
    """
    from ledger.evm.client import EvmChain
    from ledger.evm.rpc import Rpc

    silent = Silent("CHAIN_UNREACHABLE")
    for node in trust.nodes:
        try:
            with Rpc(node, timeout=NODE_SECONDS) as rpc:
                chain = EvmChain(rpc, trust.deployment, final=lambda newest: newest)
                chain.confirm()
                facts = chain.facts(question if isinstance(question, Question) else question(chain))
                if signed is None or chain.holds(*signed):
                    return facts
                silent = Silent(NODE_BEHIND)
        except (ChainUnavailable, ChainMismatch) as error:
            silent = Silent(error.code)
    return silent
