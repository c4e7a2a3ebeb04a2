"""One anvil for all contract tests; each starts from the same deployed consortium and is undone afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from consortium import Consortium, deploy_consortium
from evm_chain import Chain, running_anvil
from web3 import HTTPProvider, Web3


@pytest.fixture(scope="package")
def engine() -> Iterator[Chain]:
    with running_anvil() as address:
        yield Chain(Web3(HTTPProvider(address)))


@pytest.fixture(scope="package")
def deployed(engine: Chain) -> Consortium:
    return deploy_consortium(engine)


@pytest.fixture
def chain(engine: Chain, deployed: Consortium) -> Iterator[Chain]:
    before = engine.rpc("evm_snapshot")
    yield engine
    assert engine.rpc("evm_revert", before) is True


@pytest.fixture
def consortium(chain: Chain, deployed: Consortium) -> Consortium:
    return deployed
