"""The peers: libraries of others doing the nearest thing they do. Tests install them; a bare install lacks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from api.bench.rounds import Absent, Contender

PROVE_LEAVES = 2000


def version(distribution: str) -> str | None:
    """The installed version of a peer, None if it is not there."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def sdjwt_issue(claims: Mapping[str, Any], times: int) -> Contender | Absent:
    """PyPI sd-jwt issuing the same claims: SD-JWT and signature, no schema, no identifier, nothing stored."""
    found = version("sd-jwt")
    if found is None:
        return Absent("PyPI sd-jwt")
    issuer, key, wrapped = _sdjwt(claims)

    def work() -> int:
        for _ in range(times):
            issuer(wrapped(), key)
        return times

    return Contender(f"sd-jwt {found}", work)


def sdjwt_verify(claims: Mapping[str, Any], times: int) -> Contender | Absent:
    """PyPI sd-jwt verifying a presentation: signature and disclosures alone."""
    found = version("sd-jwt")
    if found is None:
        return Absent("PyPI sd-jwt")
    from sd_jwt.verifier import SDJWTVerifier

    issuer, key, wrapped = _sdjwt(claims)
    text = issuer(wrapped(), key).sd_jwt_issuance

    def work() -> int:
        for _ in range(times):
            SDJWTVerifier(text, lambda *_: key).get_verified_payload()
        return times

    return Contender(f"sd-jwt {found}", work)


def pymerkle_append(folder: Path, times: int, name: str = "append") -> Contender | Absent:
    """PyPI pymerkle on SQLite: one entry, one commit."""
    found = version("pymerkle")
    if found is None:
        return Absent("PyPI pymerkle")
    from pymerkle import SqliteTree

    tree = SqliteTree(str(folder / f"pymerkle-{name}.sqlite"))

    def work() -> int:
        for number in range(times):
            tree.append_entry(b"entry %d" % number)
        return times

    return Contender(f"pymerkle {found} on SQLite", work)


def pymerkle_prove(folder: Path, lines: int) -> Contender | Absent:
    """PyPI pymerkle on SQLite: inclusion proofs in a tree of 2,000 entries, as it takes longer to grow a larger one."""
    found = version("pymerkle")
    if found is None:
        return Absent("PyPI pymerkle")
    from pymerkle import SqliteTree

    tree = SqliteTree(str(folder / "pymerkle-prove.sqlite"))
    for number in range(PROVE_LEAVES):
        tree.append_entry(b"entry %d" % number)

    def work() -> int:
        for number in range(lines):
            tree.prove_inclusion(1 + number * 7919 % PROVE_LEAVES)
        return lines

    return Contender(f"pymerkle {found} proofs among {PROVE_LEAVES:,}", work)


def _sdjwt(claims: Mapping[str, Any]) -> tuple[Callable[..., Any], Any, Callable[[], dict[Any, Any]]]:
    from jwcrypto.jwk import JWK
    from sd_jwt.common import SDObj
    from sd_jwt.issuer import SDJWTIssuer

    key = JWK.generate(kty="EC", crv="P-256")
    return SDJWTIssuer, key, lambda: {SDObj(name): value for name, value in claims.items()}
