"""Bringing a city's database to the form this version needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

import certs.store
import ledger.store.schema
from api.errors import ApiError
from ledger.store.database import Database


def metadatas() -> list[MetaData]:
    """All tables of a city's database."""
    return [ledger.store.schema.metadata, certs.store.metadata]


def upgrade(database: Database) -> None:
    """To the newest form, in one transaction. Safe to call again."""
    with database.writing() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(database: Database) -> None:
    """Raises `ApiError` DATABASE_NOT_MIGRATED unless the database has exactly this version's form."""
    expected = ScriptDirectory.from_config(_config()).get_current_head()
    with database.reading() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != expected:
        raise ApiError(
            "DATABASE_NOT_MIGRATED", "the database is of another version", found=found or "-", expected=expected or "-"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
