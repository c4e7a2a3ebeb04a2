"""Tables of the ledger. Which columns are committed by a leaf and which can be rebuilt: docs/formats.md."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# SQLite numbers rows by itself only for INTEGER; PostgreSQL needs BIGINT for as many.
_ID = BigInteger().with_variant(Integer, "sqlite")

log = Table(
    "log",
    metadata,
    Column("no", Integer, primary_key=True),
    Column("log_id", LargeBinary(32), nullable=False, unique=True),
    Column("city", BigInteger, nullable=False),
    Column("stream", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    # The head. Its row lock is the sequencer: whoever holds it appends.
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("last_at", Text, nullable=False),
)

entry = Table(
    "entry",
    metadata,
    Column("log_no", ForeignKey("log.no"), primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)

tile = Table(
    "tile",
    metadata,
    Column("log_no", ForeignKey("log.no"), primary_key=True, autoincrement=False),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

transaction = Table(
    "chain_transaction",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("sender", Text, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False),
    Column("label", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("block", BigInteger),
    Column("gas_used", BigInteger),
    UniqueConstraint("sender", "nonce"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("transaction_id", ForeignKey("chain_transaction.id")),
)
# One waiting row per changed log is enough: whoever publishes takes the newest head.
Index(
    "outbox_one_waiting_head",
    outbox.c.key,
    unique=True,
    sqlite_where=text("kind = 'head' AND state = 'waiting'"),
    postgresql_where=text("kind = 'head' AND state = 'waiting'"),
)
Index("outbox_state", outbox.c.state, outbox.c.id)

anchor = Table(
    "anchor",
    metadata,
    Column("log_no", ForeignKey("log.no"), primary_key=True, autoincrement=False),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("prev_size", BigInteger, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
)

# Keys under which a day's entries and openings are readable for the audit office too (ledger.keys.day_keys).
day_key = Table(
    "day_key",
    metadata,
    Column("kid", LargeBinary(16), primary_key=True),
    Column("day", Text, nullable=False, unique=True),
    # For the city's own key.
    Column("wrapped", LargeBinary, nullable=False),
    # For the audit office's key of use *enc*: a JWE; null until the city knows one.
    Column("office", Text),
)
