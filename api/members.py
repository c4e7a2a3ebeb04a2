"""The city's own members: making agencies known on the chain, and listing what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from api import rulebook
from api.wiring import ENC_KEY, GOVERNOR, HEAD_KEY, RECEIPT_KEY, WITNESS, City, agency_key, agency_signers
from certs import agencies
from certs.certificate_type import load_catalogue
from ledger import accreditation as rules
from ledger.errors import LedgerError
from ledger.evm.contracts import log_anchor, member_registry
from ledger.evm.contracts.codec import codec
from ledger.facts import Facts, Key, Question
from ledger.jws import b64url, ed25519_thumbprint
from ledger.keys.keystore import P256
from ledger.keys.p256 import P256Signer
from ledger.ports import Call
from ledger.store import outbox

SETTLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """One act of the governor that is still to be done."""

    act: str
    subject: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Member:
    """An agency to make known."""

    agency: str
    """USCC."""
    name: str
    """As printed on certificates."""
    types: tuple[str, ...]
    """Types it may issue, ids or codes."""


def plan(city: City, agency: str, types: Sequence[str]) -> list[Step]:
    """What the chain does not say yet about an agency. Changes nothing on chain; makes the agency's key if missing."""
    codes = [load_catalogue().find(each).code for each in types]
    signer = _signer(city, agency)
    here = city.settings.city
    read = city.chain.facts(agencies.question(agency, here, [signer.kid], codes))
    steps = []
    if rules.city_of(read, agency, read.time) != here:
        steps.append(Step("add-agency", agency, member_registry.add_agency(agency)))
    for code in codes:
        if not rules.accredited(read, agency, code, read.time):
            steps.append(Step("accredit", code, member_registry.accredit(agency, code)))
    if rules.find_key(read, signer.kid) is None:
        steps.append(Step("add-key", signer.kid, member_registry.add_key(_key(here, agency, signer))))
    return steps


def carry_out(city: City, label: str, steps: Sequence[Step]) -> None:
    """The governor's acts in one transaction, stored before it is sent; final on return."""
    if steps:
        data = member_registry.multicall([step.data for step in steps])
        governor, call = city.transactor(GOVERNOR), Call(city.deployment.member_registry.address, data)
        name = f"{label}/{sha256(data).hexdigest()[:16]}"
        with city.database.reading() as connection:
            sent = outbox.transactions(connection, state=outbox.SIGNED, sender=governor.address, label=name)
        if not sent:  # one that is under way may be mined: done, the contract would refuse it
            rehearse(city, governor.address, call)
        governor.once(name, lambda: call, finished=False)
        governor.settle_all(SETTLE_SECONDS)


def rehearse(city: City, governor: str, call: Call) -> None:
    """Raises `LedgerError` DECISION_REFUSED with the contract's rule, if it would refuse. Nothing is sent."""
    revert = city.chain.rehearse(governor, call)
    if revert is None:
        return
    known = codec(member_registry.NAME).error(revert) or codec(log_anchor.NAME).error(revert)
    rule = known[0] if known else revert[:4].hex()
    raise LedgerError("DECISION_REFUSED", f"the contract refused: {known or rule}", rule=rule)


def add(city: City, *wanted: Member) -> list[Step]:
    """Make agencies of this city known with their keys and types, in one transaction. Safe to call again."""
    steps = [step for member in wanted for step in plan(city, member.agency, member.types)]
    carry_out(city, "member", steps)
    # Crash member/on-chain: the chain knows it and our table does not; the same command reads it.
    for member in wanted:
        refresh(city, member.agency, member.name)
    # Crash member/known: automatic rules lack what the agency issues until the same command is run again.
    rulebook.extend_automatic(city)
    return steps


def refresh(city: City, agency: str, name: str) -> Facts:
    """Read again what the chain says about an agency, over all types there are."""
    codes = [each.code for each in load_catalogue().values()]
    _signer(city, agency)
    kids = [signer.kid for signer in agency_signers(city.keystore, agency)]
    asked = agencies.question(agency, city.settings.city, kids, codes)
    return agencies.remember(city.database, city.chain, agency, name, asked)


def _signer(city: City, agency: str) -> P256Signer:
    """The newest; made if there is none."""
    city.keystore.generate((agency_key(agency), P256))
    return agency_signers(city.keystore, agency)[0]


def rotation(city: City, agency: str, overlap: int, *, make: bool) -> list[Step]:
    """A new key for an agency, and the end of those it has, `overlap` seconds from now.

    The overlap is for what was signed and is not anchored: its key must still hold when it is. The new key signs from
    the moment the chain lists it, in whatever run that is seen, so an interrupted rotation is picked up by the next.
    """
    signers, here = agency_signers(city.keystore, agency), city.settings.city
    read = city.chain.facts(Question(kids=tuple(signer.kid for signer in signers)))
    valid = [key.kid for key in read.keys if rules.key_valid(key, read.time + overlap, read.block)]
    unused = next((signer for signer in signers if rules.find_key(read, signer.kid) is None), None)
    if unused is None and make:
        name = agency_key(agency, len(signers) + 1)
        city.keystore.generate((name, P256))
        unused = city.keystore.signer(name)
    data = member_registry.add_key(_key(here, agency, unused)) if unused else b""
    until = read.time + overlap if overlap else 0  # 0: the time of the block that ends it
    ends = [Step("end-key", kid, member_registry.end_key(kid, until)) for kid in valid]
    return [Step("add-key", unused.kid if unused else "-", data), *ends]


def _key(city: int, agency: str, signer: P256Signer) -> Key:
    return Key(signer.kid, city, agency, rules.P256, rules.CERT, signer.x, signer.y, (), ())


def register_own_keys(city: City, *, dry_run: bool = False) -> list[Step]:
    """Make the keys with which the city itself signs known on the chain. Safe to call again."""
    here, keys = city.settings.city, city.keystore
    steps = [
        city_key_step(here, rules.WITNESS, keys.signer(WITNESS)),
        city_key_step(here, rules.RECEIPT, keys.signer(RECEIPT_KEY)),
        city_key_step(here, rules.ENC, keys.signer(ENC_KEY)),
        head_step(here, keys.note_signer(HEAD_KEY).public_key().public_bytes_raw()),
    ]
    known = {key.kid for key in city.chain.facts(Question(kids=tuple(step.subject for step in steps))).keys}
    missing = [step for step in steps if step.subject not in known]
    if not dry_run:
        carry_out(city, "city-keys", missing)
    return missing


def head_step(city: int, public: bytes) -> Step:
    """Registering the key that signs the city's checkpoints (Ed25519)."""
    kid = b64url(ed25519_thumbprint(public))
    key = Key(kid, city, "", rules.ED25519, rules.HEAD, public, bytes(32), (), ())
    return Step("add-key", kid, member_registry.add_key(key))


def city_key_step(city: int, use: int, signer: P256Signer) -> Step:
    """Registering a P-256 key of the city itself for one use."""
    key = Key(signer.kid, city, "", rules.P256, use, signer.x, signer.y, (), ())
    return Step("add-key", signer.kid, member_registry.add_key(key))
