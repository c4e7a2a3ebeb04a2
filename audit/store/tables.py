"""Tables of authorizations and accesses. What is committed by a leaf, and what can be rebuilt: docs/formats.md.

Persons stand here as `subject_ref` (audit.subject) alone; operators and cases as keyed hashes (audit.store.accesses).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

authorization = Table(
    "authorization",
    metadata,
    Column("id", LargeBinary(32), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("grantee", Text, nullable=False),
    # USCC of the agency that grants, of an agreement or an emergency.
    Column("grantor", Text),
    Column("subject_ref", LargeBinary(48)),
    Column("mandate", LargeBinary(32)),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("review_by", BigInteger),
    Column("reviewed", Integer, nullable=False),
    # As this city recorded it; what the chain says stands in chain_status.
    Column("status", Integer, nullable=False),
    # Readings that were allowed: of all, and of the day (days since 1970 in China).
    Column("uses", BigInteger, nullable=False),
    Column("day", BigInteger, nullable=False),
    Column("uses_today", BigInteger, nullable=False),
    Column("log_no", Integer, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    # The signed object with the openings of the persons in it.
    Column("sealed", LargeBinary, nullable=False),
)
Index("authorization_subject", authorization.c.subject_ref)
Index("authorization_review", authorization.c.grantor, authorization.c.review_by)

mandate = Table(
    "mandate",
    metadata,
    Column("id", LargeBinary(32), primary_key=True),
    Column("principal_ref", LargeBinary(48), nullable=False),
    Column("agent_ref", LargeBinary(48), nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("log_no", Integer, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
Index("mandate_agent", mandate.c.agent_ref)

holder_key = Table(
    "holder_key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("subject_ref", LargeBinary(48), nullable=False),
    Column("x", LargeBinary(32), nullable=False),
    Column("y", LargeBinary(32), nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("log_no", Integer, nullable=False),
    Column("log_index", BigInteger, nullable=False),
)
Index("holder_key_subject", holder_key.c.subject_ref)

# Of authorizations and mandates that the chain does not say are active; a row is never taken out.
chain_status = Table(
    "chain_status",
    metadata,
    Column("id", LargeBinary(32), primary_key=True),
    Column("status", Integer, nullable=False),
)

# One row: up to which block the chain's statuses were read, and when.
status_view = Table(
    "status_view",
    metadata,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("block", BigInteger, nullable=False),
    Column("read_at", BigInteger, nullable=False),
)

access = Table(
    "access",
    metadata,
    Column("log_no", Integer, primary_key=True, autoincrement=False),
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("request", LargeBinary(32), nullable=False),
    # Number of the step in audit.access.AccessStep's order.
    Column("step", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("asker", Text, nullable=False),
    Column("subject_ref", LargeBinary(48)),
    Column("item", LargeBinary(32)),
    Column("authorization", LargeBinary(32)),
    Column("matter", Text),
    Column("code", Integer),
    Column("operator_key", LargeBinary(16)),
    Column("case_key", LargeBinary(16)),
)
# A repeated request finds its first decision.
Index("access_request", access.c.request, access.c.step)
Index("access_subject", access.c.subject_ref, access.c.at)
Index("access_item", access.c.item)
Index("access_authorization", access.c.authorization)
Index("access_operator", access.c.operator_key)
Index("access_case", access.c.case_key)
Index("access_asker", access.c.asker, access.c.at)

# Salts and values of the private members of a statement, sealed; of any stream.
opening = Table(
    "opening",
    metadata,
    Column("log_no", Integer, primary_key=True, autoincrement=False),
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)

# Every version of catalogue, matters and lists that decisions went by: canonical JSON.
rules = Table(
    "rules",
    metadata,
    Column("version", LargeBinary(32), primary_key=True),
    # Made by itself from the agencies' types, or imported by the steward.
    Column("origin", Text, nullable=False),
    Column("adopted_at", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("log_no", Integer, nullable=False),
    Column("log_index", BigInteger, nullable=False),
)

# Types of evidence that client systems append to streams of their own, with their members' schemas.
evidence_type = Table(
    "evidence_type",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("log_no", Integer, nullable=False),
    Column("log_index", BigInteger, nullable=False),
)

# 校核纠错: a wrong or doubtful value of a resource, by when it is to be settled, and whether it was.
correction = Table(
    "correction",
    metadata,
    Column("id", LargeBinary(32), primary_key=True),
    Column("resource", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("opened", Text, nullable=False),
    Column("due", Text, nullable=False),
    Column("closed", Text),
    Column("log_no", Integer, nullable=False),
    Column("log_index", BigInteger, nullable=False),
)
Index("correction_due", correction.c.closed, correction.c.due)
