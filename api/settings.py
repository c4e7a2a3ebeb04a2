"""Settings of one city: `certledger.toml` in its home folder, overridden by CERTLEDGER_* in the environment.

Secrets never stand here: only the path of a password file may.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from api.errors import ApiError

FILE = "certledger.toml"


class Settings(BaseSettings):
    """Every setting, its default and its meaning; docs/settings.md is proven against this list."""

    model_config = SettingsConfigDict(env_prefix="CERTLEDGER_", extra="forbid", frozen=True)

    city: Annotated[int, Field(ge=1, le=2**32 - 1, description="Opaque id of this city on chain, never reused.")]
    division: Annotated[int, Field(ge=100000, le=999999, description="GB/T 2260 code of the city, e.g. 330100.")]
    name: Annotated[str, Field(max_length=100, description="Name of the city, for people.")]
    consortium: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Id of the ledger this city belongs to.")]
    production: Annotated[bool, Field(description="True refuses development keys, chains and password files.")] = False
    rpc_url: Annotated[
        str, Field(description="Node of the chain; empty: the development chain in the home folder.")
    ] = ""
    chain_id: Annotated[int, Field(ge=1, description="Chain id of that node.")] = 31337
    gas_price: Annotated[int, Field(ge=0, description="Wei per gas: 0 on a free-gas chain, else at least 1.")] = 0
    confirmations: Annotated[
        int, Field(ge=0, description="Blocks on top before a block is final; 0 on a BFT chain.")
    ] = 0
    database_url: Annotated[str, Field(description="SQLAlchemy address; empty: SQLite in the home folder.")] = ""
    steward: Annotated[
        str,
        Field(
            pattern="^([0-9A-Z]{18})?$", description="USCC of the agency that records for the city: its data bureau."
        ),
    ] = ""
    status_uri: Annotated[
        str, Field(max_length=200, pattern="^https?://", description="Where the city's status lists are served.")
    ] = "https://city.invalid/v1/status-lists/"
    password_file: Annotated[str, Field(description="File with the keystore's password, mode 0600; empty: ask.")] = ""
    engine: Annotated[str, Field(description="Path of the anvil binary; empty: node_modules, then PATH.")] = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings


def read(home: Path) -> Settings:
    """Raises `ApiError` HOME_MISSING, SETTINGS_INVALID."""
    path = home / FILE
    if not path.is_file():
        raise ApiError("HOME_MISSING", "no city lives in this folder", path=home)
    try:
        written = TomlConfigSettingsSource(Settings, path)()
        return Settings(**written)
    except (ValidationError, ValueError, OSError) as error:
        problem = _problem(error)
        raise ApiError("SETTINGS_INVALID", f"{path}: {problem}", path=path, problem=problem) from None


def write(home: Path, settings: Settings) -> None:
    """Write the settings of a new city."""
    lines = ["# Settings of one city; docs/settings.md says what each means."]
    for name, value in settings.model_dump().items():
        # JSON's strings, integers and booleans are TOML's too.
        lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    beside = home / (FILE + ".new")
    beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
    beside.replace(home / FILE)  # whole or not at all: a folder with settings counts as a city


def _problem(error: Exception) -> str:
    """What is wrong, without the values: an address may carry a password."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
    return type(error).__name__
