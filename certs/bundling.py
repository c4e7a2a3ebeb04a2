"""Making bundles: everything a verifier needs about one certificate, gathered into one file.

The snapshot is read from the chain at one block and signed with the city's witness key; the city signs only what its
own node answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from certs import sdjwt, store
from certs.bundle import Bundle
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
from ledger.sealing.open import open_sealed
from ledger.statement import Statement
from ledger.store import logs, outbox
from ledger.store.database import Connection, Database
from ledger.types import LogName


@dataclass(frozen=True, slots=True)
class _Recorded:
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

    def bundle(self, identifier: str, *, only: Iterable[str] | None = None) -> Bundle:
        """`only`: the names of the claims to show; None shows all.

        Raises `BundleError` NOT_ANCHORED, ANCHOR_LOST, CERTIFICATE_UNKNOWN; `ChainUnavailable`.
        """
        with self._database.reading() as connection:
            certificate = store.by_identifier(connection, identifier)
            if certificate is None:
                raise BundleError("CERTIFICATE_UNKNOWN", "no such certificate here", identifier=identifier)
            recorded = self._recorded(connection, certificate)
        text = self._text(certificate)
        kid = parse_compact(text.partition("~")[0], typ=sdjwt.TYP).kid
        facts = self._chain.facts(_question(certificate, recorded, kid))
        # Of a closed epoch the bundle is made all the same: that the entry is void is the verifier's to say.
        if recorded.head not in facts.heads and self._chain.closings([recorded.head.log])[0] is None:
            raise BundleError("ANCHOR_LOST", "the chain does not confirm the anchor", identifier=identifier)
        key = next((key for key in facts.keys if key.kid == kid), None)
        if key is None:
            raise BundleError("ISSUER_KEY_NOT_ON_CHAIN", "the issuer's key is not registered", identifier=identifier)
        return Bundle(
            presentation=text if only is None else sdjwt.select(text, only),
            x=key.x,
            y=key.y,
            statement=recorded.statement.to_json(),
            salt=recorded.salt,
            city=recorded.log.city,
            epoch=recorded.log.epoch,
            index=recorded.index,
            proof=recorded.proof,
            head=recorded.head,
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

    def _anchored_anew(self, parts: Material) -> _Recorded | None:
        """Our own record of a bundle's certificate, if it is ours and at this very place."""
        with self._database.reading() as connection:
            certificate = store.by_digest(connection, parts.digest)
            recorded = self._recorded(connection, certificate) if certificate else None
        place = (parts.bundle.city, parts.bundle.epoch, parts.bundle.index)
        return recorded if recorded and (recorded.log.city, recorded.log.epoch, recorded.index) == place else None

    def _recorded(self, connection: Connection, certificate: Certificate) -> _Recorded:
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
        return _Recorded(statement, salt, row.name, index, tuple(proof), head)

    def _text(self, certificate: Certificate) -> str:
        if certificate.erased:
            raise BundleError("CERTIFICATE_ERASED", "its content was erased", identifier=certificate.identifier)
        key = self._keys.one(certificate.content_kid)
        return open_sealed(certificate.sealed, context=store.context(certificate.digest), key=key).decode("ascii")


def _question(certificate: Certificate, recorded: _Recorded, kid: str) -> Question:
    """The very question a verifier will ask (`Material.question`), asked of our own row."""
    city, issuer = recorded.log.city, certificate.issuer
    statuses = [(issuer, certificate.digest)]
    if certificate.replaces:
        statuses.append((issuer, certificate.replaces))
    return Question(
        kids=(kid,),
        cities=(city,),
        agencies=((issuer, city),),
        accreditations=((issuer, city, certificate.type_code),),
        heads=(recorded.head,),
        statuses=tuple(statuses),
    )
