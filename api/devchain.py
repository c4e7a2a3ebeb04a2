"""Starting a city's development chain, inside this process or detached, on the port it had before.

Trust files name the node, so the port is kept in the chain's folder; if somebody else holds it now, a free one is
taken and the trust file has to be exported again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from api import wiring
from api.errors import ApiError
from api.wiring import City
from ledger.errors import EngineError
from ledger.evm import devnet
from ledger.evm.anvil import find_engine
from ledger.evm.devnet import Status
from ledger.evm.engine import DevChain

PORT = "port"
T = TypeVar("T")


def start_detached(city: City, port: int | None = None) -> Status:
    """A chain that outlives this command; left alone if it runs."""
    _development(city)
    engine, folder = _engine(city), city.chain_folder
    now = devnet.status(folder)
    if now.state != "running" or port is not None:
        now = _on_port(folder, port, lambda chosen: devnet.up(folder, engine, chosen))
    if now.record is not None:
        _remember(folder, now.record.port)
    return now


def start_inside(city: City, port: int | None = None) -> DevChain:
    """A chain that ends with this process."""
    _development(city)

    def start(chosen: int | None) -> DevChain:
        chain = DevChain(city.chain_folder, _engine(city), port=chosen)
        chain.start()
        return chain

    chain = _on_port(city.chain_folder, port, start)
    _remember(city.chain_folder, chain.port)
    return chain


@contextmanager
def running(city: City, port: int | None = None) -> Iterator[DevChain | None]:
    """The chain inside this process; None if the city uses another chain, or its own runs detached."""
    if city.settings.rpc_url or devnet.status(city.chain_folder).state == "running":
        yield None
        return
    chain = start_inside(city, port)
    try:
        yield chain
    finally:
        chain.stop()


def _on_port(folder: Path, wanted: int | None, start: Callable[[int | None], T]) -> T:
    """`wanted` is an order; the port of before is a wish."""
    before = _before(folder) if wanted is None else None
    try:
        return start(wanted or before)
    except EngineError as error:
        if error.code != "PORT_TAKEN" or before is None:
            raise
        return start(None)


def _before(folder: Path) -> int | None:
    try:
        return int((folder / PORT).read_text())
    except (OSError, ValueError):
        return None


def _remember(folder: Path, port: int) -> None:
    (folder / PORT).write_text(str(port))


def _development(city: City) -> None:
    if city.settings.production or city.settings.rpc_url:
        raise ApiError("DEVELOPMENT_ONLY", "this city uses another chain", what="devnet")


def _engine(city: City) -> Path:
    return find_engine(city.settings.engine or None, wiring.PROJECT)
