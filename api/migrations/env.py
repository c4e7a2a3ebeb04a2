"""Alembic's entry: migrates the connection that `api.migrate` hands in."""

from __future__ import annotations

from alembic import context

from api.migrations.runner import metadatas

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadatas(), render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
