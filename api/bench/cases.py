"""What is measured: the real paths of the product, each beside the nearest thing a peer does."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from api.bench import peers, programs
from api.bench.programs import Program
from api.bench.rounds import Absent, Contender
from certs import sdjwt
from certs.certificate_type import load_catalogue
from certs.minting import Mint
from certs.row_file import open_rows
from certs.rows import Issuer, Row, RowReader
from certs.verify.verifier import Verifier
from certs.verify.view import Policy
from ledger import jws
from ledger.keys.p256 import P256Signer, generate_secret
from ledger.keys.wrapping import WrappingKey
from ledger.logid import ACCESS
from ledger.sequencer import Decided, Sequencer, Turn
from ledger.statement import Draft
from ledger.store import schema
from ledger.store.database import Database
from ledger.store.guard import Guard
from ledger.trust import Trust
from ledger.types import LogName

AGENCY = "11330100XXXX33013C"
_CLAIMS = {f"attribute_{i}": f"一个有代表性的值 {i}" for i in range(10)}


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    contenders: tuple[Contender, ...]
    """Ours first."""
    absent: tuple[str, ...]
    """Peers that are not installed."""


def issue(sample: Path, rows: int, opened: ExitStack) -> Case:
    """Rows of a file to signed, sealed certificates: schema check, identifier, SD-JWT, ES256, AES-256-GCM."""
    certificate_type = load_catalogue().find("business_licence")
    with open_rows(sample, certificate_type) as file:
        raws = [raw for raw, _ in zip(file, range(rows), strict=False)]
        columns = file.columns
    reader = RowReader(certificate_type, columns, Issuer(AGENCY, "演示", "330100"), datetime.now(UTC).date())
    mint = Mint(
        certificate_type=certificate_type,
        issuer=AGENCY,
        signer=P256Signer(generate_secret()),
        index_key=os.urandom(32),
        subject_key=os.urandom(32),
        status_uri="https://city.invalid/v1/status-lists/",
    )

    def work() -> int:
        now = datetime.now(UTC)
        for place, raw in enumerate(raws):
            row = reader.read(raw)
            if isinstance(row, Row):
                mint.claim(row)
                mint.mint(row, WrappingKey(os.urandom(32)), now=now, place=place)
        return len(raws)

    return case_of(
        "issue",
        Contender("certledger: row to sealed certificate", work),
        peers.sdjwt_issue(_CLAIMS, rows),
        started(opened, programs.open_attestation("issue"), "wrap", rows),
        started(opened, programs.cert_issuer(), "batch", max(rows // 10, 1)),
    )


def sign_only(rows: int) -> Case:
    """The SD-JWT alone, ten attributes: what a peer's issuer does."""
    signer = P256Signer(generate_secret())

    def work() -> int:
        for _ in range(rows):
            salts = os.urandom(sdjwt.SALT_BYTES * len(_CLAIMS))
            sdjwt.issue({"iss": "x", "iat": 1}, _CLAIMS, salts=salts, signer=signer)
        return rows

    return case_of("sd-jwt", Contender("certledger: SD-JWT of 10 attributes", work), peers.sdjwt_issue(_CLAIMS, rows))


def verify(bundles: Sequence[bytes], trust: Trust, times: int, opened: ExitStack) -> Case:
    """Bundles offline, all steps, each with a snapshot of its own that no one has seen before."""
    policy, now = Policy(max_status_age=timedelta(days=36500)), datetime.now(UTC)

    def work() -> int:
        for number in range(times):
            Verifier(trust).verify(bundles[number % len(bundles)], policy, now, None)
        return times

    return case_of(
        "verify",
        Contender("certledger: bundle, 8 steps", work),
        peers.sdjwt_verify(_CLAIMS, times),
        started(opened, programs.open_attestation("verify"), "hashes", times),
    )


def verify_again(genuine: bytes, trust: Trust, times: int) -> Case:
    """One bundle shown again and again to one verifier: its snapshot is verified once."""
    verifier, policy = Verifier(trust), Policy(max_status_age=timedelta(days=36500))
    now = datetime.now(UTC)

    def work() -> int:
        for _ in range(times):
            verifier.verify(genuine, policy, now, None)
        return times

    return case_of(
        "verify-again", Contender("certledger: snapshot seen before", work), peers.sdjwt_verify(_CLAIMS, times)
    )


class _Say:
    """An act of one record."""

    def decide(self, turn: Turn) -> Decided[None]:
        return Decided([Draft("access/recorded", AGENCY, {"n": turn.first_index})], None)


def append(folder: Path, threads: int, each: int, opened: ExitStack) -> Case:
    """Durable records of many callers: group commit, tiles, outbox, guard."""
    sequencer = _sequencer(folder)
    log = LogName(1, ACCESS)

    def caller() -> None:
        for _ in range(each):
            sequencer.append(log, _Say())

    def work() -> int:
        running = [threading.Thread(target=caller) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return threads * each

    ours = Contender(f"certledger: {threads} callers, durable", work)
    return case_of(
        "append",
        ours,
        peers.pymerkle_append(folder, max(threads * each // 10, 1)),
        started(opened, programs.tlog("append", folder, str(threads)), "and fsync", threads * each),
    )


def machine(folder: Path) -> dict[str, float]:
    """What this machine does by itself, to read the rest by: per second, one core."""
    signer = P256Signer(generate_secret())
    data = os.urandom(64)
    signed = signer.sign(data)
    descriptor = os.open(folder / "fsync", os.O_WRONLY | os.O_CREAT, 0o600)

    def synced() -> None:
        os.pwrite(descriptor, data, 0)
        os.fsync(descriptor)

    try:
        return {
            "SHA-256 (64 bytes)": _rate(lambda: sha256(data).digest(), 200_000),
            "ECDSA P-256 sign": _rate(lambda: signer.sign(data), 3_000),
            "ECDSA P-256 verify": _rate(lambda: jws.verify_es256(signed, data, x=signer.x, y=signer.y), 3_000),
            "fsync": _rate(synced, 200),
        }
    finally:
        os.close(descriptor)


def _rate(once: Callable[[], object], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        once()
    return times / (time.perf_counter() - started)


def _sequencer(folder: Path) -> Sequencer:
    database = Database(f"sqlite:///{folder / 'bench.sqlite'}")
    schema.metadata.create_all(database.engine)
    return Sequencer(database, Guard(folder / "guard.sqlite"), WrappingKey(os.urandom(32)), lambda: datetime.now(UTC))


def started(opened: ExitStack, peer: Program | Absent, does: str, count: int) -> Contender | Absent:
    """A program ends when the measurements do."""
    return peer if isinstance(peer, Absent) else opened.enter_context(peer).contender(does, count)


def case_of(name: str, ours: Contender, *others: Contender | Absent) -> Case:
    present = tuple(each for each in others if isinstance(each, Contender))
    return Case(name, (ours, *present), tuple(each.name for each in others if isinstance(each, Absent)))
