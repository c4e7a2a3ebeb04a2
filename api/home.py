"""A city's home folder and the settings in it: made once, found again, and never taken for another city's."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from api import passwords, wiring
from api import settings as settings_file
from api.errors import ApiError
from api.settings import Settings


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A node that somebody else runs, and how it is used; the settings of the same names. None: as the settings say."""

    rpc_url: str | None = None
    chain_id: int | None = None
    gas_price: int | None = None
    confirmations: int | None = None

    @property
    def given(self) -> dict[str, str | int]:
        """What was said, by name of the setting."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def make(
    home: Path, *, city: int, division: int, name: str, consortium: str = "", node: Elsewhere = Elsewhere()
) -> None:
    """Settings last: a folder without them is no city yet and can be begun again. `consortium` empty: a new one is
    drawn, or the one of before stands. Raises `ApiError` HOME_EXISTS, HOME_UNWRITABLE, USAGE."""
    if (home / settings_file.FILE).exists():
        said = {"city": city, "division": division, **({"consortium": consortium} if consortium else {}), **node.given}
        _same_city(home, settings_file.read(home), said)
        return
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        password = home / wiring.PASSWORD
        if not password.exists():
            passwords.write_new(password)
        # Crash init/password: no settings, so no city yet; the password is used again.
        settings = Settings(
            city=city,
            division=division,
            name=name,
            consortium=consortium or secrets.token_hex(32),
            password_file=str(password.resolve()),
            **node.given,  # type: ignore[arg-type]  # each by its own setting's name
        )
        _obeyed(settings, node)
        settings_file.write(home, settings)
        # Crash init/settings: a city with an id and no key.
    except OSError as error:
        raise ApiError("HOME_UNWRITABLE", f"{home}: {error.strerror}", path=home, reason=error.strerror) from None


def _same_city(home: Path, settings: Settings, said: dict[str, str | int]) -> None:
    """Price and finality are no part of who it is: said again, they are written again. So is the whole node as long as
    there are no keys, for nothing can have been signed for the one before."""
    changed = {name for name, value in said.items() if value != getattr(settings, name)}
    bound = {"city", "division", "consortium"}
    if (home / wiring.KEYSTORE).exists():
        bound |= {"rpc_url", "chain_id"}
    if changed & bound:
        raise ApiError("HOME_EXISTS", "another city lives in this folder", path=home)
    if changed:
        settings_file.write(home, settings.model_copy(update={name: said[name] for name in changed}))


def _obeyed(settings: Settings, node: Elsewhere) -> None:
    """The environment wins over what is written; over what was just typed it must not win in silence."""
    for name, value in node.given.items():
        if getattr(settings, name) != value:
            problem = f"CERTLEDGER_{name.upper()} says something else than --{name.replace('_', '-')}"
            raise ApiError("USAGE", problem, problem=problem)
