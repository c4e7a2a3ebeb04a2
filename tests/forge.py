"""Bundles made purely in memory: genuine to the last signature, so that a test can change one thing and no other.

An agency of city 1 signed a business licence; it is leaf 5 of a log whose heads have sizes 3, 8 and 12; a witness
signed what the chain says an hour later; the verifier looks two hours later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from certs import bundle as bundles
from certs import certificate, identifier, sdjwt
from certs.bundle import Bundle
from certs.certificate import StatusSlot
from certs.certificate_type import load_catalogue
from certs.verify.reasons import Reason
from certs.verify.verifier import Verified, Verifier
from certs.verify.view import Policy, Silent
from ledger import accreditation as rules
from ledger import canonical, merkle, snapshot
from ledger.commitment import statement_leaf
from ledger.facts import Accreditation, Agency, City, Facts, Key, PublishedHead, StatusHistory, StatusRecord, Term
from ledger.keys.p256 import P256Signer
from ledger.logid import log_id
from ledger.snapshot import Snapshot
from ledger.statement import Statement, timestamp
from ledger.status import Reason as Why
from ledger.status import Status
from ledger.trust import Contract, Deployment, Trust, Witness
from ledger.verdict import Result, State, Step


def key(name: str) -> P256Signer:
    return P256Signer(sha256(name.encode()).digest())


CITY, OTHER_CITY = 1, 2
AGENCY, OTHER_AGENCY = "11330100XXXX33013C", "11330100XXXX330217"
TYPE = load_catalogue()["business_licence"]
OTHER_TYPE = load_catalogue()["resident_id_card"]
KEY, OTHER_KEY = key("agency"), key("other agency")
WITNESS, OTHER_WITNESS, STRANGER = key("witness 1"), key("witness 2"), key("stranger")

SIGNED = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
"""`iat`; recorded a second later, anchored after a minute (T), read by the witness after an hour."""
AT = SIGNED + timedelta(seconds=1)
NOW = SIGNED + timedelta(hours=2)
IAT = int(SIGNED.timestamp())
BEGAN, T, READ = IAT - 30 * 86400, IAT + 60, IAT + 3600
BEGAN_BLOCK, HEAD_BLOCK, READ_BLOCK = 5, 100, 200

CONSORTIUM = sha256(b"consortium").digest()
DEPLOYMENT = Deployment(
    CONSORTIUM, 31337, *(Contract("0x" + f"{n}a" * 20, sha256(b"code %d" % n).digest()) for n in range(1, 4))
)
TRUST = Trust(DEPLOYMENT, (Witness(CITY, WITNESS.x, WITNESS.y),), 1, "2027-11-20T00:00:00.000Z")
TWO = Trust(DEPLOYMENT, (*TRUST.witnesses, Witness(OTHER_CITY, OTHER_WITNESS.x, OTHER_WITNESS.y)), 2, TRUST.valid_until)
"""A verifier that wants two cities' word."""

SALT = sha256(b"salt of the leaf").digest()
OTHERS = [sha256(b"leaf %d" % n).digest() for n in range(12)]
INDEX, SIZES = 5, (3, 8, 12)
OLD = sha256(b"the certificate before").digest()
OPEN = (Term(BEGAN, None, BEGAN_BLOCK, 0),)

ATTRIBUTES: dict[str, Any] = {
    "certificate_identifier": identifier.build(
        type_code=TYPE.code, issuer=AGENCY, serial="ABCDEFGHJK0123456789", version=1
    ),
    "certificate_number": "YS33010200000001",
    "holder_name": "杭州凤起天成文化传媒有限公司（演示）",
    "holder_code": "91330102XXXX10014Y",
    "holder_type": "001",
    "issuing_authority_name": "杭州市市场监督管理局（演示）",
    "issuing_authority_code": AGENCY,
    "issuing_date": "2026-11-20",
    "validity_start": "2026-11-20",
    "validity_end": "2036-11-19",
    "area_code": "330100",
    "enterprise_name": "杭州凤起天成文化传媒有限公司（演示）",
    "registered_capital": 100_000_000,
    "business_scope": ["文艺创作", "组织文化艺术交流活动"],
}
HIDDEN = certificate.hidden_claims(ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Case:
    """A bundle, what the chain says at the time of its snapshot, and who looks at it when."""

    bundle: Bundle
    facts: Facts
    digest: bytes
    now: datetime = NOW
    trust: Trust = TRUST
    policy: Policy = field(default_factory=Policy)
    live: Facts | Silent | None = None

    @property
    def file(self) -> bytes:
        return bundles.encode(self.bundle)

    def verify(self, file: bytes | None = None) -> Verified:
        """Through bytes, as a verifier gets it."""
        untrusted = self.file if file is None else file
        return Verifier(self.trust).verify(untrusted, self.policy, self.now, self.live)

    def but(self, **changes: Any) -> Case:
        """The same with other parts of the bundle; what signs them is left as it is."""
        return replace(self, bundle=replace(self.bundle, **changes))

    def presenting(self, change: Callable[[str], str]) -> Case:
        return self.but(presentation=change(self.bundle.presentation))

    def with_head(self, **changes: Any) -> Case:
        """Another head in the bundle, which nobody published."""
        return self.but(head=replace(self.bundle.head, **changes))

    def on_chain(self, change: Callable[[Facts], Facts], *signers: P256Signer) -> Case:
        """Had the chain said this instead, in a snapshot that the witness signed."""
        changed = change(self.facts)
        return replace(self.but(snapshot=signed(changed, *(signers or (WITNESS,)))), facts=changed)

    def status(self, *records: StatusRecord, digest: bytes | None = None) -> Case:
        """Had the chain these records of the certificate, or of another digest of the same issuer."""
        row = StatusHistory(AGENCY, digest or self.digest, records)
        rest = tuple(each for each in self.facts.statuses if each.digest != row.digest)
        return self.on_chain(lambda facts: replace(facts, statuses=(row, *rest)))


def record(
    status: Status, *, since: int = T, reason: Why = Why.OTHER, successor: bytes = bytes(32), recorded: int = 150
) -> StatusRecord:
    """A row of StatusRegistry, made after the certificate was anchored."""
    issuer = AGENCY if any(successor) else ""
    return StatusRecord(int(status), int(reason), since, issuer, successor, recorded, max(since, T))


def signed(facts: Facts, *signers: P256Signer) -> Snapshot:
    first, *rest = signers
    made = snapshot.sign(facts, first)
    for signer in rest:
        made = snapshot.cosign(made, signer)
    return made


def make(
    *,
    visible: Mapping[str, Any] | None = None,
    hidden: Mapping[str, Any] = HIDDEN,
    signer: P256Signer = KEY,
    statement: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    salt: bytes = SALT,
    index: int = INDEX,
    sizes: Sequence[int] = SIZES,
    anchored: int = T,
) -> Case:
    """A case whose every signature and proof holds, over claims, statement and place as the test wants them.

    `visible`, `statement`, `body`: members to replace; None drops one. `sizes`: of the head before the bundle's, of
    the bundle's, and of the newest on chain.
    """
    salts = b"".join(sha256(b"disclosure %d" % n).digest()[: sdjwt.SALT_BYTES] for n in range(len(hidden)))
    text = sdjwt.issue(_claims(visible or {}), hidden, salts=salts, signer=signer)
    digest = sdjwt.parse(text).digest
    said = _statement(digest, statement or {}, body or {})
    leaves = [*OTHERS[:index], statement_leaf(said.encode(), salt), *OTHERS[index + 1 :]]
    heads = _heads(leaves, sizes, anchored)
    facts = _facts(digest, signer, heads)
    made = Bundle(
        presentation=text,
        x=signer.x,
        y=signer.y,
        statement=said.to_json(),
        salt=salt,
        city=CITY,
        epoch=0,
        index=index,
        proof=tuple(merkle.prove_inclusion(leaves, index, sizes[1])),
        head=heads[0],
        snapshot=signed(facts, WITNESS),
    )
    return Case(made, facts, digest)


def refused(before: Case, after: Case, reason: Reason, *, result: Result = Result.INVALID) -> None:
    """What `after` changes makes a VALID bundle INVALID, at the step and for the reason named; no claim gets out."""
    genuine = before.verify()
    assert genuine.verdict.result is Result.VALID, genuine.verdict
    assert genuine.claims["iss"] == f"urn:certledger:agency:{AGENCY}"
    verified = after.verify()
    finding = verified.verdict.at(Step(reason // 100))
    assert (finding.reason, finding.code) == (reason.name, int(reason)), verified.verdict
    assert finding.state is (State.FAIL if result is Result.INVALID else State.UNKNOWN)
    assert verified.verdict.result is result, verified.verdict
    assert verified.claims == {}


def _claims(changes: Mapping[str, Any]) -> dict[str, Any]:
    slot = StatusSlot("https://city.invalid/v1/status-lists/0", 7)
    claims: dict[str, Any] = {**certificate.visible_claims(TYPE, ATTRIBUTES, issued_at=IAT, slot=slot), **changes}
    return {name: value for name, value in claims.items() if value is not None}


def _statement(digest: bytes, changes: Mapping[str, Any], body: Mapping[str, Any]) -> Statement:
    said: dict[str, Any] = {
        **certificate.issue_body(
            digest=digest, identifier=ATTRIBUTES["certificate_identifier"], type_code=TYPE.code, replaces=None
        ),
        **body,
    }
    kept = {name: value for name, value in said.items() if value is not None}
    genuine = Statement(log_id(CITY, "certificate"), "certificate", certificate.ISSUE, timestamp(AT), AGENCY, kept)
    return replace(genuine, **changes)


def _heads(leaves: Sequence[bytes], sizes: Sequence[int], anchored: int) -> tuple[PublishedHead, PublishedHead]:
    """The bundle's, and the newest."""
    log, (before, here, newest) = log_id(CITY, "certificate"), sizes
    first = PublishedHead(log, here, merkle.tree_root(leaves[:here]), before, HEAD_BLOCK, anchored)
    return first, PublishedHead(log, newest, merkle.tree_root(leaves[:newest]), here, HEAD_BLOCK + 20, anchored + 60)


def _facts(digest: bytes, signer: P256Signer, heads: tuple[PublishedHead, ...]) -> Facts:
    held = Key(signer.kid, CITY, AGENCY, rules.P256, rules.CERT, signer.x, signer.y, OPEN, ())
    return Facts(
        consortium=CONSORTIUM,
        chain_id=DEPLOYMENT.chain_id,
        block=READ_BLOCK,
        block_hash=sha256(b"block").digest(),
        time=READ,
        cities=(City(CITY, 330100, OPEN),),
        agencies=(Agency(AGENCY, CITY, OPEN),),
        accreditations=(Accreditation(AGENCY, CITY, TYPE.code, OPEN),),
        keys=(held,),
        heads=heads,
        statuses=(StatusHistory(AGENCY, digest, ()),),
    )


def ended(at: int, *, recorded: int = 150) -> tuple[Term, ...]:
    """The open term, cut short at `at` by a record made later."""
    return (*OPEN, Term(BEGAN, at, recorded, 0))


def with_key(**changes: Any) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, keys=(replace(facts.keys[0], **changes),))


def rewritten(snapshot_of: Snapshot, change: Callable[[Any], Any]) -> Snapshot:
    """The payload changed under the signatures it had."""
    from ledger.jws import b64url, unb64url

    value = canonical.loads(unb64url(snapshot_of.payload), max_bytes=snapshot.MAX_PAYLOAD_BYTES)
    return replace(snapshot_of, payload=b64url(canonical.dumps(change(value))))


GENUINE = make()
"""The case that every attack starts from."""
