"""Making bundles: everything a verifier needs about one certificate, gathered into one file.

The snapshot is read from the chain at one block and signed with the city's witness key; the city signs only what its
own node answered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from audit.recording import RecordedAccess
from certs import sdjwt, store
from certs.bundle import Bundle
from certs.crossregion.disclosure import disclose
from certs.errors import BundleError
from certs.store import Certificate
from certs.verify import material
from certs.verify.material import FormatError, Material
from ledger import entries, snapshot, tile
from ledger.errors import VerificationError
from ledger.facts import PublishedHead, Question
from ledger.jws import Signer, parse_compact
from ledger.keys.content_keys import ContentKeys
from ledger.ports import Chain
from ledger.sealing.envelope import Wrapper
from ledger.statement import Statement
from ledger.store import logs, outbox
from ledger.store.database import Connection, Database
from ledger.types import LogName


@dataclass(frozen=True, slots=True)
class _Entry:
    """What our own database says of an anchored certificate."""

    statement: Statement
    salt: bytes
    log: LogName
    index: int
    proof: tuple[bytes, ...]
    head: PublishedHead


class Bundler:
    """Hands out evidence about certificates of this city."""

    def __init__(self, database: Database, chain: Chain, key: Wrapper, keys: ContentKeys, witness: Signer) -> None:
        """`key`: the city's, which opens entries."""
        self._database = database
        self._chain = chain
        self._key = key
        self._keys = keys
        self._witness = witness

    def ready(self, identifier: str) -> None:
        """Raises `BundleError` if there can be no bundle yet, before a reading is recorded for one."""
        with self._database.reading() as connection:
            self._found(connection, identifier)

    def bundle(self, identifier: str, recorded: RecordedAccess) -> Bundle:
        """Showing exactly the fields of the reading that was recorded for it.

        Raises `BundleError` NOT_ANCHORED, ANCHOR_LOST, CERTIFICATE_UNKNOWN; `DisclosureError`; `ChainUnavailable`.
        """
        with self._database.reading() as connection:
            certificate, entry = self._found(connection, identifier)
        text = disclose(certificate, recorded, self._keys)
        kid = parse_compact(text.partition("~")[0], typ=sdjwt.TYP).kid
        facts = self._chain.facts(_question(certificate, entry, kid))
        # Of a closed epoch the bundle is made all the same: that the entry is void is the verifier's to say.
        if entry.head not in facts.heads and self._chain.closings([entry.head.log])[0] is None:
            raise BundleError("ANCHOR_LOST", "the chain does not confirm the anchor", identifier=identifier)
        key = next((key for key in facts.keys if key.kid == kid), None)
        if key is None:
            raise BundleError("ISSUER_KEY_NOT_ON_CHAIN", "the issuer's key is not registered", identifier=identifier)
        return Bundle(
            presentation=text,
            x=key.x,
            y=key.y,
            statement=entry.statement.to_json(),
            salt=entry.salt,
            city=entry.log.city,
            epoch=entry.log.epoch,
            index=entry.index,
            proof=entry.proof,
            head=entry.head,
            snapshot=snapshot.sign(facts, self._witness),
        )

    def refresh(self, untrusted: bytes) -> Bundle:
        """The same evidence with a snapshot of now: as good as new for verifiers that want a fresh status.

        Where the chain was rolled back since and the log is anchored anew, also with the new anchor and its proof.
        Raises `VerificationError` BUNDLE_FORM if it is no bundle; what is in it is the verifier's to judge.
        """
        try:
            parts = material.read(untrusted)
        except FormatError as error:
            raise VerificationError("BUNDLE_FORM", str(error), place=error.reason.name) from None
        bundle, facts = parts.bundle, self._chain.facts(parts.question())
        if bundle.head not in facts.heads and (moved := self._anchored_anew(parts)) is not None:
            bundle = replace(bundle, head=moved.head, proof=moved.proof)
            facts = self._chain.facts(replace(parts.question(), heads=(moved.head,)))
        return replace(bundle, snapshot=snapshot.sign(facts, self._witness))

    def _anchored_anew(self, parts: Material) -> _Entry | None:
        """Our own record of a bundle's certificate, if it is ours and at this very place."""
        with self._database.reading() as connection:
            certificate = store.by_digest(connection, parts.digest)
            recorded = self._entry(connection, certificate) if certificate else None
        place = (parts.bundle.city, parts.bundle.epoch, parts.bundle.index)
        return recorded if recorded and (recorded.log.city, recorded.log.epoch, recorded.index) == place else None

    def _entry(self, connection: Connection, certificate: Certificate) -> _Entry:
        row = next(row for row in logs.every(connection) if row.no == certificate.log_no)
        index = certificate.log_index
        anchor = outbox.first_anchor_covering(connection, row.no, index)
        if anchor is None:
            raise BundleError("NOT_ANCHORED", "recorded, not yet anchored", identifier=certificate.identifier)
        sealed = logs.entry(connection, row.no, index)
        assert sealed is not None  # noqa: S101  # the row's foreign index; `check` finds a missing entry
        statement, salt = entries.open_entry(sealed, log_id=row.id, index=index, key=self._key)
        proof = tile.prove_inclusion(logs.tile_reader(connection, row.no), index, anchor.size)
        head = PublishedHead(row.id, anchor.size, anchor.root, anchor.prev_size, anchor.block, anchor.time)
        return _Entry(statement, salt, row.name, index, tuple(proof), head)

    def _found(self, connection: Connection, identifier: str) -> tuple[Certificate, _Entry]:
        certificate = store.by_identifier(connection, identifier)
        if certificate is None:
            raise BundleError("CERTIFICATE_UNKNOWN", "no such certificate here", identifier=identifier)
        return certificate, self._entry(connection, certificate)


def _question(certificate: Certificate, entry: _Entry, kid: str) -> Question:
    """The very question a verifier will ask (`Material.question`), asked of our own row."""
    city, issuer = entry.log.city, certificate.issuer
    statuses = [(issuer, certificate.digest)]
    if certificate.replaces:
        statuses.append((issuer, certificate.replaces))
    return Question(
        kids=(kid,),
        cities=(city,),
        agencies=((issuer, city),),
        accreditations=((issuer, city, certificate.type_code),),
        heads=(entry.head,),
        statuses=tuple(statuses),
    )
