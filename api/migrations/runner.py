"""Bringing a city's database to the form this version needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, Table, Text, inspect, select

import audit.store.tables
import certs.erasure_store  # its table joins those of certs.store
import certs.store
import ledger.store.schema
from api.errors import ApiError
from ledger.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0002"
"""Revision that this version needs. Every command looks at it, and only migrating pays for alembic; a test compares."""
_VERSION = Table("alembic_version", MetaData(), Column("version_num", Text))


def metadatas() -> list[MetaData]:
    """All tables of a city's database."""
    return [ledger.store.schema.metadata, audit.store.tables.metadata, certs.store.metadata]


def upgrade(database: Database) -> None:
    """To the newest form, in one transaction. Safe to call again."""
    from alembic import command

    with database.writing() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(database: Database) -> None:
    """Raises `ApiError` DATABASE_NOT_MIGRATED unless the database has exactly this version's form."""
    with database.reading() as connection:
        new = not inspect(connection).has_table(_VERSION.name)
        found = None if new else connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()
    if found != NEWEST:
        raise ApiError(
            "DATABASE_NOT_MIGRATED", "the database is of another version", found=found or "-", expected=NEWEST
        )


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
