"""The ledger's tables (SQLAlchemy Core): entries, tiles, heads, outbox, anchors; and the guard beside them."""
