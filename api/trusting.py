"""Making the trust file a verifier starts from."""

from __future__ import annotations

from datetime import timedelta

from api.wiring import WITNESS, City
from ledger import accreditation as rules
from ledger import cosigning
from ledger.errors import ChainUnavailable
from ledger.facts import Question
from ledger.statement import timestamp
from ledger.trust import Trust, Witness


def trust_of(city: City, *, days: int, k: int = 1) -> Trust:
    """This ledger: its deployment, the witness keys of its active cities, how many must cosign, this city's node.

    Raises `VerificationError` TRUST_FORM if fewer than `k` cities have a witness key in force.
    """
    return Trust(
        deployment=city.deployment,
        witnesses=_witnesses(city, k),
        k=k,
        valid_until=timestamp(city.clock() + timedelta(days=days)),
        nodes=_nodes(city),
    )


def _witnesses(city: City, k: int) -> tuple[Witness, ...]:
    """By what the chain says now: who is suspended, removed, or whose key has ended does not get in.

    While the chain is away one city can vouch for itself alone.
    """
    try:
        kids = city.chain.registered_keys(rules.WITNESS)
        keys = city.chain.facts(Question(kids=tuple(kids))).keys
        cities = tuple(dict.fromkeys(key.city for key in keys))
        found = cosigning.witnesses(city.chain.facts(Question(kids=tuple(kids), cities=cities)))
        return tuple(Witness(key.city, key.x, key.y) for key in found)
    except ChainUnavailable:
        if k > 1:
            raise
    own = city.keystore.signer(WITNESS)
    return (Witness(city.settings.city, own.x, own.y),)


def _nodes(city: City) -> tuple[str, ...]:
    """A development chain that is stopped has no address to name."""
    try:
        return (city.chain_url,)
    except ChainUnavailable:
        return ()
