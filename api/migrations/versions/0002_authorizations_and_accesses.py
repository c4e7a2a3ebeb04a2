"""Authorizations and accesses: what is kept beside their logs; references of persons; keys of the day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access",
        sa.Column("log_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request", sa.LargeBinary(length=32), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("asker", sa.Text(), nullable=False),
        sa.Column("subject_ref", sa.LargeBinary(length=48), nullable=True),
        sa.Column("item", sa.LargeBinary(length=32), nullable=True),
        sa.Column("authorization", sa.LargeBinary(length=32), nullable=True),
        sa.Column("matter", sa.Text(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("operator_key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("case_key", sa.LargeBinary(length=16), nullable=True),
        sa.PrimaryKeyConstraint("log_no", "log_index"),
    )
    with op.batch_alter_table("access", schema=None) as batch_op:
        batch_op.create_index("access_asker", ["asker", "at"], unique=False)
        batch_op.create_index("access_authorization", ["authorization"], unique=False)
        batch_op.create_index("access_case", ["case_key"], unique=False)
        batch_op.create_index("access_item", ["item"], unique=False)
        batch_op.create_index("access_operator", ["operator_key"], unique=False)
        batch_op.create_index("access_request", ["request", "step"], unique=False)
        batch_op.create_index("access_subject", ["subject_ref", "at"], unique=False)

    op.create_table(
        "authorization",
        sa.Column("id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("grantee", sa.Text(), nullable=False),
        sa.Column("grantor", sa.Text(), nullable=True),
        sa.Column("subject_ref", sa.LargeBinary(length=48), nullable=True),
        sa.Column("mandate", sa.LargeBinary(length=32), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("review_by", sa.BigInteger(), nullable=True),
        sa.Column("reviewed", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("uses_today", sa.BigInteger(), nullable=False),
        sa.Column("log_no", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("authorization", schema=None) as batch_op:
        batch_op.create_index("authorization_review", ["grantor", "review_by"], unique=False)
        batch_op.create_index("authorization_subject", ["subject_ref"], unique=False)

    op.create_table(
        "chain_status",
        sa.Column("id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "correction",
        sa.Column("id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("opened", sa.Text(), nullable=False),
        sa.Column("due", sa.Text(), nullable=False),
        sa.Column("closed", sa.Text(), nullable=True),
        sa.Column("log_no", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index("correction_due", ["closed", "due"], unique=False)

    op.create_table(
        "day_key",
        sa.Column("kid", sa.LargeBinary(length=16), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("office", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("kid"),
        sa.UniqueConstraint("day"),
    )
    op.create_table(
        "erasure",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kid", sa.LargeBinary(length=16), nullable=False),
        sa.Column("log_no", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "evidence_type",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("log_no", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "type"),
    )
    op.create_table(
        "holder_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("subject_ref", sa.LargeBinary(length=48), nullable=False),
        sa.Column("x", sa.LargeBinary(length=32), nullable=False),
        sa.Column("y", sa.LargeBinary(length=32), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("log_no", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kid"),
    )
    with op.batch_alter_table("holder_key", schema=None) as batch_op:
        batch_op.create_index("holder_key_subject", ["subject_ref"], unique=False)

    op.create_table(
        "mandate",
        sa.Column("id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("principal_ref", sa.LargeBinary(length=48), nullable=False),
        sa.Column("agent_ref", sa.LargeBinary(length=48), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("log_no", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        batch_op.create_index("mandate_agent", ["agent_ref"], unique=False)

    op.create_table(
        "opening",
        sa.Column("log_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_no", "log_index"),
    )
    op.create_table(
        "rules",
        sa.Column("version", sa.LargeBinary(length=32), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("adopted_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("log_no", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "status_view",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("no"),
    )
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("subject_ref", sa.LargeBinary(length=48), nullable=True))
        batch_op.create_index("certificate_subject", ["subject_ref", "type_code"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a ledger only grows: restore the backup taken before the upgrade")
