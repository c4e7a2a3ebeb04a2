"""Making the trust file a verifier starts from."""

from __future__ import annotations

from datetime import timedelta

from api.wiring import WITNESS, City
from ledger.errors import ChainUnavailable
from ledger.statement import timestamp
from ledger.trust import Trust, Witness


def trust_of(city: City, *, days: int) -> Trust:
    """This one-city ledger: its deployment, its witness key, k = 1, its node."""
    witness = city.keystore.signer(WITNESS)
    return Trust(
        deployment=city.deployment,
        witnesses=(Witness(city.settings.city, witness.x, witness.y),),
        k=1,
        valid_until=timestamp(city.clock() + timedelta(days=days)),
        nodes=_nodes(city),
    )


def _nodes(city: City) -> tuple[str, ...]:
    """A development chain that is stopped has no address to name."""
    try:
        return (city.chain_url,)
    except ChainUnavailable:
        return ()
