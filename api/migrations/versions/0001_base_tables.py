"""Base tables: logs and their tiles, outbox, anchors, certificates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chain_transaction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
        sa.UniqueConstraint("sender", "nonce"),
    )
    op.create_table(
        "log",
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("log_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("city", sa.BigInteger(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("no"),
        sa.UniqueConstraint("log_id"),
    )
    op.create_table(
        "anchor",
        sa.Column("log_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("prev_size", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_no"],
            ["log.no"],
        ),
        sa.PrimaryKeyConstraint("log_no", "size"),
    )
    op.create_table(
        "entry",
        sa.Column("log_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_no"],
            ["log.no"],
        ),
        sa.PrimaryKeyConstraint("log_no", "idx"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["chain_transaction.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "outbox_one_waiting_head",
            ["key"],
            unique=True,
            sqlite_where=sa.text("kind = 'head' AND state = 'waiting'"),
            postgresql_where=sa.text("kind = 'head' AND state = 'waiting'"),
        )
        batch_op.create_index("outbox_state", ["state", "id"], unique=False)

    op.create_table(
        "tile",
        sa.Column("log_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_no"],
            ["log.no"],
        ),
        sa.PrimaryKeyConstraint("log_no", "level", "idx"),
    )
    op.create_table(
        "agency",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "certificate",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("row_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_no", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("replaces", sa.LargeBinary(length=32), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("status_place", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sa.UniqueConstraint("identifier"),
        sa.UniqueConstraint("status_place"),
    )
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.create_index("certificate_log", ["log_no", "log_index"], unique=False)
        batch_op.create_index("certificate_row_key", ["row_key", "version"], unique=True)

    op.create_table(
        "status_counter",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("no"),
    )


def downgrade() -> None:
    raise NotImplementedError("a ledger only grows: restore the backup taken before the upgrade")
