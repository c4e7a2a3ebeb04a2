"""SD-JWT (RFC 9901): a signed JWT whose claims the holder may show one by one.

Issuing makes one disclosure per attribute and signs their digests. Reading takes a presentation apart, and
`disclosed` puts the shown claims back where their digests stand, refusing whatever is not referenced exactly once.
Who may have signed, and what the claims mean, is not decided here. JSON is read strictly (no floats, no duplicate
keys), so a presentation has one reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NoReturn

import orjson

from ledger import canonical, jws
from ledger.canonical import Json
from ledger.errors import VerificationError
from ledger.jws import Compact, Signer, b64url, unb64url

TYP = "dc+sd-jwt"
MAX_BYTES = 256 * 1024
MAX_DISCLOSURES = 256
SALT_BYTES = 18
"""144 bits: RFC 9901 §9.3 asks for 128, and 18 bytes are 24 base64url characters without a remainder."""
_SALT_CHARACTERS = 24
_DIGEST_CHARACTERS = 43
_DIGEST_DOMAIN = b"certledger/cert/v1\x00"
_RESERVED = {"_sd", "..."}
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One claim that can be shown: (salt, name, value), or an array element without a name."""

    encoded: str
    name: str | None
    value: Json

    @property
    def digest(self) -> str:
        return _disclosure_digests([self.encoded])[0]


@dataclass(frozen=True, slots=True)
class Presentation:
    """A combined SD-JWT taken apart; nothing verified yet."""

    jwt: str
    untrusted: Compact
    disclosures: tuple[Disclosure, ...]
    key_binding: str
    """The KB-JWT, empty if none."""

    @property
    def digest(self) -> bytes:
        return certificate_digest(self.untrusted.signing_input)


def certificate_digest(signing_input: bytes) -> bytes:
    """Identity of a certificate: over what is signed, never the signature, which ES256 lets anyone alter."""
    return sha256(_DIGEST_DOMAIN + signing_input).digest()


def signing_input(text: str) -> bytes:
    """`protected.payload` of an SD-JWT of our own making."""
    return text.partition("~")[0].rpartition(".")[0].encode("ascii")


def issue(visible: Mapping[str, Json], hidden: Mapping[str, Json], *, salts: bytes, signer: Signer) -> str:
    """`<jwt>~<disclosure>~…~` with every claim of `hidden` selectively disclosable.

    `salts` holds 18 fresh random bytes a hidden claim. Values must be fit for strict JSON.
    """
    _check_names(visible, hidden)
    if len(salts) != SALT_BYTES * len(hidden):
        _refuse("SDJWT_SALTS", "every hidden claim needs a salt of its own")
    text = b64url(salts)
    starts = range(0, len(text), _SALT_CHARACTERS)
    disclosures = [
        b64url(orjson.dumps([text[start : start + _SALT_CHARACTERS], name, value]))
        for start, (name, value) in zip(starts, hidden.items(), strict=True)
    ]
    # Sorted, so that the order of digests tells nothing about which claims there are.
    digests = sorted(_disclosure_digests(disclosures))
    payload = orjson.dumps({**visible, "_sd_alg": "sha-256", "_sd": digests})
    jwt = jws.sign_compact(payload, typ=TYP, signer=signer)
    return "~".join((jwt, *disclosures, ""))


def _check_names(visible: Mapping[str, Json], hidden: Mapping[str, Json]) -> None:
    """What no verifier would accept is not issued."""
    names = {*visible, *hidden}
    if len(names) != len(visible) + len(hidden) or names & (_RESERVED | {"_sd_alg"}):
        _refuse("SDJWT_NAMES", "a claim stands there twice, or under a reserved name")


def parse(text: str) -> Presentation:
    """Take a presentation apart. Raises `VerificationError` or `CanonicalError`."""
    if len(text) > MAX_BYTES or not text.isascii():
        _refuse("SDJWT_FORM", "not an SD-JWT of at most 256 KiB of ASCII")
    jwt, *encoded = text.split("~")
    if not encoded or len(encoded) > MAX_DISCLOSURES + 1:
        _refuse("SDJWT_FORM", "not a combined SD-JWT")
    *disclosures, key_binding = encoded
    if key_binding and not _JWT.fullmatch(key_binding):
        _refuse("SDJWT_FORM", "after the last ~ stands something that is no key binding")
    parsed = jws.parse_compact(jwt, typ=TYP)
    return Presentation(jwt, parsed, tuple(map(parse_disclosure, disclosures)), key_binding)


def parse_disclosure(encoded: str) -> Disclosure:
    value = canonical.loads(unb64url(encoded), max_bytes=MAX_BYTES)
    if not isinstance(value, list) or len(value) not in (2, 3) or not all(isinstance(v, str) for v in value[:-1]):
        _refuse("SDJWT_DISCLOSURE", "a disclosure is [salt, name, value] or [salt, value]")
    name = value[1] if len(value) == 3 else None
    if name in _RESERVED:
        _refuse("SDJWT_DISCLOSURE", "a disclosure must not be called _sd or ...")
    return Disclosure(encoded, name if isinstance(name, str) else None, value[-1])


def payload(presentation: Presentation) -> dict[str, Json]:
    """The signed claims as they stand, digests and all."""
    value = canonical.loads(presentation.untrusted.payload, max_bytes=MAX_BYTES)
    if not isinstance(value, dict):
        _refuse("SDJWT_FORM", "the payload is not an object")
    if value.get("_sd_alg", "sha-256") != "sha-256":
        _refuse("SDJWT_ALGORITHM", "only sha-256 digests are accepted")
    return value


def disclosed(presentation: Presentation) -> dict[str, Json]:
    """The claims a verifier may see (RFC 9901 §7.1): each disclosure in its place, all digests gone."""
    digests = _disclosure_digests([disclosure.encoded for disclosure in presentation.disclosures])
    by_digest = dict(zip(digests, presentation.disclosures, strict=True))
    if len(by_digest) != len(presentation.disclosures):
        _refuse("SDJWT_DUPLICATE", "a disclosure stands there twice")
    unpacker = _Unpacker(by_digest)
    claims = unpacker.members(payload(presentation))
    if unpacker.unused:
        _refuse("SDJWT_UNREFERENCED", "a disclosure belongs to no digest of this certificate")
    claims.pop("_sd_alg", None)
    return claims


def select(text: str, names: Iterable[str]) -> str:
    """The presentation that shows only the named top-level claims, without key binding."""
    wanted = set(names)
    presentation = parse(text)
    kept = [d.encoded for d in presentation.disclosures if d.name in wanted]
    return "~".join((presentation.jwt, *kept, ""))


class _Unpacker:
    """Replaces digests by what was disclosed; remembers which digests it met, to refuse a second meeting."""

    def __init__(self, disclosures: Mapping[str, Disclosure]) -> None:
        self._disclosures = disclosures
        self._met: set[str] = set()
        self.unused = set(disclosures)

    def members(self, value: Mapping[str, Json], depth: int = 0) -> dict[str, Json]:
        """One object with its disclosures; together it may be as deep as one document, and no deeper."""
        self._bound(depth)
        claims = {name: self._value(member, depth + 1) for name, member in value.items() if name != "_sd"}
        if "..." in claims:
            _refuse("SDJWT_FORM", "an object member is called ...")
        for digest in self._digests(value.get("_sd", [])):
            disclosure = self._take(digest)
            if disclosure is None:
                continue
            if disclosure.name is None or disclosure.name in claims:
                _refuse("SDJWT_DISCLOSURE", "a disclosure has no name here, or a name that is taken")
            claims[disclosure.name] = self._value(disclosure.value, depth + 1)
        return claims

    def _value(self, value: Json, depth: int) -> Json:
        if isinstance(value, dict):
            return self.members(value, depth)
        if isinstance(value, list):
            return self._elements(value, depth)
        return value

    def _elements(self, value: Sequence[Json], depth: int) -> list[Json]:
        self._bound(depth)
        elements: list[Json] = []
        for element in value:
            if not (isinstance(element, dict) and "..." in element):
                elements.append(self._value(element, depth + 1))
                continue
            if len(element) != 1:
                _refuse("SDJWT_FORM", "an array digest stands alone")
            (digest,) = self._digests([element["..."]])
            disclosure = self._take(digest)
            if disclosure is not None:
                if disclosure.name is not None:
                    _refuse("SDJWT_DISCLOSURE", "an array element has no name")
                elements.append(self._value(disclosure.value, depth + 1))
        return elements

    def _bound(self, depth: int) -> None:
        if depth >= canonical.MAX_DEPTH:
            _refuse("SDJWT_TOO_DEEP", "disclosures are nested too deeply")

    def _digests(self, value: Json) -> list[str]:
        digests = [d for d in value if isinstance(d, str)] if isinstance(value, list) else []
        if not isinstance(value, list) or len(digests) != len(value):
            _refuse("SDJWT_FORM", "digests are strings in a list")
        return digests

    def _take(self, digest: str) -> Disclosure | None:
        if digest in self._met:
            _refuse("SDJWT_DUPLICATE", "a digest stands there twice")
        self._met.add(digest)
        self.unused.discard(digest)
        return self._disclosures.get(digest)


def _disclosure_digests(encoded: Iterable[str]) -> list[str]:
    """32 bytes and a zero are 44 characters without a remainder, so that one call writes all of them."""
    text = b64url(b"".join([sha256(each.encode("ascii")).digest() + b"\x00" for each in encoded]))
    return [text[start : start + _DIGEST_CHARACTERS] for start in range(0, len(text), _DIGEST_CHARACTERS + 1)]


def _refuse(code: str, message: str) -> NoReturn:
    raise VerificationError(code, message)
